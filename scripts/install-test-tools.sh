#!/usr/bin/env bash
# Installs what the tests need beyond npm: the MariaDB server's programs, of which the suite starts a private copy.
# Safe to run again, and by several at once. Leaves no system service running.
set -euo pipefail

if command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ]; then
  echo "mariadbd is there already: nothing to install."
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "mariadbd is missing. Install the package \"mariadb-server\" (10.6 or newer) with your system's package manager." >&2
  exit 1
fi

exec 9>/var/lock/install-test-tools.lock
flock 9
if [ -x /usr/sbin/mariadbd ]; then
  echo "mariadbd has just been installed by another run."
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
echo "Installing mariadb-server ..."
apt-get update -qq
apt-get install -y -qq --no-install-recommends mariadb-server
# Nor may it start at the next boot: the suite starts its own copy.
if command -v systemctl >/dev/null; then
  systemctl disable mariadb.service
fi
echo "Installed $(/usr/sbin/mariadbd --version)."
