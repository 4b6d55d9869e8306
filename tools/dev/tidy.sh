#!/usr/bin/env bash
# help: [files]: clang-tidy on the files named, or on what differs from the main branch
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$TROTH_ROOT"

changed_files() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u
}

if [[ ${1:-} == --all ]]; then
  readarray -t files < <(git ls-files '*.cc')
elif [[ $# -gt 0 ]]; then
  files=("$@")
else
  readarray -t files < <(changed_files | grep '\.cc$' || true)
fi

"$TROTH_ROOT/tools/dev/build.sh" dev  # generated headers, compile_commands.json
checked=()
for file in "${files[@]}"; do  # a file no target compiles has no command to check it with
  if [[ -f $file ]] && grep -qF "\"file\": \"$TROTH_ROOT/${file#"$TROTH_ROOT"/}\"" build/dev/compile_commands.json; then
    checked+=("$file")
  fi
done
say "tidy: ${#checked[@]} files"
if [[ ${#checked[@]} -gt 0 ]]; then
  printf '%s\0' "${checked[@]}" |
    xargs -0 -n 1 -P "$TROTH_JOBS" clang-tidy-19 --quiet -p build/dev 2> >(grep -v 'warnings generated' >&2 || true)
fi
