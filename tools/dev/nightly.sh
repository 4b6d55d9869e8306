#!/usr/bin/env bash
# help: [--length N%] [--fuzz-runs N]: what takes hours: simulator, torture, fuzzing, sanitizers
#
# --length 10%: simulator, torture and fuzzing for a tenth of their usual length. --fuzz-runs N: fuzzes each
# target until it has had N executions, those of earlier nights included. What each part printed is in
# build/nightly/, with a table of the parts.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
logs=$TROTH_ROOT/build/nightly
length=100 fuzz_runs='' failed=()

while [[ $# -gt 0 ]]; do
  case $1 in
    --length) length=${2%\%} ;;
    --fuzz-runs) fuzz_runs=$2 ;;
    *) die "./dev nightly: not understood: $1; $(command_help "${BASH_SOURCE[0]}")" ;;
  esac
  shift 2
done
share() { echo $((($1 * length + 99) / 100)); }  # NUMBER: of a night in full

part() {  # NAME COMMAND...
  local name=$1 started=$SECONDS result=passed
  shift
  say "== $name: ./dev $*"
  "$TROTH_ROOT/dev" "$@" 2>&1 | tee "$logs/$name.log" || result=FAILED
  if [[ $result == FAILED ]]; then failed+=("$name"); fi
  printf '%-12s %s %6d s  ./dev %s\n' "$name" "$result" $((SECONDS - started)) "$*" >>"$logs/table"
}

mkdir -p "$logs"
say "$(date -u +%FT%RZ) $(git -C "$TROTH_ROOT" rev-parse --short HEAD) on $(nproc) cores" >"$logs/table"
part simulator sim --seeds "$(share 100000)"
part bugs sim --bugs
part rocksdb sim --rocksdb --seeds "$(share 2000)"
if [[ $length -ge 100 ]]; then
  part torture torture
else
  part torture torture --quick --kills "$(share 200)" --transactions "$(share 100000)" --writes "$(share 300)"
fi
if [[ -n $fuzz_runs ]]; then part fuzzing fuzz --runs "$fuzz_runs"; else part fuzzing fuzz "$(share 600)"; fi
part asan asan
part tsan tsan

say ""
cat "$logs/table"
if [[ ${#failed[@]} -gt 0 ]]; then
  say "failed: ${failed[*]}"
  exit 1
fi
say "all passed"
