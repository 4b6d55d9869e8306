#!/usr/bin/env bash
# help: the Kratos example from end to end: etcd, troth, a Kratos service, one transaction
# needs: examples/kratos/demo.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$TROTH_ROOT/tools/dev/build.sh" release troth
exec "$TROTH_ROOT/examples/kratos/demo.sh" "$@"
