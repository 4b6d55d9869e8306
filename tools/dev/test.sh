#!/usr/bin/env bash
# help: [tier...]: run the tests: unit, then every other tier there is; `./dev test --list` names them
#
# A tier is a ctest label, or a folder test/<tier>/ with an executable `run`, or both. A `run` with a
# line `# long` is left out unless it is named or `all` is asked for; the others may shorten themselves
# when they find TROTH_TEST_QUICK set, as it is then. The last line of a script that
# reads `N passed, N failed, N skipped` is what it counts for; lines `not run: needs Go >= X: what` are
# shown again at the end, so that nobody takes what did not run for something that passed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$TROTH_ROOT"

export TROTH_DEV_BUILD=$TROTH_ROOT/build/dev          # tests and their helpers
export TROTH_RELEASE_BUILD=$TROTH_ROOT/build/release  # the server that people run
export TROTH_BIN=$TROTH_RELEASE_BUILD/troth

script_tiers() {
  local run
  for run in test/*/run; do
    if [[ -x $run ]]; then basename "$(dirname "$run")"; fi
  done
}
label_tiers() { ctest --test-dir build/dev --print-labels 2>/dev/null | sed -n 's/^  \([a-z0-9_-]*\)$/\1/p'; }
is_long() { [[ -f test/$1/run ]] && grep -q '^# long' "test/$1/run"; }
contains() { local wanted=$1; shift; printf '%s\n' "$@" | grep -qxF -- "$wanted"; }

passed=0 failed=0 skipped=0
summary=() not_run=()

count() {  # TIER SECONDS PASSED FAILED SKIPPED
  passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
  summary+=("$(printf '%-12s %5d passed %4d failed %4d not run %5d s' "$1" "$3" "$4" "$5" "$2")")
}

run_labelled() {  # TIER: the ctest tests with that label
  local tier=$1 started=$SECONDS junit=$TROTH_DEV_BUILD/test-$1.xml log=$TROTH_DEV_BUILD/test-$1.log
  local status=0 tests failures skips
  say "== $tier: ctest"
  rm -f "$junit"
  ctest --test-dir build/dev -L "^$tier\$" -j "$TROTH_JOBS" --output-on-failure --no-tests=ignore \
    --output-junit "$junit" >"$log" 2>&1 || status=$?
  grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test .* Passed )|^(Internal ctest|Test project|Label Time|$)' "$log" || true
  if [[ ! -f $junit ]]; then  # a test program that does not even list its tests
    if [[ $status -ne 0 ]]; then count "$tier" $((SECONDS - started)) 0 1 0; fi
    return
  fi
  tests=$(attribute tests "$junit") failures=$(attribute failures "$junit")
  skips=$(($(attribute skipped "$junit") + $(attribute disabled "$junit")))
  if [[ $status -ne 0 && $failures -eq 0 ]]; then failures=1 tests=$((tests + 1)); fi
  count "$tier" $((SECONDS - started)) $((tests - failures - skips)) "$failures" "$skips"
}

attribute() {  # NAME FILE: of the one <testsuite>
  local value
  value=$(tr '\n\t' '  ' <"$2" | grep -o '<testsuite [^>]*>' | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+')
  echo "${value:-0}"
}

run_script() {  # TIER: test/<tier>/run
  local tier=$1 started=$SECONDS log=$TROTH_DEV_BUILD/run-$1.log status=0 closing p f s
  say "== $tier: test/$tier/run"
  "test/$tier/run" </dev/null 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
  closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1 || true)
  read -r p f s < <(tr -cs '0-9\n' ' ' <<<"$closing") || true
  : "${p:=0}" "${f:=0}" "${s:=0}"
  if [[ -z $closing && $status -eq 0 ]]; then p=1; fi
  if [[ $status -ne 0 && $f -eq 0 ]]; then f=1; fi
  count "$tier" $((SECONDS - started)) "$p" "$f" "$s"
  local line
  while IFS= read -r line; do not_run+=("$tier: $line"); done < <(grep '^not run: ' "$log" || true)
}

"$TROTH_ROOT/tools/dev/setup.sh"
build_preset dev
readarray -t labels < <(label_tiers)
readarray -t scripts < <(script_tiers)
readarray -t others < <(printf '%s\n' "${labels[@]}" "${scripts[@]}" | grep -vx -e unit -e '' | sort -u)

case ${1:-} in
  "")
    export TROTH_TEST_QUICK=1
    tiers=(unit)
    for tier in "${others[@]}"; do
      if is_long "$tier"; then not_run+=("$tier: a long tier; ./dev test $tier"); else tiers+=("$tier"); fi
    done
    ;;
  all) tiers=(unit "${others[@]}") ;;
  --list)
    printf '%s\n' unit "${others[@]}"
    exit 0
    ;;
  *) tiers=("$@") ;;
esac

for tier in "${tiers[@]}"; do
  if [[ $tier != unit ]] && ! contains "$tier" "${others[@]}"; then
    die "./dev test: there is no tier $tier; ./dev test --list names them"
  fi
done

for tier in "${tiers[@]}"; do
  if contains "$tier" "${scripts[@]}"; then  # scripts test the server that people run
    build_preset release
    break
  fi
done

for tier in "${tiers[@]}"; do
  if contains "$tier" "${labels[@]}" || [[ $tier == unit ]]; then run_labelled "$tier"; fi
  if contains "$tier" "${scripts[@]}"; then run_script "$tier"; fi
done

say ""
if [[ ${#summary[@]} -gt 0 ]]; then printf '%s\n' "${summary[@]}"; fi
if [[ ${#not_run[@]} -gt 0 ]]; then printf '%s\n' "${not_run[@]}"; fi
say ""
tally "$passed" "$failed" "$skipped"
if [[ $((passed + failed)) -eq 0 ]]; then die "./dev test: nothing ran, which is not a pass"; fi
[[ $failed -eq 0 ]]
