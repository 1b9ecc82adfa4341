#!/usr/bin/env bash
# One command for all figures: installs the servers to compare with, builds release, and runs the bench.
#
#   tests/bench/run.sh [--cases all] [--rounds 5] [--seconds 5] [--servers gateway,nginx,...] [--json FILE] [--access-log]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
"$top/deploy/install-dependencies.sh" --build --bench
"$top/deploy/build.sh" release contacts-gateway bench-servers
PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1 exec python3 "$top/tests/bench/bench.py" --bin "$top/build/release/bin" "$@"
