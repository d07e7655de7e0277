#!/usr/bin/env bash
# Writes docs/reference/sql.md from the SQL files of the extension: each public function, table and role with its
# comment. With --check it writes nothing and exits 1 when the file is out of date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
sql=extension/steep_repl/sql
target=docs/reference/sql.md

# Functions: everything from CREATE to the language, and the comment that follows.
functions() {
  awk '
    function flush(  text) {
      if (name == "" || name ~ /^_/) { name = ""; return }
      gsub(/[ \n\t]+/, " ", signature); sub(/ $/, "", signature)
      gsub(/\( /, "(", signature); gsub(/ \)/, ")", signature)
      text = comment; gsub(/\047\047/, "\047", text)
      printf "### %s\n\n```\n%s\n```\n\n%s Role: `%s`.\n\n", name, signature, text, role(name)
      name = ""
    }
    function role(f) { return (f in roles) ? roles[f] : "its owner only" }
    FILENAME ~ /grants\.sql$/ {
      line = line " " $0
      if ($0 ~ /;[ \t]*$/) {
        if (line ~ /GRANT EXECUTE/) {
          who = line; sub(/.* TO /, "", who); sub(/;.*/, "", who)
          rest = line
          while (match(rest, /steep_repl\.[a-z][a-z_]*\(/)) {
            roles[substr(rest, RSTART + 11, RLENGTH - 12)] = who; rest = substr(rest, RSTART + RLENGTH)
          }
        }
        line = ""
      }
      next
    }
    FNR == 1 { noun = $0; sub(/^-- */, "", noun); heading = noun }
    /^CREATE OR REPLACE FUNCTION steep_repl\./ {
      name = $0; sub(/.*FUNCTION steep_repl\./, "", name); sub(/\(.*/, "", name); signature = ""; reading = 1
    }
    reading {
      if ($0 ~ /^ *LANGUAGE/) { reading = 0 } else { s = $0; sub(/^CREATE OR REPLACE FUNCTION /, "", s); signature = signature " " s; sub(/^ /, "", signature) }
    }
    /^COMMENT ON FUNCTION/ { commenting = 1; comment = "" }
    commenting {
      comment = comment " " $0
      if ($0 ~ /\047;$/) {
        commenting = 0
        sub(/^.*\) IS *\047/, "", comment); sub(/\047;$/, "", comment); flush()
      }
    }
  ' "$sql/grants.sql" "$@"
}

tables() {
  awk '
    /^COMMENT ON (TABLE|VIEW) steep_repl\./ {
      name = $4; sub(/steep_repl\./, "", name)
      text = $0; sub(/^[^\047]*\047/, "", text); sub(/\047;$/, "", text); gsub(/\047\047/, "\047", text)
      printf "| `%s` | %s |\n", name, text
    }' "$sql"/tables/*.sql "$sql"/functions/*.sql
}

generate() {
  cat <<'HEAD'
# SQL reference

Written by `docs/reference/generate.sh` from the comments in `extension/steep_repl/sql`; do not edit. All names are in
schema `steep_repl`. What begins with an underscore is not listed: it is for the extension and its peers. *Definer* says
that a function runs with the rights of the extension's owner, and why. Errors are explained in [errors.md](errors.md).
Role is the least that may call it: `steep_repl_operator` may all that `steep_repl_viewer` may, `steep_repl_admin` all
that both may.

HEAD
  local noun
  for noun in node audit subscription table strategy conflict conflict_prune conflict_replay resolve resolve_bulk range range_set range_bypass schema snapshot snapshot_apply work progress node_start preparation node_complete node_reinit health library; do
    case $noun in
      node) echo '## Nodes' ;; audit) echo '## Audit log' ;; subscription) echo '## Links' ;; table) echo '## Tables' ;;
      strategy) echo "## Strategies" ;; conflict) echo "## Conflicts" ;;
      range) echo '## Ranges of ids' ;;
      schema) echo '## Schemas' ;; snapshot) echo '## Snapshots' ;; work) echo '## Work in the background' ;;
      node_start) echo '## Starting a node' ;; node_reinit) echo '## Taking tables anew' ;; health) echo '## Health' ;; library) echo '## Library and settings' ;;
    esac
    case $noun in conflict_* | resolve* | range_* | snapshot_apply | progress | preparation | node_complete) ;; *) echo ;; esac
    functions "$sql/functions/$noun.sql"
  done
  printf '## Tables and views of the extension\n\nTo read. They are written by the functions above.\n\n| name | holds |\n|---|---|\n'
  tables
}

if [ "${1:-}" = --check ]; then
  generate | diff -u "$target" - >&2 || { echo "$target is out of date: run docs/reference/generate.sh" >&2; exit 1; }
else
  generate >"$target.new" && mv "$target.new" "$target"
fi
