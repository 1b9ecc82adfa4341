# A minimal Debian 12 in a folder, for tests that need a machine with nothing on it. Sourced; needs root, debootstrap and
# Debian's mirror. The first one is kept as an archive in build/deploy, and the next ones are unpacked from it.
#
#   chroot_make DIR               a new `debootstrap --variant=minbase bookworm` in DIR
#   chroot_run DIR command...     runs it there, with /proc, /dev and the network of this machine; whatever it started ends with it
#   chroot_remove DIR
#
# Mounts live in a mount namespace and processes in a pid namespace of the command's own: nothing is left behind when the
# script that called this is killed.

chroot_archive=${chroot_archive:-$top/build/deploy/bookworm-minbase.tar}

chroot_make() {
  local root=$1 made
  mkdir -p "$root" "${chroot_archive%/*}"
  if [ ! -f "$chroot_archive" ]; then
    made=$(mktemp -d "${chroot_archive%/*}/minbase-XXXXXX")
    debootstrap --variant=minbase bookworm "$made/root" >"$made/log" 2>&1 || { tail -n 5 "$made/log" >&2; return 1; }
    tar -C "$made/root" -cf "$made/archive" --one-file-system .
    mv "$made/archive" "$chroot_archive"
    rm -rf "$made"
  fi
  tar -C "$root" -xf "$chroot_archive"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  printf 'deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian bookworm-updates main\ndeb http://deb.debian.org/debian-security bookworm-security main\n' \
    >"$root/etc/apt/sources.list"
}

chroot_enter='
root=$1; shift
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
  : >"$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
while [ "${1-}" = --bind ]; do
  mkdir -p "$root$3"
  mount --bind "$2" "$root$3"
  shift 3
done
exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
'

chroot_run() {  # chroot_run DIR [--bind FROM TO]... command...
  unshare --mount --pid --fork --kill-child -- bash -euc "$chroot_enter" chroot_enter "$@"
}

chroot_remove() { rm -rf --one-file-system "$1"; }
