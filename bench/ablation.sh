#!/usr/bin/env bash
# What each trick of the runtime is worth: times networks without each of them, in turns. See --help.
set -euo pipefail

exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/ablation.py" "$@"
