"""Quantizes fp32.onnx for OpenVINO with NNCF, after training: openvino.xml.

Usage: quantize_openvino.py FOLDER

Per-channel weights, the preset for performance. Constants are folded first: PyTorch's depthwise
weights come to OpenVINO behind a Reshape, NNCF would quantize behind that, and OpenVINO would run
the depthwise convolutions in floating point.
"""

import logging
import os
import pathlib
import sys

os.environ["NNCF_CI"] = "1"  # no telemetry

import nncf  # noqa: E402
import numpy  # noqa: E402
import openvino  # noqa: E402
from openvino import passes  # noqa: E402


def main(folder):
    nncf.set_log_level(logging.ERROR)
    network = openvino.Core().read_model(folder / "fp32.onnx")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(network)
    calibration = numpy.load(folder / "calibration.npy")
    batch = network.input().shape[0]
    batches = [calibration[i:i + batch] for i in range(0, len(calibration), batch)]
    quantized = nncf.quantize(network, nncf.Dataset(batches), subset_size=len(batches),
                              preset=nncf.QuantizationPreset.PERFORMANCE)
    openvino.save_model(quantized, folder / "openvino.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
