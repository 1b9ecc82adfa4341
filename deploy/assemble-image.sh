#!/usr/bin/env bash
# Puts into a folder what a program needs to run and nothing else: itself, its libraries, the loader, certificates to trust, time
# zones, and a user. The last stage of the Dockerfile is this folder.
#
#   deploy/assemble-image.sh PROGRAM FOLDER
#
# Each file is Debian's own; var/lib/dpkg/status.d and usr/share/doc say of which package, for scanners and for the licences. Names are
# resolved and users looked up by glibc itself (since 2.34 it needs no libnss_*.so for /etc/hosts and DNS).
set -euo pipefail
program=$1 into=$2
say() { printf 'assemble-image: %s\n' "$*" >&2; }

mkdir -p "$into"/{dev,etc/ssl,proc,run,sys,tmp,var/lib/dpkg/status.d}
# The folders that Debian has links for: /lib is /usr/lib, and the loader's own path is in every program.
for link in bin lib lib64 sbin; do
  mkdir -p "$into/usr/$link"
  ln -sfn "usr/$link" "$into/$link"
done

copy() { install -D "${2:--m644}" "$1" "$into$1"; }
packages=()
of_package() {  # of_package FILE: as dpkg knows it, which may be without /usr
  local found
  found=$(dpkg -S "$1" 2>/dev/null || dpkg -S "${1#/usr}" 2>/dev/null) || return 0
  packages+=("${found%%:*}")
}

copy "$program" -m755
while read -r library; do
  real=$(readlink -f "$library")
  install -D -m755 "$real" "$into/usr/lib/${real#*/lib/}"
  name=$(dirname "$into/usr/lib/${real#*/lib/}")/$(basename "$library")
  [ -e "$name" ] || ln -s "$(basename "$real")" "$name"
  of_package "$real"
done < <(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p')
loader=$(ldd "$program" | sed -n 's/^[[:space:]]*\(\/lib64\/[^ ]*\) .*/\1/p')
[ -z "$loader" ] || install -D -m755 "$(readlink -f "$loader")" "$into/usr${loader}"

copy /etc/ssl/certs/ca-certificates.crt
copy /etc/ssl/openssl.cnf
# Flows name time zones. `posix` and `right` are the same ones once more.
mkdir -p "$into/usr/share/zoneinfo"
find /usr/share/zoneinfo -mindepth 1 -maxdepth 1 ! -name posix ! -name right -exec cp -a -t "$into/usr/share/zoneinfo" {} +
packages+=(ca-certificates openssl tzdata base-files)
printf 'root:x:0:0:root:/:/nonexistent\ngateway:x:65532:65532:Contacts Gateway:/:/nonexistent\n' >"$into/etc/passwd"
printf 'root:x:0:\ngateway:x:65532:\n' >"$into/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$into/etc/nsswitch.conf"
cp /etc/os-release "$into/etc/os-release"
chmod 1777 "$into/tmp"

printf '%s\n' "${packages[@]}" | sort -u | while read -r package; do
  dpkg -s "$package" >"$into/var/lib/dpkg/status.d/$package" 2>/dev/null || { rm -f "$into/var/lib/dpkg/status.d/$package"; continue; }
  [ ! -f "/usr/share/doc/$package/copyright" ] || copy "/usr/share/doc/$package/copyright"
done

# What is missing shows here rather than on the first start.
[ "$(id -u)" != 0 ] || chroot "$into" "$program" --version >&2
say "$(find "$into" -type f | wc -l) files, $(du -sh "$into" | cut -f1) in $into"
