#!/usr/bin/env bash
# Installs what the tests need beyond npm: the programs of the MariaDB server, of Redis and of Ceph's S3 gateway, of which
# the suite starts private copies, and Chromium for the tests of pages. Safe to run again, and by several at once. Leaves
# no system service running.
set -euo pipefail

# What the S3 server of the tests is made of: package and program.
S3_SERVER="radosgw:radosgw ceph-mon:ceph-mon ceph-mgr:ceph-mgr ceph-osd:ceph-osd ceph-common:ceph"

missing_packages() {
  [ -x /usr/sbin/mariadbd ] || command -v mariadbd >/dev/null || echo mariadb-server
  command -v redis-server >/dev/null || echo redis-server
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || echo chromium
  for part in $S3_SERVER; do
    command -v "${part#*:}" >/dev/null || echo "${part%%:*}"
  done
}

packages=$(missing_packages)
if [ -z "$packages" ]; then
  echo "MariaDB, Redis, Ceph's S3 gateway and Chromium are there already: nothing to install."
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need what these packages hold: $(echo $packages). Install them with your system's package manager (MariaDB 10.6 or newer, Redis 7 or newer, Ceph 16 or newer)." >&2
  exit 1
fi

exec 9>/var/lock/install-test-tools.lock
flock 9
packages=$(missing_packages)
if [ -z "$packages" ]; then
  echo "Another run has just installed them."
  exit 0
fi

# Debian asks this program before it starts a service after an installation: 101 means no.
POLICY=/usr/sbin/policy-rc.d
if [ ! -e "$POLICY" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
  trap 'rm -f "$POLICY"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
echo "Installing" $packages "..."
apt-get update -qq
apt-get install -y -qq --no-install-recommends $packages
# Nor may a server start at the next boot: the suite starts its own copies.
if command -v systemctl >/dev/null; then
  for unit in mariadb.service redis-server.service ceph.target ceph-crash.service; do
    if systemctl list-unit-files --no-legend "$unit" 2>/dev/null | grep -q .; then systemctl disable "$unit"; fi
  done
fi
echo "Installed" $packages
