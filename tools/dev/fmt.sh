#!/usr/bin/env bash
# help: format all C++ and Go files
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$TROTH_ROOT"
# shellcheck disable=SC2016  # the inner shell's $f
git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
  xargs -0 -r -n 16 -P "$TROTH_JOBS" sh -c 'for f; do [ ! -f "$f" ] || clang-format-19 -i "$f"; done' sh
if command -v gofmt >/dev/null; then
  git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 -r gofmt -w
fi
