#!/usr/bin/env bash
# Usage: build/train.sh. Makes the AOT caches of the command line and of the daemon (JEP 514) beside the jars in java/cli/target: the JVM
# watches some commands and a daemon beside a node of a sandbox, and writes down what it loaded. With them both begin
# sooner; without them they work the same. So this never fails; what went wrong stands in target/aot/log. Old ones, of which the JVM would take
# old classes, the build of java/cli has taken away.
set -uo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$home/java/cli/target
. "$home/build/java.sh"
newest=$(ls -t "$target"/steep-repl-cli-*.jar "$target"/lib/*.jar 2>/dev/null | head -n 1)
if [ -n "$newest" ] && [ "$aot/command" -nt "$newest" ] && [ "$aot/daemon" -nt "$newest" ]; then exit 0; fi
mkdir -p "$aot" || exit 0
work=$(mktemp -d "${TMPDIR:-/tmp}/steep-repl-training.XXXXXX") || exit 0
chmod 755 "$work"
box() { "${java_of_command[@]}" io.steeprepl.cli.Main sandbox "$@" --dir "$work/box" -o json; }
daemon=
finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null
  box stop --delete >/dev/null 2>&1
  rm -rf "$work" "/tmp/steep-repl-training-$$.lock"
}
trap finish EXIT
commands() {
  local conn
  for conn in "$@"; do
    printf '%s\n' "-c $conn health" "-c $conn node list" "-c $conn -o json node list" "-c $conn subscription list" "-c $conn table list" \
      "-c $conn conflict list" "-c $conn audit list" "-c $conn range status" "--remote $work/socket health" "--remote $work/socket node list"
  done
  printf '%s\n' version "-o json version" bogus "health --help" "config show --file-only"
}
# Written elsewhere and moved: a cache is whole or not there.
trained() { [ ! -s "$work/$1.aot" ] || mv -f "$work/$1.aot" "$aot/$1"; }
train() {
  local uri
  uri=$(box start --nodes 1 | sed -n 's/.*"uri":"\([^"]*\)".*/\1/p')
  if [ -n "$uri" ]; then
    "${java_of_command[@]}" io.steeprepl.cli.Main tls init --dir "$work/certs" a
    cat >"$work/config.yaml" <<Y
repl:
  postgresql: {connection: "$uri"}
  ipc: {path: $work/socket}
  http: {port: 18099}
  grpc:
    bind: 127.0.0.1
    port: 15499
    tls: {cert_file: $work/certs/a/node-cert.pem, key_file: $work/certs/a/node-key.pem, ca_file: $work/certs/ca-cert.pem}
Y
    "${java_of_daemon[@]}" "-XX:AOTCacheOutput=$work/daemon.aot" io.steeprepl.cli.Main --config "$work/config.yaml" run --name "training-$$" &
    daemon=$!
    for _ in $(seq 100); do
      if "${java_of_command[@]}" io.steeprepl.cli.Main --remote localhost:15499 --certs "$work/certs/a" health -o json; then break; fi
      kill -0 "$daemon" 2>/dev/null || break
      sleep 0.2
    done
  fi
  commands ${uri:+"$uri"} "host=127.0.0.1 port=1" | "${java_of_command[@]}" "-XX:AOTCacheOutput=$work/command.aot" io.steeprepl.cli.Training
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null; wait "$daemon"; daemon=; fi
  trained command
  trained daemon
}
train >"$aot/log" 2>&1 </dev/null
exit 0
