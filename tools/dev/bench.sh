#!/usr/bin/env bash
# help: [name]: measure, with the release build
# needs: bench/run.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" release
exec "$TROTH_ROOT/bench/run.sh" "$@"
