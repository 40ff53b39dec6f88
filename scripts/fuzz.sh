#!/usr/bin/env bash
# Builds the fuzzers of the readers of files and runs them. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/fuzz.sh [--runs N] [--table] [--help] [NAME...]

Builds the fuzzers in build/fuzz/ (clang, with the address and undefined-behaviour sanitizers) and
runs them one after the other, all or those that are named (packed, graph, ...). Each begins with
tests/<module>/corpus/<name>/ and with what its earlier runs found, in build/fuzz/found/<name>/corpus/.
An input that makes one fail is kept in build/fuzz/found/<name>/, and the exit status is 1.

At the end it prints what was run so far in this build folder, as the table of docs/fuzzing.md.

  --runs N   N inputs for each fuzzer instead of a time
  --table    prints that table and runs nothing

Environment:
  UNIQ_FUZZ_SECONDS   time for each fuzzer, 60 by default
  UNIQ_FUZZ_FOLDER    a build folder whose fuzzers are run as they are, instead of build/fuzz/
TEXT
}

runs=
table=
names=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --table) table=1 ;;
    --runs)
      runs="${2:-}"
      if [[ ! "$runs" =~ ^[1-9][0-9]*$ ]]; then
        echo "fuzz.sh: error: --runs: got '$runs', expected a number of inputs" >&2
        exit 2
      fi
      shift
      ;;
    -*)
      echo "fuzz.sh: error: unknown argument: got $1, expected --runs, --table, --help or a name" >&2
      exit 2
      ;;
    *) names+=("$1") ;;
  esac
  shift
done

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$UNIQ_ROOT"

# One line for each run of a fuzzer: name, inputs, seconds, inputs that failed.
readonly folder="${UNIQ_FUZZ_FOLDER:-build/fuzz}"
readonly log="$folder/runs.txt"

print_table() {
  echo "| reader | inputs | seconds | failed |"
  echo "|---|--:|--:|--:|"
  [[ -f "$log" ]] || return 0
  awk '
    { inputs[$1] += $2; seconds[$1] += $3; failed[$1] += $4 }
    END { for (name in inputs)
            printf "| `%s` | %.2f M | %d | %d |\n", name, inputs[name] / 1e6, seconds[name],
                   failed[name] }' "$log" | sort
}

# run_fuzzer PROGRAM: notes in the log what libFuzzer says of the run.
run_fuzzer() {
  local program="$1" name found dictionary output status=0
  local -a limit=(-max_total_time="${UNIQ_FUZZ_SECONDS:-60}") corpora
  [[ -z "$runs" ]] || limit=(-runs="$runs")
  name="$(basename "$program" _fuzz)"
  found="$folder/found/$name"
  mkdir -p "$found/corpus"
  corpora=("$found/corpus" tests/*/corpus/"$name"/)
  dictionary="$(compgen -G "tests/*/corpus/$name.dict" || true)"
  output="$found/output.txt"
  say "$name"
  local start=$SECONDS
  "$program" "${limit[@]}" ${dictionary:+-dict="$dictionary"} -timeout=25 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$found/" "${corpora[@]}" >"$output" 2>&1 || status=$?
  case "$status" in
    72 | 130 | 143) exit 130 ;;  # libFuzzer's status when it is interrupted, and the signals' own
  esac
  [[ "$status" == 0 ]] || cat "$output"
  awk -v name="$name" -v seconds=$((SECONDS - start)) -v failed=$((status != 0)) '
    /^stat::number_of_executed_units:/ { inputs = $2 }
    END { printf "%s %d %d %d\n", name, inputs, seconds, failed }' "$output" | tee -a "$log"
  return "$status"
}

# Prints the fuzzers that this checkout has: the folder may hold others, of earlier ones.
present() {
  local program
  find "$folder/fuzz" -name '*_fuzz' -type f -executable | sort | while IFS= read -r program; do
    ! compgen -G "tests/*/corpus/$(basename "$program" _fuzz)/" >/dev/null || echo "$program"
  done
}

# Prints the fuzzers to run; fails for a name that none has.
chosen() {
  local name
  [[ ${#names[@]} -gt 0 ]] || present
  for name in "${names[@]}"; do
    [[ -x "$folder/fuzz/${name}_fuzz" ]] || fail "no fuzzer of that name: got $name, expected one of" \
      "$(present | sed 's/.*\///; s/_fuzz$//' | tr '\n' ' ')"
    echo "$folder/fuzz/${name}_fuzz"
  done
}

status=0
if [[ -z "$table" ]]; then
  if [[ -z "${UNIQ_FUZZ_FOLDER:-}" ]]; then
    configure fuzz
    build fuzz fuzzers
  fi
  programs="$(chosen)"
  [[ -n "$programs" ]] || fail "no fuzzer in $folder/fuzz: expected a build folder of the preset fuzz"
  while IFS= read -r program; do
    run_fuzzer "$program" || status=1
  done <<<"$programs"
  say "Run so far, with the address and undefined-behaviour sanitizers"
fi
print_table
exit "$status"
