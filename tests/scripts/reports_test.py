"""Tests of what the scripts say: before LibTorch is installed, and at the end of the quickstart."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))

import quickstart_table  # noqa: E402
import torch_report  # noqa: E402


def report(*names):
    return {"install": [{"metadata": {"name": name, "version": "2.13.0"}} for name in names]}


class TorchReport(unittest.TestCase):
    def test_a_cpu_build_is_announced(self):
        text, warning = torch_report.message(report("torch", "sympy", "filelock"))
        self.assertFalse(warning)
        self.assertEqual(text, "torch 2.13.0 and 2 small packages, about 200 MB to download.")

    def test_a_cuda_build_is_warned_of_with_what_to_do(self):
        text, warning = torch_report.message(
            report("torch", "nvidia-cublas", "nvidia-cudnn-cu13", "nvidia-nccl-cu13", "triton"))
        self.assertTrue(warning)
        self.assertIn("4 more packages (nvidia-cublas, nvidia-cudnn-cu13, nvidia-nccl-cu13, ...)",
                      text)
        for word in ("several GB", "PIP_INDEX_URL", "Torch_DIR", "CMAKE_PREFIX_PATH"):
            self.assertIn(word, text)

    def test_exit_status_tells_them_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            for names, status in ((["torch"], 0), (["torch", "nvidia-cublas"], 3)):
                path.write_text(json.dumps(report(*names)))
                result = subprocess.run([sys.executable, SCRIPTS / "torch_report.py", path],
                                        capture_output=True, check=False)
                self.assertEqual(result.returncode, status)


class QuickstartTable(unittest.TestCase):
    FP32 = {"test": {"top1": 91.234, "top5": 99.0, "loss": 0.25}, "best_epoch": 7,
            "weight_bytes": 310_500, "fp32_weight_bytes": 310_500, "seconds": 129.6,
            "test_reads": "once"}
    W2A2 = {"test": {"top1": 90.5, "top5": 98.9, "loss": 0.27}, "best_epoch": 7,
            "weight_bytes": 24_840, "fp32_weight_bytes": 310_500, "seconds": 58.2,
            "test_reads": "once"}

    def test_lines(self):
        lines = quickstart_table.table(self.FP32, self.W2A2).split("\n")
        self.assertEqual(lines[0], "Fashion-MNIST, test set, read once:")
        self.assertEqual(lines[4].split(),
                         ["fp32", "91.23", "%", "310.5", "kB", "1.0x", "2", "min", "10", "s"])
        self.assertEqual(lines[5].split(),
                         ["2-bit", "(w2a2)", "90.50", "%", "24.8", "kB", "12.5x", "58", "s"])
        self.assertIn("0.73 points behind fp32", lines[7])
        self.assertEqual(len({len(line) for line in lines[2:6]}), 1, lines)

    def test_what_is_deployed(self):
        lines = quickstart_table.deployed({"min_ms": 1.5, "threads": 2},
                                          {"min_ms": 0.125, "threads": 2}, 26_048).split("\n")
        self.assertEqual(lines[0], "Packed: 26.0 kB, everything included.")
        self.assertEqual(lines[1], "One picture, 2 threads, minimum: fp32 in LibTorch 1.500 ms, "
                                   "packed 2 bits 0.125 ms (12.0x).")

    def test_ahead_of_fp32(self):
        better = dict(self.W2A2, test={"top1": 91.5})
        self.assertIn("0.27 points ahead of fp32", quickstart_table.table(self.FP32, better))

    def test_a_test_set_read_each_epoch_is_said(self):
        other = dict(self.W2A2, test_reads="each epoch")
        self.assertIn("read each epoch / once", quickstart_table.table(self.FP32, other))

    def test_units(self):
        self.assertEqual(quickstart_table.human_bytes(999), "999 B")
        self.assertEqual(quickstart_table.human_bytes(1_250_000), "1.2 MB")
        self.assertEqual(quickstart_table.human_seconds(59.4), "59 s")
        self.assertEqual(quickstart_table.human_seconds(59.6), "1 min 00 s")

    def test_reads_the_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, result in (("fp32", self.FP32), ("w2a2", self.W2A2)):
                run = pathlib.Path(folder) / name
                run.mkdir()
                (run / "result.json").write_text(json.dumps(result))
                bench = {"min_ms": 2.0 if name == "fp32" else 0.5, "threads": 1}
                file = "best.safetensors" if name == "fp32" else "model.uniq"
                (run / f"{file}.bench.json").write_text(json.dumps(bench))
            (pathlib.Path(folder) / "w2a2" / "model.uniq").write_bytes(bytes(1500))
            printed = subprocess.run(
                [sys.executable, SCRIPTS / "quickstart_table.py", f"{folder}/fp32",
                 f"{folder}/w2a2"], capture_output=True, text=True, check=True).stdout
        self.assertIn("90.50 %", printed)
        self.assertIn("Packed: 1.5 kB", printed)
        self.assertIn("1 thread, minimum: fp32 in LibTorch 2.000 ms, packed 2 bits 0.500 ms (4.0x)",
                      printed)
        self.assertIn(f"uniqnn summary {folder}/w2a2/best.safetensors", printed)


if __name__ == "__main__":
    unittest.main()
