#!/usr/bin/env bash
# Usage: install.sh ENVIRONMENT...: makes the Python environments openvino, onnxruntime, executorch
# in build/peers/. Says what it installs before it does; one that is there already is kept.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

readonly ENVIRONMENTS="$UNIQ_ROOT/build/peers"

# What each engine is installed with, without what else it asks for: its packages ask for CUDA's
# libraries, for telemetry and for tools that nothing here uses.
declare -A ENGINE=(
  [openvino]="openvino==2026.4.1 nncf==3.4.0"
  [onnxruntime]="onnxruntime==1.32.0 onnx==1.23.2"
  [executorch]="executorch==1.5.1 torchao==0.18.0 onnx==1.23.2"
)

# What of that is used after all, with what it asks for itself.
declare -A NEEDS=(
  [openvino]="numpy networkx packaging psutil pydot rich safetensors scikit-learn scipy tabulate"
  [onnxruntime]="numpy flatbuffers packaging protobuf ml_dtypes typing_extensions"
  [executorch]="numpy flatbuffers packaging protobuf ml_dtypes pyyaml ruamel.yaml tabulate"
)

# wanted ENVIRONMENT: all of it, in one line, as the file `installed` keeps it.
wanted() {
  local torch=""
  [[ "$1" != executorch ]] || torch="torch==$UNIQ_TORCH_VERSION "
  printf '%s\n' "$torch${ENGINE[$1]} ${NEEDS[$1]}"
}

install_environment() {
  local name="$1" folder="$ENVIRONMENTS/$1" python=/usr/bin/python3
  [[ "$(cat "$folder/installed" 2>/dev/null)" != "$(wanted "$name")" ]] || return 0
  [[ -x "$python" ]] || python=python3
  say "Making a private Python environment in build/peers/$name"
  rm -rf "$folder"
  mkdir -p "$ENVIRONMENTS"
  "$python" -m venv "$folder"
  if [[ "$name" == executorch ]]; then
    announce_torch "$folder"
    "$folder/bin/pip" install -qq --no-compile "torch==$UNIQ_TORCH_VERSION"
  fi
  say "Installing into build/peers/$name: ${ENGINE[$name]} ${NEEDS[$name]}"
  # shellcheck disable=SC2086
  "$folder/bin/pip" install -qq --no-compile ${NEEDS[$name]}
  # shellcheck disable=SC2086
  "$folder/bin/pip" install -qq --no-compile --no-deps ${ENGINE[$name]}
  wanted "$name" >"$folder/installed"
  echo "$(du -sm "$folder" | cut -f 1) MB"
}

for name in "$@"; do
  [[ -n "${ENGINE[$name]:-}" ]] ||
    fail "environment: got $name, expected openvino, onnxruntime or executorch"
  install_environment "$name"
done
