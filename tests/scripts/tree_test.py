"""Tests of what stands in the checkout: scripts that can be run and parsed, packages documented."""

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["quickstart.sh", "test.sh", ".ci/run", "scripts/format.sh", "scripts/fuzz.sh",
            "bench/peers/run.sh", "bench/peers/install.sh"]


class Tree(unittest.TestCase):
    def test_programs_are_executable_strict_and_parse(self):
        for name in PROGRAMS:
            path = ROOT / name
            self.assertTrue(os.access(path, os.X_OK), name)
            self.assertIn("\nset -euo pipefail\n", path.read_text(), name)
            subprocess.run(["bash", "-n", path], check=True)

    def test_help_and_unknown_arguments(self):
        for name in ("quickstart.sh", "test.sh"):
            shown = subprocess.run([ROOT / name, "--help"], capture_output=True, text=True,
                                   check=True)
            self.assertTrue(shown.stdout.startswith(f"Usage: ./{name}"))
            refused = subprocess.run([ROOT / name, "--helf"], capture_output=True, text=True,
                                     check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("unknown argument: got --helf", refused.stderr)

    def test_scripts_name_no_host(self):
        for path in [ROOT / name for name in PROGRAMS] + sorted((ROOT / "scripts").iterdir()):
            if path.is_file():
                self.assertNotIn("://", path.read_text(), path)

    def test_every_package_is_documented_and_no_other(self):
        listed = re.findall(r"^([a-z][a-z0-9.+-]+) +# \S",
                            (ROOT / "scripts/debian-packages.txt").read_text(), re.MULTILINE)
        table = (ROOT / "docs/dependencies.md").read_text().split("## Debian packages")[1]
        documented = re.findall(r"^\| `([^`]+)` \|", table.split("\n## ")[0], re.MULTILINE)
        self.assertGreater(len(listed), 10)
        self.assertEqual(sorted(listed), sorted(documented))

    def test_presets_of_the_scripts_exist(self):
        presets = (ROOT / "CMakePresets.json").read_text()
        used = re.findall(r"(?:configure|test_preset|run_tests) ([a-z][a-z0-9-]*)",
                          "".join((ROOT / name).read_text()
                                  for name in ("test.sh", "quickstart.sh", "scripts/fuzz.sh")))
        self.assertGreaterEqual(set(used), {"release", "asan", "asan-training", "fuzz"})
        for name in used:
            self.assertIn(f'"name": "{name}"', presets)


if __name__ == "__main__":
    unittest.main()
