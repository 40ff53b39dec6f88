"""This project's program: `uniqnn bench` of a packed model."""

import json
import pathlib

import engines
import table


class Program:
    """The program, held to an instruction set where one is given."""

    def __init__(self, path, isa):
        self.path = pathlib.Path(path)
        self.environment = {"UNIQ_ISA": isa} if isa else {}
        if not self.path.exists():
            raise engines.Failure(f"program: {self.path} is not there; build it "
                                  "(cmake --build --preset release), or name one by --program")

    def bench(self, model, threads, batch, *arguments):
        """Its JSON. Before it times, it compares with the scalar kernels, bit for bit."""
        if batch != 1:
            arguments = (*arguments, "--batch", batch)
        return json.loads(engines.run(
            [self.path, "bench", model, "--threads", threads, "--json", *arguments],
            **self.environment))

    def layer_times(self, model, threads, batch):
        """{layer: least ms}: convolutions and linear layers, each with what follows it."""
        found = self.bench(model, threads, batch, "--layers")["layers"]
        return table.with_what_follows([(layer["name"], layer["min_ms"]) for layer in found],
                                       {layer["name"] for layer in found if layer["macs"]})

    def version(self):
        return engines.run([self.path, "--version"]).strip()
