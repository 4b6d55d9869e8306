#!/usr/bin/env bash
# help: rewrite the golden scripts from what the engine does now
# needs: test/golden/golden.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
exec "$TROTH_ROOT/test/golden/golden.sh" "$@"
