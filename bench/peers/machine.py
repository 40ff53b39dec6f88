"""What machine this is, and whether others use it."""

import os
import pathlib
import re
import time

# The instructions that matter here, as /proc/cpuinfo names them.
FLAGS = ["avx2", "avx_vnni", "avx512bw", "avx512_vnni", "avx512vbmi", "avx512_vpopcntdq",
         "avx512_bf16", "amx_int8"]


def about():
    """The CPU's name and those of its instructions that matter."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([^\t:]+)\s*: (.*)$", text.split("\n\n")[0], re.MULTILINE))
    flags = fields.get("flags", "").split()
    return {"cpu": fields.get("model name", "unknown"), "family": fields.get("cpu family"),
            "model": fields.get("model"), "cores": os.cpu_count(),
            "flags": [flag for flag in FLAGS if flag in flags]}


def used_by_others(seconds=1.0):
    """The share of all cores that others use now; this process sleeps meanwhile."""
    def ticks():
        line = pathlib.Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0]
        values = [int(value) for value in line.split()[1:9]]
        return sum(values), values[3] + values[4]  # all; idle, and waiting for a disk

    before, idle_before = ticks()
    time.sleep(seconds)
    after, idle_after = ticks()
    return 1.0 - (idle_after - idle_before) / max(after - before, 1)
