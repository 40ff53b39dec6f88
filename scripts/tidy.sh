#!/usr/bin/env bash
# Runs clang-tidy, two files at a time, over the sources in a build's compile database; any finding
# is an error. Usage: scripts/tidy.sh [BUILD_FOLDER [PATTERN]], by default build/tidy and all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build="${1:-build/tidy}"
pattern="${2:-/(uniq|tests|bench)/}"
[[ -f "$build/compile_commands.json" ]] || {
  echo "tidy.sh: error: compile database ($build/compile_commands.json): missing; configure first" >&2
  exit 1
}

# GCC's precompiled headers and a few of its options mean nothing to clang: the database is copied
# without them.
database="$(mktemp -d)"
trap 'rm -rf "$database"' EXIT
python3 scripts/tidy_database.py "$build/compile_commands.json" "$PWD" "$pattern" \
  "$database/compile_commands.json" |
  xargs -0 --no-run-if-empty --max-args=1 --max-procs="$(nproc)" \
    clang-tidy --quiet -p "$database" 2> >(grep -v 'warnings generated\|Suppressed\|Use -header' >&2)
echo "clang-tidy: no findings"
