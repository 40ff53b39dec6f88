"""Opens an event file of ours with the real TensorBoard. Usage: tensorboard_read.py WRITE_EVENTS

Leaves with 77 (skipped) where the Python package tensorboard is not installed.
"""

import glob
import struct
import subprocess
import sys
import tempfile
import time

SKIPPED = 77

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIPPED)


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: got {got!r}, expected {expected!r}")


with tempfile.TemporaryDirectory() as folder:
    before = time.time()
    subprocess.run([sys.argv[1], folder], check=True)
    after = time.time()

    accumulator = EventAccumulator(folder)
    accumulator.Reload()
    check("tags", sorted(accumulator.Tags()["scalars"]), ["train/loss", "train/lr", "validation/top1"])
    loss = accumulator.Scalars("train/loss")
    check("steps", [event.step for event in loss], list(range(1, 41)))
    check("values", [event.value for event in loss], [float32(1 / step) for step in range(1, 41)])
    check("times", all(before <= event.wall_time <= after for event in loss), True)
    check("learning rates", {event.value for event in accumulator.Scalars("train/lr")}, {float32(0.1)})
    top1 = accumulator.Scalars("validation/top1")
    check("validation", [(event.step, event.value) for event in top1], [(40, 91.5)])
    check("first event", accumulator.file_version, 2.0)

    # The accumulator stops silently at a record with a wrong checksum; the loader counts them all.
    (path,) = glob.glob(f"{folder}/*tfevents*")
    check("events", len(list(LegacyEventFileLoader(path).Load())), 1 + 40 + 1)

print("TensorBoard reads every event")
