#!/usr/bin/env bash
# Puts the SQL scripts of the extension together in a folder: scripts.sh VERSION FOLDER
#   steep_repl--VERSION.sql            CREATE EXTENSION: the files of sql/order
#   steep_repl--OLDER.sql              as released
#   steep_repl--OLDER--VERSION.sql     ALTER EXTENSION … UPDATE: the files sql/updates/A--B.sql that lead there, then
#                                      functions/ and grants.sql once more, then A--B.after.sql where there is one
# A line \include FILE in a file of sql/updates stands for that file.
set -euo pipefail
version=$1 target=$(cd "$2" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/steep_repl/sql"

# Prints the steps of updates/ from one version to VERSION, as A--B.
steps() {
  local at=$1 step file
  while [ "$at" != "$version" ]; do
    step=
    for file in "updates/$at"--*.sql; do
      case $file in *.after.sql | *\**) ;; *) step="$step${file#*/}" ;; esac
    done
    case $step in
      '' | *.sql*.sql)
        echo "sql/updates must have one file $at--….sql on the way from $1 to $version" >&2
        return 1
        ;;
    esac
    step=${step%.sql}
    echo "$step"
    at=${step#*--}
  done
}

expanded() {
  while IFS= read -r line; do
    case $line in '\include '*) cat "${line#* }" ;; *) printf '%s\n' "$line" ;; esac
  done <"$1"
}

update() {
  local all step
  all=$(steps "$1")
  cat updating.sql
  for step in $all; do expanded "updates/$step.sql"; done
  grep -E '^(functions/|grants)' order | xargs cat
  for step in $all; do
    if [ -f "updates/$step.after.sql" ]; then expanded "updates/$step.after.sql"; fi
  done
  cat updated.sql
}

grep -v '^#' order | xargs cat >"$target/steep_repl--$version.sql"
for released in released/steep_repl--*.sql; do
  older=${released#*--} older=${older%.sql}
  if [ "$older" = "$version" ]; then
    echo "$version is released: what changes now gets another version, in Cargo.toml, steep_repl.control, Version.java and the poms" >&2
    exit 1
  fi
  cp "$released" "$target/"
  update "$older" >"$target/.update"
  sed "s/@FROM@/$older/g; s/@TO@/$version/g" "$target/.update" >"$target/steep_repl--$older--$version.sql"
  rm "$target/.update"
done
