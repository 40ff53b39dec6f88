"""What the workers share: one engine, one model, one process that checks or times it.

    worker_<engine>.py FOLDER MODEL [--threads N] check|time|layers

prints one line of JSON. A process lives for one turn: the threads of a live one may spin, which
spoils the others' times by up to two times.
"""

import argparse
import json
import pathlib
import statistics
import time

import numpy


def errors(logits, expected):
    """Relative to the logits, and to what they differ in from picture to picture."""
    distance = float(numpy.linalg.norm(logits - expected))
    varies = float(numpy.linalg.norm(expected - expected.mean(0)))
    return {"error": distance / float(numpy.linalg.norm(expected)),
            "error_of_difference": distance / varies}


def check(engine, folder):
    """Logits on the pictures against PyTorch's in fp32, and what each layer runs in."""
    pictures = numpy.load(folder / "pictures.npy")
    expected = numpy.load(folder / "logits.npy")
    size = engine.batch
    logits = numpy.concatenate([engine.infer(pictures[i:i + size]).copy()
                                for i in range(0, len(pictures), size)])
    return {"version": engine.version, "pictures": len(pictures), **errors(logits, expected),
            "layers": engine.layers()}


def measure(run, warm_up, seconds):
    """Times run() for so many seconds, after so many more."""
    end = time.perf_counter() + warm_up
    while time.perf_counter() < end:
        run()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return {"min_ms": min(times), "median_ms": statistics.median(times), "runs": len(times)}


def main(load):
    """Does what the command line asks for.

    load(folder, model, threads, batch, profile) gives an engine: batch, version, infer(pictures),
    prepare(pictures), which gives what is timed, layers(), and layer_times(pictures, seconds) in
    one that is asked for them.
    """
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("command", choices=["check", "time", "layers"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--warm-up", type=float, default=0.5)
    arguments = parser.parse_args()

    folder = arguments.folder
    batch = json.loads((folder / "network.json").read_text(encoding="utf-8"))["batch"]
    engine = load(folder, arguments.model, arguments.threads, batch,
                  profile=arguments.command == "layers")
    if arguments.command == "check":
        result = check(engine, folder)
    else:
        pictures = numpy.load(folder / "pictures.npy")[:batch].copy()
        if arguments.command == "time":
            result = measure(engine.prepare(pictures), arguments.warm_up, arguments.seconds)
        else:
            result = engine.layer_times(pictures, arguments.seconds)
    print(json.dumps(result))
