#!/usr/bin/env bash
# help: [conf.yml]: build and run the server; without a configuration it runs alone
set -euo pipefail
. "$(dirname "$0")/lib.sh"

if [[ $# -gt 0 && $1 != -* ]]; then
  configuration=$(realpath -e "$1") || die "./dev run: there is no $1"
  shift
  set -- -c "$configuration" "$@"
fi
"$TROTH_ROOT/tools/dev/build.sh" release troth
exec "$TROTH_ROOT/build/release/troth" "$@"
