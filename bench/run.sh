#!/usr/bin/env bash
# Runs a benchmark of the release build:
#
#   bench/run.sh                  messages by gRPC: 1, 64 and 512 in flight
#   bench/run.sh SCENARIO [...]   one scenario (bench/load/main.cc); --help names them and its options
#   bench/run.sh msg --store postgres [...]   the same on a database, beside one commit per save (bench/stores.sh)
#   bench/run.sh --quick          every goal of docs/performance.md and whether it is met; two minutes
#   bench/run.sh --all            the goals with longer runs, every scenario, the parts one by one
#   bench/run.sh store [...]      the embedded store alone (bench/store/main.cc)
#   bench/run.sh growth           that store with 10^4 to 10^7 transactions in it; 10 GB of disk, half an hour
#   bench/run.sh floor [...]      what the machine alone takes for the same messages and syncs (bench/floor)
#   bench/run.sh micro [...]      the parts of a transaction's way one by one (bench/micro)
#   bench/run.sh flame [FILE]     where the server's CPU time goes, as SVG; needs perf
#   bench/run.sh lanes            healthy transactions beside failing ones and a service that is down; a restart
#                                 with 12,000 unfinished ones (test/interop)
#
# Figures of scenarios and goals also go to build/bench/*.json.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
release=build/release

scenario() {  # NAME OPTIONS...
  local json=build/bench/$1.json argument previous=
  for argument in "$@"; do  # a file for each number in flight
    if [[ $previous == --in-flight ]]; then json=build/bench/$1-$argument.json; fi
    previous=$argument
  done
  "$release/bench_load" --count-allocations "$release/bench_allocations.so" --json-file "$json" "$@"
}

goals() { "$release/bench_goals" --json-file build/bench/goals.json "$@"; }

for argument in "$@"; do
  if [[ $argument == --store || $argument == --store=* ]]; then exec bench/stores.sh "$@"; fi
done

case ${1:-} in
  "") for in_flight in 1 64 512; do scenario msg --in-flight "$in_flight"; done ;;
  --quick)
    shift
    goals "$@"
    ;;
  --all)
    goals --seconds 10 --repeats 5
    for name in msg saga-2 saga-10 saga-2-compensate saga-10-compensate tcc; do
      for wire in "" -http; do scenario "$name$wire"; done
    done
    "$release/bench_micro"
    ;;
  growth)
    "$release/bench_store" --in-flight 512 --stored 10000 --stored 100000 --stored 1000000 --stored 10000000 \
      --waiting 100000 --purge 1000000
    ;;
  flame)
    samples=build/bench/server.perf
    mkdir -p build/bench
    "$release/bench_load" msg --in-flight 64 --repeats 1 --counting 0 --profile "$samples"
    perf script -i "$samples" 2>/dev/null |
      bench/flamegraph.py "troth, two-branch messages by gRPC, 64 in flight" >"${2:-docs/flame-msg-64.svg}"
    ;;
  store | micro | floor)
    program=bench_$1
    shift
    "$release/$program" "$@"
    ;;
  lanes)
    shift
    TROTH_BIN=$root/$release/troth test/interop/run -run 'TestTroubled|TestUnfinished' "$@"
    ;;
  *) scenario "$@" ;;
esac
