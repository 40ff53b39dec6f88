#!/usr/bin/env bash
# Trains the networks whose accuracies docs/results.md lists. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/fashion_mnist.sh published|rivals [SEED...]

published  pre-activation ResNet-20, fp32 and from it w4a4, w3a3, w2a2 and w1a1, by the protocol of
           tests/golden/README.md; seeds 0 and 1 unless others are given (about 40 minutes a seed on
           two cores)
rivals     the quickstart's network at 2 bits with UniQ, LSQ, PACT and DoReFa under one recipe,
           seeds 0, 1 and 2 (about 8 minutes a seed)

The runs stay in runs/results/; a second call goes on where the first stopped, and prints the table
of what is there. The program is build/release/bin/uniqnn, or what UNIQNN names.
TEXT
}

case "${1:-}" in
  published) default_seeds=(0 1) ;;
  rivals) default_seeds=(0 1 2) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
protocol="$1"
shift
if (($# > 0)); then seeds=("$@"); else seeds=("${default_seeds[@]}"); fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
program="${UNIQNN:-build/release/bin/uniqnn}"

# train FOLDER RECIPE [SETTING...]: unless that is done already.
train() {
  local folder="$1" recipe="$2"
  shift 2
  [[ -f "$folder/result.json" ]] && return 0
  local settings=()
  for setting in "$@"; do settings+=(--set "$setting"); done
  echo "== $folder" >&2
  "$program" train "$recipe" --output "$folder" --resume "${settings[@]}" >&2
}

for seed in "${seeds[@]}"; do
  runs="runs/results/$protocol/seed$seed"
  if [[ "$protocol" == published ]]; then
    recipes=recipes/fashion_mnist/preact_resnet20
    train "$runs/fp32" "$recipes/fp32.yaml" "seed=$seed"
    for bits in w4a4 w3a3 w2a2 w1a1; do
      train "$runs/$bits" "$recipes/$bits.yaml" "seed=$seed" \
        "train.start=$runs/fp32/last.safetensors"
    done
  else
    train "$runs/fp32" recipes/quickstart/fp32.yaml "seed=$seed"
    for method in uniq lsq pact dorefa; do
      train "$runs/$method" "recipes/quickstart/rivals/${method}_w2a2.yaml" "seed=$seed" \
        "train.start=$runs/fp32/best.safetensors"
    done
  fi
done
python3 bench/fashion_mnist_table.py "runs/results/$protocol"
