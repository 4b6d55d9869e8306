#!/usr/bin/env bash
# help: the deterministic simulator; --seed N repeats a run
# needs: test/sim/sim.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
exec "$TROTH_ROOT/test/sim/sim.sh" "$@"
