"""Runs a network in ONNX Runtime. See worker.py."""

import collections
import tempfile

import onnx
import onnxruntime

import worker

INT8 = {"convolutions": {"QLinearConv", "ConvInteger"},
        "linear": {"QGemm", "QLinearMatMul", "MatMulInteger", "MatMulIntegerToFloat"}}
OTHER = {"convolutions": {"Conv", "FusedConv", "NhwcFusedConv"},
         "linear": {"Gemm", "MatMul", "FusedGemm", "FusedMatMul"}}


class OnnxRuntime:
    """One session, with every optimisation of the graph."""

    def __init__(self, folder, model, threads, batch, profile):
        del profile
        self.batch = batch
        self.version = onnxruntime.__version__
        self.path = folder / model
        self.session = onnxruntime.InferenceSession(self.path, self.options(threads),
                                                    providers=["CPUExecutionProvider"])

    @staticmethod
    def options(threads):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return options

    def infer(self, pictures):
        return self.session.run(None, {"input": pictures})[0]

    def prepare(self, pictures):
        binding = self.session.io_binding()
        binding.bind_cpu_input("input", pictures)
        binding.bind_output("logits", "cpu")
        return lambda: self.session.run_with_iobinding(binding)

    def layers(self):
        """Counted in the graph that is left after all optimisations."""
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            options = self.options(1)
            options.optimized_model_filepath = file.name
            onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
            count = collections.Counter(node.op_type for node in onnx.load(file.name).graph.node)
        found = {}
        for name, int8 in INT8.items():
            kinds = {op: n for op, n in count.items() if op in int8 | OTHER[name]}
            found[name] = {"int8": sum(n for op, n in kinds.items() if op in int8),
                           "all": sum(kinds.values()), "kinds": kinds}
        return found


if __name__ == "__main__":
    worker.main(OnnxRuntime)
