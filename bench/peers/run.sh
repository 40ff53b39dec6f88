#!/usr/bin/env bash
# Times packed networks against the int8 engines of others, on the same network. See --help.
set -euo pipefail

exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/compare.py" "$@"
