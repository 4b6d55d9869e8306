#!/usr/bin/env bash
# Fuzzes: test/fuzz/fuzz.sh [target] [seconds]; without a target all of them in turn, 60 s each.
# What a target's fuzzer finds on its way stays in build/fuzz/found/<target>; inputs that break
# something are build/fuzz/broken-<target>-*, to be put into test/fuzz/corpus/<target> with the fix.
# TROTH_FUZZ_RUNS=N ends each target after N executions; the last line says how many there were.
set -euo pipefail
# shellcheck source=../../tools/dev/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/dev/lib.sh"
build_preset fuzz fuzz_programs >&2
here=$TROTH_ROOT/test/fuzz build=$TROTH_ROOT/build/fuzz

run_target() {  # NAME SECONDS
  local name=$1 seconds=$2 log=$build/$1.log
  [[ -x $build/fuzz/$name ]] || die "./dev fuzz: there is no target $name; they are: $(ls "$build/fuzz")"
  mkdir -p "$build/found/$name"
  local runs=()
  if [[ -n ${TROTH_FUZZ_RUNS:-} ]]; then runs=("-runs=$TROTH_FUZZ_RUNS"); fi
  if ! "$build/fuzz/$name" -max_total_time="$seconds" "${runs[@]}" -max_len=2048 -timeout=60 -rss_limit_mb=2048 \
    -close_fd_mask=1 -print_final_stats=1 -artifact_prefix="$build/broken-$name-" \
    "$build/found/$name" "$here/corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    die "./dev fuzz: $name broke; the input is named above"
  fi
  say "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions"
}

seconds=60
if [[ $# -gt 0 && $1 =~ ^[0-9]+$ ]]; then seconds=$1 && shift; fi
if [[ $# -gt 0 ]]; then
  run_target "$1" "${2:-$seconds}"
else
  for target in "$build"/fuzz/*; do run_target "$(basename "$target")" "$seconds"; done
fi
