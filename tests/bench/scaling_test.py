"""Tests of bench_scaling and its script: that they run and what they say."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

UNIQNN, PROGRAM = sys.argv.pop(1), sys.argv.pop(1)
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "scaling.sh"


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


class Scaling(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = str(pathlib.Path(folder.name) / "model.uniq")
        packed = run(UNIQNN, "pack", "--random", "preact_resnet8", "--bits", "w2a2",
                     "-o", self.model)
        self.assertEqual(packed.returncode, 0, packed.stderr)

    def test_ratios(self):
        done = run(PROGRAM, self.model, "--rounds", "1", "--seconds", "0.01", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["rows"]
        self.assertEqual([row["model"] for row in rows], [self.model])
        for ratio in ("times_faster", "batch_8", "side_by_side"):
            self.assertGreater(rows[0][ratio]["min"], 0.0)
            self.assertGreater(rows[0][ratio]["median"], 0.0)

    def test_memory_is_that_of_the_process(self):
        done = run(PROGRAM, "--memory", self.model)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(1.0 < float(done.stdout) < 1000.0, done.stdout)

    def test_refusals(self):
        self.assertNotEqual(run(PROGRAM).returncode, 0)
        self.assertEqual(run(PROGRAM, "none.uniq").returncode, 1)
        self.assertNotEqual(run(PROGRAM, self.model, "--threads", "1").returncode, 0)

    def test_help_has_examples(self):
        self.assertIn("bench_scaling w8a8.uniq", run(PROGRAM, "--help").stdout)
        self.assertIn("examples:\n  bench/scaling.sh\n", run(SCRIPT, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
