#!/usr/bin/env bash
# help: [target] [seconds] | [target] --runs N | --table: run the fuzz targets on their corpora
# needs: test/fuzz/fuzz.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
exec "$TROTH_ROOT/test/fuzz/fuzz.sh" "$@"
