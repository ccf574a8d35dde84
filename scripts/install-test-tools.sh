#!/usr/bin/env bash
# Installs what the tests need beyond npm: the MariaDB server's programs, of which the suite starts a private copy, and
# Chromium for the tests of pages. Safe to run again, and by several at once. Leaves no system service running.
set -euo pipefail

missing_packages() {
  [ -x /usr/sbin/mariadbd ] || command -v mariadbd >/dev/null || echo mariadb-server
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || echo chromium
}

packages=$(missing_packages)
if [ -z "$packages" ]; then
  echo "MariaDB and Chromium are there already: nothing to install."
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need what these packages hold: $(echo $packages). Install them with your system's package manager (MariaDB 10.6 or newer)." >&2
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
# Nor may a database start at the next boot: the suite starts its own copy.
if command -v systemctl >/dev/null && [ -x /usr/sbin/mariadbd ]; then
  systemctl disable mariadb.service
fi
echo "Installed" $packages
