#!/usr/bin/env bash
# Starts deploy/run.sh in a folder, waits until it prints what to try, sends README's three requests, and ends it with Ctrl-C's
# signal: nothing that it started may be left. Runs inside the bare Debian.
#
#   three-curls FOLDER path/of/deploy/run.sh...
set -euo pipefail
cd "$1"
shift
log=$(mktemp)
fail() { tail -n 60 "$log" >&2; printf 'three-curls: %s\n' "$*" >&2; exit 1; }

set -m  # a process group of its own, which a signal of Ctrl-C reaches as a whole
"$@" >"$log" 2>&1 </dev/null &
job=$!
set +m
until grep -q 'Ctrl-C ends it' "$log"; do
  kill -0 $job 2>/dev/null || fail "it ended before it served anything"
  read -rt 0.2 <> <(:) || true
done
grep -q "It talks to the simulator" "$log" || fail "it does not say whom it talks to"
base=$(sed -n 's/^The gateway listens on \(http:[^ ]*\) .*/\1/p' "$log")

# README's own three lines, sent to where this gateway listens.
while [ $# -gt 0 ] && [[ $1 != *run.sh ]]; do shift; done
mapfile -t lines < <(grep '^curl -i' "$(dirname "$1")/../README.md" | head -n 3 | sed 's/ *#.*//')
send() { bash -c "${lines[$1]/http:\/\/127.0.0.1:8080/$base} -sS"; }
first=$(send 0) second=$(send 0) before=$(send 2)
written=$(send 1) after=$(send 2) again=$(send 2)
grep -q '^HTTP/1.1 200' <<<"$first" || fail "the first answer: $first"
grep -qi '^Cache-Status: .*hit' <<<"$second" || fail "the second answer is no hit: $second"
grep -q '^HTTP/1.1 200' <<<"$written" || fail "the write: $written"
[[ $before != *'"firstName":"Grace"'* && $after == *'"firstName":"Grace"'* ]] || fail "before: $before; after: $after"
grep -qi '^Cache-Status: .*hit' <<<"$again" || fail "no hit in the end: $again"

kill -INT -- -$job
read -rt 0.05 <> <(:) || true
kill -INT -- -$job 2>/dev/null || true  # who is impatient leaves nothing either
code=0
wait $job || code=$?
[ $code = 130 ] || [ $code = 0 ] || fail "it ended with $code"
left=$(grep -lE '^(contacts-gatewa|leadconnector|redis-server)' /proc/[0-9]*/comm 2>/dev/null | xargs -r cat || true)
[ -z "$left" ] || fail "left running: $left"
printf 'three-curls: %s answered on %s\n' "$*" "$base" >&2
rm -f "$log"
