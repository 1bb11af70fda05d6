#!/usr/bin/env bash
# Configures (once) and builds a preset:  tools/build.sh PRESET [TARGET ...]
# ATOLL_CMAKE_OPTIONS holds further -D options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=$1
shift
cd "$here"
read -r -a options <<<"${ATOLL_CMAKE_OPTIONS:-}"
if [[ ! -f .build/$preset/build.ninja || ${#options[@]} -gt 0 ]]; then
  cmake --preset "$preset" "${options[@]}" >".configure-$preset.log" 2>&1 || {
    cat ".configure-$preset.log"
    echo "build: CMake could not configure; the lines above say what is missing" >&2
    exit 3
  }
  rm -f ".configure-$preset.log"
fi
targets=()
for target in "$@"; do targets+=(--target "$target"); done
cmake --build --preset "$preset" "${targets[@]}"
