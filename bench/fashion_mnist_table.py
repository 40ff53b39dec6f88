#!/usr/bin/env python3
"""Prints, as Markdown, the accuracies of the runs that bench/fashion_mnist.sh made.

    python3 bench/fashion_mnist_table.py runs/results/published
"""
import json
import pathlib
import statistics
import sys

# Top-1 of the published code under the same protocol: tests/golden/README.md.
PUBLISHED = {"fp32": [92.25], "w4a4": [92.70], "w3a3": [92.66], "w2a2": [91.60, 91.81],
             "w1a1": [88.93, 88.65]}


def read(folder):
    """{run: {seed: top-1}}, runs in the order in which they were made, seeds ascending."""
    found = {}
    for result in sorted(folder.glob("seed*/*/result.json"), key=lambda p: p.stat().st_mtime):
        seed = int(result.parent.parent.name.removeprefix("seed"))
        found.setdefault(result.parent.name, {})[seed] = json.loads(
            result.read_text(encoding="utf-8"))["test"]["top1"]
    return {name: dict(sorted(seeds.items())) for name, seeds in found.items()}


def mean(values):
    return statistics.fmean(values)


def published_table(runs):
    rows = ["| | top-1 by seed | mean | published code | difference | mean minus own fp32 "
            "| published minus its fp32 | difference |", "|---|---|---|---|---|---|---|---|"]
    for name, published in PUBLISHED.items():
        ours = runs.get(name, {})
        if not ours:
            continue
        drop = mean([ours[seed] - runs["fp32"][seed] for seed in ours])
        their_drop = mean(published) - mean(PUBLISHED["fp32"])
        rows.append(
            f"| {name} | {', '.join(f'{v:.2f}' for v in ours.values())} | {mean(ours.values()):.2f} "
            f"| {mean(published):.2f} | {mean(ours.values()) - mean(published):+.2f} | {drop:+.2f} "
            f"| {their_drop:+.2f} | {drop - their_drop:+.2f} |")
    return rows


def rivals_table(runs):
    rows = ["| | top-1 by seed | mean | spread (largest minus smallest) |", "|---|---|---|---|"]
    for name, ours in runs.items():
        values = list(ours.values())
        rows.append(f"| {name} | {', '.join(f'{v:.2f}' for v in values)} | {mean(values):.2f} "
                    f"| {max(values) - min(values):.2f} |")
    return rows


def main(folder):
    folder = pathlib.Path(folder)
    runs = read(folder)
    if not runs:
        sys.exit(f"fashion_mnist_table.py: no result.json below {folder}")
    table = published_table if folder.name == "published" else rivals_table
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main(*sys.argv[1:2])
