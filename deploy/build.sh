#!/usr/bin/env bash
# Configures and builds one preset into build/PRESET. Several may run at once: they wait for each other.
#
#   deploy/build.sh PRESET [target...]
set -euo pipefail
preset=${1:?usage: deploy/build.sh PRESET [target...]}
shift
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$top"
folder=build/$preset
say() { printf 'build: %s\n' "$*" >&2; }

mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] || {
  say "$top/$folder cannot be written by $(id -un) (built as root before?); remove it or: chown -R $(id -un) $top/build"
  exit 1
}
exec 9>"$folder/.build-lock"
flock 9

# A copied or moved source folder brings a cache that names the old place, with which CMake refuses to work.
home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt" 2>/dev/null || true)
if [ -n "$home" ] && [ "$home" != "$top" ]; then
  say "$folder was configured for $home; starting it afresh"
  find "$folder" -mindepth 1 ! -name .build-lock -delete
fi

# Where ccache cannot keep what it compiles (no home, or one that cannot be written) it ends the build: it is given a place here.
if command -v ccache >/dev/null && { ! cache=$(ccache -k cache_dir 2>/dev/null) || ! mkdir -p "$cache/tmp" 2>/dev/null || [ ! -w "$cache/tmp" ]; }; then
  export HOME=${HOME:-$top/build} CCACHE_DIR=$top/build/ccache
fi

log=$folder/configure.log
cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; say "configuring '$preset' failed"; exit 1; }
say "building $preset${*:+ ($*)} in $folder"
targets=()
[ $# -eq 0 ] || targets=(--target "$@")
cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}" 9>&- >&2
