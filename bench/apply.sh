# A backlog of single-row transactions, written while the receiver rests, then applied.
backlog() { # KIND DATABASE
  pause "$2"
  local step=$((rows / 4))
  case $1 in
    update) sql="UPDATE t SET n = n + 1 WHERE id = :client_id * $step + mod(:i, $step) + 1" ;;
    insert) sql="INSERT INTO t VALUES (:base + :client_id * $step + :i, 'a note of some length', 0)" ;;
    delete) sql="DELETE FROM t WHERE id = :client_id * $step + :i" ;;
    mixed) sql="INSERT INTO t VALUES (:base + :client_id * $step + :i, 'x', 0); UPDATE t SET n = n + 1 WHERE id = :client_id * $step + :i; DELETE FROM t WHERE id = :base + :client_id * $step + :i" ;;
  esac
  printf '\\set i :i + 1\n%s;\n' "$sql" | sed 's/; /;\n/g' >"$work/script.sql"
  base=$((${base:-1000000} + rows))
  [ "$1" != delete ] || q 1 "$2" "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $rows) g ON CONFLICT DO NOTHING"
  PGOPTIONS='-c synchronous_commit=off' "$bin/pgbench" -h 127.0.0.1 -p "$(port 1)" -U bench -n -M prepared -c 4 -t "$step" -D i=0 -D base=$base -f "$work/script.sql" "$2" >/dev/null 2>&1
  awk -v n="$rows" -v t="$(catch_up "$2")" 'BEGIN {print n / t}'
  drained "$2"
}
for identity in ${IDENTITIES:-FULL DEFAULT}; do
  head_ "apply, identity $identity"
  for kind in ${KINDS:-update insert delete mixed}; do
    table $identity 'id int PRIMARY KEY, note text, n int'
    for d in native ours; do q 1 $d "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $rows) g"; drained $d; done
    alternate backlog $kind
    row "catch-up of $rows ${kind}s" "changes/s" "$native" "$ours"
  done
done
