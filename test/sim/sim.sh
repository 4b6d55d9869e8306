#!/usr/bin/env bash
# Builds the simulator and runs it: test/sim/sim.sh --seeds N [--seed S] [--minutes M] [--bug NAME] [--bugs] [--show].
# Without arguments: 1000 seeds. The log of a seed that fails is left in build/sim, or build/PRESET of
# TROTH_SIM_PRESET.
set -euo pipefail
# shellcheck source=../../tools/dev/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/dev/lib.sh"
preset=${TROTH_SIM_PRESET:-sim}
build_preset "$preset" troth_sim >&2
if [[ $# -eq 0 ]]; then set -- --seeds 1000; fi
exec "$TROTH_ROOT/build/$preset/troth_sim" --logs "$TROTH_ROOT/build/$preset" "$@"
