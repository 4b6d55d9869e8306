#!/usr/bin/env bash
# help: [--minutes M] [--kills N] [--seed S]: a real server killed, starved and lied to; nothing may be lost
# needs: test/torture/torture.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
exec "$TROTH_ROOT/test/torture/torture.sh" "$@"
