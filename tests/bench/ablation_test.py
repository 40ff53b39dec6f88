"""Tests of bench/ablation.py with a program that is made up."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCH))

import ablation  # noqa: E402

# Says how long it took: 2 ms, without winograd 3 ms, without tuning 1 ms.
FAKE = """\
#!/usr/bin/env python3
import json, os, sys
without = sys.argv[sys.argv.index("--without") + 1] if "--without" in sys.argv else ""
if "broken" in sys.argv[5]:
    sys.exit("uniqnn: error: not a packed model")
assert os.environ["UNIQ_CACHE"] and os.environ["UNIQ_CACHE"] != "off"
ms = {"winograd": 3.0, "tuning": 1.0}.get(without, 2.0)
print(json.dumps({"engine": "uniqnn 1.2.3, avx2", "cpu": "Some CPU", "threads": 2, "min_ms": ms,
                  "median_ms": 2 * ms,
                  "layers": [{"kernel": name} for name in
                             ("input", "avx2.float", "avx2.winograd_wide", "avx2.table2",
                              "scalar.reference", "largest")]}))
"""


class Ablation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.program = pathlib.Path(self.folder.name) / "uniqnn"
        self.program.write_text(FAKE, encoding="utf-8")
        self.program.chmod(0o755)

    def run_it(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            ablation.main(["--program", str(self.program), "--rounds", "2", *arguments])
        return out.getvalue()

    def test_every_trick_that_is_used_is_switched_off(self):
        found = json.loads(self.run_it("a.uniq", "--json"))[0]
        self.assertEqual((found["model"], found["cpu"]), ("a.uniq", "Some CPU"))
        ratios = {row["without"]: (row["ratio_min"], row["ratio_median"])
                  for row in found["rows"]}
        same = (1.0, 1.0)
        self.assertEqual(ratios, {"": same, "fusing": same, "chains": same, "thresholds": same,
                                  "reciprocal": same, "folding": same, "layouts": same,
                                  "tuning": (0.5, 0.5), "table": same, "winograd": (1.5, 1.5)})

    def test_lines(self):
        lines = self.run_it("a.uniq", "b.uniq").splitlines()
        self.assertEqual(lines[0], "a.uniq: uniqnn 1.2.3, avx2, Some CPU, threads 2")
        self.assertIn("without winograd          3.000      6.000        1.500           1.500",
                      lines)
        self.assertEqual(sum(line.startswith("everything ") for line in lines), 2)

    def test_failures_are_told(self):
        with self.assertRaisesRegex(ablation.Failure, "not a packed model"):
            self.run_it("broken.uniq")
        with self.assertRaisesRegex(ablation.Failure, "is not there; build it"):
            ablation.main(["a.uniq", "--program", "/nowhere/uniqnn"])

    def test_turns_begin_with_another_one_each_round(self):
        class Fake:
            calls = []

            def bench(self, _model, *more):
                self.calls.append(more[-1] if "--without" in more else "")
                return {"min_ms": 1.0, "median_ms": 1.0}

        ablation.turns(Fake(), "m", ["", "a", "b"], 3, 1)
        self.assertEqual(Fake.calls, ["", "a", "b", "a", "b", "", "b", "", "a"])


if __name__ == "__main__":
    unittest.main()
