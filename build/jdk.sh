#!/usr/bin/env bash
# Prints the home of a JDK 25 or newer: JAVA_HOME, the java on the path, or the usual places.
set -euo pipefail
# By its file "release", where it has one: asking javac would take longer than most commands do.
fits() {
  local line version=
  [ -x "$1/bin/javac" ] || return 1
  if [ -r "$1/release" ]; then
    while IFS= read -r line; do
      case $line in JAVA_VERSION=*) version=${line#*\"} ;; esac
    done <"$1/release"
  fi
  [ -n "$version" ] || version=$("$1/bin/javac" -version 2>&1 | sed -n 's/^javac //p')
  version=${version%%[!0-9]*}
  [ "${version:-0}" -ge 25 ]
}
look() {
  local path
  path=$(command -v javac || true)
  for home in "${JAVA_HOME:-}" "${path:+$(cd "$(dirname "$(readlink -f "$path")")/.." && pwd)}" \
    /usr/lib/jvm/*25* /usr/lib/jvm/* /opt/*jdk* /usr/java/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    if [ -n "$home" ] && fits "$home"; then echo "$home"; return 0; fi
  done
  return 1
}
if look; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -q update >&2 </dev/null || true
  for package in openjdk-25-jdk-headless temurin-25-jdk; do
    if DEBIAN_FRONTEND=noninteractive apt-get -q -y install "$package" >&2 </dev/null; then break; fi
  done
  if look; then exit 0; fi
fi
echo "No JDK 25 found. Install one (for example: apt-get install openjdk-25-jdk-headless) or name it in JAVA_HOME." >&2
exit 1
