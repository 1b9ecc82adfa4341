#!/usr/bin/env bash
# The Dockerfile's own steps, run in a chroot of Debian 12 since there may be no Docker here, and what comes out of its last stage: a
# gateway that starts as nobody on a read-only root without a shell and answers. Then the Debian package, built there, is installed on
# another bare Debian, started as its unit says, asked, and purged without leftovers.
#
#   tests/deploy/image.sh
#
# Works on a clone of what is committed. Needs root, debootstrap and Debian's mirror, and the simulator of build/release or build/debug.
# Compiled objects are kept in build/deploy/ccache, or in CHROOT_CCACHE.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
. "$top/tests/deploy/chroot.sh"
"$top/deploy/install-dependencies.sh" --chroot
say() { printf 'image: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

simulator=
for preset in release debug; do
  [ -n "$simulator" ] || [ ! -x "$top/build/$preset/bin/leadconnector-simulator" ] || simulator=$top/build/$preset/bin/leadconnector-simulator
done
[ -n "$simulator" ] || fail "build the simulator first: deploy/build.sh release leadconnector-simulator"

work=$(mktemp -d "${TMPDIR:-/tmp}/contacts-gateway-image-XXXXXX")
started=()
end() {
  [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
  chroot_remove "$work"
}
trap end EXIT

# --- the build stage
build=$work/build ccache=${CHROOT_CCACHE:-$top/build/deploy/ccache}
chroot_make "$build"
mkdir -p "$ccache"
chmod a+rwx "$ccache"
printf 'cache_dir = /ccache\numask = 000\n' >"$build/etc/ccache.conf"
git clone -q --no-hardlinks "$top" "$work/context"

folder=/
last_stage=no
copied='' user='' entrypoint='' command=''
step() {  # step INSTRUCTION the rest of its line
  local instruction=$1 rest=$2
  case $last_stage:$instruction in
    no:FROM) [[ $rest == "debian:bookworm-slim AS build" ]] || fail "the build stage is '$rest', not Debian 12" ;;
    no:WORKDIR) folder=$rest; mkdir -p "$build$folder" ;;
    no:COPY)
      if [ "$rest" = ". ." ]; then
        # What .dockerignore lets through.
        (cd "$work/context" && sed -n 's/^!//p' .dockerignore | xargs cp -r -t "$build$folder")
      else
        read -r from to <<<"$rest"
        mkdir -p "$build$folder/$to"
        cp "$work/context/$from" "$build$folder/$to"
      fi ;;
    no:RUN) say "RUN $rest"; chroot_run "$build" --bind "$ccache" /ccache sh -c "cd $folder && $rest" >"$work/log" 2>&1 ||
      { tail -n 40 "$work/log" >&2; fail "this step failed: $rest"; } ;;
    yes:COPY) copied=${rest#--from=build } ;;
    yes:USER) user=$rest ;;
    yes:ENTRYPOINT) entrypoint=$rest ;;
    yes:CMD) command=$rest ;;
    yes:EXPOSE) ;;
    *) fail "no step of this test is for: $instruction $rest" ;;
  esac
}
while read -r instruction rest; do
  if [ "$instruction $rest" = "FROM scratch" ]; then last_stage=yes; continue; fi
  step "$instruction" "$rest"
done < <(grep -vE '^(#|$)' "$top/deploy/Dockerfile")
[ "$copied" = "/image /" ] || fail "the last stage is '$copied', not /image alone"
[ "$user" = "65532:65532" ] || fail "it runs as '$user'"
say "$entrypoint $command"

# --- the last stage
image=$build/image
! find "$image" -name '*sh' -type f -perm /111 | grep . >&2 || fail "there is a shell in the image"
! find "$image" \( -perm -4000 -o -perm -2000 \) -type f | grep . >&2 || fail "there is a set-user-id program in the image"
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
upstream=$(port) public=$(port) admin=$(port)
"$simulator" --listen "127.0.0.1:$upstream" >"$work/simulator.log" 2>&1 &
started+=($!)
answers() { curl -fsS -o "$work/answer" "http://127.0.0.1:$1/$2" 2>/dev/null; }
wait_for() {  # wait_for PID PORT PATH
  until answers "$2" "$3"; do kill -0 "$1" 2>/dev/null || return 1; read -rt 0.1 <> <(:) || true; done
}
words() { python3 -c 'import json, sys; print("\0".join(json.loads(sys.argv[1]) + json.loads(sys.argv[2])), end="\0")' "$entrypoint" "$command"; }
mapfile -d '' program < <(words)
printf 'simulator-token' >"$work/token"
# As a container runtime does it: the root read-only, /proc, and the secret in a tmpfs.
contained='
root=$1 token=$2; shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=4k secrets "$root/run"
install -m 444 "$token" "$root/run/token"
mount -o remount,ro "$root/run"
mount -o remount,ro,bind "$root"
exec env -i GATEWAY_LISTEN="$LISTEN" GATEWAY_ADMIN_LISTEN="$ADMIN" GATEWAY_UPSTREAM_URL="$UPSTREAM" \
  GATEWAY_CREDENTIALS_TOKEN_FILE=/run/token /usr/sbin/chroot --userspec=65532:65532 --groups= "$root" "$@"
'
LISTEN=127.0.0.1:$public ADMIN=127.0.0.1:$admin UPSTREAM=http://127.0.0.1:$upstream \
  unshare --mount -- bash -euc "$contained" contained "$image" "$work/token" "${program[@]}" >"$work/gateway.log" 2>&1 &
gateway=$!
started+=($gateway)
wait_for $gateway "$admin" readyz || { cat "$work/gateway.log" >&2; fail "the image does not start"; }
answers "$public" contacts/contact0000000000001 || fail "the image does not answer"
grep -q contact0000000000001 "$work/answer" || fail "the image answers something else"
grep -q '^Uid:.65532' "/proc/$gateway/status" || fail "it runs as somebody else"
say "the image answers as user 65532 on a read-only root of $(du -sh "$image" | cut -f1)"
kill $gateway
wait $gateway || fail "SIGTERM ended it with $?"

# --- the Debian package
mv "$work/context" "$build/context"
package=$(chroot_run "$build" --bind "$ccache" /ccache /context/deploy/package.sh 2>"$work/log") ||
  { tail -n 40 "$work/log" >&2; fail "the package cannot be built"; }
say "installing $(basename "$package")"
target=$work/target
chroot_make "$target"
cp "$build$package" "$target/package.deb"
in_target() { chroot_run "$target" env DEBIAN_FRONTEND=noninteractive "$@"; }
in_target apt-get -qq update >"$work/log" 2>&1
# What it needs stays when it is purged, and is no leftover of its own.
in_target sh -c 'apt-get -qq install -y --no-install-recommends systemd adduser $(dpkg-deb -f /package.deb Depends |
  sed "s/([^)]*)//g; s/|[^,]*//g; s/,/ /g")' >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "its dependencies cannot be installed"; }
state() {
  (cd "$target" && find etc usr lib var/lib run srv home opt -xdev ! -path 'var/lib/dpkg/*' ! -path 'var/lib/apt/*' \
    ! -name 'passwd*' ! -name 'group*' ! -name '*shadow*' ! -name 'sub[ug]id*' ! -name .pwd.lock ! -path '*/__pycache__*' ! -path 'run/adduser*' ! -path 'run/systemd/*' | sort)
  cut -d: -f1 "$target/etc/passwd" "$target/etc/group"
}
state >"$work/before"
in_target apt-get -qq install -y --no-install-recommends /package.deb >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "it cannot be installed"; }
in_target test -L /etc/systemd/system/multi-user.target.wants/contacts-gateway.service || fail "its unit is not enabled"
in_target systemd-analyze verify /lib/systemd/system/contacts-gateway.service /lib/systemd/system/contacts-gateway.socket 2>&1 |
  { ! grep -i 'contacts-gateway' >&2; } || fail "systemd-analyze does not like its units"
exposure=$(in_target systemd-analyze security --no-pager --offline=true --threshold=20 /lib/systemd/system/contacts-gateway.service 2>&1 | tail -n 1) ||
  fail "it is not hardened: $exposure"
say "systemd-analyze: ${exposure#*: }"

# Started as its unit says: its user, its command, its notification.
printf 'simulator-token' >"$target/etc/contacts-gateway/token"
chroot "$target" chown root:contacts-gateway /etc/contacts-gateway/token
chmod 640 "$target/etc/contacts-gateway/token"
unit() { sed -n "s/^$1=//p" "$target/lib/systemd/system/contacts-gateway.service"; }
read -ra program <<<"$(unit ExecStart)"
public=$(port) admin=$(port)
python3 - "$target/run/notify" >"$work/notified" <<'PYTHON' &
import os, socket, sys
box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
box.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
box.settimeout(120)
print(box.recv(4096).decode().replace("\n", " "), flush=True)
PYTHON
notified=$!
started+=($notified)
until [ -S "$target/run/notify" ]; do read -rt 0.05 <> <(:) || true; done
unshare --mount -- bash -euc 'mount -t proc proc "$1/proc"; shift; exec "$@"' proc "$target" \
  env -i NOTIFY_SOCKET=/run/notify GATEWAY_LISTEN=127.0.0.1:$public GATEWAY_ADMIN_LISTEN=127.0.0.1:$admin \
  GATEWAY_UPSTREAM_URL=http://127.0.0.1:$upstream /usr/sbin/chroot --userspec="$(unit User):$(unit Group)" --groups= "$target" "${program[@]}" \
  >"$work/gateway.log" 2>&1 &
gateway=$!
started+=($gateway)
wait_for $gateway "$admin" readyz || { cat "$work/gateway.log" >&2; fail "the packaged gateway does not start"; }
wait $notified || fail "it does not notify systemd"
grep -q READY=1 "$work/notified" || fail "it notified: $(cat "$work/notified")"
answers "$public" contacts/contact0000000000001 || fail "the packaged gateway does not answer"
kill $gateway
wait $gateway || fail "SIGTERM ended it with $?"
rm -f "$target/run/notify"

say "upgrading, removing, purging"
in_target dpkg -i /package.deb >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "it cannot be installed over itself"; }
[ "$(cat "$target/etc/contacts-gateway/token")" = simulator-token ] || fail "an upgrade took the token"
in_target dpkg -r contacts-gateway >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "it cannot be removed"; }
[ -f "$target/etc/contacts-gateway/gateway.json" ] || fail "removing took the settings"
in_target dpkg -P contacts-gateway >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "it cannot be purged"; }
state >"$work/after"
diff "$work/before" "$work/after" >&2 || fail "it left something behind"
say "passed"
