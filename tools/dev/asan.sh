#!/usr/bin/env bash
# help: [ctest arguments]: unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" asan
cd "$TROTH_ROOT"
ctest --preset asan -j "$TROTH_JOBS" "$@"
