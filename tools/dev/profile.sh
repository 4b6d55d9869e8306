#!/usr/bin/env bash
# help: record how often what runs, for the compiler of the release build; --rocksdb: for that of RocksDB too
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The release build's compiler places what runs often together and inlines along it (docs/adr/0018). The record
# is made by a server that counts, under the loads of the goals; it is committed, so that every release is the
# same. Make a new one when the paths of a transaction have changed: functions that differ from their record are
# compiled without.
readonly loads=(
  "msg --in-flight 64" "msg --in-flight 512" "msg --in-flight 1" "msg-http --in-flight 64" "msg-delayed --in-flight 64"
  "saga-2 --in-flight 64" "saga-2-http --in-flight 64" "saga-10 --in-flight 64" "saga-2-compensate --in-flight 64"
  "tcc --in-flight 64"
)
readonly stores=(redis mysql postgres)
# Functions that ran less often in all of it say nothing about speed and would be most of the file.
readonly rare=2000

parts=(release)
case ${1:-} in
  "") ;;
  --rocksdb) parts+=(rocksdb) ;;  # which ./dev setup then builds anew, everywhere: some ten minutes on two cores
  *) die "./dev profile [--rocksdb]" ;;
esac

cd "$TROTH_ROOT"
tools/dev/build.sh release bench_load
TROTH_PROFILE=generate tools/dev/setup.sh
build_preset profile troth
raw=$(mktemp -d "${TMPDIR:-/tmp}/troth-profile.XXXXXX")
trap 'rm -rf "$raw"' EXIT
for load in "${loads[@]}"; do
  read -ra arguments <<<"$load"
  say "profile: $load"
  LLVM_PROFILE_FILE=$raw/%p-%m.profraw build/release/bench_load "${arguments[@]}" \
    --binary build/profile/troth --seconds 3 --warmup 1 --repeats 1 --counting 0
done
for store in "${stores[@]}"; do
  say "profile: msg on $store"
  # bench_load counts nothing, so only the servers write a record.
  LLVM_PROFILE_FILE=$raw/%p-%m.profraw TROTH_BENCH_SERVER=build/profile/troth bench/stores.sh msg --store "$store" \
    --in-flight 512 --seconds 3 --warmup 1 --repeats 1
done
llvm-profdata-19 merge -sparse -text -o "$raw/all.proftext" "$raw"/*.profraw
for part in "${parts[@]}"; do
  tools/dev/often.awk -v part="$part" -v rare="$rare" "$raw/all.proftext" >"bench/$part.proftext"
  say "profile: wrote bench/$part.proftext"
done
say "profile: run ./dev setup and ./dev build"
