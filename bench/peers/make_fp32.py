"""Makes what every engine starts from: a network with random weights, pictures, fp32 logits.

Runs in the environment `executorch`, which has PyTorch. Writes into a folder:
  network.pt        the network's parameters
  fp32.onnx         the network, batch norms behind convolutions folded
  affine.onnx       the same, the other batch norms as 1x1 depthwise convolutions
  calibration.npy   [n, 3, 224, 224], what the quantizers see
  pictures.npy      [n, 3, 224, 224], what results are checked on
  logits.npy        [n, 1000], PyTorch's fp32 results on them
  network.json      name, seed, batch, number of layers
"""

import argparse
import json
import pathlib
import warnings

import numpy
import torch

import networks
import pictures

STATISTICS = 16   # pictures that give the batch norms their statistics
CALIBRATION = 16
CHECKED = 8


def to_batches(images, batch):
    """As many pictures as fill whole batches, at least one batch."""
    repeats = -(-batch // len(images))
    images = images.repeat(repeats, 1, 1, 1)
    return images[:len(images) // batch * batch]


def export(network, batch, path):
    """Writes the network as ONNX, for a fixed batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter without onnxscript
        torch.onnx.export(network, (torch.zeros(batch, 3, pictures.SIZE, pictures.SIZE),), path,
                          dynamo=False, opset_version=17, input_names=["input"],
                          output_names=["logits"])


def make(name, batch, seed, folder):
    generator = torch.Generator().manual_seed(seed)
    network = networks.build(name, pictures.random_pictures(STATISTICS, generator), seed)
    calibration = to_batches(pictures.random_pictures(CALIBRATION, generator), batch)
    checked = to_batches(pictures.random_pictures(CHECKED, generator), batch)
    with torch.no_grad():
        logits = network(checked)
    torch.save(network.state_dict(), folder / "network.pt")
    export(network, batch, folder / "fp32.onnx")
    export(networks.with_affine(network), batch, folder / "affine.onnx")
    for file, values in (("calibration", calibration), ("pictures", checked), ("logits", logits)):
        numpy.save(folder / f"{file}.npy", values.numpy())
    about = {"network": name, "batch": batch, "seed": seed, **networks.layers(network)}
    (folder / "network.json").write_text(json.dumps(about), encoding="utf-8")


def load(folder):
    """The network of such a folder."""
    about = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    network = networks.NETWORKS[about["network"]]()
    network.load_state_dict(torch.load(folder / "network.pt"))
    return network.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=networks.NETWORKS)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    make(arguments.network, arguments.batch, arguments.seed, arguments.folder)


if __name__ == "__main__":
    main()
