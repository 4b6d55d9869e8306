#!/usr/bin/env bash
# Runs a benchmark of the release build: bench/run.sh [msg|store] [its options]. Without a name: all, one after the other.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

run() {
  local name=$1
  shift
  local program=build/release/bench_$name
  if [ ! -x "$program" ]; then
    echo "no benchmark '$name'; there are: $(cd build/release && ls bench_* | sed 's/^bench_//' | tr '\n' ' ')" >&2
    exit 2
  fi
  echo "== bench $name $*"
  "$program" "$@"
}

if [ $# -eq 0 ]; then
  run msg --in-flight 1
  run msg --in-flight 64
  run msg --in-flight 512
else
  run "$@"
fi
