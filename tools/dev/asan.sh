#!/usr/bin/env bash
# help: [ctest arguments]: unit, store and interop tests under AddressSanitizer and UndefinedBehaviorSanitizer
set -euo pipefail
. "$(dirname "$0")/lib.sh"
run_sanitized fuzz "$@"
