"""Runs a network in ExecuTorch. See worker.py."""

import importlib.metadata
import json
import warnings

import torch
from executorch.extension.pybindings import portable_lib

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from executorch.extension.pybindings._C import (_threadpool_get_thread_count,
                                                    _unsafe_reset_threadpool)

import worker


class ExecuTorch:
    """One program, whose network is one delegate of XNNPACK."""

    def __init__(self, folder, model, threads, batch, profile):
        del profile
        self.batch = batch
        self.version = importlib.metadata.version("executorch")
        _unsafe_reset_threadpool(threads)
        if _threadpool_get_thread_count() != threads:
            raise RuntimeError(f"threads: got {_threadpool_get_thread_count()}, expected {threads}")
        path = folder / model
        self.program = portable_lib._load_for_executorch(str(path))
        self.found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    def infer(self, pictures):
        return self.program.forward((torch.from_numpy(pictures),))[0].numpy()

    def prepare(self, pictures):
        inputs = (torch.from_numpy(pictures),)
        return lambda: self.program.forward(inputs)

    def layers(self):
        """Written when the program was exported: XNNPACK's graph cannot be asked for it later."""
        return self.found


if __name__ == "__main__":
    worker.main(ExecuTorch)
