"""Quantizes and exports a network for ExecuTorch's XNNPACK: executorch.pte, and in executorch.json
what XNNPACK runs its layers in.

Usage: quantize_executorch.py FOLDER

XNNPACKQuantizer, symmetric, per-channel weights, by the PT2E flow. Batch norms behind additions are
left to the partitioner, which makes fp32 depthwise convolutions of them: in int8, as a depthwise
convolution or as a multiplication and an addition, pre-activation ResNet-18 took 1.7 to 2 times as
long.
"""

import json
import logging
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import numpy  # noqa: E402
import torch  # noqa: E402
from executorch.backends.xnnpack import xnnpack_preprocess  # noqa: E402
from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # noqa: E402
    XnnpackPartitioner)
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (  # noqa: E402
    XNNPACKQuantizer, get_symmetric_quantization_config)
from executorch.exir import to_edge_transform_and_lower  # noqa: E402
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # noqa: E402

import make_fp32  # noqa: E402

KINDS = {"convolutions": ("XNNConv2d", "XNNDepthwiseConv2d"), "linear": ("XNNFullyConnected",)}


def quantize(network, batches):
    """The network with quantizers where XNNPACKQuantizer wants them, calibrated."""
    exported = torch.export.export(network, batches[:1]).module()
    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(exported, quantizer)
    with torch.no_grad():
        for batch in batches:
            prepared(batch)
    return convert_pt2e(prepared)


def lower(network, example):
    """The program for the runtime, and the graphs that XNNPACK is given for it."""
    graphs = []
    serialize = xnnpack_preprocess.serialize_xnnpack_binary

    def keep(graph, *arguments, **options):
        graphs.append(graph)
        return serialize(graph, *arguments, **options)

    xnnpack_preprocess.serialize_xnnpack_binary = keep
    edge = to_edge_transform_and_lower(torch.export.export(network, example),
                                       partitioner=[XnnpackPartitioner()])
    return edge, graphs


def datatypes(graph):
    """{tensor of an XNNPACK graph: its type, as `qint8`}"""
    types = {}
    for value in graph.xvalues:
        tensor = getattr(value.xvalue_union, "tensor_value", value.xvalue_union)
        types[tensor.id_out] = tensor.datatype.name.removeprefix("xnn_datatype_")
    return types


def layers(edge, graphs, batch_norms):
    """How many layers there are, and how many are int8 from input to output."""
    left = [str(node.target) for node in edge.exported_program().graph.nodes
            if node.op == "call_function" and "conv" in str(node.target)]
    runs = {kind: [] for kind in KINDS}
    for graph in graphs:
        types = datatypes(graph)
        for node in graph.xnodes:
            layer = node.xnode_union
            for kind, names in KINDS.items():
                if type(layer).__name__ in names:
                    runs[kind].append((type(layer).__name__, types[layer.input1_id],
                                       types[layer.filter_id], types[layer.output_id]))
    # An affine map of channels is no convolution of the network.
    for _ in range(batch_norms):
        runs["convolutions"].remove(("XNNDepthwiseConv2d", "fp32", "fp32", "fp32"))
    runs["convolutions"] += [(name, "not delegated", "", "") for name in left]
    return {kind: {"int8": sum(run[1:] == ("qint8", "qcint8", "qint8") for run in found),
                   "all": len(found),
                   "kinds": {" ".join(run): found.count(run) for run in sorted(set(found))}}
            for kind, found in runs.items()}


def batch_norms_alone(network):
    """Batch norms that follow no convolution, in an exported and folded network."""
    return sum("batch_norm" in str(node.target) for node in network.graph.nodes)


def main(folder):
    network = make_fp32.load(folder)
    pictures = torch.from_numpy(numpy.load(folder / "calibration.npy"))
    batch = json.loads((folder / "network.json").read_text(encoding="utf-8"))["batch"]
    batches = pictures.split(batch)
    quantized = quantize(network, batches)
    edge, graphs = lower(quantized, batches[:1])
    found = layers(edge, graphs, batch_norms_alone(quantized))
    (folder / "executorch.pte").write_bytes(edge.to_executorch().buffer)
    (folder / "executorch.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
