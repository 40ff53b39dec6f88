"""Times packed networks without each trick of the runtime. ablation.sh starts it."""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

DESCRIPTION = """\
Times packed models with everything, and with each trick switched off in turn
(`uniqnn bench --without`): ratios of the least times, and of the medians. Each call of the program
first compares its result with that of the scalar kernels, bit for bit. Kernels are tuned first, into
a file of this run's own, so that `tuning` shows what the model of cost alone would lose; what a
model does not use is left out.
"""

EXAMPLES = """\
examples:
  build/release/bin/uniqnn pack --random preact_resnet18 --bits w2a2 -o w2a2.uniq
  bench/ablation.sh w2a2.uniq
  bench/ablation.sh w8a8.uniq w2a2.uniq w1a1.uniq --threads 2 --rounds 10
  UNIQ_ISA=avx2 bench/ablation.sh w2a2.uniq --json
"""

# What is no kernel, in the words of `uniqnn bench --help`.
TRICKS = ["fusing", "chains", "thresholds", "reciprocal", "folding", "layouts", "tuning"]


class Failure(Exception):
    """What is told without a trace."""


class Program:
    """`uniqnn bench`, with a cache of its own."""

    def __init__(self, path, threads, cache):
        self.arguments = [str(path), "bench", "--json", "--threads", str(threads)]
        self.environment = {**os.environ, "UNIQ_CACHE": str(cache)}
        if not pathlib.Path(path).exists():
            raise Failure(f"{path} is not there; build it (cmake --build --preset release), or "
                          "name one by --program")

    def bench(self, model, *more):
        """Its JSON."""
        done = subprocess.run([*self.arguments, str(model), *map(str, more)], text=True,
                              capture_output=True, env=self.environment, check=False)
        if done.returncode != 0:
            raise Failure(done.stderr.strip())
        return json.loads(done.stdout)


def ways(layers):
    """The ways of the kernels that compute convolutions of codes, as --without names them."""
    found = [re.fullmatch(r"[a-z0-9_]+\.([a-z]+).*", layer["kernel"]) for layer in layers]
    names = {match[1] for match in found if match}
    return sorted(names - {"float", "reference"})


def turns(program, model, variants, rounds, runs):
    """{variant: [(least ms, median ms) of each turn]}; each round begins with another one."""
    times = {variant: [] for variant in variants}
    for turn in range(rounds):
        first = turn % len(variants)
        for variant in variants[first:] + variants[:first]:
            more = ["--without", variant] if variant else []
            found = program.bench(model, "--runs", runs, *more)
            times[variant].append((found["min_ms"], found["median_ms"]))
    return times


def rows(times):
    """One of each variant, "" being everything, and its ratios to that."""
    found = [{"without": variant, "min_ms": min(least for least, _ in own),
              "median_ms": statistics.median(median for _, median in own)}
             for variant, own in times.items()]
    whole = next(row for row in found if not row["without"])
    return [{**row, "ratio_min": row["min_ms"] / whole["min_ms"],
             "ratio_median": row["median_ms"] / whole["median_ms"]} for row in found]


def table(of_model):
    """Lines of text."""
    lines = [f"{'':<22}{'min ms':>9}{'median ms':>11}{'ratio (min)':>13}{'ratio (median)':>16}"]
    for row in of_model:
        name = "without " + row["without"] if row["without"] else "everything"
        lines.append(f"{name:<22}{row['min_ms']:>9.3f}{row['median_ms']:>11.3f}"
                     f"{row['ratio_min']:>13.3f}{row['ratio_median']:>16.3f}")
    return lines


def measure(arguments, model):
    """The rows of a model, and what the program says of itself."""
    with tempfile.TemporaryDirectory(prefix="uniqnn-ablation-") as cache:
        program = Program(arguments.program, arguments.threads, cache)
        about = program.bench(model, "--tune", "--layers", "--runs", 1)
        variants = ["", *TRICKS, *ways(about["layers"])]
        return rows(turns(program, model, variants, arguments.rounds, arguments.runs)), about


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/ablation.sh", description=DESCRIPTION,
                                     epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.uniq")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default %(default)s)")
    parser.add_argument("--runs", type=int, default=100,
                        help="pictures in a turn (default %(default)s)")
    parser.add_argument("--program", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[1]
                        / "build/release/bin/uniqnn", help="default build/release/bin/uniqnn")
    parser.add_argument("--json", action="store_true", help="all numbers, for machines")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    found = []
    for model in options.models:
        of_model, about = measure(options, model)
        found.append({"model": str(model), "engine": about["engine"], "cpu": about["cpu"],
                      "threads": about["threads"], "rows": of_model})
        if not options.json:
            print(f"{model}: {about['engine']}, {about['cpu']}, threads {about['threads']}")
            print("\n".join(table(of_model)) + "\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        sys.exit(f"bench/ablation.sh: error: {failure}")
