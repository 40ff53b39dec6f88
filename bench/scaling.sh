#!/usr/bin/env bash
# How packed networks scale over threads, batches and sessions, and what memory and library take.
# See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/scaling.sh [--network NAME] [--bits LIST] [ARGUMENT...]

Packs a network with random weights (preact_resnet18 at w8a8, w2a2 and w1a1 unless others are named),
times it by bench_scaling, to which further arguments go (its --help lists them), and prints the peak
memory of a process that runs each and the size of libuniq.so without symbols. The programs are those
of build/release, or of the build folder that UNIQ_BUILD names.

examples:
  bench/scaling.sh
  bench/scaling.sh --bits w2a2 --rounds 20
  bench/scaling.sh --network mobilenetv2 --bits w8a8,w4a4
  UNIQ_ISA=avx2 bench/scaling.sh
TEXT
}

network=preact_resnet18
bits=w8a8,w2a2,w1a1
arguments=()
while (($# > 0)); do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --network | --bits)
      (($# > 1)) || { usage >&2; exit 2; }
      [[ "$1" == --network ]] && network="$2" || bits="$2"
      shift 2 ;;
    *) arguments+=("$1"); shift ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
build="${UNIQ_BUILD:-build/release}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

models=()
for width in ${bits//,/ }; do
  "$build/bin/uniqnn" pack --random "$network" --bits "$width" -o "$folder/$width.uniq" >/dev/null
  models+=("$width.uniq")
done
program="$(realpath "$build/bin/bench_scaling")"
cd "$folder"
"$program" "${models[@]}" "${arguments[@]}"
echo
for model in "${models[@]}"; do
  echo "peak memory, $model: $("$program" --memory "$model") MiB"
done
cd - >/dev/null
strip -o "$folder/libuniq.so" "$build/lib/libuniq.so"
echo "libuniq.so without symbols: $(($(stat -c %s "$folder/libuniq.so") / 1024)) KiB"
echo
echo "goals, pre-activation ResNet-18: two threads 1.85 times as fast as one at w8a8, 1.75 at w2a2 and"
echo "1.6 at w1a1; a batch of 8 at most 1.03 a picture; sessions side by side at most 1.10; 40 MiB at"
echo "w2a2; libuniq.so 3 MiB"
