#!/usr/bin/env python3
"""Prints the table at the end of quickstart.sh.

Usage: quickstart_table.py FP32_RUN W2A2_RUN, the folders of the two runs, each with result.json and
what `uniqnn bench` measured: of best.safetensors in the first, of model.uniq in the second.
"""

import json
import pathlib
import sys

COMMANDS = [
    ("summary {run}/best.safetensors", "layers, bits, sizes"),
    ("inspect {run}/best.safetensors", "tensors and steps"),
    ("eval {run}/best.safetensors --per-class", "accuracy, class by class"),
    ("bench {run}/model.uniq --layers", "latency, layer by layer"),
    ("train recipes/quickstart/w4a4.yaml", "the same at 4 bits"),
]


def read_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def human_bytes(count):
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def human_seconds(seconds):
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def row(name, result):
    """One line: the sizes are those of the weights, packed to their bits."""
    ratio = result["fp32_weight_bytes"] / result["weight_bytes"]
    return (f"{name:<16}{result['test']['top1']:>7.2f} %{human_bytes(result['weight_bytes']):>12}"
            f"{ratio:>8.1f}x{human_seconds(result['seconds']):>15}")


def table(fp32, w2a2):
    reads = sorted({fp32["test_reads"], w2a2["test_reads"]})
    head = f"{'':<16}{'top-1':>9}{'weights':>12}{'smaller':>9}{'training':>15}"
    gap = fp32["test"]["top1"] - w2a2["test"]["top1"]
    behind = f"{abs(gap):.2f} points {'behind' if gap >= 0 else 'ahead of'} fp32"
    return "\n".join([
        f"Fashion-MNIST, test set, read {' / '.join(reads)}:", "",
        head, "-" * len(head), row("fp32", fp32), row("2-bit (w2a2)", w2a2), "",
        f"2 bits: {behind}; the first and the last layer have 8 bits."])


def deployed(fp32_bench, packed_bench, packed_bytes):
    """What the packed file takes, and how long one picture does."""
    fp32, packed = fp32_bench["min_ms"], packed_bench["min_ms"]
    threads = packed_bench["threads"]
    return "\n".join([
        f"Packed: {human_bytes(packed_bytes)}, everything included.",
        f"One picture, {threads} thread{'' if threads == 1 else 's'}, minimum: fp32 in LibTorch "
        f"{fp32:.3f} ms, packed 2 bits {packed:.3f} ms ({fp32 / packed:.1f}x)."])


def what_next(run):
    commands = [(f"build/release/bin/uniqnn {command.format(run=run)}", meaning)
                for command, meaning in COMMANDS]
    width = max(len(command) for command, _ in commands)
    return "\n".join(["What to type next:"] +
                     [f"  {command:<{width}}  {meaning}" for command, meaning in commands] +
                     ["docs/recipes.md lists every key of a recipe; recipes/ holds more of them."])


def main(fp32_run, w2a2_run):
    print()
    packed = pathlib.Path(w2a2_run) / "model.uniq"
    print(table(read_json(f"{fp32_run}/result.json"), read_json(f"{w2a2_run}/result.json")))
    print(deployed(read_json(f"{fp32_run}/best.safetensors.bench.json"),
                   read_json(f"{packed}.bench.json"), packed.stat().st_size))
    print()
    print(what_next(w2a2_run))


if __name__ == "__main__":
    main(*sys.argv[1:3])
