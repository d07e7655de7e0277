# Strategies beside last_write_wins: sessions that write; a backlog of single-row updates, without conflicts and with one in every
# row; and one row that both nodes have updated many times while they were apart.
updates() { # DATABASE
  printf '\\set i :i + 1\nUPDATE t SET n = n + 1 WHERE id = :client_id * %s + mod(:i, %s) + 1;\n' $((rows / 4)) $((rows / 4)) >"$work/script.sql"
  PGOPTIONS='-c synchronous_commit=off' "$bin/pgbench" -h 127.0.0.1 -p "$(port 1)" -U bench -n -M prepared -c 4 -t $((rows / 4)) -D i=0 -f "$work/script.sql" "$1" 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
# Applied by node 2: changes a second, and microseconds of the apply worker for each.
caught_up() { # CONFLICTS DATABASE
  local first last
  pause "$2"
  first=$(mark 1 "$2"); updates "$2" >/dev/null; last=$(mark 1 "$2")
  # In transactions of a hundred rows: later than what is on its way, and not seen by it.
  if [ "$1" = conflicts ]; then q 2 "$2" "DO \$\$ BEGIN FOR i IN 0..$((rows / 100 - 1)) LOOP UPDATE t SET m = m + 1 WHERE id BETWEEN i * 100 + 1 AND i * 100 + 100; COMMIT; END LOOP; END \$\$"; fi
  catch_up "$2" "$first" "$last" | awk -v n="$rows" '{printf "%d/s, %d µs\n", n / $1, $2 / n * 1e6}'
  drained "$2"
}
# Seconds until both have what each wrote into one row, in turns or one after the other.
one_row() { # COUNT
  local n begin
  q 1 ours "SELECT steep_repl.pause('b')" >/dev/null; q 2 ours "SELECT steep_repl.pause('a')" >/dev/null
  for n in 1 2; do q $n ours 'SET synchronous_commit = off' "DO \$\$ BEGIN FOR i IN 1..$1 LOOP UPDATE t SET n = n + 1 WHERE id = 1; COMMIT; END LOOP; END \$\$" & done
  wait %1 %2
  begin=$(date +%s.%N)
  q 1 ours "SELECT steep_repl.resume('b')" >/dev/null; q 2 ours "SELECT steep_repl.resume('a')" >/dev/null
  drained ours
  awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {printf "%.1f s", b - a}'
}
row_() { printf '| %s | %d | %s | %s | %s |\n' "$@"; }
echo
echo "| strategies, $rows rows | updates/s of 4 sessions | catch-up | the same, each in conflict | one row, 1,000 updates of each node, then 2,000 |"
echo "|---|---|---|---|---|"
table FULL 'id int PRIMARY KEY, note text, n int NOT NULL DEFAULT 0, m int NOT NULL DEFAULT 0'
fill_() { q 1 "$1" "INSERT INTO t SELECT g, 'a note of some length' FROM generate_series(1, $rows) g"; drained "$1"; }
fill_ native
plain=$(updates native); drained native
row_ native "${plain%.*}" "$(caught_up none native)" – –
for n in 1 2; do q $n ours "CREATE OR REPLACE FUNCTION later(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT remote'"; done
for strategy in "'last_write_wins'" "'first_write_wins'" "'node_priority', '{b,a}'" "'column_merge'" "'last_write_wins', delta_columns => '{n,m}'" "'column_merge', delta_columns => '{n,m}'" "CHECK" "'function', resolver => 'later'"; do
  name=${strategy//\'/}; arguments=$strategy
  table FULL 'id int PRIMARY KEY, note text, n int NOT NULL DEFAULT 0, m int NOT NULL DEFAULT 0'
  if [ "$strategy" = CHECK ]; then
    name='the same, with a CHECK'; arguments="'column_merge', delta_columns => '{n,m}'"
    for n in 1 2; do q $n ours 'ALTER TABLE t ADD CHECK (n >= 0)'; done
  fi
  fill_ ours
  q 1 ours "SELECT steep_repl.set_conflict_strategy('t', $arguments)" >/dev/null; drained ours
  ours=$(updates ours); drained ours
  row_ "$name" "${ours%.*}" "$(caught_up none ours)" "$(caught_up conflicts ours)" "$(one_row 1000), $(one_row 2000)"
  for n in 1 2; do q $n ours 'DELETE FROM steep_repl.conflict_log'; done
done
