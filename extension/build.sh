#!/usr/bin/env bash
# Builds the extension and lays it out in extension/stage/ as a server finds it:
#   stage/lib/steep_repl.so   stage/extension/steep_repl.control   stage/extension/steep_repl--….sql (scripts.sh)
# The Rust target folder lives in the cache, keyed by compiler and headers, and so survives a fresh clone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGRX_PG_CONFIG_PATH=${PGRX_PG_CONFIG_PATH:-$("$here/../build/postgres18.sh")}
key=$( (rustc --version; "$PGRX_PG_CONFIG_PATH" --version) | cksum | cut -d' ' -f1)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$("$here/../build/cache.sh")/cargo-$key}
cd "$here"

# Checkouts share the target folder, one at a time. Cargo tells by file times whether to build anew, which says nothing
# about the files of another checkout: these are made new when it was another one's that was built last.
mkdir -p "$CARGO_TARGET_DIR"
if command -v flock >/dev/null; then
  exec 9>"$CARGO_TARGET_DIR/.checkout.lock"
  flock 9
fi
if [ "$(cat "$CARGO_TARGET_DIR/.checkout" 2>/dev/null)" != "$here" ]; then
  find crates steep_repl Cargo.toml -name '*.rs' -exec touch {} + -o -name Cargo.toml -exec touch {} +
  printf '%s\n' "$here" >"$CARGO_TARGET_DIR/.checkout"
fi

if [ $# -gt 0 ]; then
  cargo "$@" 9>&-
  exit
fi
cargo build --release --quiet -p steep_repl 9>&-
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" steep_repl/steep_repl.control)
mkdir -p stage/lib stage/extension
library=$CARGO_TARGET_DIR/release/libsteep_repl.so suffix=so
[ -f "$library" ] || { library=${library%.so}.dylib; suffix=dylib; }
# A new file, never an overwritten one: a running server has the old one mapped.
cp "$library" stage/lib/.new && mv stage/lib/.new "stage/lib/steep_repl.$suffix"
# All scripts before the control file, which offers them; then away with those of other builds.
fresh=$(mktemp -d stage/.scripts.XXXXXX)
trap 'rm -rf "$fresh"' EXIT
bash scripts.sh "$version" "$fresh"
for script in stage/extension/*.sql; do
  [ -f "$fresh/${script##*/}" ] || rm -f "$script"
done
mv "$fresh"/*.sql stage/extension/
cp steep_repl/steep_repl.control stage/extension/
chmod -R a+rX stage
