"""Tests of scripts/fuzz.sh with stand-ins for the fuzzers: nothing is built."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "| reader | inputs | seconds | failed |\n|---|--:|--:|--:|\n"


def without_seconds(table):
    """The table with 0 seconds in each row: how long a stand-in takes is the machine's business."""
    return re.sub(r"(\| [\d.]+ M \| )\d+( \|)", r"\g<1>0\2", table)


class Fuzz(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "fuzz").mkdir()

    def stand_in(self, name, inputs, status=0):
        """A fuzzer that notes its arguments and prints libFuzzer's last lines."""
        path = self.folder / f"fuzz/{name}_fuzz"
        path.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" >"{self.folder}/{name}.arguments"\n'
                        f"echo stat::number_of_executed_units: {inputs}\n"
                        f"echo stat::average_exec_per_sec: 7\nexit {status}\n")
        path.chmod(0o755)

    def arguments(self, name):
        return (self.folder / f"{name}.arguments").read_text().splitlines()

    def call(self, *arguments, **environment):
        return subprocess.run(
            [ROOT / "scripts/fuzz.sh", *arguments], capture_output=True, text=True, check=False,
            env={**os.environ, "UNIQ_FUZZ_FOLDER": str(self.folder), **environment})

    def test_runs_all_for_a_time_and_prints_the_table(self):
        self.stand_in("graph", 1_230_000)
        self.stand_in("png", 450_000)
        result = self.call(UNIQ_FUZZ_SECONDS="5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(HEAD + "| `graph` | 1.23 M | 0 | 0 |\n| `png` | 0.45 M | 0 | 0 |\n",
                      without_seconds(result.stdout))
        self.assertIn("-max_total_time=5", self.arguments("graph"))
        self.assertEqual(self.arguments("graph")[-2:],
                         [f"{self.folder}/found/graph/corpus", "tests/graph/corpus/graph/"])
        self.assertIn("-dict=tests/graph/corpus/graph.dict", self.arguments("graph"))

    def test_interrupted_it_ends_and_counts_nothing(self):
        self.stand_in("graph", 1_000_000, status=72)  # libFuzzer's, for Ctrl-C
        self.stand_in("png", 1)
        result = self.call()
        self.assertEqual(result.returncode, 130)
        self.assertFalse((self.folder / "png.arguments").exists())
        self.assertFalse((self.folder / "runs.txt").exists())

    def test_a_program_of_an_earlier_checkout_is_left_out(self):
        self.stand_in("graph", 1)
        self.stand_in("gone", 1)
        result = self.call()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertFalse((self.folder / "gone.arguments").exists())
        self.assertNotIn("gone", self.call("nothing").stderr)

    def test_runs_are_added_up(self):
        self.stand_in("graph", 1_000_000)
        self.stand_in("png", 1)
        for _ in range(3):
            self.assertEqual(self.call("--runs", "20", "graph").returncode, 0)
        self.assertIn("-runs=20", self.arguments("graph"))
        table = without_seconds(self.call("--table").stdout)
        self.assertEqual(table, HEAD + "| `graph` | 3.00 M | 0 | 0 |\n")

    def test_a_failure_is_shown_and_does_not_stop_the_others(self):
        self.stand_in("graph", 77, status=1)
        self.stand_in("png", 2_000_000)
        result = self.call()
        self.assertEqual(result.returncode, 1)
        self.assertIn("stat::average_exec_per_sec: 7", result.stdout)
        self.assertIn("| `graph` | 0.00 M | 0 | 1 |\n| `png` | 2.00 M | 0 | 0 |",
                      without_seconds(result.stdout))

    def test_unknown_names_and_arguments(self):
        self.stand_in("graph", 1)
        result = self.call("grahp")
        self.assertEqual(result.returncode, 1)
        self.assertIn("got grahp, expected one of graph", result.stderr)
        for arguments in (["--rnus"], ["--runs"], ["--runs", "0"], ["--runs", "x"]):
            self.assertEqual(self.call(*arguments).returncode, 2, arguments)

    def test_help(self):
        result = self.call("--help")
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith("Usage: scripts/fuzz.sh "))


if __name__ == "__main__":
    unittest.main()
