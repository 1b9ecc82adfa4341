#!/usr/bin/env bash
# One command for all figures: installs the servers to compare with, builds release, runs the bench (about 12 minutes), and ends
# with what is to be reached and what was. Results go to build/bench: results.json, results.md, results.svg.
#
#   tests/bench/run.sh [--quick] [--cases cached-1k,misses,...] [--rounds 5] [--seconds 2] [--readme]
#
# --quick    2 rounds of 1 second, about 3 minutes: to see that it works, not for figures
# --readme   the tables also go into README.md, between its bench markers
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
arguments=()
for argument in "$@"; do
  case $argument in
    --readme) arguments+=(--readme "$top/README.md") ;;
    --help | -h) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) arguments+=("$argument") ;;
  esac
done
# Each server that cannot be installed is left out of the tables, by name; what the gateway itself needs must be there.
"$top/deploy/install-dependencies.sh" --build
"$top/deploy/install-dependencies.sh" --bench || echo "bench: some servers to compare with are missing; their rows will be too" >&2
"$top/deploy/build.sh" release contacts-gateway leadconnector-simulator bench-servers
PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1 exec python3 "$top/tests/bench/bench.py" --bin "$top/build/release/bin" \
  --out "$top/build/bench" "${arguments[@]}"
