#!/usr/bin/env bash
# Builds the two libraries we link statically, from Debian's own source packages.
#
#   tools/dev/deps.sh build             build what is missing; instant when nothing is
#   tools/dev/deps.sh upgrade           ask Debian for newer source packages and build those
#   tools/dev/deps.sh where NAME        print the directory of a finished build, or fail
#   tools/dev/deps.sh profile           print the file for our own -fprofile-use, or fail
#
# Why not Debian's binaries:
#   rocksdb  theirs has assertions on and targets a generic CPU: 2.3 times the cost per transaction,
#            and it calls abort() when the disk is full.
#   absl     in theirs absl::string_view is a type of its own, so that StrCat, Status and map lookups do
#            not take a std::string_view. Ours is the same source with the C++20 types.
#
# A finished build lies in <cache>/<name>-<Debian version>-<hash of its recipe>, outside the build
# tree. Debian's patches, security fixes among them, come along with the source package.
#
# RocksDB is compiled, as our own release is, by a record of how often each branch is taken
# (docs/adr/0018): bench/rocksdb.proftext and bench/release.proftext, two, so that a new one of ours does
# not build RocksDB again. TROTH_PROFILE=generate gives builds that write one.
#
# TROTH_SANITIZE=thread gives builds for ThreadSanitizer, which must see inside absl::Mutex; the
# other libraries are the same as always.
set -euo pipefail

names=(absl rocksdb)
cache=${TROTH_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/troth/deps}
cc=${TROTH_DEPS_CC:-clang-19}
cxx=${TROTH_DEPS_CXX:-clang++-19}

common=(-GNinja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_INSTALL_LIBDIR=lib)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

profile_data() {  # rocksdb or release: its record in the form that clang reads
  echo "$cache/$1-$(sha256sum "$root/bench/$1.proftext" | cut -c1-12).profdata"
}

profile_flags() {
  # Static functions are known by their file's name, wherever the tree lies.
  local by_file="-mllvm -static-func-full-module-prefix=false"
  [[ $cc == clang* ]] || return 0
  case ${TROTH_PROFILE:-use} in
    generate) echo " -fprofile-generate $by_file" ;;
    use) echo " -fprofile-use=$(profile_data rocksdb) $by_file" ;;
  esac
}

make_profile_data() {
  local name data
  if [[ $cc != clang* ]]; then return; fi
  for name in rocksdb release; do
    data=$(profile_data "$name")
    if [[ -f $data ]]; then continue; fi
    llvm-profdata-19 merge -o "$data.partial" "$root/bench/$name.proftext"
    mv -T "$data.partial" "$data"
  done
}

cpu_flags() {  # RocksDB's checksums want the CRC32 instruction; every x86-64 server has it
  case $(uname -m) in
    x86_64) echo "-msse4.2" ;;
    *) echo "" ;;
  esac
}

source_package() {
  case $1 in
    absl) echo abseil ;;
    *) echo "$1" ;;
  esac
}

# The cmake arguments of a library. Their hash is part of the cache key, so changing one rebuilds.
recipe() {
  local sanitize=""
  case $1 in
    absl)
      if [[ ${TROTH_SANITIZE:-} == thread ]]; then sanitize=" -fsanitize=thread"; fi
      printf '%s\n' "${common[@]}" -DCMAKE_CXX_STANDARD=20 \
        -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG$sanitize" -DABSL_ENABLE_INSTALL=ON \
        -DBUILD_TESTING=OFF -DABSL_RUN_TESTS=OFF
      ;;
    rocksdb)  # with RTTI, as our own code has it: we derive from its classes
      printf '%s\n' "${common[@]}" -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG -ffunction-sections $(cpu_flags)$(profile_flags)" \
        -DPORTABLE=ON -DFORCE_SSE42=ON -DUSE_RTTI=ON -DWITH_LZ4=ON -DWITH_SNAPPY=OFF \
        -DWITH_ZLIB=OFF -DWITH_BZ2=OFF -DWITH_ZSTD=OFF -DWITH_LIBURING=OFF -DWITH_GFLAGS=OFF \
        -DWITH_TESTS=OFF -DWITH_TOOLS=OFF -DWITH_CORE_TOOLS=OFF -DWITH_BENCHMARK_TOOLS=OFF \
        -DWITH_TRACE_TOOLS=OFF -DWITH_JNI=OFF -DFAIL_ON_WARNINGS=OFF -DROCKSDB_BUILD_SHARED=OFF
      ;;
  esac
}

# Changes to the source, as sed expressions on one file. Its own inline namespace keeps our absl
# apart from Debian's if a library brings that along.
edits() {
  case $1 in
    absl)
      printf '%s\n' absl/base/options.h \
        's/^#define ABSL_OPTION_USE_STD_\([A-Z_]*\) 0$/#define ABSL_OPTION_USE_STD_\1 1/' \
        's/^#define ABSL_OPTION_INLINE_NAMESPACE_NAME .*/#define ABSL_OPTION_INLINE_NAMESPACE_NAME troth/'
      ;;
  esac
}

edit_source() {  # NAME TREE
  local lines line
  readarray -t lines < <(edits "$1")
  for line in "${lines[@]:1}"; do sed -i -e "$line" "$2/${lines[0]}"; done
}

recipe_hash() { { recipe "$1"; edits "$1"; } | sha256sum | cut -c1-12; }

# The newest finished build of NAME with today's recipe.
where() {
  local hash newest
  hash=$(recipe_hash "$1")
  newest=$(find "$cache" -maxdepth 1 -type d -name "$1-*-$hash" -printf '%f\n' 2>/dev/null |
    sort -V | tail -n 1)
  [[ -n $newest ]] || return 1
  echo "$cache/$newest"
}

scratch=""
trap '[[ -z $scratch ]] || rm -rf "$scratch"' EXIT

# A private apt configuration that knows the source packages of the machine's own Debian archive,
# whatever mirror that is and whichever way it is written down. The machine's lists stay as they are.
apt_options=()
prepare_apt() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/troth-deps.XXXXXX")
  chmod 755 "$scratch"  # apt drops its rights while it downloads
  mkdir -p "$scratch"/{lists/partial,parts,src}

  debian_archives >"$scratch/sources.list"
  if [[ ! -s $scratch/sources.list ]]; then
    as_root apt-get update -q
    debian_archives >"$scratch/sources.list"
  fi
  if [[ ! -s $scratch/sources.list ]]; then
    echo "deps: apt knows no Debian archive on this machine; is this Debian 12?" >&2
    exit 1
  fi
  apt_options=(-q -o "Dir::Etc::sourcelist=$scratch/sources.list"
    -o "Dir::Etc::sourceparts=$scratch/parts" -o "Dir::State::lists=$scratch/lists"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=")
  echo "deps: reading Debian's list of source packages"
  apt-get "${apt_options[@]}" update >"$scratch/update.log" 2>&1 || {
    cat "$scratch/update.log" >&2
    exit 1
  }
}

debian_archives() {
  # shellcheck disable=SC2016  # apt fills these in, not the shell
  apt-get indextargets --format '$(ORIGIN)|$(SIGNED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
    'Created-By: Packages' | sort -u |
    awk -F'|' '$1 == "Debian" {
      print "deb-src " ($2 ~ /^\// ? "[signed-by=" $2 "] " : "") $3 " " $4 " " $5
    }'
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

newest_version() {
  apt-cache "${apt_options[@]}" showsrc "$(source_package "$1")" | awk '/^Version: / { print $2 }' |
    sort -V | tail -n 1
}

# From Debian's archive to an installed library. Chained with && because `if` switches off set -e.
steps() {  # NAME VERSION WORK INSTALL
  local arguments
  readarray -t arguments < <(recipe "$1")
  cd "$3" &&
    apt-get "${apt_options[@]}" source --download-only "$(source_package "$1")=$2" &&
    dpkg-source -x ./*.dsc "$3/tree" &&
    edit_source "$1" "$3/tree" &&
    cmake -S "$3/tree" -B "$3/build" "${arguments[@]}" -DCMAKE_INSTALL_PREFIX="$4" &&
    cmake --build "$3/build" -j "$(nproc)" &&
    rm -rf "$4" &&
    cmake --install "$3/build"
}

build_one() {
  local name=$1 version target work log started=$SECONDS
  version=$(newest_version "$name")
  if [[ -z $version ]]; then
    echo "deps: Debian's archive has no source package $(source_package "$name")" >&2
    exit 1
  fi
  target=$cache/$name-${version//[^A-Za-z0-9.+~-]/_}-$(recipe_hash "$name")
  if [[ -d $target ]]; then
    echo "deps: $name $version is there"
    return
  fi
  work=$scratch/src/$name
  log=$scratch/$name.log
  mkdir -p "$work" "$cache"
  echo "deps: building $name $version"
  if ! steps "$name" "$version" "$work" "$target.partial" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "deps: building $name $version failed; the end of its log is above" >&2
    exit 1
  fi
  mv -T "$target.partial" "$target"  # last, so that a build cut short is never taken for a whole one
  echo "deps: built $name $version in $((SECONDS - started)) s"
  rm -rf "$work"
}

build() {
  local name missing=()
  mkdir -p "$cache"
  make_profile_data
  for name in "${names[@]}"; do
    if [[ ${1:-} == upgrade ]] || ! where "$name" >/dev/null; then missing+=("$name"); fi
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    echo "deps: ${names[*]} are built"
    return
  fi
  exec 9>"$cache/lock"  # two clones on one machine share the cache
  flock 9
  prepare_apt
  for name in "${missing[@]}"; do
    # Its own shell: one that waited for the lock may find the work done, and `cd` stays inside.
    if [[ ${1:-} != upgrade ]] && where "$name" >/dev/null; then continue; fi
    (trap - EXIT; build_one "$name")
  done
}

case ${1:-} in
  build) build ;;
  upgrade) build upgrade ;;
  where) where "$2" ;;
  profile) data=$(profile_data release) && [[ -f $data ]] && echo "$data" ;;
  *)
    sed -n '2,/^set -/p' "$0" | grep '^#' | cut -c3- >&2
    exit 2
    ;;
esac
