#!/usr/bin/env bash
# Builds the Debian package: build/package/contacts-gateway_VERSION_ARCHITECTURE.deb; its path is the only line on standard output.
#
#   deploy/package.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$top"
deploy/install-dependencies.sh --build --package
deploy/build.sh release contacts-gateway
rm -rf build/package
mkdir -p build/package
# Owned by root in the package, whoever builds it; the files' times are those of the change, so that equal sources give equal packages.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
(cd build/release && umask 022 && cpack -B "$top/build/package" >&2)
ls "$top"/build/package/*.deb
