#!/usr/bin/env bash
# Builds atoll and runs one configuration on this machine, from nothing to the table of results and a picture.
#
#   jobs/local.sh [--yes] [--no-install] [CONFIG] [RANKS] [-- OPTIONS OF atoll run]
#
# CONFIG  a run file; default configs/quickstart.yaml (ResNet-18 on Eyeriss)
# RANKS   MPI ranks; default: the processors of this machine, 4 at most
# Exit codes are those of atoll: 0 done, 2 your input, 3 the machine, 75 stopped early with a good checkpoint.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$here/tools/setup.sh"

setup_options=()
positional=()
run_options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --yes | --no-install) setup_options+=("$1") ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --) shift; run_options=("$@"); break ;;
    -*) echo "local.sh: unknown option '$1'; known are --yes, --no-install, --help" >&2; exit 2 ;;
    *) positional+=("$1") ;;
  esac
  shift
done
[[ ${#positional[@]} -le 2 ]] || { echo "local.sh: at most CONFIG and RANKS, got: ${positional[*]}" >&2; exit 2; }

config=${positional[0]:-$here/configs/quickstart.yaml}
processors=$(nproc)
ranks=${positional[1]:-$((processors < 4 ? processors : 4))}
[[ $ranks =~ ^[1-9][0-9]*$ ]] || { echo "local.sh: RANKS must be a whole number above 0, got '$ranks'" >&2; exit 2; }
[[ -f $config ]] || { echo "local.sh: there is no run file '$config'" >&2; exit 2; }

setup "${setup_options[@]}"
"$here/tools/build.sh" release atoll >&2

# Safe as root, in containers, and with more ranks than processors.
if [[ $(id -u) == 0 ]]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
if ((ranks > processors)); then export OMPI_MCA_mpi_yield_when_idle=1; fi

name=$(basename "${config%.*}")
output=$here/runs/$name
for ((n = 2; ; n++)); do
  [[ -e $output ]] || break
  output=$here/runs/$name-$n
done
code=0
mpirun -n "$ranks" "$here/.build/release/src/atoll" run "$config" --output "$output" "${run_options[@]}" || code=$?
if [[ $code == 0 || $code == 75 ]]; then
  # A finished run has named its store below its table.
  if [[ $code == 75 ]]; then echo "store: $output/results.h5"; fi
  "${PYTHON:-/usr/bin/python3}" "$here/tools/atoll_report.py" "$output/results.h5" --out "$output/report" |
    sed 's/^/picture: /' || echo "local.sh: the pictures could not be made; the store is complete" >&2
fi
exit $code
