# Sourced by the scripts beside it. Arguments of each: the program, then mpirun.
set -euo pipefail
atoll=$1
mpirun=$2
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=$tests/data/app
source_dir=$(cd "$tests/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}
equal() {  # what, expected, found
  [[ $2 == "$3" ]] || fail "$1: expected '$2', found '$3'"
}
# Runs a command that must end with the given code; output in $work/out and $work/err.
ends_with() {  # code, command...
  local expected=$1 code=0
  shift
  timeout 120 "$@" >"$work/out" 2>"$work/err" || code=$?
  [[ $code == "$expected" ]] || { fail "code $code instead of $expected: $*"; cat "$work/err" >&2; }
}
# A refusal: the code, exactly one message of ours, and the pattern in it; never a backtrace.
refuses() {  # code, pattern, command...
  local code=$1 pattern=$2
  shift 2
  ends_with "$code" "$@"
  equal "messages of: $*" 1 "$(grep -c '^atoll: ' "$work/err")"
  grep -qE -- "$pattern" "$work/err" || { fail "no '$pattern' from: $*"; cat "$work/err" >&2; }
  if grep -qiE 'backtrace|terminate called|Signal:|core dumped' "$work/err"; then fail "a crash in: $*"; fi
  [[ ! -s $work/out ]] || fail "something on standard output of: $*"
}
run() { ends_with 0 "$mpirun" -n "$1" "$atoll" "${@:2}"; }
digest() { "$atoll" digest "$1"; }
finish() {
  [[ $failures == 0 ]] || { echo "$failures failures" >&2; exit 1; }
  echo "all good"
}
