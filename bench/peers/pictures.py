"""Random pictures that differ as photographs do: in grain, contrast, colour and brightness."""

import torch
from torch.nn import functional

SIZE = 224
SCALES = (2, 7, 28, 224)


def random_pictures(count, generator):
    """[count, 3, SIZE, SIZE], noise of several scales, about as a normalised picture is.

    A network with random weights averages over a picture. Pictures of one kind of noise would all
    give it the same logits, and a check of its results would see little.
    """
    total = torch.zeros(count, 3, SIZE, SIZE)
    for scale in SCALES:
        noise = torch.randn(count, 3, scale, scale, generator=generator)
        weight = torch.rand(count, 1, 1, 1, generator=generator) ** 2
        total += weight * functional.interpolate(noise, size=(SIZE, SIZE), mode="bilinear",
                                                 align_corners=False)
    colours = torch.randn(count, 3, 3, generator=generator)
    brightness = torch.randn(count, 3, 1, 1, generator=generator)
    return torch.einsum("nij,njhw->nihw", colours, total) + brightness
