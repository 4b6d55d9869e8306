#!/usr/bin/env bash
# help: [scenario [--store redis|mysql|postgres] | --quick | --all]: measure, with the release build; --quick tells which goals of speed are met
# needs: bench/run.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" release all
exec "$TROTH_ROOT/bench/run.sh" "$@"
