# Measuring and printing. Sourced by run.

# await WHAT COMMAND…: until the command succeeds; an error when it does not in time.
await() {
  local what=$1 until=$((SECONDS + deadline)); shift
  until "$@"; do
    if [ $SECONDS -ge $until ]; then echo "bench: $what did not happen within $deadline s" >&2; exit 1; fi
    sleep 0.05
  done
}
# says ANSWER NODE DATABASE SQL: whether the answer is that.
says() { local answer=$1; shift; [ "$(q "$@")" = "$answer" ]; }

# mark NODE DATABASE: commits a row that goes to the other node, and prints its id.
mark() { q "$1" "$2" "INSERT INTO mark (node) VALUES ($1) RETURNING id"; }
# arrived NODE DATABASE ID: waits until that row of the node has been applied on the other; prints when (seconds).
arrived() {
  await "mark $3 of node $1 in $2" says t $((3 - $1)) "$2" "SELECT EXISTS (SELECT 1 FROM arrival WHERE node = $1 AND id = $3)"
  q $((3 - $1)) "$2" "SELECT extract(epoch FROM at) FROM arrival WHERE node = $1 AND id = $3"
}
# drained DATABASE: what is written now has been applied, in both directions.
drained() { local n; for n in 1 2; do arrived $n "$1" "$(mark $n "$1")" >/dev/null; done; }

# The processes that take from node 1: its walsender, and the apply worker on node 2.
sender() { q 1 "$1" "SELECT active_pid FROM pg_replication_slots WHERE database = '$1' AND active_pid IS NOT NULL LIMIT 1"; }
applier() { q 2 "$1" "SELECT a.pid FROM pg_stat_subscription a JOIN pg_subscription s ON s.oid = a.subid
  WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = '$1') AND a.pid IS NOT NULL AND a.worker_type = 'apply'"; }
pause() {
  local before; before=$(applier "$1")
  if [ "$1" = ours ]; then q 2 ours "SELECT steep_repl.pause('a')" >/dev/null; else q 2 native 'ALTER SUBSCRIPTION s2 DISABLE'; fi
  await "the end of the apply worker in $1" test ! -e "/proc/${before:-none}"
}
resume() { if [ "$1" = ours ]; then q 2 ours "SELECT steep_repl.resume('a')" >/dev/null; else q 2 native 'ALTER SUBSCRIPTION s2 ENABLE'; fi; }
# cpu PID: seconds that a process has run on a core so far (/proc/PID/schedstat, nanoseconds).
cpu() { awk '{print $1 / 1e9}' "/proc/$1/schedstat"; }

# catch_up DATABASE FIRST LAST: lets it apply all between two marks of node 1, written while it was paused. Prints the seconds
# from the one to the other, and the seconds of processor time that the apply worker and the walsender took. Both are new
# processes: their start counts. PROFILE=FOLDER: perf records the apply worker, a file each time.
catch_up() {
  local from to
  resume "$1"
  from=$(arrived 1 "$1" "$2")
  if [ -n "${PROFILE:-}" ]; then perf record -q -F 1500 --call-graph dwarf -p "$(applier "$1")" -o "$PROFILE/$1.$3.perf" & fi
  to=$(arrived 1 "$1" "$3")
  if [ -n "${PROFILE:-}" ]; then kill -INT $!; wait $! || true; fi
  echo "$(awk -v a="$from" -v b="$to" 'BEGIN {print b - a}') $(cpu "$(applier "$1")") $(cpu "$(sender "$1")")"
}

# median FILE [COLUMN]
median() { awk -v c="${2:-1}" '{print $c}' "$1" | sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
# ratio A B: B to A, two decimals.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (a > 0) printf "%.2f", b / a; else printf "–"}'; }
# alternate DATABASES COMMAND…: runs `COMMAND… DATABASE` for each in turn, `rounds` times; a line each in $work/DATABASE.out.
alternate() {
  local databases=$1 d round; shift
  for d in $databases; do : >"$work/$d.out"; done
  for ((round = 1; round <= rounds; round++)); do for d in $databases; do "$@" "$d" >>"$work/$d.out"; done; done
}
