# Two servers with both databases, linked both ways. Sourced by run.
bin=$("$here/../build/debian-postgres.sh" 18)
bash "$here/../extension/build.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/steep-repl-bench.XXXXXX")
chmod 755 "$work"
cp -r "$here/../extension/stage" "$work/stage"
as_server=()
if [ "$(id -u)" = 0 ]; then
  user=postgres; id postgres >/dev/null 2>&1 || user=nobody
  chown -R "$user" "$work"
  as_server=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
fi

stop_servers() {
  for n in 1 2; do [ ! -f "$work/n$n/postmaster.pid" ] || "${as_server[@]}" "$bin/pg_ctl" -D "$work/n$n" -m immediate stop >/dev/null || true; done
  rm -rf "$work"
}
trap stop_servers EXIT

port() { echo $((${BENCH_PORT:-7610} + $1)); }
# q NODE DATABASE SQL…: the answer, bare.
q() { local node=$1 database=$2; shift 2; local args=(); for sql in "$@"; do args+=(-c "$sql"); done
  psql_ "$node" "$database" -qAtX -v ON_ERROR_STOP=1 "${args[@]}"; }
psql_() { local node=$1 database=$2; shift 2; "$bin/psql" -h 127.0.0.1 -p "$(port "$node")" -U bench -d "$database" "$@"; }
conninfo() { echo "host=127.0.0.1 port=$(port "$1") dbname=$2 user=bench"; }

start_servers() {
  for n in 1 2; do
    "${as_server[@]}" "$bin/initdb" -D "$work/n$n" -U bench -A trust >/dev/null
    cat >>"$work/n$n/postgresql.conf" <<C
port = $(port $n)
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work'
wal_level = logical
track_commit_timestamp = on
shared_preload_libraries = 'steep_repl'
extension_control_path = '$work/stage:\$system'
dynamic_library_path = '$work/stage/lib:\$libdir'
shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 1h
autovacuum = off
C
    "${as_server[@]}" "$bin/pg_ctl" -D "$work/n$n" -l "$work/n$n.log" -w start >/dev/null
    q $n postgres 'CREATE DATABASE native' 'CREATE DATABASE ours'
    q $n ours 'CREATE EXTENSION steep_repl'
  done
  q 1 ours "SELECT steep_repl.create_node('a')" >/dev/null
  q 2 ours "SELECT steep_repl.create_node('b')" >/dev/null
  q 1 ours "SELECT steep_repl.subscribe('$(conninfo 2 ours)')" >/dev/null
  q 2 ours "SELECT steep_repl.subscribe('$(conninfo 1 ours)')" >/dev/null
  until [ "$(q 1 ours "SELECT state FROM steep_repl.subscription_status()")$(q 2 ours "SELECT state FROM steep_repl.subscription_status()")" = streamingstreaming ]; do sleep 0.2; done
  for n in 1 2; do q $n native "CREATE PUBLICATION p WITH (publish = 'insert, update, delete')"; done
  for n in 1 2; do q $n native "CREATE SUBSCRIPTION s$n CONNECTION '$(conninfo $((3 - n)) native)' PUBLICATION p WITH (origin = none, streaming = off, copy_data = false)" 2>/dev/null; done
}

# table IDENTITY COLUMNS: a new empty table `t` everywhere, replicated both ways.
table() {
  for n in 1 2; do for d in native ours; do
    if [ $d = ours ] && [ -n "$(q $n ours "SELECT to_regclass('t')")" ]; then
      if [ $n = 1 ]; then q 1 ours "SELECT steep_repl.remove_table('t')" >/dev/null
        until [ -z "$(q 1 ours "SELECT 1 FROM steep_repl.replicated_tables()")$(q 2 ours "SELECT 1 FROM steep_repl.replicated_tables()")" ]; do sleep 0.1; done; fi
    elif [ $d = native ] && [ -n "$(q $n native "SELECT to_regclass('t')")" ]; then q $n native 'ALTER PUBLICATION p DROP TABLE t'; fi
    q $n $d 'DROP TABLE IF EXISTS t' "CREATE TABLE t ($2)" 2>/dev/null
  done; done
  for n in 1 2; do q $n native "ALTER TABLE t REPLICA IDENTITY $1" 'ALTER PUBLICATION p ADD TABLE t'; done
  for n in 1 2; do q $n native "ALTER SUBSCRIPTION s$n REFRESH PUBLICATION WITH (copy_data = false)" 2>/dev/null; done
  q 1 ours "SELECT steep_repl.add_table('t', before_images => $([ "$1" = FULL ] && echo true || echo false))" >/dev/null
  until [ "$(q 1 ours 'SELECT state FROM steep_repl.replicated_tables()')$(q 2 ours 'SELECT state FROM steep_repl.replicated_tables()')" = readyready ]; do sleep 0.1; done
}
