#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last line is 'N passed, N failed'; the exit code says the same.
#
#   tests/run.sh [--full] [--preset release|asan|tsan|debug] [filter]
#
# --full    the long forms too: the million operations under faults, the large models, bare Debian, image and package in chroots
# filter    only test cases whose name contains it (without case)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
say() { printf 'tests: %s\n' "$*" >&2; }

preset=release filter='' limit=300
while [ $# -gt 0 ]; do
  case $1 in
    --full) export GATEWAY_TEST_FULL=1; limit=7200 ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --help | -h) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) say "unknown option '$1'; see --help"; exit 2 ;;
    *) filter=$1 ;;
  esac
  shift
done
case $preset in release | debug | asan | tsan) ;; *) say "no preset '$preset': release, debug, asan, tsan"; exit 2 ;; esac

# The tests look at their programs' descriptors and threads.
if [ ! -e /proc/self/fd ]; then
  say "/proc is not mounted here; mounting it"
  mount -t proc proc /proc || { say "the tests need /proc: as root, mount -t proc proc /proc"; exit 1; }
fi
"$top/deploy/install-dependencies.sh" --build --test
if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
  # What is built through sudo belongs to the caller, so that a run without sudo can use it.
  trap 'chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$top/build" 2>/dev/null || true' EXIT
fi
"$top/deploy/build.sh" "$preset"

export GATEWAY_TEST_FILTER=$filter
export TSAN_OPTIONS="suppressions=$top/tests/tsan.supp:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
jobs=$(($(nproc) + 1))  # they wait more than they work
case $preset in asan | tsan) limit=$((limit * 4)) jobs=$(nproc) ;; esac
say "running $preset${filter:+ (only '$filter')}"
code=0
(cd "$top/build/$preset" && ctest --output-on-failure --timeout "$limit" -j "$jobs" </dev/null) ||
  code=$?

# Cases are counted from doctest's own summaries; a program that ended without one (crash, time limit) counts as one failure.
last=$top/build/$preset/Testing/Temporary/LastTest.log
summaries=$(grep -a '^\[doctest\] test cases:' "$last" || true)
passed=$(awk '{n += $6} END {print n + 0}' <<<"$summaries")
failed=$(awk '{n += $9} END {print n + 0}' <<<"$summaries")
if [ "$code" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
if [ "$code" != 0 ]; then  # once more where a reader looks first: what failed, from the pages above
  say "what failed:"
  (cd "$top/build/$preset" && ctest --show-only=human --rerun-failed 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: /  /p')
  grep -aE -A2 'ERROR: |(WARNING|ERROR|SUMMARY): (Thread|Address|Leak|UndefinedBehavior)Sanitizer|runtime error: ' "$last" |
    cut -c1-300 | head -n 60
fi
if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
  say "no test case has '$filter' in its name"
  code=1
fi
echo "$passed passed, $failed failed"
exit "$code"
