#!/usr/bin/env bash
# Drives the status page of a running gateway in headless Chromium; tests/end_to_end/browser_test.cc starts what it needs.
#
#   tests/browser/run.sh ADMIN_URL FOLDER      screenshots go into FOLDER
#
# Needs Debian's chromium and Node 18; playwright-core (package-lock.json: exact version, with its hash) goes to build/browser.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
"$top/deploy/install-dependencies.sh" --browser
into=$top/build/browser
mkdir -p "$into"
exec 9>"$into/.lock"
flock 9
cp "$here"/*.mjs "$here"/package.json "$here"/package-lock.json "$here"/.npmrc "$into/"
if ! cmp -s "$here/package-lock.json" "$into/installed"; then
  npm ci --prefix "$into" --no-progress >&2
  cp "$here/package-lock.json" "$into/installed"
fi
exec node "$into/status.mjs" "$@"
