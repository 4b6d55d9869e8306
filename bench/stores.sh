#!/usr/bin/env bash
# A scenario with troth's transactions in a database of its own, started here in a temporary folder:
#
#   bench/stores.sh [msg] --store redis|mysql|postgres [options of bench_load]
#
# 512 are in flight unless it says otherwise; of messages it tells whether the goals are met.
# Every commit is durable: MariaDB flushes its log at each commit, PostgreSQL has synchronous_commit = on,
# Redis appends to its file and syncs it every second. A second troth, with Store.BatchMax 1, issues the
# same statements for each save in a transaction of its own, as dtm does, and with Redis sends each alone;
# both are measured in turns. CPU time of the database is shown beside the server's.
#
# TROTH_BENCH_BUILD: where troth and bench_load are, instead of build/release; TROTH_BENCH_SERVER: another troth.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
build=${TROTH_BENCH_BUILD:-build/release}
server=${TROTH_BENCH_SERVER:-$build/troth}
patience=60 # seconds a server may take to start

store='' options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --store) store=${2:?--store redis, mysql or postgres} && shift 2 ;;
    --store=*) store=${1#*=} && shift ;;
    *) options+=("$1") && shift ;;
  esac
done

work=$(mktemp -d "${TMPDIR:-/tmp}/troth-bench-store.XXXXXX")
pids=()
end() {
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; --i)); do
    kill -TERM "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap end EXIT

# Five ports that nobody else is given while this process keeps sockets on them: until our end of its pipe
# is closed. They lie below those that the system hands to outgoing connections.
coproc port_keeper {
  exec python3 -c '
import random, socket, sys
kept = []
while len(kept) < 5:
    port = socket.socket()
    try:
        port.bind(("", random.randrange(20000, 32000)))
    except OSError:
        continue
    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.append(port)
print(*(port.getsockname()[1] for port in kept), flush=True)
sys.stdin.read()'
}
read -r -u "${port_keeper[0]}" -a free_ports

next_port() {  # leaves it in $port
  port=${free_ports[0]}
  free_ports=("${free_ports[@]:1}")
}

await() {  # WHAT COMMAND...: until the command succeeds
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@" >/dev/null 2>&1; do
    if [[ $SECONDS -ge $deadline ]]; then
      echo "$what did not start; the end of its log:" >&2
      tail -n 5 "$work"/*.log >&2
      exit 1
    fi
    sleep 0.1
  done
}

launch() {  # NAME COMMAND...: in the background, with a log; leaves its number in $launched
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  launched=$!
  pids+=("$launched")
}

# Each leaves the number of the process in store_pid, and defines store_lines NAME: what conf.yml says.
start_redis() {
  next_port && store_port=$port
  launch redis taskset -c 1 redis-server --port "$store_port" --bind 127.0.0.1 --dir "$work" --save '' \
    --appendonly yes --appendfsync everysec --auto-aof-rewrite-min-size 4gb
  store_pid=$launched
  await Redis redis-cli -p "$store_port" ping
  store_lines() {
    printf '  Driver: redis\n  Host: 127.0.0.1\n  Port: %s\n  RedisPrefix: "{%s}"\n' "$store_port" "${1:0:1}"
  }
}

start_mysql() {
  local user
  next_port && store_port=$port
  user=$(id -un)
  mariadb-install-db --no-defaults --user="$user" --datadir="$work/data" --skip-test-db \
    --auth-root-authentication-method=normal --skip-name-resolve >"$work/install.log" 2>&1
  launch mariadb mariadbd --no-defaults --user="$user" --datadir="$work/data" --port="$store_port" \
    --bind-address=127.0.0.1 --socket="$work/socket" --skip-name-resolve \
    --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=256M --max-connections=500
  store_pid=$launched
  await MariaDB mariadb --no-defaults --socket="$work/socket" -u root -e 'select 1'
  store_lines() {
    mariadb --no-defaults --socket="$work/socket" -u root -e "create database $1"
    printf '  Driver: mysql\n  Host: 127.0.0.1\n  Port: %s\n  User: root\n  Db: %s\n' "$store_port" "$1"
  }
}

start_postgres() {
  local programs as=()
  next_port && store_port=$port
  programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  if [[ $(id -u) -eq 0 ]]; then # PostgreSQL refuses to run as root
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chown nobody "$work"
  fi
  (cd "$work" && "${as[@]}" "$programs/initdb" --pgdata="$work/data" --username=postgres --auth=trust \
    --encoding=UTF8 --locale=C >"$work/initdb.log" 2>&1)
  launch postgres "${as[@]}" "$programs/postgres" -D "$work/data" -c "port=$store_port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=256MB \
    -c synchronous_commit=on -c max_wal_size=4GB
  store_pid=$launched
  await PostgreSQL "$programs/pg_isready" -h 127.0.0.1 -p "$store_port"
  store_lines() {
    printf '  Driver: postgres\n  Host: 127.0.0.1\n  Port: %s\n  User: postgres\n' "$store_port"
    printf '  Db: postgres\n  Schema: %s\n' "$1"
  }
}

start_troth() {  # NAME BATCH_MAX: adds it to $targets
  local name=$1 batch_max=$2 http grpc port
  next_port && http=$port
  next_port && grpc=$port
  {
    printf 'HttpPort: %s\nGrpcPort: %s\nShards: 1\nLogLevel: warn\nStore:\n' "$http" "$grpc"
    store_lines "$name"
    printf '  BatchMax: %s\n' "$batch_max"
  } >"$work/$name.yml"
  launch "troth-$name" taskset -c 0 "$server" -c "$work/$name.yml"
  targets+=(--target "name=$name,grpc=127.0.0.1:$grpc,http=127.0.0.1:$http,pid=$launched,store-pid=$store_pid")
  await troth curl -sf "http://127.0.0.1:$http/api/ping"
}

# Redis does its work on one thread: it has a core of its own, troth and the load share the other.
generator_core=1
case $store in
  redis) goal=20000 generator_core=0 ;;
  mysql) goal=8000 ;;
  postgres) goal=10000 ;;
  *)
    echo "bench: --store redis, mysql or postgres, not '$store'" >&2
    exit 2
    ;;
esac
[[ " ${options[*]} " =~ \ --(in-flight|rate)[\ =] ]] || options+=(--in-flight 512)
targets=()
"start_$store"
start_troth batched 256
start_troth one_by_one 1

durable='every commit is on disk'
[[ $store != redis ]] || durable='on disk within a second'
echo "store: $store, $durable"
"$build/bench_load" --counting 0 --generator-core "$generator_core" --json-file "$work/figures.json" \
  "${options[@]}" "${targets[@]}"
python3 - "$work/figures.json" "$goal" <<'END'
import json, sys
figures, goal = json.load(open(sys.argv[1])), int(sys.argv[2])
if figures["scenario"] == "msg":
    for name, unit, wanted in (("tx_per_s", "transactions/s", goal), ("server_cpu_us_per_tx", "server CPU us/tx", 20)):
        got = figures["targets"][0][name]["median"]
        met = got >= wanted if name == "tx_per_s" else got <= wanted
        print(f"  goal: {unit:<17} {wanted:>6,}   {got:,.1f}: {'met' if met else 'not met'}")
END
