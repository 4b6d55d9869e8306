#!/usr/bin/env bash
# help: [preset] [targets]: build, by default the release build (build/release/troth)
set -euo pipefail
. "$(dirname "$0")/lib.sh"

preset=release
if [[ $# -gt 0 ]]; then
  preset=$1
  shift
fi
"$TROTH_ROOT/tools/dev/setup.sh"
if [[ $preset == tsan ]]; then TROTH_SANITIZE=thread "$TROTH_ROOT/tools/dev/deps.sh" build; fi
build_preset "$preset" "$@"
if [[ $preset == release && -x build/release/troth ]]; then say "built build/release/troth"; fi
