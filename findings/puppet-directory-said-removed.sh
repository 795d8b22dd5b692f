#!/bin/bash
# Puppet 7.23.0 (Debian 12, puppet-agent 7.23.0-1): `file { DIR: ensure => absent }` on a directory without `force => true`
# says "should be 'absent'" in a dry run, and "removed" in the real run, with exit code 2 ("changed") and an event of status
# "success" in the report; the directory stays. Only a line of level notice tells, and every later run says the same again.
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
mkdir -p tmp/dir/child dev etc run
echo 'root:x:0:0::/tmp:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
touch dev/null
[ -e bin ] || ln -s usr/bin bin
run() { chroot "$work/root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp LANG=C.UTF-8 "$@"; }
echo "file { '/tmp/dir': ensure => absent }" > tmp/site.pp
apply() { run puppet apply --confdir /tmp/conf --vardir /tmp/var --color false "$@" /tmp/site.pp 2>&1; }
run puppet --version
apply --noop | grep "current_value 'directory', should be 'absent' (noop)"
for round in 1 2; do
  code=0
  apply --detailed-exitcodes > "$work/out" || code=$?
  cat "$work/out"
  grep -q "Not removing directory; use 'force' to override" "$work/out"
  grep -q '/ensure: removed' "$work/out"
  [ "$code" = 2 ]
  grep -q 'status: success' tmp/var/state/last_run_report.yaml
  [ -d tmp/dir/child ]
done
echo 'as found: said to be removed, twice, and still there'
