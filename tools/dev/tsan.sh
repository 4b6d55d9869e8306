#!/usr/bin/env bash
# help: [ctest arguments]: unit tests under ThreadSanitizer
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" tsan
cd "$TROTH_ROOT"
ctest --preset tsan -j "$TROTH_JOBS" "$@"
