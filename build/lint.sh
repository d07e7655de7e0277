#!/usr/bin/env bash
# Rules of the house that no other tool checks. Prints each breach; exits 1 when there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
breaches=$(
  find extension java build -name target -prune -o -name stage -prune -o \( -name '*.rs' -o -name '*.java' -o -name '*.sql' -o -name '*.sh' \) -print | while read -r file; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 400 ]; then echo "$file: $lines lines, at most 400"; fi
  done
  grep -rlE 'pg_sys::[a-zA-Z_]*\(' extension/steep_repl/src --include='*.rs' | grep -v '/pg/' | sed 's/$/: calls into pg_sys belong in src\/pg/' || true
  grep -rlE '(^|[^_a-z])pgrx' extension/crates --include='*.rs' --include=Cargo.toml | sed 's/$/: the pure crates know no pgrx/' || true
  for file in extension/steep_repl/sql/functions/*.sql; do
    comm -23 <(grep -oE '^CREATE OR REPLACE FUNCTION steep_repl\.[a-z_]+' "$file" | sed 's/.*\.//' | sort -u) \
             <(grep -oE '^COMMENT ON FUNCTION steep_repl\.[a-z_]+' "$file" | sed 's/.*\.//' | sort -u) | sed "s|^|$file: no comment on function |"
  done
)
if [ -n "$breaches" ]; then echo "$breaches" >&2; exit 1; fi
bash docs/reference/generate.sh --check
