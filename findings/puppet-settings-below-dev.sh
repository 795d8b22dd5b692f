#!/bin/bash
# Puppet 7.23.0 (Debian 12, puppet-agent 7.23.0-1): where --vardir lies below /dev, as in /dev/shm, the directories of its own
# settings are not made. A dry run of a manifest that compiles ends with "Failed to apply catalog: No such file or directory"
# for its state file; the same below /tmp makes them and ends well.
# Needs Debian 12 and root (the packages are unpacked into a temporary root, nothing is installed).
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo 'needs root, for chroot' >&2; exit 1; }
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/root"
cd "$work/debs"
names=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  puppet-agent=7.23.0-1 | grep -E '^[a-z0-9]' | sed 's/:.*//' | sort -u)
# Virtual packages have no candidate.
real=$(apt-cache policy $names coreutils dash | awk '/^[a-z0-9]/ { name = $1 } /Candidate: [^(]/ { sub(":$", "", name); print name }' |
  grep -vx puppet-agent)
apt-get download -qq puppet-agent=7.23.0-1 $real 2>/dev/null
for deb in *.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$work/root"; done
cd "$work/root"
mkdir -p tmp dev/shm etc run
echo 'root:x:0:0::/tmp:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
touch dev/null
[ -e bin ] || ln -s usr/bin bin
run() { chroot "$work/root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp LANG=C.UTF-8 "$@"; }
echo "notify { 'hello': }" > tmp/site.pp
apply() { run puppet apply --noop --color false --confdir "$1/conf" --codedir "$1/code" --vardir "$1/var" /tmp/site.pp 2>&1 || true; }
run puppet --version
apply /tmp | tee "$work/below-tmp"
! grep -q 'Failed to apply catalog' "$work/below-tmp"
[ -f tmp/var/state/state.yaml ] && [ -d tmp/var/clientbucket ]
apply /dev/shm | tee "$work/below-dev"
grep -q 'Failed to apply catalog: No such file or directory .*/dev/shm/var/state/state.yaml' "$work/below-dev"
[ ! -e dev/shm/var/clientbucket ]
echo 'as found: nothing of its own is made below /dev'
