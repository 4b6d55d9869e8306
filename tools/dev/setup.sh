#!/usr/bin/env bash
# help: install packages, build RocksDB and Abseil (once; then instant); --upgrade asks Debian for newer ones
set -euo pipefail
. "$(dirname "$0")/lib.sh"

upgrade=false
case ${1:-} in
  "") ;;
  --upgrade) upgrade=true ;;
  *) die "./dev setup [--upgrade]" ;;
esac

wanted() {
  local package
  while read -r package _; do
    case $package in
      "" | "#"*) continue ;;
      golang-go) if command -v go >/dev/null; then continue; fi ;;
    esac
    echo "$package"
  done <"$TROTH_ROOT/tools/dev/packages.txt"
}

missing_packages() {
  comm -23 <(wanted | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u)
}

command -v apt-get >/dev/null || die "setup: this is not Debian; tools/dev/packages.txt lists what is needed"

readarray -t missing < <(missing_packages)
if [[ ${#missing[@]} -gt 0 ]]; then
  say "setup: installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
else
  say "setup: all packages are installed"
fi

if $upgrade; then
  "$TROTH_ROOT/tools/dev/deps.sh" upgrade
else
  "$TROTH_ROOT/tools/dev/deps.sh" build
fi
