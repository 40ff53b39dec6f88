#!/usr/bin/env python3
"""Checks that files built for a newer instruction set share no function with the rest.

Usage: shared_symbols.py NM OBJECT...
A weak symbol is an inline function or template that the linker takes from any one object that has
it: from these, a CPU without the instruction set would get code that it cannot run. Prints each such
symbol; exits with 1 if there is any, or if no object is of that kind.
"""

import pathlib
import re
import subprocess
import sys

NEWER = re.compile(r"_(avx\w+|neon\w*)\.cpp\.o")


def main():
    nm, *objects = sys.argv[1:]
    newer = [path for path in objects if NEWER.search(pathlib.Path(path).name)]
    if not newer:
        print("no object file is built for a newer instruction set")
        return 1
    found = 0
    for path in newer:
        listing = subprocess.run([nm, "-C", "--defined-only", path], check=True,
                                 capture_output=True, text=True).stdout
        for line in listing.splitlines():
            kind, name = re.match(r"\w+ (\w) (.*)", line).groups()
            if kind == "W":  # V and u are data
                print(f"{pathlib.Path(path).name}: shares {name}")
                found = 1
    return found


if __name__ == "__main__":
    sys.exit(main())
