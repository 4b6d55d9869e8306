# shellcheck shell=bash
# Shared by the commands in this folder and by the tiers' own scripts (test/<tier>/run):
#
#   . "$(git rev-parse --show-toplevel)/tools/dev/lib.sh"
#
# A command is a file <name>.sh here with a line `# help: what it does`. Where the work is done by a
# script elsewhere, `# needs: path` names it; the command exists when that script does.

TROTH_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TROTH_JOBS=${TROTH_JOBS:-$(nproc)}
export TROTH_ROOT TROTH_JOBS

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 2
}

command_help() { sed -n 's/^# help: //p' "$1"; }
command_needs() { sed -n 's/^# needs: //p' "$1"; }

command_exists() {  # NAME
  local file=$TROTH_ROOT/tools/dev/$1.sh needs
  [[ -f $file && -n $(command_help "$file") ]] || return 1
  needs=$(command_needs "$file")
  [[ -z $needs || -e $TROTH_ROOT/$needs ]]
}

print_help() {
  say "usage: ./dev <command> [arguments]"
  say ""
  local name
  for name in setup build run demo test lint fmt tidy asan tsan coverage fuzz sim torture nightly golden bench profile clean; do
    if command_exists "$name"; then
      printf '  %-9s %s\n' "$name" "$(command_help "$TROTH_ROOT/tools/dev/$name.sh")"
    fi
  done
}

run_command() {  # NAME ARGUMENTS...
  local name=$1
  shift
  if command_exists "$name"; then
    exec "$TROTH_ROOT/tools/dev/$name.sh" "$@"
  elif [[ -f $TROTH_ROOT/tools/dev/$name.sh && -n $(command_needs "$TROTH_ROOT/tools/dev/$name.sh") ]]; then
    die "./dev $name: not in this version ($(command_needs "$TROTH_ROOT/tools/dev/$name.sh") does not exist)"
  else
    die "./dev $name: no such command; ./dev help lists them"
  fi
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# Configures when that has not been done, setup has built something since, or the presets are not those it was
# done with (ninja alone would go on with the old options); then builds.
build_preset() {  # PRESET TARGETS...
  local preset=$1 directory=$TROTH_ROOT/build/$1
  local deps=${TROTH_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/troth/deps}
  shift
  cd "$TROTH_ROOT" || return
  if [[ ! -f $directory/build.ninja || $deps -nt $directory/build.ninja ||
    $(<CMakePresets.json) != $(cat "$directory/presets.json" 2>/dev/null) ]]; then
    cmake --preset "$preset" || return
    cp CMakePresets.json "$directory/presets.json"
  fi
  cmake --build "$directory" -j "$TROTH_JOBS" ${1:+--target "$@"}
}

# Unit, store and interop tests of a sanitizer's preset, then the interop tests of the Go client against
# its server; with ctest arguments only what they choose.
run_sanitized() {  # PRESET [CTEST ARGUMENTS]
  local preset=$1
  shift
  "$TROTH_ROOT/tools/dev/build.sh" "$preset" troth_tests troth
  cd "$TROTH_ROOT" || return
  if [[ $# -gt 0 ]]; then
    ctest --preset "$preset" -j "$TROTH_JOBS" "$@"
    return
  fi
  local failed=0
  ctest --preset "$preset" -j "$TROTH_JOBS" || failed=1
  sanitized_interop "$preset" || failed=1
  return "$failed"
}

# What a sanitizer says of a server comes to light here, whatever the test makes of its end.
sanitized_interop() {  # PRESET
  local reports=$TROTH_ROOT/build/$1/reports failed=0
  rm -rf "$reports" && mkdir "$reports"
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:log_path=$reports/asan \
    TSAN_OPTIONS=halt_on_error=1:suppressions=$TROTH_ROOT/tools/dev/tsan.supp:log_path=$reports/tsan \
    TROTH_BIN=$TROTH_ROOT/build/$1/troth test/interop/run || failed=1
  if [[ -n $(ls "$reports") ]]; then
    cat "$reports"/*
    failed=1
  fi
  return "$failed"
}

# go_version_at_least 1.21: is there a Go that new? Tests that need a newer one than Debian's call
#   need_go 1.21 "interop with the Go client" || exit 0
# which says so; what it skips is counted as not run.
go_version_at_least() {
  local have
  have=$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//') || return 1
  [[ -n $have ]] && printf '%s\n%s\n' "$1" "$have" | sort -V -C
}

need_go() {  # VERSION WHAT
  if go_version_at_least "$1"; then return 0; fi
  say "not run: needs Go >= $1: $2"
  return 1
}

# fetch_modules ./... : what packages and their tests need, before the tests, with further tries for a network
# that fails for a moment. In the module's folder.
fetch_modules() {  # PACKAGES...
  local pause
  for pause in 5 20 60; do
    if go list -deps -test "$@" >/dev/null; then return 0; fi
    say "modules could not be fetched; again in $pause s" >&2
    sleep "$pause"
  done
  go list -deps -test "$@" >/dev/null
}

# The closing line of a tier's script: its last line of this form is what counts.
tally() { say "$1 passed, $2 failed, $3 skipped"; }
