# SPDX-License-Identifier: 0BSD
# installed.sh COMMAND...: runs it on a copy of this machine on which Debian's
# packages of Interlock are installed, in this folder. After it they are
# removed, and must leave no file. The copy is made of an overlay, in mounts
# that end with this process.
set -eu
if [ -z "${INTERLOCK_COPY-}" ]; then
  INTERLOCK_COPY=1 exec unshare --mount sh "$0" "$@"
fi
copy=$(mktemp -d)
trap 'umount -l "$copy"; rmdir "$copy"' EXIT
mount -t tmpfs none "$copy"
mkdir "$copy/upper" "$copy/work" "$copy/root"
mount -t overlay overlay \
  -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$copy/root"
mount --rbind /proc "$copy/root/proc"
mount --rbind /dev "$copy/root/dev"
# The lock file is the same only in the same folder.
mkdir -p "$copy/root$PWD"
mount --bind "$PWD" "$copy/root$PWD"
status=0
PATH=$PATH:/usr/sbin:/sbin chroot "$copy/root" sh -euc '
  cd "$1"
  shift
  debs=$BUILD/packages/deb
  find /usr /etc -name "*interlock*" >/tmp/before
  dpkg --install "$debs"/*.deb >/tmp/dpkg 2>&1 || {
    cat /tmp/dpkg
    exit 1
  }
  "$@"
  dpkg --purge python3-interlock libsqlite3-mod-interlock >/tmp/dpkg 2>&1
  find /usr /etc -name "*interlock*" >/tmp/after
  diff /tmp/before /tmp/after
' sh "$PWD" "$@" || status=$?
exit $status
