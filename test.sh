#!/usr/bin/env bash
# Builds and tests everything. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--full] [--help]

Installs what is missing, as quickstart.sh does, and TensorBoard for one test, and then
  - checks the format of the sources,
  - builds build/release/ and runs all tests in it,
  - builds what needs no LibTorch with the address and undefined-behaviour sanitizers in build/asan/
    and runs its tests,
  - builds what packs and runs models for 64-bit ARM in build/aarch64/ and runs the tests of the
    kernels and the runtime under qemu-user.
30 minutes on two cores of an AMD Zen 4 where nothing is built, more on slower ones; less where
something is built already.

--full adds exhaustive sweeps in the tests (UNIQ_FULL=1), the kernels and the runtime of
build/release/ on emulated x86-64 CPUs (the baseline alone, and AVX2), the thread sanitizer over what
shares work between threads (build/tsan/), the other sanitizers over what includes LibTorch
(build/asan-training/), clang-tidy, and every fuzzer (build/fuzz/): some two hours on such a CPU.

Environment:
  Torch_DIR, CMAKE_PREFIX_PATH   a LibTorch 2.13 to use instead of installing one
  UNIQ_FUZZ_SECONDS              time for each fuzzer, 60 by default
TEXT
}

full=
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --full) full=1 ;;
    *)
      echo "test.sh: error: unknown argument: got $argument, expected --full or --help" >&2
      exit 2
      ;;
  esac
done

source "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"
cd "$UNIQ_ROOT"

# One line for each step that ran, and what it says more; what fails does not keep the others from
# running.
summary=()
details=
built=
failed=

# step NAME COMMAND...: runs it, notes how it ended and how long it took, building and testing apart.
step() {
  local name="$1" start=$SECONDS result=passed times
  shift
  details= built=
  say "$name"
  "$@" || { result=FAILED; failed=1; }
  times="$((SECONDS - start)) s"
  [[ -z "$built" ]] || times+=": building $built s, testing $((SECONDS - start - built)) s"
  summary+=("$(printf '%-42s %s  (%s)' "$name" "$result" "$times")")
  [[ -z "$details" ]] || summary+=("$details")
}

# run_tests PRESET [FOLDER]: ctest, its closing lines, and why tests were skipped. FOLDER: the build's,
# where it has not the preset's name.
run_tests() {
  local preset="$1" ctest log="build/ctest-$1.log" status=0
  local all="build/${2:-$1}/Testing/Temporary/LastTest.log"
  ctest="$(dirname "$(find_cmake)")/ctest"
  "$ctest" --preset "$preset" --parallel "$(nproc)" 2>&1 | tee "$log" || status=1
  details="$(sed -n '/% tests passed/,$p' "$log" | sed '/^$/d; s/^/    /'
    awk '/: Skipped$/ { getline; print "    skipped because " $0 }' "$all" | sort -u)"
  return "$status"
}

# test_preset PRESET [TARGET...]: configure, build (all, or the targets), and run the tests.
test_preset() {
  local start=$SECONDS status=0
  (configure "$1" && build "$@") || status=1
  built=$((SECONDS - start))
  [[ "$status" == 0 ]] && run_tests "$1"
}

run_fuzzers() {
  local status=0
  scripts/fuzz.sh || status=1
  details="$(scripts/fuzz.sh --table | sed 's/^/    /')"
  return "$status"
}

groups=(build test)
if [[ -n "$full" ]]; then
  groups+=(full)
  export UNIQ_FULL=1
fi
install_packages "${groups[@]}"
find_or_install_torch
install_tensorboard

step "Format" scripts/format.sh --check
step "Tests of the release build" test_preset release
step "Tests under sanitizers, without LibTorch" test_preset asan
step "Kernels and runtime for ARM, under qemu" test_preset aarch64 uniq_base_test uniq_kernels_test \
  uniq_runtime_test
if [[ -n "$full" ]]; then
  step "Kernels and runtime on emulated x86-64 CPUs" run_tests emulated release
  step "What shares threads, under the thread sanitizer" test_preset tsan \
    uniq_base_test uniq_data_test uniq_runtime_test
  # LibTorch is not instrumented, and what it keeps until the end would count as leaked.
  export ASAN_OPTIONS=detect_leaks=0
  step "Tests under sanitizers, everything" test_preset asan-training
  unset ASAN_OPTIONS
  step "clang-tidy" scripts/tidy.py
  step "clang-tidy of what is built for ARM alone" scripts/tidy.py build/aarch64 "/uniq/kernels/.*neon"
  step "Fuzzers" run_fuzzers
fi

say "Summary ($((SECONDS / 60)) min $((SECONDS % 60)) s)"
printf '%s\n' "${summary[@]}"
[[ -z "$failed" ]]
