#!/usr/bin/env bash
# help: formatting, include directions, scripts, clang-tidy on changed files; --quick without clang-tidy, --all on every file
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$TROTH_ROOT"

mode=${1:-}
case $mode in
  "" | --quick | --all) ;;
  *) die "./dev lint [--quick | --all]" ;;
esac

failed=()
check() {  # WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then
    say "lint: $what: fine"
  else
    say "lint: $what: see above"
    failed+=("$what")
  fi
}

formatting() {
  local unformatted
  # shellcheck disable=SC2016  # the inner shell's $f
  unformatted=$(git ls-files -z '*.h' '*.cc' | existing | xargs -0 -r -n 16 -P "$TROTH_JOBS" \
    sh -c 'for f; do clang-format-19 --dry-run -Werror "$f" 2>/dev/null || echo "$f"; done' sh | sort)
  [[ -z $unformatted ]] || { say "$unformatted"; say "./dev fmt FILE... formats them"; return 1; }
}

existing() {  # a file deleted but not yet committed is still in git's list
  while IFS= read -r -d '' file; do
    if [[ -f $file ]]; then printf '%s\0' "$file"; fi
  done
}

for_shell() {  # a test's run may be in another language
  while IFS= read -r -d '' file; do
    if [[ $(head -n 1 "$file") != *python* ]]; then printf '%s\0' "$file"; fi
  done
}

scripts() {
  local files
  readarray -d '' files < <(git ls-files -z dev .ci/run '*.sh' 'test/*/run' | existing | for_shell)
  shellcheck -S warning -x -P SCRIPTDIR -P "$TROTH_ROOT" "${files[@]}"
}

go_formatting() {
  local unformatted
  unformatted=$(git ls-files -z '*.go' | existing | xargs -0 -r gofmt -l)
  [[ -z $unformatted ]] || { say "$unformatted: run ./dev fmt"; return 1; }
}

go_vet() {
  local module status=0
  while IFS= read -r -d '' module; do
    (cd "$(dirname "$module")" && go vet ./...) || { say "$module: go vet"; status=1; }
  done < <(git ls-files -z 'examples/**/go.mod' 'test/**/go.mod' | existing | grep -zv '/tools/')
  return $status
}

check "clang-format" formatting
check "include directions" python3 tools/lint/include_directions.py
check "tests that documents name" python3 tools/lint/named_tests.py
check "the checks themselves" python3 -m unittest discover -q -s tools/lint -p '*_test.py'
if command -v shellcheck >/dev/null; then check "shellcheck" scripts; else say "lint: shellcheck: not installed"; fi
if command -v gofmt >/dev/null; then check "gofmt" go_formatting; else say "lint: gofmt: not installed"; fi
if [[ $mode != --quick ]]; then
  if command -v go >/dev/null; then check "go vet" go_vet; fi
  check "clang-tidy" "$TROTH_ROOT/tools/dev/tidy.sh" ${mode:+"$mode"}
fi

if [[ ${#failed[@]} -gt 0 ]]; then
  say "lint: failed: ${failed[*]}"
  exit 1
fi
