"""Times packed networks of this project against the int8 engines of others. run.sh starts it."""

import argparse
import datetime
import json
import pathlib
import re
import sys

import engines
import machine
import prepare
import program
import table

NETWORKS = ["preact_resnet18", "preact_resnet34", "mobilenetv2"]

DESCRIPTION = """\
Times packed networks of this project against OpenVINO, ONNX Runtime and ExecuTorch (XNNPACK), all
at per-channel int8, on the same network with random weights, 224x224: in turns, each engine in a
process of its own, results checked first. What is missing is installed into build/peers/ (about
1.6 GB).
"""

EXAMPLES = """\
examples:
  bench/peers/run.sh                                       pre-activation ResNet-18, w8a8 and w2a2
  bench/peers/run.sh --bits w8a8,w4a4,w2a2,w1a1 --rounds 10
  bench/peers/run.sh --network mobilenetv2 --bits w8a8,w4a4 --json results.json
  bench/peers/run.sh --isa avx2 --bits w8a8,w2a2           both held to AVX2; OpenVINO alone can be
  bench/peers/run.sh trained.uniq --bits ''                a packed file of that topology
  bench/peers/run.sh --bits w2a2 --per-layer               beside OpenVINO's layers
"""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/peers/run.sh", description=DESCRIPTION,
                                     epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=pathlib.Path, metavar="MODEL.uniq",
                        help="packed models to time")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0],
                        help="default %(default)s")
    parser.add_argument("--bits", default="w8a8,w2a2", metavar="LIST",
                        help="packed models with random weights to make and time; '' for none "
                             "(default %(default)s)")
    parser.add_argument("--ends", choices=["8", "fp32"], help="of those: first and last layer")
    parser.add_argument("--shortcut", choices=["body", "fp32"],
                        help="of those: convolutions on shortcuts")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")
    parser.add_argument("--batch", type=int, default=1, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=5,
                        help="turns of each engine (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0,
                        help="timed in a turn of a peer (default %(default)s)")
    parser.add_argument("--warm-up", type=float, default=0.5, metavar="SECONDS",
                        help="before it (default %(default)s)")
    parser.add_argument("--isa", choices=engines.ISAS, default="",
                        help="hold OpenVINO and this project to these instructions; the other "
                             "engines cannot be held and are left out")
    parser.add_argument("--per-layer", action="store_true",
                        help="then, each layer beside OpenVINO's int8 layer")
    parser.add_argument("--program", default=engines.ROOT / "build/release/bin/uniqnn",
                        metavar="UNIQNN", help="default build/release/bin/uniqnn")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="all of it, for machines")
    parsed = parser.parse_args(arguments)
    parsed.bits = [bits for bits in parsed.bits.split(",") if bits]
    for bits in parsed.bits:
        if not re.fullmatch(r"w[1-8]a[1-8]", bits):
            parser.error(f"--bits: got {bits}, expected such as w2a2")
    for name in ("threads", "batch", "rounds"):
        if getattr(parsed, name) < 1:
            parser.error(f"--{name}: got {getattr(parsed, name)}, expected at least 1")
    return parsed


def refuse_isa(isa, flags):
    missing = [flag for flag in engines.ISAS[isa][1] if flag not in flags] if isa else []
    if missing:
        raise engines.Failure(f"--isa {isa}: this CPU has no {', '.join(missing)}")


def check_all(rows, folder, threads):
    """Prints what each engine proved; raises at the first that does not."""
    versions = {}
    for engine in rows:
        found = engine.check(folder, threads)
        versions[engine.label] = found
        layers = "; ".join(
            f"{kind}: {layer['int8']} of {layer['all']} in int8 "
            f"({engines.describe(layer['kinds'])})"
            for kind, layer in found["layers"].items())
        print(f"{engine.label} {found['version']}: logits of {found['pictures']} pictures within "
              f"{100 * found['error']:.2g} % of fp32, {100 * found['error_of_difference']:.2g} % "
              f"of what pictures differ in; {layers}", flush=True)
    return versions


def take_turns(actions, rounds):
    """{name: [result of each turn]}; each round begins with another."""
    turns = {name: [] for name in actions}
    names = list(actions)
    for i in range(rounds):
        for name in names[i % len(names):] + names[:i % len(names)]:
            turns[name].append(actions[name]())
        print(f"round {i + 1} of {rounds}", file=sys.stderr, flush=True)
    return turns


def packed_models(arguments):
    """{name: path}: made here first, then those that were named."""
    models = {}
    for bits in arguments.bits:
        models[f"uniqnn {bits}"] = prepare.packed(
            arguments.program, arguments.network, bits, arguments.ends, arguments.shortcut)
    for path in arguments.models:
        if not path.exists():
            raise engines.Failure(f"model: {path} is not there")
        models[f"uniqnn {path.name if path.name not in models else path}"] = path
    return models


def heading(arguments, about, load):
    held = f", OpenVINO and uniqnn held to {arguments.isa}" if arguments.isa else ""
    lines = [f"{arguments.network}, 224x224, batch {arguments.batch}, {arguments.threads} threads"
             f"{held}; {arguments.rounds} rounds",
             f"{about['cpu']} (family {about['family']}, model {about['model']}), "
             f"{about['cores']} cores: {' '.join(about['flags'])}"]
    if load > 0.05:
        lines.append(f"NOTE: others used {100 * load:.0f} % of this machine's cores before the "
                     "first turn; repeat this where they do not.")
    if "amx_int8" in about["flags"] and not arguments.isa:
        lines.append("OpenVINO multiplies on AMX tiles here; --isa avx512_vnni holds it to "
                     "vectors.")
    return lines


def compare(arguments):
    about = machine.about()
    refuse_isa(arguments.isa, about["flags"])
    ours = program.Program(arguments.program, arguments.isa)
    peers = engines.peers(arguments.isa)
    environments = list(dict.fromkeys(peer.environment for peer in peers))
    prepare.install(dict.fromkeys(["executorch", *environments]))
    folder = prepare.models(arguments.network, arguments.batch, arguments.seed, environments)
    models = packed_models(arguments)
    for path in models.values():  # refuses now what it would refuse in the first round
        ours.bench(path, arguments.threads, arguments.batch, "--runs", 1)
    checks = check_all(peers, folder, arguments.threads)

    load = machine.used_by_others()
    actions = {peer.label: lambda peer=peer: peer.time(
        folder, arguments.threads, arguments.seconds, arguments.warm_up) for peer in peers}
    actions |= {name: lambda path=path: ours.bench(path, arguments.threads, arguments.batch)
                for name, path in models.items()}
    turns = take_turns(actions, arguments.rounds)

    rows = [{"name": f"{peer.label}, {checks[peer.label]['version']}", "int8_peer": peer.int8,
             **table.summary(turns[peer.label])} for peer in peers]
    rows += [{"name": f"{name} ({turns[name][0]['isa']})", "int8_peer": False,
              **table.summary(turns[name])} for name in models]
    rows = table.with_ratios(rows)
    lines = heading(arguments, about, load)
    print("\n" + "\n".join([*lines, "", *table.table(rows)]))
    results = {"date": datetime.date.today().isoformat(), "network": arguments.network,
               "batch": arguments.batch, "threads": arguments.threads, "isa": arguments.isa,
               "rounds": arguments.rounds, "machine": about, "used_by_others": load,
               "uniqnn": ours.version(), "checks": checks, "rows": rows}
    if arguments.per_layer:
        results["layers"] = per_layer(arguments, peers, folder, ours, models)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def per_layer(arguments, peers, folder, ours, models):
    """Prints and gives the least time of each layer, in turns."""
    openvino = next(peer for peer in peers if peer.int8)
    actions = {openvino.label: lambda: openvino.call(
        folder, arguments.threads, "layers", "--seconds", arguments.seconds)}
    actions |= {name: lambda path=path: ours.layer_times(path, arguments.threads, arguments.batch)
                for name, path in models.items()}
    layers = {name: table.least(turns)
              for name, turns in take_turns(actions, arguments.rounds).items()}
    print(f"\nLeast ms of each layer with what follows it (pools, batch norms, ReLUs); the peer is "
          f"{openvino.label}; ratios to it in brackets")
    print("\n".join(table.layer_table(layers[openvino.label],
                                      {name: layers[name] for name in models})))
    return layers


def main():
    arguments = parse(sys.argv[1:])
    try:
        compare(arguments)
    except engines.Failure as failure:
        print(f"bench/peers: error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
