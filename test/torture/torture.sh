#!/usr/bin/env bash
# Builds the tormented server and its tormentor and lets them at each other:
#   test/torture/torture.sh [--minutes M] [--kills N] [--transactions N] [--seed S] [--only TORMENT] [--quick]
# TROTH_TORTURE_PRESET chooses the build of the server (dev).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../tools/dev/lib.sh
. "$here/../../tools/dev/lib.sh"
preset=${TROTH_TORTURE_PRESET:-dev}
need_go 1.19 "torture" || exit 0
build_preset "$preset" troth_torture >&2
(cd "$here" && go build -o "$TROTH_ROOT/build/$preset/torture" .)
exec "$TROTH_ROOT/build/$preset/torture" --program "$TROTH_ROOT/build/$preset/troth_torture" "$@"
