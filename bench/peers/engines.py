"""The engines: where each is installed, what makes its model, what runs it, what it must prove."""

import dataclasses
import json
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "peers"

# Errors of int8 against fp32, as worker.errors has them. Logits of other pictures have an error of
# difference of 1.4, the same logits for all pictures one of 1; int8 itself reaches 0.45 in
# MobileNetV2, with its 53 layers of random weights.
LARGEST_ERROR = {"error": 0.08, "error_of_difference": 0.6}
LARGEST_FP32_ERROR = {"error": 1e-4, "error_of_difference": 1e-3}

# Values of --isa: OpenVINO's name for it, and the flags that the CPU must have.
ISAS = {
    "avx2": ("AVX2", ["avx2"]),
    "avx2_vnni": ("AVX2_VNNI", ["avx_vnni"]),
    "avx512": ("AVX512_CORE", ["avx512bw"]),
    "avx512_vnni": ("AVX512_CORE_VNNI", ["avx512_vnni"]),
}


class Failure(Exception):
    """What ends the comparison, in words for the user."""


def run(command, **environment):
    """Standard output; a failure carries the end of what it said."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            check=False, env={**os.environ, **environment})
    if result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip()).splitlines()
        name = " ".join(pathlib.Path(part).name for part in map(str, command[:3]))
        raise Failure(f"{name} ended with {result.returncode}:\n  " + "\n  ".join(said[-8:]))
    return result.stdout


def python(environment, script, *arguments, **variables):
    """Runs a script of this folder in one of the environments."""
    return run([BUILD / environment / "bin" / "python", "-B", HERE / script, *arguments],
               **variables)


@dataclasses.dataclass(frozen=True)
class Engine:
    """One row of peers."""

    label: str
    environment: str
    worker: str
    model: str
    int8: bool = True
    isa: str = ""  # a key of ISAS: OpenVINO held to it

    def call(self, folder, threads, command, *arguments):
        variables = {"ONEDNN_MAX_CPU_ISA": ISAS[self.isa][0]} if self.isa else {}
        printed = python(self.environment, self.worker, folder, self.model, command,
                         "--threads", threads, *arguments, **variables)
        return json.loads(printed.splitlines()[-1])

    def check(self, folder, threads):
        """What the worker found; a Failure where it is not what it has to be."""
        found = self.call(folder, threads, "check")
        bounds = LARGEST_ERROR if self.int8 else LARGEST_FP32_ERROR
        for kind, largest in bounds.items():
            if not found[kind] <= largest:
                raise Failure(f"{self.label}, {kind} of the logits against fp32: got "
                              f"{found[kind]:.4g}, expected at most {largest}")
        if self.int8:
            self.check_layers(found["layers"], folder)
        return found

    def check_layers(self, layers, folder):
        expected = json.loads((folder / "network.json").read_text(encoding="utf-8"))
        for kind, found in layers.items():
            if found["all"] < expected[kind]:
                raise Failure(f"{self.label}, {kind} that it runs: got {found['all']}, expected "
                              f"{expected[kind]}")
            if found["int8"] != found["all"]:
                raise Failure(f"{self.label}, {kind} in int8: got {found['int8']} of "
                              f"{found['all']} ({describe(found['kinds'])})")

    def time(self, folder, threads, seconds, warm_up):
        return self.call(folder, threads, "time", "--seconds", seconds, "--warm-up", warm_up)


def describe(kinds):
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def peers(isa):
    """All of them; where the instruction set is held, those that can be held."""
    # Held back, OpenVINO must not choose bf16, which would need what it is held back from.
    precision = ":f32" if isa else ""
    rows = [Engine("OpenVINO fp32", "openvino", "worker_openvino.py", "fp32.onnx:f32",
                   int8=False, isa=isa),
            Engine("OpenVINO int8", "openvino", "worker_openvino.py", "openvino.xml" + precision,
                   isa=isa)]
    if not isa:
        rows += [Engine("ONNX Runtime int8", "onnxruntime", "worker_onnxruntime.py",
                        "onnxruntime.onnx"),
                 Engine("ExecuTorch XNNPACK int8", "executorch", "worker_executorch.py",
                        "executorch.pte")]
    return rows
