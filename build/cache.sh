#!/usr/bin/env bash
# Prints the cache folder that survives a fresh clone, and makes it.
#
# It must be readable by the unprivileged account that the embedded server runs under when we are root;
# a root home with mode 0700 is not, hence /var/cache there.
set -euo pipefail
if [ -n "${STEEP_REPL_CACHE:-}" ]; then
  dir=$STEEP_REPL_CACHE
elif [ "$(id -u)" = 0 ]; then
  dir=/var/cache/steep-repl
else
  dir=${XDG_CACHE_HOME:-$HOME/.cache}/steep-repl
fi
mkdir -p "$dir"
[ ! -O "$dir" ] || chmod a+rx "$dir"
cd "$dir" && pwd -P
