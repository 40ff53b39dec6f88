"""Tests of layering.py: each kind of violation, planted in a small tree, is found and named."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import layering  # noqa: E402

LAYERS = """
add_subdirectory(base)
add_subdirectory(graph)
if(UNIQ_TRAINING)
  add_subdirectory(nn)
endif()
add_subdirectory(cli)
"""

FILES = {
    "uniq/CMakeLists.txt": LAYERS,
    "uniq/base/error.h": "#include <string>\n",
    "uniq/graph/graph.h": '#include "uniq/base/error.h"\n',
    "uniq/nn/layers.h": '#include <torch/torch.h>\n#include "uniq/graph/graph.h"\n',
    "uniq/cli/main.cpp": '#include "uniq/graph/graph.h"\n',
    "uniq/cli/train.cpp": '#include <ATen/Parallel.h>\n#include "uniq/nn/layers.h"\n',
}


class Layering(unittest.TestCase):
    def violations(self, changes=None, **options):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**FILES, **(changes or {})}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return list(layering.violations(root, **options))

    def test_a_good_tree_has_none(self):
        self.assertEqual(self.violations(torch_free=["uniq/cli/main.cpp"]), [])

    def test_a_folder_below(self):
        found = self.violations({"uniq/base/bad.cpp": '#include "uniq/graph/graph.h"\n'})
        self.assertEqual(
            found, ["uniq/base/bad.cpp: includes uniq/graph/graph.h, which is below uniq/base"])

    def test_torch_above_the_line(self):
        for header in ("torch/torch.h", "ATen/ATen.h", "c10/util/Half.h"):
            found = self.violations({"uniq/graph/bad.h": f"  #  include <{header}>\n"})
            self.assertEqual(
                found, [f"uniq/graph/bad.h: includes {header}, but uniq/graph is above the line"])

    def test_unknown_folders(self):
        found = self.violations({"uniq/extra/a.h": "", "uniq/nn/b.h": '#include "uniq/gone/c.h"\n'})
        self.assertEqual(found, [
            "uniq/extra/a.h: uniq/extra has no place in uniq/CMakeLists.txt",
            "uniq/nn/b.h: includes uniq/gone/c.h, a folder that uniq/CMakeLists.txt does not name"])

    def test_cycle(self):
        found = self.violations({"uniq/base/a.h": '#include "uniq/base/b.h"\n',
                                 "uniq/base/b.h": '#include "uniq/base/a.h"\n'})
        self.assertEqual(
            found, ["cycle of includes: uniq/base/a.h -> uniq/base/b.h -> uniq/base/a.h"])

    def test_long_file(self):
        self.assertEqual(self.violations({"uniq/base/long.cpp": "//\n" * 400}), [])
        found = self.violations({"tests/long_test.cpp": "//\n" * 401})
        self.assertEqual(found, ["tests/long_test.cpp: got 401 lines, expected at most 400"])

    def test_torch_reached_by_the_torch_free_program(self):
        found = self.violations({"uniq/cli/main.cpp": '#include "uniq/cli/common.h"\n',
                                 "uniq/cli/common.h": '#include "uniq/nn/layers.h"\n'},
                                torch_free=["uniq/cli/main.cpp"])
        self.assertEqual(found, [
            "uniq/cli/main.cpp -> uniq/cli/common.h -> uniq/nn/layers.h -> torch/torch.h: "
            "LibTorch in a program that must do without"])


if __name__ == "__main__":
    unittest.main()
