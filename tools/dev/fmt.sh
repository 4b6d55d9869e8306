#!/usr/bin/env bash
# help: [paths]: format C++ and Go files, by default all of them
set -euo pipefail
. "$(dirname "$0")/lib.sh"

files() {  # PATTERN PATHS...: as absolute names, for git lists them relative to where it runs
  local ending=$1 file
  shift
  git ls-files -z --cached --others --exclude-standard -- "${@:-.}" |
    while IFS= read -r -d '' file; do
      if [[ $file =~ $ending && -f $file ]]; then printf '%s\0' "$file"; fi
    done
}

[[ $# -gt 0 ]] || cd "$TROTH_ROOT"
files '\.(h|cc)$' "$@" | xargs -0 -r -n 16 -P "$TROTH_JOBS" clang-format-19 -i
if command -v gofmt >/dev/null; then files '\.go$' "$@" | xargs -0 -r gofmt -w; fi
