#!/usr/bin/env bash
# Prints the path of an mvn of version 3.9.6 or newer. An older one fetches a newer one into the cache, as the
# ordinary artifact that it is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=3.9.16
new_enough() {
  local found
  found=$("$1" -v 2>/dev/null | sed -n 's/^.*Apache Maven \([0-9.]*\).*/\1/p' | head -n 1)
  [ -n "$found" ] && [ "$(printf '%s\n' 3.9.6 "$found" | sort -V | head -n 1)" = 3.9.6 ]
}
cached=$("$here/cache.sh")/apache-maven-$version/bin/mvn
if [ -x "$cached" ]; then echo "$cached"; exit 0; fi
system=$(command -v mvn || true)
if [ -n "$system" ] && new_enough "$system"; then echo "$system"; exit 0; fi
if [ -z "$system" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -q update >&2 </dev/null || true
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install maven >&2 </dev/null
  system=$(command -v mvn || true)
fi
[ -n "$system" ] || { echo "No Maven found. Install it (for example: apt-get install maven)." >&2; exit 1; }
cache=$("$here/cache.sh")
work=$(mktemp -d "$cache/maven.XXXXXX"); trap 'rm -rf "$work"' EXIT
echo "Fetching Maven $version with the older $system" >&2
(cd "$work" && "$system" -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  "-Dartifact=org.apache.maven:apache-maven:$version:zip:bin" "-DoutputDirectory=$work") >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
# The jar command of the JDK unpacks zip files everywhere; it does not keep modes.
(cd "$work" && "$("$here/jdk.sh")/bin/jar" xf "apache-maven-$version-bin.zip" && chmod 755 "apache-maven-$version"/bin/mvn*)
chmod -R a+rX "$work/apache-maven-$version"
[ -x "$cached" ] || mv "$work/apache-maven-$version" "$cache/apache-maven-$version"
echo "$cached"
