"""What an image costs, in bits, and how alike two images are: PSNR and MS-SSIM."""

from __future__ import annotations

import math

import torch
from pytorch_msssim import ms_ssim
from torch import Tensor

__all__ = ["bits", "psnr", "similarity", "squared_error"]

# pytorch-msssim: five scales of windows of 11 pixels.
_SMALLEST = 161


def bits(likelihoods: dict[str, Tensor]) -> Tensor:
    """The information of each image: -log2 of its likelihoods, [batch]."""
    return sum((-values.log2().flatten(1).sum(1) for values in likelihoods.values()), torch.zeros(()))


def squared_error(pixels: Tensor, decoded: Tensor) -> float:
    """The mean squared error of two images uint8 [3, height, width], of pixels from 0 to 255."""
    return (pixels.double() - decoded.double()).square().mean().item()


def psnr(error: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error: 10 log10(255² / error).

    Examples:
        >>> psnr(255**2 / 1000)
        30.0
    """
    return 10 * math.log10(255**2 / error) if error else math.inf


def similarity(pixels: Tensor, decoded: Tensor) -> float | None:
    """MS-SSIM of two images uint8 [3, height, width]; None where they are too small for its five scales.

    Reference: Wang, Simoncelli & Bovik, "Multiscale structural similarity for image quality assessment", 2003;
    pytorch-msssim's implementation.
    """
    if min(pixels.shape[1:]) < _SMALLEST:
        return None
    return float(ms_ssim(pixels[None].float(), decoded[None].float(), data_range=255))
