# Strategies: what they cost the sessions that write, and a backlog of single-row updates, first without conflicts, then with a
# conflict in every row. Native, which knows no strategies, stands beside each.
updates() { # DATABASE
  printf '\\set i :i + 1\nUPDATE t SET n = n + 1 WHERE id = :client_id * %s + mod(:i, %s) + 1;\n' $((rows / 4)) $((rows / 4)) >"$work/script.sql"
  PGOPTIONS='-c synchronous_commit=off' "$bin/pgbench" -h 127.0.0.1 -p "$(port 1)" -U bench -n -M prepared -c 4 -t $((rows / 4)) -D i=0 -f "$work/script.sql" "$1" 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
written() { updates "$1"; drained "$1"; }
caught_up() { # CONFLICTS DATABASE
  pause "$2"
  updates "$2" >/dev/null
  # In transactions of a hundred rows: later than what is on its way, and not seen by it.
  if [ "$1" = conflicts ]; then q 2 "$2" "DO \$\$ BEGIN FOR i IN 0..$((rows / 100 - 1)) LOOP UPDATE t SET m = m + 1 WHERE id BETWEEN i * 100 + 1 AND i * 100 + 100; COMMIT; END LOOP; END \$\$"; fi
  awk -v n="$rows" -v t="$(catch_up "$2")" 'BEGIN {print n / t}'
  drained "$2"
}
for n in 1 2; do q $n ours "CREATE OR REPLACE FUNCTION later(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT remote'"; done
for strategy in "'last_write_wins'" "'first_write_wins'" "'node_priority', '{b,a}'" "'column_merge'" "'last_write_wins', delta_columns => '{n,m}'" "'function', resolver => 'later'"; do
  head_ "${strategy//|/}"
  table FULL 'id int PRIMARY KEY, note text, n int NOT NULL DEFAULT 0, m int NOT NULL DEFAULT 0'
  q 1 ours "SELECT steep_repl.set_conflict_strategy('t', $strategy)" >/dev/null
  for d in native ours; do q 1 $d "INSERT INTO t SELECT g, 'a note of some length' FROM generate_series(1, $rows) g"; drained $d; done
  alternate written
  row "updates of 4 sessions" "updates/s" "$native" "$ours"
  alternate caught_up none
  row "catch-up of $rows updates" "changes/s" "$native" "$ours"
  alternate caught_up conflicts
  row "the same, each in conflict" "changes/s" "$native" "$ours"
done
