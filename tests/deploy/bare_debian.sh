#!/usr/bin/env bash
# The two commands on a Debian 12 with nothing on it: deploy/run.sh ends with a gateway that answers README's three curl lines,
# tests/run.sh passes; twice, in both orders, from other folders, as root and as a user with sudo.
#
#   tests/deploy/bare_debian.sh [--filter NAME]       only tests whose name contains NAME (the rest of it stays)
#
# Works on a clone of what is committed. Needs root, debootstrap and Debian's mirror; compiled objects are kept in build/deploy/ccache, or in CHROOT_CCACHE.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
. "$top/tests/deploy/chroot.sh"
"$top/deploy/install-dependencies.sh" --chroot
say() { printf 'bare-debian: %s\n' "$*" >&2; }
filter=
[ "${1-}" != --filter ] || filter=$2

work=$(mktemp -d "${TMPDIR:-/tmp}/contacts-gateway-bare-XXXXXX")
trap 'chroot_remove "$work"' EXIT
root=$work/root ccache=${CHROOT_CCACHE:-$top/build/deploy/ccache}
say "a minimal Debian 12 in $root"
chroot_make "$root"
mkdir -p "$ccache"
chmod 777 "$ccache"
printf 'cache_dir = /ccache\numask = 000\n' >"$root/etc/ccache.conf"
cp "$top/tests/deploy/three_curls.sh" "$root/usr/local/bin/three-curls"

clone() {  # clone PATH: in the chroot
  git clone -q --no-hardlinks "$top" "$root$1"
}
inside() { chroot_run "$root" --bind "$ccache" /ccache "$@"; }
passes() {  # passes command...: its last line says that some passed and none failed
  local log=$work/tests.log
  "$@" >"$log" 2>&1 || { tail -n 100 "$log" >&2; return 1; }
  tail -n 1 "$log" | tee /dev/stderr | grep -Eq '^[1-9][0-9]* passed, 0 failed$'
}

say "as root: run, tests, tests, run"
clone /srv/gateway
inside three-curls / /srv/gateway/deploy/run.sh
passes inside bash -c "cd /tmp && /srv/gateway/tests/run.sh $filter"
passes inside bash -c "cd /srv/gateway/deploy && ../tests/run.sh program"
inside three-curls /srv/gateway/tests ../deploy/run.sh

say "as a user with sudo: tests, run, run through sudo, tests"
inside bash -c 'apt-get -q install -y --no-install-recommends sudo >/dev/null 2>&1 && useradd --create-home ada &&
  echo "ada ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/ada && apt-get -q purge -y redis-server redis-tools >/dev/null 2>&1'
clone /home/ada/gateway
inside chown -R ada: /home/ada
as_ada() { inside setpriv --reuid ada --regid ada --init-groups env HOME=/home/ada USER=ada "$@"; }
passes as_ada bash -c 'cd && gateway/tests/run.sh program'
as_ada three-curls /home/ada gateway/deploy/run.sh
as_ada three-curls /tmp sudo /home/ada/gateway/deploy/run.sh
passes as_ada bash -c 'cd / && /home/ada/gateway/tests/run.sh program'
say "passed"
