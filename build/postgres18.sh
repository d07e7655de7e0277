#!/usr/bin/env bash
# Prints the path of a pg_config of PostgreSQL 18, which the extension is compiled against.
#
# In this order: PG_CONFIG, a pg_config of version 18 on the path, else the headers of Debian's
# postgresql-server-dev-18, unpacked into the cache, with a stand-in for pg_config beside them. The mirror is
# the one in the machine's own apt sources; apt keeps its state in a folder of the cache, so the system's
# package lists are left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for candidate in "${PG_CONFIG:-}" "$(command -v pg_config || true)"; do
  if [ -n "$candidate" ] && "$candidate" --version 2>/dev/null | grep -q '^PostgreSQL 18'; then
    headers=$("$candidate" --includedir-server)
    if [ -f "$headers/postgres.h" ]; then echo "$candidate"; exit 0; fi
    echo "$candidate: no server headers in $headers; install PostgreSQL 18's development package" >&2
    [ "$candidate" = "${PG_CONFIG:-}" ] && exit 1
  elif [ -n "${PG_CONFIG:-}" ] && [ "$candidate" = "$PG_CONFIG" ]; then
    echo "PG_CONFIG=$PG_CONFIG is not a pg_config of PostgreSQL 18" >&2; exit 1
  fi
done

cache=$("$here/cache.sh")
root=$cache/postgres-18-headers
if [ -x "$root/pg_config" ]; then echo "$root/pg_config"; exit 0; fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
  echo "No PostgreSQL 18 with headers found. Install it and name its pg_config in PG_CONFIG." >&2; exit 1; }

exec 9>"$root.lock"; flock 9
if [ -x "$root/pg_config" ]; then echo "$root/pg_config"; exit 0; fi
work=$(mktemp -d "$cache/headers.XXXXXX"); trap 'rm -rf "$work"' EXIT
apt=$("$here/private-apt.sh" "$work" forky)
(cd "$work" && sh -c "$apt download postgresql-server-dev-18 libpq-dev" >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 1; }
for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/tree"; done
include=$root/tree/usr/include/postgresql
cat >"$work/pg_config" <<CONFIG
#!/bin/sh
# Answers what a build asks of pg_config, for headers that lie in a cache without their server.
for option in "\$@"; do
  case \$option in
    --version) echo "PostgreSQL 18.6" ;;
    --includedir | --pkgincludedir) echo "$include" ;;
    --includedir-server) echo "$include/18/server" ;;
    --libdir | --pkglibdir) echo "$root/tree/usr/lib/postgresql/18/lib" ;;
    --bindir) echo "$root/tree/usr/lib/postgresql/18/bin" ;;
    --sharedir) echo "$root/tree/usr/share/postgresql/18" ;;
    --cppflags) echo "-D_GNU_SOURCE" ;;
    --cflags | --ldflags | --libs | --configure) echo "" ;;
    *) echo "pg_config stand-in: unknown option \$option" >&2; exit 1 ;;
  esac
done
CONFIG
chmod 755 "$work/pg_config" "$work"
rm -f "$work"/*.deb; rm -rf "$root"
trap - EXIT
mv "$work" "$root"
echo "$root/pg_config"
