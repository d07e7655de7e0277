# The most private memory (RssAnon) that the apply worker holds while it applies one transaction of many rows, at two sizes: it
# must not grow with the transaction.
memory() { # KIND SIZE DATABASE
  local first last pid peak now
  q 1 "$3" 'DELETE FROM t'
  [ "$1" = insert ] || q 1 "$3" "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $2) g"
  drained "$3"; pause "$3"
  first=$(mark 1 "$3")
  case $1 in
    insert) q 1 "$3" "INSERT INTO t SELECT g, 'a note of some length', 0 FROM generate_series(1, $2) g" ;;
    update) q 1 "$3" 'UPDATE t SET n = n + 1' ;;
    delete) q 1 "$3" 'DELETE FROM t' ;;
  esac
  last=$(mark 1 "$3")
  resume "$3"; arrived 1 "$3" "$first" >/dev/null
  pid=$(applier "$3") peak=0
  # The last look is after the end: a small transaction may be applied before the first.
  peaked() {
    if now=$(awk '/^RssAnon/ {print $2}' "/proc/$pid/status") && [ "$now" -gt "$peak" ]; then peak=$now; fi
    says t 2 "$1" "SELECT EXISTS (SELECT 1 FROM arrival WHERE node = 1 AND id = $last)"
  }
  await "the transaction of $2 rows" peaked "$3"
  awk -v k="$peak" 'BEGIN {printf "%.1f", k / 1024}'
}
echo
echo "| most private memory of the apply worker, one transaction | native, $small rows | native, $big rows | ours, $small rows | ours, $big rows |"
echo "|---|---|---|---|---|"
for kind in ${MEMORY_KINDS:-insert delete}; do
  table FULL 'id int PRIMARY KEY, note text, n int'
  o1=$(memory $kind "$small" ours) o2=$(memory $kind "$big" ours)
  printf '| %s | %s MB | %s MB | %s MB | %s MB |\n' $kind "$(memory $kind "$small" native)" "$(memory $kind "$big" native)" "$o1" "$o2"
  awk -v a="$o1" -v b="$o2" 'BEGIN {exit b > a + 16}' || { echo "bench: the apply worker's memory grows with a transaction of ${kind}s" >&2; exit 1; }
done
