# What quickstart.sh and test.sh share: installing packages and LibTorch, configuring, building.
# Sourced, not run; the caller has set -euo pipefail. Every function says what it is about to
# install before it does so, and is quick where nothing is missing.

readonly UNIQ_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly UNIQ_TORCH_VERSION=2.13.0
readonly UNIQ_TENSORBOARD_VERSION=2.21.0
readonly UNIQ_CMAKE_VERSION=3.25

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# version_at_least HAVE WANT
version_at_least() {
  [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]
}

# Prints a cmake that is new enough, the one on the PATH before Debian's; fails where there is none.
find_cmake() {
  local candidate version
  for candidate in "$(command -v cmake || true)" /usr/bin/cmake; do
    [[ -n "$candidate" && -x "$candidate" ]] || continue
    version="$("$candidate" --version 2>/dev/null | sed -n '1s/^cmake version //p')" || continue
    if [[ -n "$version" ]] && version_at_least "$version" "$UNIQ_CMAKE_VERSION"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# listed_packages GROUP...: the packages of these groups of debian-packages.txt.
listed_packages() {
  awk -v groups=" $* " '
    { sub(/#.*/, "") }
    /^\[/ { gsub(/[][ \t]/, ""); wanted = index(groups, " " $0 " "); next }
    wanted && NF { print $1 }' "$UNIQ_ROOT/scripts/debian-packages.txt"
}

# missing_packages GROUP...: those of them that are not installed.
missing_packages() {
  local installed package
  mapfile -t packages < <(listed_packages "$@")
  installed="$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/ installed$//p' || true)"
  for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" && continue
    [[ "$package" == cmake ]] && find_cmake >/dev/null && continue
    printf '%s\n' "$package"
  done
}

# install_packages GROUP...: with apt-get where it may; otherwise prints the command and stops.
install_packages() {
  local missing=() as_root=()
  command -v dpkg-query >/dev/null || fail "this script installs Debian packages, and dpkg-query" \
    "is not here; install what scripts/debian-packages.txt lists and build as CONTRIBUTING.md says"
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  local install=(apt-get install --yes --no-install-recommends "${missing[@]}")
  if [[ "$(id -u)" != 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "These Debian packages are missing, and installing them needs an administrator. Run" >&2
      echo >&2
      echo "    sudo apt-get update && sudo ${install[*]}" >&2
      echo >&2
      echo "and then this script again." >&2
      exit 1
    fi
    as_root=(sudo -n)
  fi
  say "Installing Debian packages: ${missing[*]}"
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  "${as_root[@]}" apt-get update --quiet || echo "apt-get update failed; trying with the lists at hand"
  "${as_root[@]}" "${install[@]}" --quiet
}

# torch_folder_below PREFIX: the folder of LibTorch's CMake file below one entry of
# CMAKE_PREFIX_PATH, by the places where CMake looks for it.
torch_folder_below() {
  local place
  for place in share/cmake/Torch Torch lib/cmake/Torch cmake; do
    if [[ -f "$1/$place/TorchConfig.cmake" ]]; then
      printf '%s\n' "$1/$place"
      return 0
    fi
  done
  return 1
}

# Prints the folder of a LibTorch that the user gives; fails where none is given.
given_torch() {
  local prefixes=() prefix
  if [[ -n "${Torch_DIR:-}" ]]; then
    [[ -f "$Torch_DIR/TorchConfig.cmake" ]] ||
      fail "Torch_DIR: got $Torch_DIR, expected a folder with TorchConfig.cmake"
    printf '%s\n' "$Torch_DIR"
    return 0
  fi
  IFS=':;' read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    torch_folder_below "$prefix" && return 0
  done
  return 1
}

# Prints the folder of LibTorch in the private environment; fails where it is not there. pip writes
# RECORD last: without it, an installation was interrupted.
private_torch() {
  local packages
  for packages in "$UNIQ_ROOT"/.venv/lib/python*/site-packages; do
    compgen -G "$packages/torch-$UNIQ_TORCH_VERSION*.dist-info/RECORD" >/dev/null || continue
    torch_folder_below "$packages/torch" && return 0
  done
  return 1
}

# announce_torch ENVIRONMENT: says what pip would take, before it does: a build for CUDA has
# several GB.
announce_torch() {
  local environment="$1" report
  report="$(mktemp)"
  "$environment/bin/pip" install -qq --dry-run --ignore-installed --report "$report" \
    "torch==$UNIQ_TORCH_VERSION" || fail "pip finds no torch==$UNIQ_TORCH_VERSION (above: why);" \
    "or give a LibTorch that is here already by Torch_DIR or CMAKE_PREFIX_PATH"
  say "Installing LibTorch into ${environment#"$UNIQ_ROOT"/}: torch==$UNIQ_TORCH_VERSION"
  if ! python3 "$UNIQ_ROOT/scripts/torch_report.py" "$report" && [[ -t 1 ]]; then
    echo "Going on in 15 seconds."
    sleep 15
  fi
  rm -f "$report"
}

install_torch() {
  local python=/usr/bin/python3
  [[ -x "$python" ]] || python=python3
  if [[ ! -x "$UNIQ_ROOT/.venv/bin/pip" ]]; then
    say "Making a private Python environment in .venv"
    "$python" -m venv "$UNIQ_ROOT/.venv"
  fi
  announce_torch "$UNIQ_ROOT/.venv"
  "$UNIQ_ROOT/.venv/bin/pip" install -qq --no-compile "torch==$UNIQ_TORCH_VERSION"
}

# Installs TensorBoard beside LibTorch's Python side: one test opens event files with it, and is
# skipped where it cannot be had.
install_tensorboard() {
  local python="$UNIQ_ROOT/.venv/bin/python"
  [[ -x "$python" ]] || return 0
  ! "$python" -c "import tensorboard" 2>/dev/null || return 0
  say "Installing TensorBoard into .venv: tensorboard==$UNIQ_TENSORBOARD_VERSION"
  "$python" -m pip install -qq "tensorboard==$UNIQ_TENSORBOARD_VERSION" ||
    echo "It cannot be installed; its test will be skipped."
}

# Sets Torch_DIR: a LibTorch that the user gives, else the private one, installed where missing.
find_or_install_torch() {
  local folder
  if [[ -n "${Torch_DIR:-}${CMAKE_PREFIX_PATH:-}" ]] && folder="$(given_torch)"; then
    say "LibTorch given: $folder"
  else
    [[ -z "${Torch_DIR:-}" ]] || exit 1  # given_torch has said what is wrong with it
    folder="$(private_torch)" || {
      install_torch
      folder="$(private_torch)" || fail "pip installed torch, but its CMake files are not in .venv"
    }
  fi
  export Torch_DIR="$folder"
}

# Compilations at a time: one with LibTorch takes up to 2 GB.
build_jobs() {
  local cores gigabytes jobs
  cores="$(nproc)"
  gigabytes="$(awk '/^MemAvailable:/ { print int($2 / 1e6) }' /proc/meminfo)"
  jobs=$((gigabytes / 2 < cores ? gigabytes / 2 : cores))
  echo $((jobs > 1 ? jobs : 1))
}

# configure PRESET [ARGUMENT...]: quiet where all goes well.
configure() {
  local preset="$1" output
  shift
  [[ -z "${Torch_DIR:-}" ]] || set -- "-DTorch_DIR=$Torch_DIR" "$@"
  if ! output="$(cd "$UNIQ_ROOT" && "$(find_cmake)" --preset "$preset" "$@" 2>&1)"; then
    printf '%s\n' "$output" >&2
    fail "configuring build/$preset failed"
  fi
}

# build PRESET [TARGET...]
build() {
  local preset="$1"
  shift
  local targets=()
  [[ $# -eq 0 ]] || targets=(--target "$@")
  "$(find_cmake)" --build "$UNIQ_ROOT/build/$preset" --parallel "$(build_jobs)" "${targets[@]}"
}
