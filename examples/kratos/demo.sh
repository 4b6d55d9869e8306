#!/usr/bin/env bash
# The Kratos example from end to end, as `./dev demo` runs it: etcd, troth, a Kratos service and an
# application that moves 30 cents from user 1 to user 2 in one transaction. Takes seconds, leaves
# nothing behind. Exit code 0 only if all of it happened.
#
#   examples/kratos/demo.sh [path of the troth binary]        default: build/release/troth
#
# Ports of the documentation are used where they are free: 2379 etcd, 36789 and 36790 troth, 9000
# the service. Another port is chosen where one is taken; the demo says so. An etcd that answers on
# 2379 is used as it is, unless a transaction manager or a `trans` service is registered there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
troth=$(realpath -m "${1:-$here/../../build/release/troth}")
readonly here troth wait_seconds=30

started=$SECONDS
work=$(mktemp -d "${TMPDIR:-/tmp}/troth-demo.XXXXXX")
pids=()

say() { printf '%s\n' "$*"; }
indent() { sed 's/^/    /'; }
step() { printf '\n== %s\n' "$*"; }
fail() {
  printf '\ndemo: %s\n' "$*" >&2
  exit 1
}

show_logs() {
  local log
  for log in "$work"/*.log; do
    [[ -s $log ]] || continue
    printf '\n-- end of %s\n' "$(basename "$log")" >&2
    tail -n 15 "$log" >&2
  done
}

alive() { kill -0 "$1" 2>/dev/null; }

# Stops what was started here, last first; who has not left after 5 seconds is killed.
cleanup() {
  local code=$? i pid deadline
  trap - EXIT INT TERM
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill "$pid" 2>/dev/null || continue
    deadline=$((SECONDS + 5))
    while alive "$pid" && ((SECONDS < deadline)); do sleep 0.05; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  ((code == 0)) || show_logs
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND...: in the background, output to NAME.log; the process id lands in $started_pid.
start() {
  local name=$1
  shift
  (cd "$work" && exec "$@") >"$work/$name.log" 2>&1 &
  started_pid=$!
  pids+=("$started_pid")
}

# wait_for WHAT PID COMMAND...: until the command succeeds, PID ends or the deadline passes.
wait_for() {
  local what=$1 pid=$2 deadline=$((SECONDS + wait_seconds))
  shift 2
  until "$@"; do
    alive "$pid" || fail "$what: the process ended; its log is below"
    ((SECONDS < deadline)) || fail "$what: nothing after $wait_seconds seconds"
    sleep 0.1
  done
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The wanted port, or the next free one after it when that is taken.
port_or_free() {
  local port=$1
  while taken "$port" || [[ " $chosen " == *" $port "* ]]; do port=$((port + 7)); done
  echo "$port"
}
chosen=""

get() { curl -fsS --noproxy '*' --max-time 5 "$@" 2>/dev/null; }

etcd_answers() { get "http://127.0.0.1:$etcd_port/health" | grep -q '"health" *: *"true"'; }

# Whether a service of this name is in the registry; Kratos's keys are /microservices/<name>/<id>.
registered() {
  local from to
  from=$(printf '/microservices/%s/' "$1" | base64)
  to=$(printf '/microservices/%s0' "$1" | base64) # '0' follows '/'
  get "http://127.0.0.1:$etcd_port/v3/kv/range" -d "{\"key\":\"$from\",\"range_end\":\"$to\"}" |
    grep -q '"kvs"'
}

check_tools() {
  local tool
  for tool in go curl base64; do
    command -v "$tool" >/dev/null || fail "$tool is not installed; './dev setup' brings it"
  done
  [[ -x $troth ]] || fail "no troth at $troth; './dev build release' makes it"
}

find_etcd() {
  etcd_port=2379
  if etcd_answers; then
    if ! registered dtmservice && ! registered trans; then
      say "using the etcd that answers on 127.0.0.1:2379"
      return
    fi
    say "the etcd on 127.0.0.1:2379 already knows a dtmservice or trans; leaving it alone"
  fi
  command -v etcd >/dev/null || fail "etcd is not installed; 'apt-get install etcd-server' brings it"
  etcd_port=$(port_or_free 2379)
  local peer_port
  chosen="$etcd_port"
  peer_port=$(port_or_free 2380)
  start etcd etcd --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" \
    --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "default=http://127.0.0.1:$peer_port"
  wait_for "etcd on port $etcd_port" "$started_pid" etcd_answers
  say "etcd serves on 127.0.0.1:$etcd_port"
}

# The page's conf.yml, changed only where a port of it is taken.
write_configuration() {
  http_port=$(port_or_free 36789)
  chosen+=" $http_port"
  grpc_port=$(port_or_free 36790)
  sed -e "s/127.0.0.1:2379/127.0.0.1:$etcd_port/" -e "s/localhost:36790/localhost:$grpc_port/" \
    "$here/conf.yml" >"$work/conf.yml"
  if ((http_port != 36789)); then
    say "port 36789 is taken by another process; troth answers HTTP on $http_port"
    echo "HttpPort: $http_port" >>"$work/conf.yml"
  fi
  if ((grpc_port != 36790)); then
    say "port 36790 is taken by another process; troth answers gRPC on $grpc_port"
    echo "GrpcPort: $grpc_port" >>"$work/conf.yml"
  fi
  if cmp -s "$here/conf.yml" "$work/conf.yml"; then say "conf.yml, as on the page:"; else say "conf.yml:"; fi
  indent <"$work/conf.yml"
}

troth_ready() { get "http://127.0.0.1:$http_port/api/ping" >/dev/null && registered dtmservice; }

start_troth() {
  start troth "$troth" -c conf.yml
  wait_for "troth" "$started_pid" troth_ready
  say "troth serves and is registered as dtmservice"
}

start_service() {
  local port
  port=$(port_or_free 9000)
  start trans "$work/bin/trans" -listen "127.0.0.1:$port" -etcd "127.0.0.1:$etcd_port"
  wait_for "the Kratos service" "$started_pid" registered trans
  say "the Kratos service listens on port $port and is registered as trans"
}

send_transaction() {
  local arguments=(-dtm "etcd://localhost:$etcd_port/dtmservice" -trans "discovery://127.0.0.1:$etcd_port/trans")
  say "app ${arguments[*]}"
  timeout "$wait_seconds" "$work/bin/app" "${arguments[@]}" >"$work/app.log" 2>&1 ||
    fail "the application did not get its answer"
  grep -E '^(gid|result): ' "$work/app.log" | indent
  grep -qx 'result: succeed' "$work/app.log" || fail "the application reports no success"
  gid=$(sed -n 's/^gid: //p' "$work/app.log")
}

check_service_log() {
  local expected=$'transfer out 30 cents from 1\ntransfer in 30 cents to 2' lines
  lines=$(grep '^transfer ' "$work/trans.log" || true)
  indent <<<"$lines"
  [[ $lines == "$expected" ]] || fail "the service's log should have shown: $expected"
}

# The transaction and both branches: three times succeed, and nothing else.
check_final_state() {
  local answer
  answer=$(get "http://127.0.0.1:$http_port/api/dtmsvr/query?gid=$gid") ||
    fail "troth does not answer the query"
  indent <<<"$answer"
  [[ $(grep -o '"status":"[a-z]*"' <<<"$answer" | sort | uniq -c | xargs) == "3 status:succeed" ]] ||
    fail "the transaction and its two branches should have the status succeed"
}

step "Building the Kratos service and the application ($(go env GOVERSION 2>/dev/null || echo 'no Go'))"
check_tools
(cd "$here" && go build -o "$work/bin/" ./trans ./app) || fail "building the example failed"

step "etcd"
find_etcd
step "troth"
write_configuration
start_troth
step "Kratos service"
start_service
step "The transaction: 30 cents from user 1 to user 2"
send_transaction
step "What the service's log shows"
check_service_log
step "What troth says: GET /api/dtmsvr/query?gid=$gid"
check_final_state

cat <<END

Done in $((SECONDS - started)) seconds: one message transaction, two branches called through etcd, both succeeded.

How to go on:
    ./dev run examples/kratos/conf.yml             troth with this configuration, until Ctrl-C
    cd examples/kratos && go run ./trans           the service
    cd examples/kratos && go run ./app -mode saga  the same transfer as a saga
    examples/kratos/README.md                      what to change in a project that uses dtm today: the server
END
