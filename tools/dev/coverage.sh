#!/usr/bin/env bash
# help: unit tests, then how many lines of each file in src/ they reach
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" coverage
cd "$TROTH_ROOT"
profiles=build/coverage/profiles
rm -rf "$profiles"
LLVM_PROFILE_FILE=$TROTH_ROOT/$profiles/%p.profraw ctest --preset coverage -j "$TROTH_JOBS" "$@"
find "$profiles" -name '*.profraw' >"$profiles/list"
llvm-profdata-19 merge -sparse -f "$profiles/list" -o "$profiles/all.profdata"
objects=()
for test in build/coverage/tests/*; do
  if [[ -x $test && -f $test ]]; then objects+=(-object "$test"); fi
done
llvm-cov-19 report "${objects[@]}" -instr-profile "$profiles/all.profdata" \
  -ignore-filename-regex '(_test\.cc|/build/|/usr/|/test/)' -show-region-summary=false -show-branch-summary=false
