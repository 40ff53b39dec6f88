#!/usr/bin/env python3
"""Says what pip would install with LibTorch, and warns where that is a build for CUDA.

Usage: torch_report.py REPORT, the file that `pip install --dry-run --report` writes. Exits with 3
where it warns.
"""

import json
import sys

CUDA_PREFIXES = ("nvidia-", "cuda-", "pytorch-triton", "triton")

WARNING = """\
NOTE: pip takes a build for CUDA here: {count} more packages ({some}), a download of several GB.
It works, but a machine without an NVIDIA GPU has no use for it. To avoid it, press Ctrl-C and
  - set PIP_INDEX_URL to PyTorch's CPU package index (the "CPU" choice on PyTorch's installation
    page shows its address) and run this script again, or
  - give a LibTorch 2.13 that is here already: set Torch_DIR to its share/cmake/Torch, or
    CMAKE_PREFIX_PATH to the folder that holds it.
"""


def packages(report):
    """Name and version of each package that would be installed."""
    return [(item["metadata"]["name"].lower(), item["metadata"]["version"])
            for item in report["install"]]


def message(report):
    """The text, and whether it is a warning."""
    found = packages(report)
    cuda = [name for name, _ in found if name.startswith(CUDA_PREFIXES)]
    if cuda:
        some = ", ".join(cuda[:3]) + (", ..." if len(cuda) > 3 else "")
        return WARNING.format(count=len(cuda), some=some), True
    version = dict(found).get("torch", "?")
    return f"torch {version} and {len(found) - 1} small packages, about 200 MB to download.", False


def main(path):
    with open(path, encoding="utf-8") as file:
        text, warning = message(json.load(file))
    print(text, flush=True)
    return 3 if warning else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
