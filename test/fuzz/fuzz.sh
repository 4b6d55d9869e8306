#!/usr/bin/env bash
# Fuzzes; a target, or without one all of them in turn:
#
#   test/fuzz/fuzz.sh [target] [seconds]    for so long each, 60 s when nothing is said
#   test/fuzz/fuzz.sh [target] --runs N     until it has had N executions, those of earlier calls included
#   test/fuzz/fuzz.sh --table               how many executions each has had
#
# Executions are counted in build/fuzz/executions. What a target's fuzzer finds on its way stays in
# build/fuzz/found/<target>; inputs that break something are build/fuzz/broken-<target>-*, to be put
# into test/fuzz/corpus/<target> with the fix.
set -euo pipefail
# shellcheck source=../../tools/dev/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/dev/lib.sh"
here=$TROTH_ROOT/test/fuzz build=$TROTH_ROOT/build/fuzz
counts=$build/executions  # lines `target executions seconds`, one for each run of a fuzzer
runs_at_once=1000000      # between two lines of it

# All checks stay on. Stacks of allocations are not recorded, and freed memory waits in fewer
# megabytes, still a thousand inputs: both are most of what the sanitizer costs here. An input that
# breaks something shows the stacks when it is replayed without these options.
export ASAN_OPTIONS=malloc_context_size=0:quarantine_size_mb=4:thread_local_quarantine_size_kb=64

# Longer inputs are slower and show nothing new: limits in the targets are in reach of these.
max_len() {  # TARGET
  case $1 in
    config | grpc_message | http2_*) echo 1024 ;;
    *) echo 512 ;;
  esac
}

executions() { awk -v target="$1" '$1 == target { sum += $2 } END { print sum + 0 }' "$counts"; }  # TARGET

# Runs the fuzzer once and counts, also when it is stopped on its way.
fuzz() {  # TARGET LIBFUZZER_ARGUMENTS...
  local name=$1 log=$build/$1.log started=$SECONDS status=0 count
  shift
  mkdir -p "$build/found/$name"
  "$build/fuzz/$name" "$@" -max_len="$(max_len "$name")" -timeout=600 -rss_limit_mb=2048 -close_fd_mask=3 \
    -print_funcs=0 -print_final_stats=1 -artifact_prefix="$build/broken-$name-" "$build/found/$name" "$here/corpus/$name" \
    >"$log" 2>&1 || status=$?
  count=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^#\([0-9]*\)[\t:].*/\1/p' "$log" | tail -n 1)
  say "$name ${count:-0} $((SECONDS - started))" >>"$counts"
  if [[ $stopped == yes ]]; then die "./dev fuzz: stopped; the executions are counted"; fi
  if [[ $status -ne 0 ]]; then
    tail -n 40 "$log"
    die "./dev fuzz: $name broke; the input is named above"
  fi
}

fuzz_for() {  # TARGET SECONDS
  local before
  before=$(executions "$1")
  fuzz "$1" -max_total_time="$2"
  say "$1: $(($(executions "$1") - before)) executions"
}

fuzz_until() {  # TARGET RUNS
  local left
  while left=$(($2 - $(executions "$1"))) && [[ $left -gt 0 ]]; do
    fuzz "$1" -runs=$((left < runs_at_once ? left : runs_at_once))
  done
  say "$1: $(executions "$1") executions in all"
}

print_table() {
  local target
  for target in "$build"/fuzz/*; do
    printf '%-14s %12d\n' "$(basename "$target")" "$(executions "$(basename "$target")")"
  done
}

build_preset fuzz fuzz_programs >&2
touch "$counts"
stopped=no
trap 'stopped=yes' INT TERM

if [[ ${1:-} == --table ]]; then
  print_table
  exit
fi
readarray -t targets < <(cd "$build/fuzz" && ls)
if [[ $# -gt 0 && $1 != --runs && ! $1 =~ ^[0-9]+$ ]]; then
  [[ -x $build/fuzz/$1 ]] || die "./dev fuzz: there is no target $1; they are: ${targets[*]}"
  targets=("$1")
  shift
fi
for target in "${targets[@]}"; do
  if [[ ${1:-} == --runs ]]; then
    fuzz_until "$target" "${2:?./dev fuzz: --runs wants a number}"
  else
    fuzz_for "$target" "${1:-60}"
  fi
done
