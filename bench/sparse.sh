# Memory of the processes that take a snapshot of a table with GB=100 gigabytes of pages, and of a tenth of that: it must not grow
# with the table. Then it is loaded, and the rows are compared.
#
# The disk needs no such room: while the server is down the table's files are made longer (truncate), by holes. A page of zeros is a
# valid page without rows. Rows lie before and after them; nothing may write the pages between.
gb=${GB:-${quick:+10}} streams=${STREAMS:-$(nproc)} each=20000
gb=${gb:-100}
kept=$work/kept
mkdir -p "$kept"; [ "$(id -u)" != 0 ] || chown "$user" "$kept"
for d in sparse loaded; do
  q 1 postgres "CREATE DATABASE $d"; q 1 $d 'CREATE EXTENSION steep_repl'
  await 'the worker' says true 1 $d "SELECT steep_repl.health() #>> '{worker,running}'"
done

grow() { # GB: a table of that size
  local file n
  for d in sparse loaded; do q 1 $d 'DROP TABLE IF EXISTS t' 'CREATE TABLE t (id int PRIMARY KEY, note text)' 2>/dev/null; done
  q 1 sparse "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, $each) i"
  file=$work/n1/$(q 1 sparse "SELECT pg_relation_filepath('t')")
  "${as_server[@]}" "$bin/pg_ctl" -D "$work/n1" -m fast -w stop >/dev/null
  "${as_server[@]}" truncate -s 1G "$file"
  for ((n = 1; n < $1; n++)); do "${as_server[@]}" truncate -s 1G "$file.$n"; done
  "${as_server[@]}" "$bin/pg_ctl" -D "$work/n1" -l "$work/n1.log" -w start >/dev/null
  q 1 sparse "INSERT INTO t SELECT i, md5(i::text) FROM generate_series($each + 1, $each * 2) i"
  [ "$(q 1 sparse 'SELECT (max(ctid)::text::point)[0] > 131072 * ('"$1"' - 1) FROM t WHERE id = 2 * '$each)" = t ] || { echo 'bench: the last rows are not at the end' >&2; exit 1; }
  for d in sparse loaded; do await 'the worker' says true 1 $d "SELECT steep_repl.health() #>> '{worker,running}'"; done
  holes=$file
}
# The seconds that work took, and the most private memory (RssAnon, MB) of its leader and of its largest stream.
watched() { # DATABASE QUERY
  local id type pid now leader=0 stream=0 until=$((SECONDS + 6 * deadline))
  id=$(q 1 "$1" "$2")
  while [ "$(q 1 "$1" "SELECT state IN ('pending', 'running') FROM steep_repl.work_queue WHERE id = $id")" = t ]; do
    while IFS='|' read -r type pid; do
      now=$(awk '/^RssAnon/ {print $2}' "/proc/$pid/status" 2>/dev/null) || continue
      case $type in *stream) [ "${now:-0}" -le $stream ] || stream=$now ;; *) [ "${now:-0}" -le $leader ] || leader=$now ;; esac
    done < <(q 1 "$1" "SELECT backend_type, pid FROM pg_stat_activity WHERE datname = '$1' AND backend_type IN ('steep_repl job', 'steep_repl stream')")
    [ "$(du -cm "$holes"* | tail -1 | cut -f1)" -lt 1024 ] || { echo 'bench: something writes the empty pages' >&2; exit 1; }
    [ $SECONDS -lt $until ] || { echo "bench: work $id did not end" >&2; exit 1; }
    sleep 0.05
  done
  [ "$(q 1 "$1" "SELECT state FROM steep_repl.work_queue WHERE id = $id")" = complete ] || { q 1 "$1" "SELECT error FROM steep_repl.work_queue WHERE id = $id" >&2; exit 1; }
  q 1 "$1" "SELECT round(extract(epoch FROM finished_at - started_at), 1) || format(' %s %s', round($leader / 1024.0, 1), round($stream / 1024.0, 1)) FROM steep_repl.work_queue WHERE id = $id"
}

echo
echo "| table, $streams streams | snapshot, s | leader, MB | largest stream, MB | load, s |"
echo "|---|---|---|---|---|"
for size in $(((gb + 9) / 10)) "$gb"; do
  grow "$size"
  taken=$(watched sparse "SELECT id FROM steep_repl.start_snapshot('$kept/$size', 'zstd', $streams, '{t}')")
  loaded=$(watched loaded "SELECT id FROM steep_repl.start_apply('$kept/$size', $streams)")
  [ "$(q 1 loaded 'SELECT count(*), count(*) FILTER (WHERE note = md5(id::text)), max(id) FROM t')" = "$((2 * each))|$((2 * each))|$((2 * each))" ] ||
    { echo 'bench: what was loaded differs' >&2; exit 1; }
  echo "| $size GB | ${taken// / | } | ${loaded%% *} |"
  before=${before:-$taken}
done
read -r _ l1 s1 <<<"$before"; read -r _ l2 s2 <<<"$taken"
awk -v a="$l1" -v b="$l2" -v c="$s1" -v d="$s2" 'BEGIN {exit b > a + 16 || d > c + 16}' || { echo 'bench: memory grows with the table' >&2; exit 1; }
