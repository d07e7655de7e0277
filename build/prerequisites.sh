#!/usr/bin/env bash
# Sees to what the Rust build needs beside Maven and a JDK: cargo, a C compiler, libclang with its headers (bindgen
# reads PostgreSQL's headers with it). As root on Debian it installs what is missing, else it says how to.
set -euo pipefail
need=()
command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer with rustup (rustup toolchain install 1.95)." >&2; exit 1; }
command -v cc >/dev/null || need+=(gcc libc6-dev)
found=${LIBCLANG_PATH:-}
for place in /usr/lib/llvm-*/lib /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu /usr/lib64 /usr/local/lib /Library/Developer/CommandLineTools/usr/lib /opt/homebrew/opt/llvm/lib; do
  for library in "$place"/libclang.so* "$place"/libclang-*.so* "$place"/libclang.dylib; do
    # libclang-cpp, which LLVM's own packages bring along, is another library.
    if [ -e "$library" ] && [[ $library != */libclang-cpp* ]]; then found=$library; fi
  done
done
[ -n "$found" ] || need+=(libclang-dev)
[ ${#need[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${need[*]}" >&2
  apt-get -q update >&2 || true
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install "${need[@]}" >&2
else
  echo "Missing for the build: ${need[*]}. On Debian: sudo apt-get install ${need[*]}" >&2
  exit 1
fi
