#!/usr/bin/env python3
"""Makes a compile database for clang-tidy out of the build's, and lists its sources.

Usage: tidy_database.py DATABASE SOURCE_FOLDER PATTERN OUTPUT. Keeps the files below SOURCE_FOLDER
whose path matches PATTERN, drops what is GCC's alone (precompiled headers, options that clang does
not know), writes OUTPUT and prints the files' names, each ended by a zero byte.
"""

import json
import pathlib
import re
import shlex
import sys

GCC_ONLY = {"-fno-schedule-insns", "-fpch-preprocess", "-Winvalid-pch"}


def cleaned(command):
    """The command without a compiler launcher, GCC's own options and its precompiled header."""
    words = shlex.split(command)
    compiler = next(i for i, word in enumerate(words) if re.search(r"(\+\+|cc|clang)[-0-9.]*$", word))
    kept = []
    words = iter(words[compiler:])
    for word in words:
        if word in GCC_ONLY:
            continue
        if word == "-include":
            next(words)
            continue
        kept.append(word)
    return shlex.join(kept)


def main(database, folder, pattern, output):
    with open(database, encoding="utf-8") as file:
        entries = json.load(file)
    build = f"{pathlib.Path(database).parent.resolve()}/"
    chosen = [dict(entry, command=cleaned(entry["command"])) for entry in entries
              if entry["file"].startswith(folder + "/") and not entry["file"].startswith(build)
              and re.search(pattern, entry["file"][len(folder):])]
    with open(output, "w", encoding="utf-8") as file:
        json.dump(chosen, file, indent=1)
    for name in sorted({entry["file"] for entry in chosen}):
        sys.stdout.write(name + "\0")


if __name__ == "__main__":
    main(*sys.argv[1:5])
