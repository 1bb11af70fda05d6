#!/usr/bin/env bash
# Writes tests/validation/README.md: atoll against other tools' results and measured chips. Needs Python 3, no network.
# Usage: tests/validation/run.sh [PROGRAM] [FOLDER]
#   PROGRAM  the atoll to validate; default: atoll of the release build, else the one on the path
#   FOLDER   complete result files of Timeloop, ZigZag, MAESTRO and Gemmini; default: the parts in tests/data
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${1:-}
if [[ -z $program ]]; then
  program=$here/../../.build/release/src/atoll
  [[ -x $program ]] || program=$(command -v atoll) || { echo "run.sh: no program; name it: run.sh PROGRAM" >&2; exit 2; }
fi
exec python3 "$here/validate.py" --atoll "$program" ${2:+--data "$2"}
