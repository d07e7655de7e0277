# Both nodes update the same 100 rows for some seconds; then: how long until they are equal, and proven to be.
storm() { # DATABASE
  printf '\\set id random(1, 100)\nUPDATE t SET n = n + 1, note = :client_id WHERE id = :id;\n' >"$work/script.sql"
  for n in 1 2; do "$bin/pgbench" -h 127.0.0.1 -p "$(port $n)" -U bench -n -M prepared -c 2 -T "$seconds" -f "$work/script.sql" "$1" >"$work/storm$n" 2>/dev/null & done; wait
  local begin; begin=$(date +%s.%N); drained "$1"
  written=$(($(sed -n 's/.*transactions actually processed: \([0-9]*\).*/\1/p' "$work/storm1") + $(sed -n 's/.*transactions actually processed: \([0-9]*\).*/\1/p' "$work/storm2")))
  caught=$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {print b - a}')
  hash="SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM t"
  if [ "$(q 1 "$1" "$hash")" = "$(q 2 "$1" "$hash")" ]; then equal=equal; else equal=DIFFERENT; fi
}
echo; echo "| conflict storm: 100 rows, both nodes, $seconds s | updates | drained after | contents | conflicts logged | all proven after |"; echo "|---|---|---|---|---|---|"
table FULL 'id int PRIMARY KEY, note text, n int'
for d in native ours; do q 1 $d "INSERT INTO t SELECT g, '', 0 FROM generate_series(1, 100) g"; drained $d; done
storm native; printf '| native | %s | %.1f s | %s | – | – |\n' "$written" "$caught" "$equal"
for n in 1 2; do q $n ours 'DELETE FROM steep_repl.conflict_log'; done
storm ours
begin=$(date +%s.%N)
until [ "$(q 1 ours 'SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL')$(q 2 ours 'SELECT count(*) FROM steep_repl.conflict_log WHERE converged_at IS NULL')" = 00 ]; do sleep 0.2; done
printf '| ours | %s | %.1f s | %s | %s | %.1f s |\n' "$written" "$caught" "$equal" "$(($(q 1 ours 'SELECT count(*) FROM steep_repl.conflict_log') + $(q 2 ours 'SELECT count(*) FROM steep_repl.conflict_log')))" "$(awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {print b - a}')"
