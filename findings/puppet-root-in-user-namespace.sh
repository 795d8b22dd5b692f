#!/bin/bash
# Puppet 7.23.0 (Debian 12, puppet-agent 7.23.0-1): root of a user namespace that has no account but root cannot apply anything, not even
# a manifest without resources of its own: "Failed to set owner to '104': Invalid argument". Puppet as root gives the directories of its
# settings to the account `puppet` before it compiles, where the system knows one, and the kernel knows no such account there. With
# `user = root` and `group = root` in the settings it ends well.
# Needs Debian 12, root and user namespaces (the packages are unpacked into a temporary root, nothing is installed).
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo 'needs root, for chroot' >&2; exit 1; }
unshare --user --map-root-user true || { echo 'needs user namespaces' >&2; exit 1; }
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
mkdir -p tmp dev etc run
printf 'root:x:0:0::/tmp:/bin/sh\npuppet:x:104:111::/tmp:/bin/false\n' > etc/passwd
printf 'root:x:0:\npuppet:x:111:\n' > etc/group
touch dev/null
[ -e bin ] || ln -s usr/bin bin
chmod 777 dev/null
echo "notify { 'hello': }" > tmp/site.pp
# $1: name of the settings' directory; the rest: what stands before chroot.
apply() {
  local name=$1
  shift
  "$@" chroot "$work/root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp LANG=C.UTF-8 \
    puppet apply --color false --confdir "/tmp/$name/conf" --codedir "/tmp/$name/code" --vardir "/tmp/$name/var" /tmp/site.pp 2>&1
}
chroot "$work/root" /usr/bin/env -i PATH=/usr/bin:/bin puppet --version
apply inside unshare --user --map-root-user | tee "$work/inside" && { echo 'it is applied now' >&2; exit 1; }
grep -q "Failed to set owner to '104': Invalid argument" "$work/inside"
mkdir -p tmp/told/conf
printf '[main]\nuser = root\ngroup = root\n' > tmp/told/conf/puppet.conf
apply told unshare --user --map-root-user | tee "$work/told"
grep -q "hello" "$work/told"
# Last, since what it makes belongs to `puppet` then.
apply outside env | tee "$work/outside"
grep -q "hello" "$work/outside"
echo "as found: the account \`puppet\` is not there in the namespace, and without settings nothing is applied"
