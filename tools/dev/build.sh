#!/usr/bin/env bash
# help: [preset] [targets]: build, by default the server that people run (build/release/troth)
set -euo pipefail
. "$(dirname "$0")/lib.sh"

preset=release
if [[ $# -gt 0 ]]; then
  preset=$1
  shift
fi
# The benchmarks are a fifth of what there is to compile; ./dev bench and ./dev test ask for all.
if [[ $preset == release && $# -eq 0 ]]; then set -- troth; fi
"$TROTH_ROOT/tools/dev/setup.sh"
if [[ $preset == tsan ]]; then TROTH_SANITIZE=thread "$TROTH_ROOT/tools/dev/deps.sh" build; fi
build_preset "$preset" "$@"
if [[ $preset == release && -x build/release/troth ]]; then say "built build/release/troth"; fi
