#!/usr/bin/env bash
# Usage: debian-postgres.sh VERSION
# Prints the bin folder of an ordinary PostgreSQL server of that major version, unpacked from Debian's packages into
# the cache: 15 from bookworm, 17 from trixie, 18 from forky. Tests run against it what a user's own server does.
#
# The packages come with the C library that they were built for, which may be newer than this machine's: each program is
# patched to use the loader and the libraries beside it. Needs no root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$1
case $version in
  15) suite=bookworm ;;
  17) suite=trixie ;;
  18) suite=forky ;;
  *) echo "no Debian suite known for PostgreSQL $version" >&2; exit 1 ;;
esac
cache=$("$here/cache.sh")
root=$cache/debian-$suite-postgresql-$version
bin=$root/usr/lib/postgresql/$version/bin
if [ -x "$bin/postgres" ]; then echo "$bin"; exit 0; fi
exec 9>"$root.lock"; flock 9
if [ -x "$bin/postgres" ]; then echo "$bin"; exit 0; fi

work=$(mktemp -d "$cache/debian.XXXXXX"); trap 'rm -rf "$work"' EXIT
apt=$("$here/private-apt.sh" "$work" "$suite")
mkdir "$work/debs" "$work/tree"
# The closure of dependencies without what only matters to an installed system, or to just-in-time compilation.
packages=$(apt-cache -o Dir::State="$work/apt/state" -o Dir::State::status="$work/apt/state/status" -o Dir::Cache="$work/apt/cache" \
  -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
  depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  "postgresql-$version" "postgresql-client-$version" 2>/dev/null | grep -E '^(lib|postgresql-)' | grep -vE 'llvm|clang|perl|systemd|debconf' | sort -u)
(cd "$work/debs" && sh -c "$apt download $(echo $packages | tr '\n' ' ')" >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 1; }
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/tree"; done
# Merged /usr, whatever the packages' age.
for folder in lib lib64; do
  if [ -d "$work/tree/$folder" ] && [ ! -L "$work/tree/$folder" ]; then
    mkdir -p "$work/tree/usr/$folder" && cp -a "$work/tree/$folder/." "$work/tree/usr/$folder/" && rm -rf "${work:?}/tree/$folder"
  fi
done
patchelf=$(command -v patchelf || true)
if [ -z "$patchelf" ]; then
  own=$("$here/private-apt.sh" "$work/tools" "$(. /etc/os-release && echo "$VERSION_CODENAME")")
  (cd "$work/tools" && sh -c "$own download patchelf" >"$work/log" 2>&1 && dpkg-deb -x patchelf_*.deb tree) || { cat "$work/log" >&2; exit 1; }
  patchelf=$work/tools/tree/usr/bin/patchelf
fi
triplet=$(basename "$(dirname "$(find "$work/tree/usr/lib" -name libc.so.6 | head -n 1)")")
loader=$(cd "$work/tree" && find usr -name 'ld-linux*' | head -n 1)
for program in "$work/tree/usr/lib/postgresql/$version"/bin/*; do
  if head -c 4 "$program" | grep -q ELF; then
    "$patchelf" --set-interpreter "$root/$loader" --force-rpath --set-rpath "$root/usr/lib/$triplet" "$program"
  fi
done
rm -rf "$root"
chmod -R a+rX "$work/tree"
mv "$work/tree" "$root"
echo "$bin"
