#!/usr/bin/env bash
# From a fresh machine to a trained 2-bit network in one command. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./quickstart.sh [--help]

Installs what is missing (Debian packages by apt-get where it may; LibTorch from torch==2.13.0 into
.venv/, unless Torch_DIR or CMAKE_PREFIX_PATH gives one), builds a release in build/release/, trains
a small network on Fashion-MNIST in fp32 and then, from it, with 2-bit weights and activations, packs
the latter into runs/quickstart/w2a2/model.uniq, proves that this computes what was trained, runs it on
some test pictures, and prints a table of both. The runs stay in runs/quickstart/fp32/ and
runs/quickstart/w2a2/.

At most 15 minutes on a fresh machine with two cores. What is there already is used again: a second
call takes seconds, and an interrupted run goes on where it stopped. To train anew, delete
runs/quickstart/.

Environment:
  Torch_DIR, CMAKE_PREFIX_PATH   a LibTorch 2.13 to use (the folder of TorchConfig.cmake, or a
                                 prefix above it) instead of installing one
TEXT
}

for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    *)
      echo "quickstart.sh: error: unknown argument: got $argument, expected --help or none" >&2
      exit 2
      ;;
  esac
done

source "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"
cd "$UNIQ_ROOT"

# train NAME: recipes/quickstart/NAME.yaml into runs/quickstart/NAME, unless that is done already;
# a run that was interrupted goes on where it stopped.
train() {
  local run="runs/quickstart/$1"
  if [[ -f "$run/result.json" ]]; then
    echo "$run: trained already"
    return 0
  fi
  say "Training $run"
  build/release/bin/uniqnn train "recipes/quickstart/$1.yaml" --resume
}

# measure FILE [OPTION...]: the latency of one picture, as JSON beside the file.
measure() {
  build/release/bin/uniqnn bench "$@" --json >"$1.bench.json"
}

# threads_of FILE: how many it was measured with.
threads_of() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)["threads"])' <"$1.bench.json"
}

# Packs the 2-bit network, proves it, and shows what it sees.
deploy() {
  local run="runs/quickstart/w2a2" pictures=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
  say "Packing $run/model.uniq"
  build/release/bin/uniqnn pack "$run/best.safetensors" -o "$run/model.uniq"
  say "Proving that it computes what was trained"
  build/release/bin/uniqnn verify "$run/best.safetensors" "$run/model.uniq" --data fashion_mnist
  say "What it sees in the first test pictures"
  build/release/bin/uniqnn run "$run/model.uniq" "$pictures" --first 3 --top 2
  # Both with one thread for each CPU that may be used, which LibTorch would choose otherwise.
  measure "$run/model.uniq"
  measure runs/quickstart/fp32/best.safetensors --threads "$(threads_of "$run/model.uniq")"
}

install_packages build
find_or_install_torch
say "Building build/release (a few minutes the first time)"
configure release
build release uniqnn uniqnn-train uniq_ops
train fp32
train w2a2
deploy
python3 scripts/quickstart_table.py runs/quickstart/fp32 runs/quickstart/w2a2
printf '\nEverything took %d min %d s.\n' $((SECONDS / 60)) $((SECONDS % 60))
