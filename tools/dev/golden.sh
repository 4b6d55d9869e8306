#!/usr/bin/env bash
# help: rewrite the golden scripts with what the engine does now; read the diff before you commit it
# needs: test/golden/CMakeLists.txt
set -euo pipefail
. "$(dirname "$0")/lib.sh"
build_preset dev golden_test
"$TROTH_ROOT/build/dev/tests/golden_test" --update "$@"
