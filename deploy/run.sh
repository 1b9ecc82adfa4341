#!/usr/bin/env bash
# From nothing to a gateway that answers: installs what is missing, builds, starts Redis and, where no credentials are given, the
# simulator, then the gateway in the foreground. Ctrl-C ends all of it.
#
#   deploy/run.sh [gateway flags...]           for example: deploy/run.sh --listen 127.0.0.1:8090
#
# Against the real API: GATEWAY_CREDENTIALS_TOKEN=pit-... deploy/run.sh      (or GATEWAY_CONFIG=file, or --config file)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
bin=$top/build/release/bin
say() { printf 'run: %s\n' "$*" >&2; }

case " $* " in *" --help "* | *" -h "*)
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  [ ! -x "$bin/contacts-gateway" ] || "$bin/contacts-gateway" --help
  exit 0 ;;
esac

"$top/deploy/install-dependencies.sh" --build
"$top/deploy/install-dependencies.sh" --run || say "going on without what could not be installed"

# Through sudo, root was for the packages only: what is built and started belongs to the caller, so that a later run without
# sudo can use it.
if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
  say "going on as ${SUDO_USER:-uid $SUDO_UID}"
  export HOME=$(getent passwd "$SUDO_UID" | cut -d: -f6)
  [ ! -d "$top/build" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$top/build"
  exec setpriv --reuid "$SUDO_UID" --regid "${SUDO_GID:-$SUDO_UID}" --init-groups env -u SUDO_UID "${BASH_SOURCE[0]}" "$@"
fi

"$top/deploy/build.sh" release contacts-gateway leadconnector-simulator

state=$(mktemp -d "${TMPDIR:-/tmp}/contacts-gateway-run-XXXXXX")
helpers=()
gateway=
end() {
  trap - EXIT
  trap "" INT TERM HUP  # sudo passes a Ctrl-C on that the terminal has sent already
  [ -z "$gateway" ] || kill -TERM "$gateway" 2>/dev/null || true
  [ -z "$gateway" ] || wait "$gateway" "$log" 2>/dev/null || true
  [ ${#helpers[@]} -eq 0 ] || kill -TERM "${helpers[@]}" 2>/dev/null || true
  [ ${#helpers[@]} -eq 0 ] || wait "${helpers[@]}" 2>/dev/null || true
  rm -rf "$state"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# In a session of its own: Ctrl-C reaches this script alone, which ends the gateway first and then what it needed. None of them
# outlives the script.
helper() { setsid setpriv --pdeathsig TERM -- "$@" & helpers+=($!); }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
given() {  # given PATH: is this setting set by a flag or in the environment?
  local name=GATEWAY_${1^^}
  name=${name//./_}
  local file=${name}_FILE
  case " $arguments " in *" --$1 "* | *" --$1="*) return 0 ;; esac
  [ -n "${!name:-}${!file:-}" ]
}
arguments="$*"
own_file=no
if given config; then own_file=yes; fi

start_redis() {
  local port attempt password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  for attempt in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 12000))
    ! listens "$port" || continue
    printf '%s\n' 'bind 127.0.0.1' "port $port" 'save ""' 'appendonly no' "dir $state" "requirepass $password" \
      'maxmemory 256mb' 'maxmemory-policy allkeys-lru' >"$state/redis.conf"
    chmod 600 "$state/redis.conf"
    helper redis-server "$state/redis.conf" >"$state/redis.log" 2>&1
    local started=${helpers[-1]} tries
    for tries in {1..100}; do
      if ! kill -0 "$started" 2>/dev/null; then break; fi
      if listens "$port"; then
        redis_url="redis://:$password@127.0.0.1:$port/0"
        redis_port=$port
        return 0
      fi
      sleep 0.05
    done
  done
  return 1
}

redis_url='' redis_port=''
if given redis.url || [ $own_file = yes ]; then
  say "Redis: as your settings say"
elif ! command -v redis-server >/dev/null; then
  say "Redis: no redis-server here, the cache lives in memory only"
elif ! start_redis; then
  say "Redis: it did not start, the cache lives in memory only:"
  tail -n 3 "$state/redis.log" >&2 || true
else
  say "Redis: one of its own on 127.0.0.1:$redis_port, in memory, ended with the gateway"
  export GATEWAY_REDIS_URL=$redis_url
fi

address_of() {  # address_of NAME FILE: from the JSON line that tells it
  sed -n '/"event":"listening"/s/.*"name":"'"$1"'".*"address":"\([^"]*\)".*/\1/p' "$2" | head -n 1
}

simulated=no
if [ $own_file = no ] && ! given upstream.url && ! compgen -v | grep -q '^GATEWAY_CREDENTIALS_'; then
  simulated=yes
  helper "$bin/leadconnector-simulator" --listen 127.0.0.1:0 >"$state/simulator.log" 2>&1
  simulator=
  for tries in {1..200}; do
    simulator=$(address_of leadconnector-simulator "$state/simulator.log")
    [ -z "$simulator" ] && kill -0 "${helpers[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$simulator" ] || { say "the simulator did not start:"; cat "$state/simulator.log" >&2; exit 1; }
  export GATEWAY_UPSTREAM_URL=http://$simulator GATEWAY_CREDENTIALS_TOKEN=simulator-token
  say "upstream: no credentials are given, so a leadconnector-simulator on http://$simulator stands in for the real API"
else
  say "upstream: as your settings say (by default the real API, https://services.leadconnectorhq.com)"
fi

# Only where nobody has chosen an address: the next free one. A chosen one that is in use is the gateway's own error.
choose_port() {  # choose_port PATH DEFAULT
  given "$1" || [ $own_file = yes ] && return 0
  local port=$2 name=GATEWAY_${1^^}
  while listens "$port" && [ "$port" -lt $(($2 + 100)) ]; do port=$((port + 1)); done
  [ "$port" = "$2" ] || say "port $2 is in use; $1 is 127.0.0.1:$port"
  export "${name//./_}=127.0.0.1:$port"
}
choose_port listen 8080
choose_port admin.listen 9901

hints() {  # hints PUBLIC ADMIN
  local base=http://$1 location=YOUR_LOCATION_ID contact=YOUR_CONTACT_ID
  if [ $simulated = yes ]; then location=loc_demo contact=contact0000000000001; fi
  cat >&2 <<TEXT

The gateway listens on $base (metrics, health: http://$2). Try, the first one twice:

  curl -i '$base/contacts/?locationId=$location'
  curl -i '$base/contacts/$contact'
  curl -i -X PUT -H 'Content-Type: application/json' -d '{"firstName":"Grace"}' '$base/contacts/$contact'

It talks to $([ $simulated = yes ] && echo "the simulator on $GATEWAY_UPSTREAM_URL, not to the real API" || echo "the upstream of your settings"). Ctrl-C ends it.

TEXT
}

# The log goes on to where stderr goes; on the way the two addresses are read from it.
watch_log() {
  local line public='' admin=''
  while [ -z "$public" ] || [ -z "$admin" ]; do
    IFS= read -r line || return 0
    printf '%s\n' "$line" >&2
    case $line in
      *'"event":"listening"'*) printf '%s\n' "$line" >>"$state/addresses"
        public=$(address_of gateway "$state/addresses") admin=$(address_of admin "$state/addresses") ;;
    esac
  done
  hints "$public" "$admin"
  exec cat >&2
}
mkfifo "$state/log"
(trap '' INT TERM; watch_log) <"$state/log" &  # ends with the gateway, whose last words it still passes on
log=$!
setsid setpriv --pdeathsig TERM -- "$bin/contacts-gateway" serve "$@" 2>"$state/log" &
gateway=$!
code=0
wait "$gateway" || code=$?
gateway=
wait "$log" || true
[ $code = 0 ] || say "the gateway ended with $code"
exit $code
