"""Tests of scripts/tidy.py, with a stand-in for clang-tidy."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.dont_write_bytecode = True

# Finds each line that says "fault" and prints its place as clang-tidy does, with the check's name
# out of the nearest configuration.
STAND_IN = """#!/usr/bin/env python3
import pathlib, sys
check = next(text for folder in pathlib.Path(sys.argv[-1]).parents
             if (text := (folder / ".clang-tidy")).is_file()).read_text()
found = [number for number, line in enumerate(open(sys.argv[-1]), 1) if "fault" in line]
for number in found:
    print(f"{sys.argv[-1]}:{number}:3: error: a fault [{check}]")
print("12 warnings generated.", file=sys.stderr)
sys.exit(1 if found else 0)
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.addCleanup(self.holder.cleanup)
        self.root = pathlib.Path(self.holder.name).resolve()
        self.program = self.write("scripts/tidy.py", (SCRIPTS / "tidy.py").read_text())
        self.write("bin/clang-tidy", STAND_IN).chmod(0o755)
        self.write(".clang-tidy", "check")
        self.write("tests/.clang-tidy", "check-of-tests")
        self.a = self.write("uniq/a.cpp", '#include <vector>\n#include "uniq/a.h"\nint a;\n')
        self.b = self.write("uniq/b.cpp", '#include "uniq/a.h"\nint fault;\n#include "x.inc"\n')
        self.c = self.write("tests/c.cpp", "int c;\n")
        self.together = self.write(
            "build/release/one.dir/Unity/unity_0_cxx.cxx",
            f'/* generated */\n#include "{self.a}"\n#include "{self.b}"\n'
            f'#include "{self.write("build/release/x.pb.cc", "int fault;")}"\n')
        header = self.write("build/release/cmake_pch.hxx.cxx", "int fault;\n")
        self.write("build/release/compile_commands.json", json.dumps([
            {"directory": str(self.root), "file": str(file),
             "command": f"/usr/bin/ccache /usr/bin/c++ -O3 -Winvalid-pch -include pch.hxx -c {file}"}
            for file in (self.together, self.c, header, pathlib.Path("/elsewhere/uniq/d.cpp"))]))

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_program(self, *arguments):
        path = f"{self.root}/bin:{os.environ['PATH']}"
        result = subprocess.run([sys.executable, self.program, self.root / "build/release", *arguments],
                                env=dict(os.environ, PATH=path), check=False, capture_output=True,
                                text=True)
        return result.returncode, result.stdout, result.stderr

    def test_can_be_executed(self):
        self.assertTrue(os.access(SCRIPTS / "tidy.py", os.X_OK))

    def test_findings_have_the_place_in_the_source(self):
        status, output, error = self.run_program()
        self.assertEqual(status, 1)
        self.assertEqual([line for line in output.split("\n") if line and line[0] != "["],
                         [f"{self.b}:2:3: error: a fault [check]"])
        self.assertIn("findings, see above", error)

    def test_a_checkout_behind_a_symbolic_link(self):
        link = self.root / "link"
        link.symlink_to(self.root)
        for path in (self.together, self.root / "build/release/compile_commands.json"):
            path.write_text(path.read_text().replace(str(self.root), str(link)))
        status, output, _ = self.run_program()
        self.assertEqual(status, 1)
        self.assertEqual([line for line in output.split("\n") if line and line[0] != "["],
                         [f"{self.b}:2:3: error: a fault [check]"])

    def test_tests_have_a_configuration_of_their_own(self):
        self.c.write_text("int fault;\n")
        self.assertIn(f"{self.c}:1:3: error: a fault [check-of-tests]", self.run_program("/tests/")[1])

    def test_without_findings(self):
        self.b.write_text("int b;\n")
        self.assertEqual(self.run_program()[:2],
                         (0, "[1/2]\n[2/2]\nclang-tidy: no findings in 3 files\n"))

    def test_a_pattern_chooses_and_must_match(self):
        self.assertEqual(self.run_program("/tests/")[:2],
                         (0, "[1/1]\nclang-tidy: no findings in 1 files\n"))
        self.assertEqual(self.run_program("/uniq/a")[0], 1)  # b.cpp is compiled with it
        status, _, error = self.run_program("/nothing/")
        self.assertEqual(status, 1)
        self.assertIn("no source matches: got '/nothing/'", error)

    def test_a_build_has_to_be_there(self):
        (self.root / "build/release/compile_commands.json").unlink()
        status, _, error = self.run_program()
        self.assertEqual(status, 1)
        self.assertIn("missing; build first", error)


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(SCRIPTS))
        import tidy  # pylint: disable=import-outside-toplevel
        cls.tidy = tidy

    def test_an_include_of_an_earlier_file_is_left_out_and_lines_keep_their_places(self):
        with tempfile.TemporaryDirectory() as folder:
            a, b = pathlib.Path(folder, "a.cpp"), pathlib.Path(folder, "b.cpp")
            a.write_text('#include <vector>\n#include "a.inc"\nint a;')
            b.write_text('#include <vector>\n#include <map>\n#include <map>\n#include "a.inc"')
            lines, places = self.tidy.merged([str(a), str(b)])
        # A file's own repetition stays, as a finding of clang-tidy, and so does what is no header.
        self.assertEqual(lines, ["#include <vector>", '#include "a.inc"', "int a;", "",
                                 "#include <map>", "#include <map>", '#include "a.inc"'])
        self.assertEqual(places, [(str(a), 1), (str(a), 2), (str(a), 3), (str(b), 1), (str(b), 2),
                                  (str(b), 3), (str(b), 4)])

    def test_the_command_is_without_what_only_gcc_knows(self):
        self.assertEqual(
            self.tidy.cleaned("ccache /usr/bin/c++ -O3 -fno-schedule-insns -include p.hxx -c a.cpp",
                              "a.cpp", "b.cpp"),
            "/usr/bin/c++ -O3 -c b.cpp")


if __name__ == "__main__":
    unittest.main()
