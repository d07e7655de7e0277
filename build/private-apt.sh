#!/usr/bin/env bash
# Usage: private-apt.sh FOLDER SUITE
# Prints an apt-get command line whose sources are SUITE of this machine's own Debian mirror and whose state
# lives in FOLDER, its package list already fetched. Nothing of the system's own apt is changed; no root needed.
set -euo pipefail
folder=$1 suite=$2
mirror=$(sed -n 's/^URIs: *\(\S*\/debian\)\/\?$/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\(\S*\/debian\)\/\? .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { echo "no Debian mirror in this machine's apt sources" >&2; exit 1; }
mkdir -p "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial"
: >"$folder/apt/state/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$folder/apt/sources.list"
apt="apt-get -q -o Dir::State=$folder/apt/state -o Dir::State::status=$folder/apt/state/status -o Dir::Cache=$folder/apt/cache"
apt="$apt -o Dir::Etc::sourcelist=$folder/apt/sources.list -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User="
sh -c "$apt update" >"$folder/apt/log" 2>&1 || { cat "$folder/apt/log" >&2; exit 1; }
echo "$apt"
