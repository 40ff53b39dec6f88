#!/usr/bin/env python3
"""Checks that the sources keep to the layers of docs/architecture.md.

Usage: layering.py SOURCE_FOLDER [--torch-free FILE]... [--program PROGRAM]
  - a file of uniq/Y includes only uniq/Y and folders above it in uniq/CMakeLists.txt
  - no LibTorch header above the line in that file (the folders outside `if(UNIQ_TRAINING)`)
  - nothing that FILEs reach by includes, and no library that PROGRAM names, is LibTorch's
  - no cycle of includes, and no file longer than 400 lines
Prints each violation; exits with 1 if there is any.
"""

import argparse
import pathlib
import re
import subprocess
import sys

LONGEST = 400
SOURCES = {".h", ".cpp", ".inc", ".py", ".sh", ".cmake", ".txt"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
TORCH_LIBRARY = re.compile(r"lib(torch|c10|uniq_ops)")
PROGRAMS = "cli"  # the one folder whose files belong to programs with and without LibTorch


def read_layers(root):
    """The folders of uniq/ in order, and those of them that include LibTorch."""
    order, training, inside = [], set(), False
    for line in (root / "uniq/CMakeLists.txt").read_text().splitlines():
        words = line.strip()
        if words.startswith("if(UNIQ_TRAINING"):
            inside = True
        elif words.startswith("endif"):
            inside = False
        elif match := re.match(r"add_subdirectory\((\w+)\)", words):
            order.append(match[1])
            if inside:
                training.add(match[1])
    return order, training


def includes_of(path):
    return INCLUDE.findall(path.read_text())


def sources(root):
    return sorted(path for path in (root / "uniq").rglob("*") if path.suffix in {".h", ".cpp", ".inc"})


def check_order(root, order, training):
    for path in sources(root):
        name = path.relative_to(root)
        folder = name.parts[1]
        if folder not in order:
            yield f"{name}: uniq/{folder} has no place in uniq/CMakeLists.txt"
            continue
        for included in includes_of(path):
            if TORCH.match(included) and folder not in training and folder != PROGRAMS:
                yield f"{name}: includes {included}, but uniq/{folder} is above the line"
            match = re.match(r"uniq/(\w+)/", included)
            if match is None:
                continue
            if match[1] not in order:
                yield f"{name}: includes {included}, a folder that uniq/CMakeLists.txt does not name"
            elif order.index(match[1]) > order.index(folder):
                yield f"{name}: includes {included}, which is below uniq/{folder}"


def check_cycles(root):
    graph = {str(path.relative_to(root)): [name for name in includes_of(path)
                                           if (root / name).is_file()]
             for path in sources(root)}
    done, on_path = set(), []

    def visit(name):
        if name in on_path:
            yield "cycle of includes: " + " -> ".join(on_path[on_path.index(name):] + [name])
            return
        if name in done:
            return
        done.add(name)
        on_path.append(name)
        for included in graph.get(name, []):
            yield from visit(included)
        on_path.pop()

    for name in graph:
        yield from visit(name)


def check_length(root):
    for folder in ("uniq", "tests", "bench", "cmake", "scripts"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in SOURCES or not path.is_file():
                continue
            lines = len(path.read_text().splitlines())
            if lines > LONGEST:
                yield f"{path.relative_to(root)}: got {lines} lines, expected at most {LONGEST}"


def check_torch_free(root, files):
    """Follows the includes of files that make up a program without LibTorch."""
    waiting = [(root / file, str(file)) for file in files]
    seen = set()
    while waiting:
        path, way = waiting.pop()
        for included in includes_of(path):
            if TORCH.match(included):
                yield f"{way} -> {included}: LibTorch in a program that must do without"
            elif (root / included).is_file() and included not in seen:
                seen.add(included)
                waiting.append((root / included, f"{way} -> {included}"))


def check_program(program):
    """Every library that would be loaded with it, those of its libraries included."""
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        if TORCH_LIBRARY.search(line.split("=>")[0]):
            yield f"{program}: needs {line.split()[0]}"


def violations(root, torch_free=(), program=None):
    order, training = read_layers(root)
    yield from check_order(root, order, training)
    yield from check_cycles(root)
    yield from check_length(root)
    yield from check_torch_free(root, torch_free)
    if program:
        yield from check_program(program)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--torch-free", action="append", default=[])
    parser.add_argument("--program")
    arguments = parser.parse_args()
    found = list(violations(arguments.root, arguments.torch_free, arguments.program))
    print("\n".join(found) or "the layers hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
