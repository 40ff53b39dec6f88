#!/usr/bin/env python3
"""Runs clang-tidy over the sources of a build, as many at a time as there are CPUs; any finding is
an error.

Usage: scripts/tidy.py [BUILD_FOLDER [PATTERN]], by default build/release and all sources. PATTERN is
a regular expression for their paths in the checkout. The build has to be there, since it generates
headers. Files that the build compiles as one (CMAKE_UNITY_BUILD) are checked as one: most of the
time goes into the headers that they share.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
GCC_ONLY = {"-fno-schedule-insns", "-fpch-preprocess", "-Winvalid-pch"}
INCLUDE = re.compile(r'#include (<[^>]+>|"[^"]+\.h")')
NOISE = re.compile(r"^\d+ warnings? generated\.|^Suppressed |^Use -header")


def cleaned(command, file, replacement):
    """The command for another file, without a compiler launcher and what only GCC knows."""
    words = shlex.split(command)
    compiler = next(i for i, word in enumerate(words) if re.search(r"(\+\+|cc|clang)[-0-9.]*$", word))
    kept = []
    words = iter(words[compiler:])
    for word in words:
        if word in GCC_ONLY:
            continue
        if word == "-include":  # the precompiled header
            next(words)
            continue
        kept.append(replacement if word == file else word)
    return shlex.join(kept)


def sources_of(file, build):
    """The sources that are compiled with a file: itself, or what a file of the build includes.

    None that the build has generated is among them.
    """
    file = os.path.realpath(file)  # CMake keeps the path by which the checkout was reached
    if not file.startswith(f"{build}/"):
        return [file]
    if "/Unity/" not in file:
        return []
    included = re.findall(r'^#include "(.*)"$', pathlib.Path(file).read_text(encoding="utf-8"), re.M)
    return [source for source in map(os.path.realpath, included)
            if not source.startswith(f"{build}/")]


def merged(sources):
    """The lines of the sources, one behind the other, and the place (file, number) of each.

    clang's analyzer looks at functions of the main file alone, so the files are not included. An
    include of an earlier file becomes an empty line: that it stands twice is no finding.
    """
    lines, places, earlier = [], [], set()
    for source in sources:
        included = set()
        for number, line in enumerate(pathlib.Path(source).read_text(encoding="utf-8").split("\n"), 1):
            if include := INCLUDE.match(line):
                included.add(include[1])
                if include[1] in earlier:
                    line = ""
            lines.append(line)
            places.append((source, number))
        earlier |= included
    return lines, places


def chosen_units(build, pattern):
    """(entry of the compile database, its sources) of all that match, the longest lists first."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    units = {}
    for entry in entries:
        sources = sources_of(entry["file"], build)
        if any(source.startswith(f"{ROOT}/") and re.search(pattern, source[len(str(ROOT)):])
               for source in sources):
            units[tuple(sources)] = entry
    return sorted(((entry, sources) for sources, entry in units.items()), key=lambda unit: -len(unit[1]))


def copy_configurations(folder):
    """The files .clang-tidy of the checkout and of its folders, for what is written below `folder`."""
    for file in [ROOT / ".clang-tidy", *ROOT.glob("*/.clang-tidy")]:
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


def findings(entry, sources, folder):
    """What clang-tidy prints of one unit, in places of the sources, and whether it failed.

    folder: a new folder for what is written.
    """
    folder.mkdir(parents=True)
    file = folder / "together.cpp"
    lines, places = merged(sources)
    file.write_text("\n".join(lines), encoding="utf-8")
    entry = dict(entry, file=str(file), command=cleaned(entry["command"], entry["file"], str(file)))
    (folder / "compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
    result = subprocess.run(
        ["clang-tidy", "--quiet", "-p", folder, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, text=True)

    def place(match):
        source, number = places[int(match[1]) - 1]
        return f"{source}:{number}:"

    text = re.sub(re.escape(str(file)) + r":(\d+):", place, result.stdout)
    kept = [line for line in text.split("\n") if line and not NOISE.match(line)]
    return kept, result.returncode != 0


def main(build="build/release", pattern="/(uniq|tests|bench)/"):
    build = pathlib.Path(build).resolve()
    if not (build / "compile_commands.json").is_file():
        sys.exit(f"tidy.py: error: compile database ({build}/compile_commands.json): missing; build first")
    units = chosen_units(build, pattern)
    if not units:
        sys.exit(f"tidy.py: error: no source matches: got {pattern!r}, expected a part of a path")
    failed = False
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        copy_configurations(pathlib.Path(folder))
        runs = []
        for i, (entry, sources) in enumerate(units):
            part = pathlib.Path(sources[0]).relative_to(ROOT).parts[0]
            runs.append(pool.submit(findings, entry, sources, pathlib.Path(folder, part, str(i))))
        try:
            for done, run in enumerate(concurrent.futures.as_completed(runs), 1):
                lines, bad = run.result()
                failed = failed or bad
                print("\n".join([*lines, f"[{done}/{len(units)}]"]), flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            sys.exit(130)
    if failed:
        sys.exit("clang-tidy: findings, see above")
    print(f"clang-tidy: no findings in {len(set().union(*(unit[1] for unit in units)))} files")


if __name__ == "__main__":
    main(*sys.argv[1:3])
