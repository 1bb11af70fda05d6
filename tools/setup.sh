#!/usr/bin/env bash
# Finds and installs what atoll needs to build and run. Sourced by jobs/local.sh and tests/run.sh, or called
# by hand:  tools/setup.sh [--yes] [--no-install]
# Code 3: something is missing and was not installed.
set -euo pipefail

build_packages=(g++ cmake ninja-build ccache git pkg-config openmpi-bin libopenmpi-dev libhdf5-dev
  libboost-serialization-dev libyaml-cpp-dev libspdlog-dev libfmt-dev libcli11-dev librandom123-dev
  nlohmann-json3-dev libonnx-dev libprotobuf-dev protobuf-compiler libxxhash-dev zlib1g-dev libbenchmark-dev
  libgtest-dev libgmock-dev)
report_packages=(python3 python3-h5py python3-numpy python3-pandas python3-matplotlib)

print_names_for_other_systems() {
  cat >&2 <<'NAMES'
atoll installs its dependencies by itself on Debian and Ubuntu only. Install these and call again
with --no-install:
  apt:   g++ cmake ninja-build ccache pkg-config openmpi-bin libopenmpi-dev libhdf5-dev
         libboost-serialization-dev libyaml-cpp-dev libspdlog-dev libfmt-dev libcli11-dev librandom123-dev
         nlohmann-json3-dev libonnx-dev libprotobuf-dev protobuf-compiler libxxhash-dev zlib1g-dev libgtest-dev
         libgmock-dev libbenchmark-dev python3-h5py python3-pandas python3-matplotlib
  dnf:   gcc-c++ cmake ninja-build ccache pkgconf openmpi-devel hdf5-devel boost-devel yaml-cpp-devel
         spdlog-devel fmt-devel cli11-devel json-devel onnx-devel protobuf-devel xxhash-devel zlib-devel gtest-devel
         gmock-devel google-benchmark-devel python3-h5py python3-pandas python3-matplotlib
         (Random123: from github.com/DEShawResearch/random123)
  spack: cmake ninja ccache openmpi hdf5 boost+serialization yaml-cpp spdlog fmt cli11 random123
         nlohmann-json onnx protobuf xxhash zlib googletest+gmock benchmark py-h5py py-pandas py-matplotlib
  conda: cxx-compiler cmake ninja ccache pkg-config openmpi hdf5 libboost-devel yaml-cpp spdlog fmt cli11
         random123 nlohmann_json libonnx libprotobuf xxhash zlib gtest gmock benchmark h5py pandas matplotlib
NAMES
}

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || echo "$package"
  done
}

agree() {  # asks once, and only a person
  [[ $yes == 1 || ${CI:-} == true || ! -t 0 || ! -t 1 ]] && return 0
  local answer
  read -r -p "Install them now? [Y/n] " answer
  [[ -z $answer || $answer == [yY]* ]]
}

install_packages() {
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || {
      echo "setup: not root, and there is no sudo: ask your administrator to install the packages above" >&2
      exit 3
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q >/dev/null || echo "setup: apt-get update failed, trying with the lists there are" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 || {
    echo "setup: apt-get could not install the packages above; its message says why" >&2
    exit 3
  }
}

setup() {
  yes=0
  local install=1 wanted=("${build_packages[@]}" "${report_packages[@]}") argument
  for argument in "$@"; do
    case $argument in
      --yes) yes=1 ;;
      --no-install) install=0 ;;
      *) echo "setup: unknown option '$argument'; known are --yes, --no-install" >&2; exit 2 ;;
    esac
  done
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    [[ $install == 0 ]] && return 0  # CMake names what it does not find
    print_names_for_other_systems
    exit 3
  fi
  local missing
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [[ ${#missing[@]} == 0 ]] && return 0
  echo "atoll needs these packages, which are not installed: ${missing[*]}" >&2
  if [[ $install == 0 ]]; then
    echo "setup: nothing was installed (--no-install)" >&2
    exit 3
  fi
  agree || { echo "setup: nothing was installed" >&2; exit 3; }
  install_packages "${missing[@]}"
}

[[ ${BASH_SOURCE[0]} == "$0" ]] && setup "$@"
true
