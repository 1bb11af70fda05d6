#!/usr/bin/env bash
# Hygiene of the tree: clang-format, no tabs, no trailing blanks, ASCII only. Prints what is wrong; --fix mends format.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mapfile -t sources < <(git ls-files -co --exclude-standard 'include/*.hpp' 'src/*.hpp' 'src/*.cpp' 'tests/*.hpp' 'tests/*.cpp')
if [[ ${1:-} == --fix ]]; then
  clang-format -i "${sources[@]}"
fi
bad=0
clang-format --dry-run --Werror "${sources[@]}" || bad=1
mapfile -t texts < <(git ls-files -co --exclude-standard '*.hpp' '*.cpp' '*.md' '*.sh' '*.py' '*.yaml' '*.txt' '*.cmake' '.ci/run')
grep -nP '\t' "${texts[@]}" && { echo "tabs: use spaces" >&2; bad=1; }
grep -nP ' +$' "${texts[@]}" && { echo "blanks at the end of a line" >&2; bad=1; }
grep -nP '[^\x00-\x7F]' "${texts[@]}" && { echo "text that is not ASCII" >&2; bad=1; }
exit $bad
