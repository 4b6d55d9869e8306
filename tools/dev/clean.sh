#!/usr/bin/env bash
# help: remove build/; --deps also what setup built outside of it
set -euo pipefail
. "$(dirname "$0")/lib.sh"
rm -rf "$TROTH_ROOT/build"
say "removed build/"
if [[ ${1:-} == --deps ]]; then
  deps=${TROTH_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/troth/deps}
  rm -rf "$deps"
  say "removed $deps"
fi
