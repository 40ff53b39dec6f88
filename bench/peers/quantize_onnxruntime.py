"""Quantizes affine.onnx for ONNX Runtime, statically, as QDQ: onnxruntime.onnx.

Usage: quantize_onnxruntime.py FOLDER

Per-channel signed weights, unsigned activations. It starts from the graph in which the batch norms
behind additions are depthwise convolutions: those run in int8, as BatchNormalization they would run
in fp32 between transpositions (pre-activation ResNet-18 took 1.2 times as long).
"""

import logging
import pathlib
import sys

import numpy
from onnxruntime import quantization


class Pictures(quantization.CalibrationDataReader):
    """The calibration pictures, batch by batch."""

    def __init__(self, pictures, batch):
        self.batches = iter([{"input": pictures[i:i + batch]}
                             for i in range(0, len(pictures), batch)])

    def get_next(self):
        return next(self.batches, None)


def main(folder):
    logging.getLogger().setLevel(logging.ERROR)
    pictures = numpy.load(folder / "calibration.npy")
    batch = quantization.quant_utils.load_model_with_shape_infer(
        folder / "affine.onnx").graph.input[0].type.tensor_type.shape.dim[0].dim_value
    quantization.quantize_static(
        folder / "affine.onnx", folder / "onnxruntime.onnx", Pictures(pictures, batch),
        quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        weight_type=quantization.QuantType.QInt8, activation_type=quantization.QuantType.QUInt8,
        calibrate_method=quantization.CalibrationMethod.MinMax)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
