#!/usr/bin/env bash
# Installs what the tests need, builds the release preset and runs every test:
#   tests/run.sh [--yes] [--no-install] [CTEST OPTIONS ...]     for example: tests/run.sh -R store
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$here/tools/setup.sh"

setup_options=()
ctest_options=()
for argument in "$@"; do
  case $argument in
    --yes | --no-install) setup_options+=("$argument") ;;
    *) ctest_options+=("$argument") ;;
  esac
done
setup "${setup_options[@]}"
"$here/tools/build.sh" "${ATOLL_PRESET:-release}"
cd "$here"
exec ctest --preset "${ATOLL_PRESET:-release}" --parallel "$(nproc)" --progress "${ctest_options[@]}"
