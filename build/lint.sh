#!/usr/bin/env bash
# Rules of the house that no other tool checks. Prints each breach; exits 1 when there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
breaches=$(
  find extension java build -name target -prune -o -name stage -prune -o -name released -prune -o \( -name '*.rs' -o -name '*.java' -o -name '*.sql' -o -name '*.sh' \) -print | while read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 400 ]; then echo "$file: $lines lines, at most 400"; fi
  done
  grep -rlE 'pg_sys::[a-zA-Z_]*\(' extension/steep_repl/src --include='*.rs' | grep -v '/pg/' | sed 's/$/: calls into pg_sys belong in src\/pg/' || true
  grep -rlE '(^|[^_a-z])pgrx' extension/crates --include='*.rs' --include=Cargo.toml | sed 's/$/: the pure crates know no pgrx/' || true
  (cd extension/steep_repl/sql/released && cksum ./*.sql) | diff extension/steep_repl/sql/released/checksums - | sed 's/^/released scripts never change: /' || true
  versions=$(
    sed -n "s/^default_version = '\(.*\)'/\1/p" extension/steep_repl/steep_repl.control
    sed -n 's/^version = "\(.*\)"/\1/p' extension/Cargo.toml
    sed -n 's/.* CURRENT = "\(.*\)";/\1/p' java/api/src/main/java/io/steeprepl/api/Version.java
    sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' pom.xml
  )
  if [ "$(echo "$versions" | sort -u | wc -l)" -ne 1 ]; then echo "versions differ in steep_repl.control, Cargo.toml, Version.java, pom.xml:" $versions; fi
  for file in extension/steep_repl/sql/functions/*.sql; do
    comm -23 <(grep -oE '^CREATE OR REPLACE FUNCTION steep_repl\.[a-z_]+' "$file" | sed 's/.*\.//' | sort -u) \
             <(grep -oE '^COMMENT ON FUNCTION steep_repl\.[a-z_]+' "$file" | sed 's/.*\.//' | sort -u) | sed "s|^|$file: no comment on function |"
  done
)
if [ -n "$breaches" ]; then echo "$breaches" >&2; exit 1; fi
bash docs/reference/generate.sh --check
