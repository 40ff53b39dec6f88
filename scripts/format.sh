#!/usr/bin/env bash
# Formats the sources in place with clang-format; with --check, says which ones differ and fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(-i)
[[ "${1:-}" != --check ]] || mode=(--dry-run --Werror)
find uniq tests bench \( -name '*.h' -o -name '*.cpp' -o -name '*.inc' \) -print0 |
  xargs -0 clang-format "${mode[@]}"
