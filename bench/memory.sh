# The most memory that the apply worker held over one transaction of many rows (VmHWM in /proc; shared memory is in it).
memory() { # DATABASE
  pause "$1"; q 1 "$1" "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $big) g"; resume "$1"; drained "$1"
  local pid; pid=$(q 2 "$1" "SELECT a.pid FROM pg_stat_subscription a JOIN pg_subscription s ON s.oid = a.subid WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = '$1') AND a.pid IS NOT NULL")
  awk '/^(RssAnon|VmHWM)/ {v[$1] = $2} END {print v["RssAnon:"] / 1024}' "/proc/$pid/status"
}
head_ "one transaction of $big rows"
table FULL 'id int PRIMARY KEY, note text, n int'
for d in native ours; do eval "$d=\$(memory $d)"; done
row "private memory of the apply worker" MB "$native" "$ours" inverse
