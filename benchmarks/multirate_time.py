"""How long the network of all rates takes for a photograph when it has the machine alone."""

from __future__ import annotations

import statistics

import torch
from torch import Tensor

from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.codec.image_evaluation import evaluate

__all__ = ["seconds_alone"]

# The first time compiles and fills caches.
_WARM, _TIMES = 2, 5


def seconds_alone(coders: dict[str, ImageCheckpoint], price: float, pixels: Tensor) -> list[str]:
    """Lines in Markdown: seconds of writing and reading a photograph's file without a search, with all threads.

    Args:
        coders: networks by the names of their lattices.
        price: lambda.
        pixels: uint8 [3, height, width].
    """
    height, width = pixels.shape[1:]
    lines = [
        "",
        f"Alone on the machine, {torch.get_num_threads()} threads, one photograph of {width} x {height} pixels at "
        f"lambda = {price:g} without a search, the median of {_TIMES} times:",
        "",
        "| system | encoding, s | decoding, s |",
        "| --- | --- | --- |",
    ]
    for name, coder in coders.items():
        coder.network.at(price)
        rows = [found.row for found in evaluate(coder, [("", pixels)] * (_WARM + _TIMES))][_WARM:]
        each = [statistics.median(row[f"{what}_seconds"] for row in rows) for what in ("encode", "decode")]
        lines.append(f"| {name} | {each[0]:.2f} | {each[1]:.2f} |")
    return lines
