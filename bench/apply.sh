# A backlog of single-row transactions, written while the receiver rests, then applied. Beside the clock, which other processes
# of the machine disturb, stands the processor time of the two processes that do it.
backlog() { # KIND DATABASE
  pause "$2"
  local first last one step
  case $1 in
    update) one="UPDATE t SET n = n + 1 WHERE id = i; COMMIT;" ;;
    insert) one="INSERT INTO t VALUES ($base + i, 'a note of some length', 0); COMMIT;" ;;
    delete) one="DELETE FROM t WHERE id = i; COMMIT;" ;;
    mixed) one="INSERT INTO t VALUES ($base + i, 'x', 0); COMMIT; UPDATE t SET n = n + 1 WHERE id = i; COMMIT; DELETE FROM t WHERE id = $base + i; COMMIT;" ;;
  esac
  first=$(mark 1 "$2")
  # Four stretches in turn: neighbours in time are not neighbours in the index.
  step=$((rows / 4))
  q 1 "$2" 'SET synchronous_commit = off' "DO \$\$ DECLARE i int; BEGIN FOR k IN 1 .. $step LOOP FOR i IN SELECT k + c * $step FROM generate_series(0, 3) c LOOP $one END LOOP; END LOOP; END \$\$"
  last=$(mark 1 "$2")
  catch_up "$2" "$first" "$last"
  if [ "$1" = delete ]; then fill "$2"; fi
  if [ "$2" = ours ]; then base=$((base + rows)); fi
  drained "$2"
}
fill() { q 1 "$1" "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $rows) g"; }
base=1000000
for identity in ${IDENTITIES:-FULL DEFAULT}; do
  echo
  echo "| catch-up, identity $identity, $rows each | native changes/s | ours changes/s | ratio | apply worker µs native | µs ours | ratio | walsender µs native | µs ours | ratio |"
  echo "|---|---|---|---|---|---|---|---|---|---|"
  for kind in ${KINDS:-update insert delete mixed}; do
    table $identity "${COLUMNS_OF_T:-id int PRIMARY KEY, note text, n int}"
    for d in native ours; do fill $d; drained $d; done
    alternate 'native ours' backlog $kind
    equal ours
    changes=$rows; if [ $kind = mixed ]; then changes=$((rows * 3)); fi
    awk -v kind=$kind -v c=$changes -v a="$(median "$work/native.out")" -v b="$(median "$work/ours.out")" -v ca="$(median "$work/native.out" 2)" -v cb="$(median "$work/ours.out" 2)" \
      -v sa="$(median "$work/native.out" 3)" -v sb="$(median "$work/ours.out" 3)" 'BEGIN {
      printf "| %s | %d | %d | %.2f | %.1f | %.1f | %.2f | %.1f | %.1f | %.2f |\n", kind, c / a, c / b, a / b, ca / c * 1e6, cb / c * 1e6, ca / cb, sa / c * 1e6, sb / c * 1e6, sa / sb}'
  done
done
