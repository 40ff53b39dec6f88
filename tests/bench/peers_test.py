"""Tests of bench/peers without the engines: ratios, tables, arguments, what a check refuses."""

import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PEERS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.dont_write_bytecode = True
sys.path.insert(0, str(PEERS))

import compare  # noqa: E402
import engines  # noqa: E402
import machine  # noqa: E402
import table  # noqa: E402


def turn(least, median):
    return {"min_ms": least, "median_ms": median}


def rows():
    return table.with_ratios([
        {"name": "reference fp32", "int8_peer": False, **table.summary([turn(0.5, 9.0)])},
        {"name": "slow int8", "int8_peer": True, **table.summary([turn(4.0, 5.0)])},
        {"name": "fast int8", "int8_peer": True, **table.summary([turn(3.0, 4.0), turn(2.0, 8.0),
                                                                  turn(2.5, 2.75)])},
        {"name": "ours", "int8_peer": False, **table.summary([turn(1.0, 3.0)])}])


class Table(unittest.TestCase):
    def test_summary_is_the_least_and_the_median_of_medians(self):
        found = table.summary([turn(3.0, 4.0), turn(2.0, 8.0), turn(2.5, 2.75)])
        self.assertEqual((found["min_ms"], found["median_ms"]), (2.0, 4.0))
        self.assertEqual(len(found["turns"]), 3)

    def test_ratios_are_to_the_fastest_int8_peer(self):
        self.assertEqual([row["ratio_min"] for row in rows()], [0.25, 2.0, 1.0, 0.5])
        self.assertEqual([row["ratio_median"] for row in rows()], [2.25, 1.25, 1.0, 0.75])
        self.assertEqual([row["fastest_int8_peer"] for row in rows()], [False, False, True, False])

    def test_no_peer_no_ratio(self):
        alone = [{"name": "ours", "int8_peer": False, **table.summary([turn(1.0, 3.0)])}]
        self.assertEqual(table.with_ratios(alone), alone)
        self.assertEqual(table.table(alone)[2].split(), ["ours", "1.000", "3.000"])

    def test_lines(self):
        lines = table.table(rows())
        self.assertEqual(lines[-1].split(), ["ours", "1.000", "3.000", "0.500", "0.750"])
        self.assertTrue(lines[4].endswith("<- fastest int8 peer"))
        self.assertEqual(len({len(lines[i]) for i in (0, 1, 2, 3, 5)}), 1, lines)

    def test_least_of_turns(self):
        self.assertEqual(table.least([{"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 3.0}]),
                         {"a": 1.0, "b": 1.0})

    def test_what_follows_a_layer_counts_to_it(self):
        steps = [("input", 0.5), ("conv1", 1.0), ("maxpool", 0.25), ("conv2", 2.0), ("fc", 4.0)]
        self.assertEqual(table.with_what_follows(steps, {"conv1", "conv2", "fc"}),
                         {"input": 0.5, "conv1": 1.25, "conv2": 2.0, "fc": 4.0})

    def test_layers(self):
        lines = table.layer_table({"conv1": 0.25, "reorder": 0.5, "fc": 0.125},
                                  {"w8a8": {"conv1": 0.5, "fc": 0.25},
                                   "w2a2": {"input": 0.125, "conv1": 0.5, "fc": 0.0}})
        self.assertEqual([line.split() for line in lines[:-2]],
                         [["peer", "w8a8", "w2a2"],
                          ["conv1", "0.250", "0.500", "(2.00)", "0.500", "(2.00)"],
                          ["fc", "0.125", "0.250", "(2.00)", "0.000", "(0.00)"],
                          ["other", "0.500", "0.000", "(0.00)", "0.125", "(0.25)"],
                          ["sum", "0.875", "0.750", "(0.86)", "0.625", "(0.71)"]])
        self.assertEqual(lines[-2:], ["w8a8, slower than the peer: conv1 2.00, fc 2.00",
                                      "w2a2, slower than the peer: conv1 2.00"])
        self.assertEqual(len({len(line) for line in lines[:-2]}), 1)

    def test_layers_of_both_alone_make_no_other(self):
        lines = table.layer_table({"fc": 0.5}, {"w8a8": {"fc": 0.5024}})  # 1.00
        self.assertEqual([line.split()[0] for line in lines], ["peer", "fc", "sum", "w8a8,"])
        self.assertTrue(lines[-1].endswith("slower than the peer: none"))


class Checks(unittest.TestCase):
    ENGINE = engines.Engine("Some int8", "environment", "worker.py", "model")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "network.json").write_text(
            json.dumps({"convolutions": 20, "linear": 1}), encoding="utf-8")

    def refused(self, int8, count):
        layers = {"convolutions": {"int8": int8, "all": count, "kinds": {"int8": int8}},
                  "linear": {"int8": 1, "all": 1, "kinds": {"int8": 1}}}
        try:
            self.ENGINE.check_layers(layers, self.folder)
        except engines.Failure as failure:
            return str(failure)
        return None

    def test_every_layer_has_to_run_in_int8(self):
        self.assertIsNone(self.refused(20, 20))
        self.assertIsNone(self.refused(29, 29))  # batch norms as convolutions too
        self.assertEqual(self.refused(19, 20),
                         "Some int8, convolutions in int8: got 19 of 20 (19 int8)")
        self.assertEqual(self.refused(19, 19),
                         "Some int8, convolutions that it runs: got 19, expected 20")

    def check(self, **errors):
        found = {"error": 0.01, "error_of_difference": 0.1, "version": "1",
                 "layers": {"convolutions": {"int8": 20, "all": 20, "kinds": {}}}, **errors}
        engine = engines.Engine("Some int8", "environment", "worker.py", "model")
        object.__setattr__(engine, "call", lambda *arguments: found)
        return engine.check(self.folder, 2)

    def test_wrong_logits_are_refused(self):
        self.assertEqual(self.check()["version"], "1")
        for kind, value in (("error", 0.09), ("error_of_difference", 1.0), ("error", float("nan"))):
            with self.assertRaisesRegex(engines.Failure, f"Some int8, {kind} of the logits"):
                self.check(**{kind: value})


class Arguments(unittest.TestCase):
    def refusal(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            compare.parse(arguments)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_bits(self):
        self.assertEqual(compare.parse(["--bits", "w8a8,w1a2"]).bits, ["w8a8", "w1a2"])
        self.assertEqual(compare.parse(["--bits", ""]).bits, [])
        self.assertIn("--bits: got w9a1, expected such as w2a2", self.refusal("--bits", "w9a1"))

    def test_refusals(self):
        self.assertIn("--threads: got 0", self.refusal("--threads", "0"))
        self.assertIn("invalid choice: 'neon'", self.refusal("--isa", "neon"))

    def test_an_isa_that_the_cpu_lacks(self):
        compare.refuse_isa("", [])
        compare.refuse_isa("avx2", ["avx2"])
        with self.assertRaisesRegex(engines.Failure, "avx2_vnni: this CPU has no avx_vnni"):
            compare.refuse_isa("avx2_vnni", ["avx2"])

    def test_held_peers_are_those_that_can_be_held(self):
        self.assertEqual([peer.environment for peer in engines.peers("avx2")],
                         ["openvino", "openvino"])
        self.assertEqual(len(engines.peers("")), 4)

    def test_turns_begin_with_another_each_round(self):
        order = []
        with contextlib.redirect_stderr(io.StringIO()):
            turns = compare.take_turns(
                {name: lambda name=name: order.append(name) or name for name in "abc"}, 2)
        self.assertEqual("".join(order), "abcbca")
        self.assertEqual(turns, {name: [name, name] for name in "abc"})

    def test_machine(self):
        about = machine.about()
        self.assertGreater(about["cores"], 0)
        share = machine.used_by_others(0.05)
        self.assertTrue(0.0 <= share <= 1.0, share)


class Scripts(unittest.TestCase):
    def test_help_installs_nothing(self):
        shown = subprocess.run([PEERS / "run.sh", "--help"], capture_output=True, text=True,
                               check=True)
        self.assertTrue(shown.stdout.startswith("usage: bench/peers/run.sh"))
        self.assertIn("examples:\n  bench/peers/run.sh ", shown.stdout)

    def test_an_unknown_environment(self):
        refused = subprocess.run([PEERS / "install.sh", "tensorflow"], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("environment: got tensorflow, expected openvino", refused.stderr)

    def test_scripts_name_no_host(self):
        for path in PEERS.iterdir():
            if path.is_file():
                self.assertNotIn("://", path.read_text(encoding="utf-8"), path)


if __name__ == "__main__":
    unittest.main()
