# Measuring and printing. Sourced by run.

# drained DATABASE: both directions have confirmed all that is written now.
drained() {
  for n in 1 2; do
    local lsn; lsn=$(q $n "$1" 'SELECT pg_current_wal_insert_lsn()')
    until [ "$(q $n "$1" "SELECT count(*) FROM pg_replication_slots WHERE database = '$1' AND confirmed_flush_lsn < '$lsn'")" = 0 ]; do sleep 0.05; done
  done
}

pause() { if [ "$1" = ours ]; then q 2 ours "SELECT steep_repl.pause('a')" >/dev/null; else q 2 native 'ALTER SUBSCRIPTION s2 DISABLE'
  until [ -z "$(q 2 native "SELECT pid FROM pg_stat_subscription WHERE subname = 's2' AND pid IS NOT NULL")" ]; do sleep 0.05; done; fi; }
resume() { if [ "$1" = ours ]; then q 2 ours "SELECT steep_repl.resume('a')" >/dev/null; else q 2 native 'ALTER SUBSCRIPTION s2 ENABLE'; fi; }
origin() { q 2 "$1" "SELECT 'pg_' || oid FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = '$1')"; }

# catch_up DATABASE: resumes it, and prints the seconds from the first transaction applied to the last.
catch_up() {
  local name end; name=$(origin "$1"); end=$(q 1 "$1" 'SELECT pg_current_wal_insert_lsn()')
  local file=$work/watch.out
  psql_ 2 "$1" -qAtX -c "DO \$\$ DECLARE b pg_lsn := pg_replication_origin_progress('$name', false); t timestamptz; BEGIN
    LOOP
      IF t IS NULL AND pg_replication_origin_progress('$name', false) > b THEN t := clock_timestamp(); END IF;
      EXIT WHEN pg_replication_origin_progress('$name', false) >= '$end'::pg_lsn;
      PERFORM pg_sleep(0.002);
    END LOOP;
    RAISE NOTICE 'took %', extract(epoch FROM clock_timestamp() - t); END \$\$" 2>"$file" &
  local watcher=$!
  sleep 0.3; resume "$1"; wait $watcher
  sed -n 's/.*took \([0-9.]*\).*/\1/p' "$file"
}

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
# row NAME UNIT NATIVE OURS [inverse]: a line of the table; the ratio is ours to native, above 1 is better.
row() {
  awk -v n="$1" -v u="$2" -v a="$3" -v b="$4" -v inverse="${5:-}" 'BEGIN {
    printf "| %-44s | %10.1f | %10.1f | %-14s | %5.2f |\n", n, a, b, u, inverse ? a / b : b / a }'
}
head_() { echo; echo "| $1 | native | ours | unit | ratio |"; echo "|---|---|---|---|---|"; }
# alternate COMMAND: runs `COMMAND DATABASE` for both in turn, `rounds` times; medians in $native and $ours.
alternate() {
  : >"$work/native.out"; : >"$work/ours.out"
  for ((round = 1; round <= rounds; round++)); do for d in native ours; do "$@" "$d" >>"$work/$d.out"; done; done
  native=$(median <"$work/native.out"); ours=$(median <"$work/ours.out")
}
