#!/usr/bin/env bash
# Prints a folder with the public data sets of the npm package vega-datasets (airports, flights, stocks, …), unpacked into
# the cache: tests replicate data that nobody here made up.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=3.2.1
cache=$("$here/cache.sh")
folder=$cache/vega-datasets-$version
if [ -d "$folder/data" ]; then echo "$folder/data"; exit 0; fi
command -v npm >/dev/null || { echo "npm is missing: install Node.js, it fetches the data sets." >&2; exit 1; }
work=$(mktemp -d "$cache/data.XXXXXX"); trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "vega-datasets@$version" >log 2>&1 && tar xzf vega-datasets-*.tgz) || { cat "$work/log" >&2; exit 1; }
chmod -R a+rX "$work/package"
[ -d "$folder/data" ] || mv "$work/package" "$folder"
echo "$folder/data"
