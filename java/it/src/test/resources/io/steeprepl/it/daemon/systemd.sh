# Runs in a mount namespace of its own: a user's systemd that the rest of the machine does not see.
# systemd.sh SYSTEMD FOLDER SECONDS COMMAND...: SECONDS is the watchdog's limit, COMMAND runs steep-repl.
systemd=$1 folder=$2 watchdog=$3
shift 3
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0 "$HOME/.config" && chmod 700 /run/user/0 && mount -t tmpfs tmpfs "$HOME/.config" || exit
export XDG_RUNTIME_DIR=/run/user/0
unset DBUS_SESSION_BUS_ADDRESS
"$systemd" --user --log-target=console >"$folder/systemd.log" 2>&1 &
manager=$!

until_true() {
  for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done
  echo "gave up: $*"
}
property() { systemctl --user show steep-repl-sd.service --property="$1" --value; }
is() { [ "$(property "$1")" = "$2" ]; }
is_another() { [ "$(property MainPID)" != "$1" ] && is ActiveState active && is SubState running; }

until_true systemctl --user is-system-running
"$@" --config "$folder/sd.yaml" install --user --name sd >/dev/null 2>&1
echo "install $?"
unit=$HOME/.config/systemd/user/steep-repl-sd.service
sed -i "s/^WatchdogSec=.*/WatchdogSec=$watchdog/" "$unit" && systemctl --user daemon-reload
"$@" start --user --name sd >/dev/null 2>&1
echo "start $? $(property ActiveState)"
# Neither whose service nor which file is said: both are found.
until_true "$@" status --name sd
"$@" status --name sd >"$folder/status" 2>&1
echo "status $? $(sed -n 's/^Service: *//p' "$folder/status") $(grep -c '^Daemon: *running' "$folder/status")"
pid=$(property MainPID)
kill -KILL "$pid"
until_true is_another "$pid"
echo "killed: started again $(property NRestarts)"
pid=$(property MainPID)
kill -STOP "$pid"
until_true is_another "$pid"
echo "hung: started again $(property NRestarts)"
systemctl --user reload steep-repl-sd.service
echo "reload $?"
pid=$(property MainPID)
# Which file is not said here either: the socket is in that of the service.
"$@" stop --daemon --name sd >/dev/null 2>&1
echo "stop --daemon $?"
until_true is_another "$pid"
"$@" stop --user --name sd >/dev/null 2>&1
echo "stop $? $(property ActiveState) $(property ExecMainStatus)"
echo 'repl: {colour: red}' >"$folder/sd.yaml"
"$@" start --user --name sd >/dev/null 2>&1
echo "wrong configuration $? $(property ActiveState) $(property ExecMainStatus)"
"$@" uninstall --user --name sd >/dev/null 2>&1
echo "uninstall $? $(ls "$HOME/.config/systemd/user" | grep -c 'steep-repl-sd.service$')"
rm -f /tmp/steep-repl-sd.lock
kill "$manager"
wait "$manager"
