#!/usr/bin/env bash
# help: [seconds for each fuzz target]: what takes hours: simulator, torture, fuzzing, sanitizers
set -euo pipefail
. "$(dirname "$0")/lib.sh"
seconds=${1:-600}
failed=()

part() {  # WHAT COMMAND...
  local what=$1
  shift
  say "== $what"
  "$TROTH_ROOT/dev" "$@" || failed+=("$what")
}

part "simulator" sim --seeds 100000
part "planted bugs" sim --bugs
part "simulator over RocksDB" sim --rocksdb --seeds 2000
part "torture" torture
part "fuzzing" fuzz "$seconds"
part "AddressSanitizer and UndefinedBehaviorSanitizer" asan
part "ThreadSanitizer" tsan
if [[ ${#failed[@]} -gt 0 ]]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
say "all passed"
