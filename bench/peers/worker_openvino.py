"""Runs a network in OpenVINO. See worker.py."""

import itertools
import json
import re
import time

import numpy
import openvino

import worker


def text(value):
    """An entry of a runtime model's rt_info."""
    return value.astype(str) if hasattr(value, "astype") else str(value)


def layer_name(node):
    """layer1.0.conv1 of /layer1/layer1.0/conv1/Conv/WithoutBiases, as ONNX has it from PyTorch."""
    parts = [part for part in node.split("/") if part]
    parts = list(itertools.takewhile(lambda part: part not in ("Conv", "Gemm"), parts))
    kept = [part for part, following in zip(parts, parts[1:] + [""])
            if not following.startswith(part + ".")]
    return ".".join(kept)


class OpenVino:
    """One compiled model and one request."""

    def __init__(self, folder, model, threads, batch, profile):
        self.batch = batch
        self.version = re.match(r"[\d.]*\d", openvino.get_version()).group()
        config = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
                  "INFERENCE_NUM_THREADS": threads}
        if profile:
            config["PERF_COUNT"] = True
        # `MODEL:f32` asks for fp32 in what is not int8; otherwise it is as OpenVINO sees fit.
        file, _, precision = model.partition(":")
        if precision:
            config["INFERENCE_PRECISION_HINT"] = precision
        self.model = openvino.Core().compile_model(folder / file, "CPU", config)
        self.request = self.model.create_infer_request()
        about = json.loads((folder / "network.json").read_text(encoding="utf-8"))
        self.classifier = about["classifier"]  # the last layer's node has the output's name alone

    def infer(self, pictures):
        return self.request.infer([pictures])[0]

    def prepare(self, pictures):
        self.request.set_input_tensor(openvino.Tensor(pictures))
        return self.request.infer

    def executed(self):
        """Type, precision, primitive and names of each layer that the CPU runs."""
        for op in self.model.get_runtime_model().get_ordered_ops():
            info = {key: text(value) for key, value in op.rt_info.items()}
            yield (info["layerType"], info["runtimePrecision"], info["primitiveType"],
                   info.get("originalLayersNames", ""), op.get_friendly_name())

    def layers(self):
        """{kind: {primitive: how many}}, and how many are int8."""
        found = {}
        for name, type_name in (("convolutions", "Convolution"), ("linear", "FullyConnected")):
            runs = [(precision, primitive) for kind, precision, primitive, _, _ in self.executed()
                    if kind == type_name]
            primitives = [primitive for _, primitive in runs]
            found[name] = {"int8": sum(precision in ("i8", "u8") for precision, _ in runs),
                           "all": len(runs),
                           "kinds": {p: primitives.count(p) for p in sorted(set(primitives))}}
        return found

    def layers_of_nodes(self):
        """{node: layer}: convolutions and linear layers by their name; anything else (a pool, a
        batch norm, a reorder) belongs to the layer whose values it reads, or to `input`."""
        names = {}
        for op in self.model.get_runtime_model().get_ordered_ops():
            info = op.rt_info
            node = op.get_friendly_name()
            if text(info["layerType"]) in ("Convolution", "FullyConnected"):
                originals = text(info["originalLayersNames"]).split(",")
                own = [name for name in originals if "/Conv" in name or "/Gemm" in name]
                names[node] = layer_name(own[0]) if own else self.classifier
                continue
            sources = [names.get(value.get_source_output().get_node().get_friendly_name(), "input")
                       for value in op.inputs()]
            # Of an addition the last layer of the two: constants and the picture are none.
            order = list(names.values())
            names[node] = max(sources, default="input",
                              key=lambda name: order.index(name) if name in order else -1)
        return names

    def layer_times(self, pictures, seconds):
        """{layer: least ms}: each layer's node, and the nodes that follow it."""
        names = self.layers_of_nodes()
        run = self.prepare(pictures)
        least = {}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            run()
            for node in self.request.get_profiling_info():
                least.setdefault(node.node_name, []).append(node.real_time.total_seconds() * 1e3)
        times = {}
        for node, values in least.items():
            name = names.get(node, "other")
            times[name] = times.get(name, 0.0) + float(numpy.min(values))
        return times


if __name__ == "__main__":
    worker.main(OpenVino)
