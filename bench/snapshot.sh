# Taking a snapshot and loading it, beside pg_dump -Fd -j N and pg_restore -j N of the same tables, in turns. pg_dump once as it
# compresses by itself, and once with zstd, as ours does by default. Loading: pg_restore makes tables and indexes, ours finds them made.
streams=${STREAMS:-$(nproc)} scale=${SCALE:-${quick:+10}} shapes=${SHAPES:-pgbench large small toast}
scale=${scale:-100}
kept=$work/kept
mkdir -p "$kept"; [ "$(id -u)" != 0 ] || chown "$user" "$kept"
q 1 postgres 'CREATE DATABASE taken'; q 1 taken 'CREATE EXTENSION steep_repl'
await 'the worker' says true 1 taken "SELECT steep_repl.health() #>> '{worker,running}'"

fill() { # SHAPE: its tables in schema `b`
  q 1 taken 'DROP SCHEMA IF EXISTS b CASCADE' 'CREATE SCHEMA b' 2>/dev/null
  case $1 in
    pgbench)
      "${as_server[@]}" "$bin/pgbench" -h 127.0.0.1 -p "$(port 1)" -U bench -i -q -s "$scale" taken >/dev/null 2>&1
      for t in accounts branches tellers history; do q 1 taken "ALTER TABLE pgbench_$t SET SCHEMA b"; done ;;
    large) q 1 taken "CREATE TABLE b.t (id bigint PRIMARY KEY, note text, n numeric, at timestamptz)" \
        "INSERT INTO b.t SELECT i, md5(i::text) || md5((i * 7)::text), i / 3.0, now() FROM generate_series(1, $scale * 40000) i" ;;
    small) q 1 taken "DO \$\$ BEGIN FOR i IN 1..$((scale * 10)) LOOP
        EXECUTE format('CREATE TABLE b.t%s AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 100) g', i); END LOOP; END \$\$" ;;
    toast) q 1 taken 'CREATE TABLE b.t (id int PRIMARY KEY, wide text)' \
        "INSERT INTO b.t SELECT i, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 600) j) FROM generate_series(1, $scale * 100) i" ;;
  esac
  q 1 taken 'VACUUM ANALYZE' CHECKPOINT
}
timed() { local from; from=$(date +%s.%N); "$@" >/dev/null; awk -v a="$from" -v b="$(date +%s.%N)" 'BEGIN {print b - a}'; }
dump() { rm -rf "$kept/$1"; "${as_server[@]}" "$bin/pg_dump" -h 127.0.0.1 -p "$(port 1)" -U bench -Fd -j "$streams" -n b "${@:2}" -f "$kept/$1" taken; }
restore() { "${as_server[@]}" "$bin/pg_restore" -h 127.0.0.1 -p "$(port 1)" -U bench -j "$streams" -d loaded "$kept/plain"; }
work_done() { # DATABASE QUERY: asks for work and waits for its end
  local id; id=$(q 1 "$1" "$2")
  await "work $id" says t 1 "$1" "SELECT state NOT IN ('pending', 'running') FROM steep_repl.work_queue WHERE id = $id"
  [ "$(q 1 "$1" "SELECT state FROM steep_repl.work_queue WHERE id = $id")" = complete ] || { q 1 "$1" "SELECT error FROM steep_repl.work_queue WHERE id = $id" >&2; exit 1; }
}
take() { work_done taken "SELECT id FROM steep_repl.start_snapshot('$kept/ours', 'zstd', $streams, '{b.*}')"; }
load() { work_done loaded "SELECT id FROM steep_repl.start_apply('$kept/ours', $streams)"; }
empty_database() { # an empty `loaded`; with an argument the extension and the tables, without rows
  q 1 postgres 'DROP DATABASE IF EXISTS loaded WITH (FORCE)' 'CREATE DATABASE loaded' 2>/dev/null
  [ -n "${1:-}" ] || return 0
  q 1 loaded 'CREATE EXTENSION steep_repl'
  "${as_server[@]}" "$bin/pg_restore" -h 127.0.0.1 -p "$(port 1)" -U bench -s -d loaded "$kept/plain"
  await 'the worker' says true 1 loaded "SELECT steep_repl.health() #>> '{worker,running}'"
}

echo
echo "| $streams streams, scale $scale | pg_dump, s | pg_dump zstd, s | snapshot, s | ratio | to zstd | pg_restore, s | load, s | ratio |"
echo "|---|---|---|---|---|---|---|---|---|"
for shape in $shapes; do
  fill "$shape"
  for f in plain zstd ours restore load; do : >"$work/$f.out"; done
  for ((round = 1; round <= rounds; round++)); do
    timed dump plain >>"$work/plain.out"
    timed dump zstd --compress=zstd >>"$work/zstd.out"
    rm -rf "$kept/ours"; timed take >>"$work/ours.out"
    empty_database; timed restore >>"$work/restore.out"
    empty_database with; timed load >>"$work/load.out"
    case $shape in pgbench) one=pgbench_accounts ;; small) one=t$((scale * 10)) ;; *) one=t ;; esac
    for d in taken loaded; do q 1 "$d" "SELECT count(*), sum(hashtext(t::text)::bigint) FROM b.$one t" >"$work/$d.sum"; done
    cmp -s "$work/taken.sum" "$work/loaded.sum" || { echo 'bench: what was loaded differs' >&2; exit 1; }
  done
  p=$(median "$work/plain.out") z=$(median "$work/zstd.out") o=$(median "$work/ours.out") r=$(median "$work/restore.out") l=$(median "$work/load.out")
  printf '| %s | %.2f | %.2f | %.2f | %s | %s | %.2f | %.2f | %s |\n' "$shape" "$p" "$z" "$o" "$(ratio "$o" "$p")" "$(ratio "$o" "$z")" "$r" "$l" "$(ratio "$l" "$r")"
done
