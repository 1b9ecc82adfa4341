#!/usr/bin/env bash
# Installs the Debian packages that are missing, by name, and nothing else.
#
#   deploy/install-dependencies.sh [--build] [--run] [--test] [--bench] [--node] [--browser] [--image] [--package] [--chroot]      (none of them: --build --run)
#
# --build  compiler and libraries          --run    Redis and curl, for deploy/run.sh
# --test   what tests/run.sh needs more    --bench  the servers and loaders of tests/bench
# --node   Node and npm, for the checks of deployment files          --package for deploy/package.sh
# --browser Chromium, for the status page's tests (tests/run.sh --full)
# --image  what the Dockerfile copies besides the program
# --chroot what the tests on a bare Debian need (tests/run.sh --full)
#
# Needs root or sudo only when something is missing. Services that come with a package are not started.
set -euo pipefail

build=(clang-16 libclang-rt-16-dev lld-16 cmake ninja-build ccache
       libpistache-dev libasio-dev libcurl4-openssl-dev libhiredis-dev rapidjson-dev
       prometheus-cpp-dev libcli11-dev libssl-dev libzstd-dev zlib1g-dev doctest-dev)
run=(redis-server curl ca-certificates tzdata)
test=(redis-server tzdata prometheus nghttp2-server clang-format-16 clang-tidy-16 curl openssl python3 valgrind binutils)
bench=(libhttp-parser-dev wrk nginx libnginx-mod-http-lua lua-nginx-redis varnish haproxy redis-server redis-tools valgrind binutils python3)
node=(nodejs npm)
browser=(chromium fonts-dejavu-core nodejs npm)
image=(ca-certificates openssl tzdata)
packaging=(dpkg-dev file)
chroot=(debootstrap git)

say() { printf 'install-dependencies: %s\n' "$*" >&2; }

wanted=()
for group in "${@:---build}"; do
  case $group in
    --build) wanted+=("${build[@]}"); [ $# -gt 0 ] || wanted+=("${run[@]}") ;;
    --run) wanted+=("${run[@]}") ;;
    --test) wanted+=("${test[@]}") ;;
    --bench) wanted+=("${bench[@]}") ;;
    --node) wanted+=("${node[@]}") ;;
    --browser) wanted+=("${browser[@]}") ;;
    --image) wanted+=("${image[@]}") ;;
    --package) wanted+=("${packaging[@]}") ;;
    --chroot) wanted+=("${chroot[@]}") ;;
    *) say "unknown option '$group'; known are --build, --run, --test, --bench, --node, --browser, --image, --package, --chroot"; exit 2 ;;
  esac
done

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || {
  say "this needs Debian's apt-get; on another system install by hand what stands for: ${wanted[*]}"
  exit 1
}

# Node also comes from elsewhere (with an npm of its own, beside which Debian's cannot be installed).
there() {
  case $1 in
    nodejs) ! command -v node >/dev/null || return 0 ;;
    npm) ! command -v npm >/dev/null || return 0 ;;
  esac
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

missing=()
for package in "${wanted[@]}"; do
  there "$package" || [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  say "nothing is missing (${#wanted[@]} packages)"
  exit 0
fi

if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  say "these packages are missing and this is neither root nor is there a sudo. As root, run:"
  say "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  exit 1
fi

# Debian starts a service as soon as its package is there (nginx on port 80, Redis on 6379). policy-rc.d is the way to say
# no; it is put there for the time of this installation only, and never over one that exists.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

say "installing ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >&2 || say "apt-get update failed; trying with the package lists that are there"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2 || {
  say "apt-get could not install them; the reason stands above (no network, or not Debian 12?)"
  exit 1
}
say "done"
