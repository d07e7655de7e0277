# Both nodes update the same 100 rows for some seconds; then: how long until they are equal, and proven to be.
storm() { # DATABASE
  local n begin
  printf '\\set id random(1, 100)\nUPDATE t SET n = n + 1, note = :client_id WHERE id = :id;\n' >"$work/script.sql"
  for n in 1 2; do
    "$bin/pgbench" -h 127.0.0.1 -p "$(port $n)" -U bench -n -M prepared -c 2 -T "$seconds" -f "$work/script.sql" "$1" >"$work/storm$n" 2>/dev/null &
    clients[n]=$!
  done
  wait "${clients[1]}" "${clients[2]}"
  begin=$(date +%s.%N); drained "$1"
  caught=$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {print b - a}')
  written=$(sed -n 's/.*transactions actually processed: \([0-9]*\).*/\1/p' "$work/storm1" "$work/storm2" | awk '{s += $1} END {print s}')
}
echo
echo "| conflict storm: 100 rows, both nodes, $seconds s | updates | drained after | rows that differ | conflicts logged | all proven after |"
echo "|---|---|---|---|---|---|"
table FULL 'id int PRIMARY KEY, note text, n int'
for d in native ours; do q 1 $d "INSERT INTO t SELECT g, '', 0 FROM generate_series(1, 100) g"; drained $d; done
storm native
printf '| native | %s | %.1f s | %s | – | – |\n' "$written" "$caught" "$(differing native)"
for n in 1 2; do q $n ours 'DELETE FROM steep_repl.conflict_log'; done
storm ours
begin=$(date +%s.%N)
for n in 1 2; do await "the proof of all conflicts on node $n" says 0 $n ours 'SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL'; done
logged=$(($(q 1 ours 'SELECT count(*) FROM steep_repl.conflict_log') + $(q 2 ours 'SELECT count(*) FROM steep_repl.conflict_log')))
printf '| ours | %s | %.1f s | %s | %s | %.1f s |\n' "$written" "$caught" "$(differing ours)" "$logged" "$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {print b - a}')"
equal ours
[ "$logged" -gt 0 ] || { echo 'bench: a storm without a logged conflict' >&2; exit 1; }
