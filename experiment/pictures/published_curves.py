"""Published RD curves on Kodak, to stand behind ours: mean bits per pixel, PSNR (RGB, dB) and MS-SSIM of 24 images.

From CompressAI's repository (InterDigitalInc/CompressAI, results/image/kodak: jpeg2000.json, bpg_444_x265_ycbcr.json,
compressai-bmshj2018-hyperprior_mse_cuda.json, compressai-cheng2020-attn_mse_cuda.json), rounded; J. Bégaint, F. Racapé,
S. Feltman, A. Pushparaja, *CompressAI: a PyTorch library and evaluation platform for end-to-end compression research*,
arXiv:2011.03029. The networks were trained on Vimeo-90k for millions of steps.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KODAK", "PublishedCurve"]


class PublishedCurve(NamedTuple):
    """A codec's name, and its points (bits per pixel, PSNR in dB, MS-SSIM) by rising rate."""

    name: str
    points: tuple[tuple[float, float, float], ...]


KODAK = (
    PublishedCurve(
        "JPEG 2000",
        (
            (0.1258, 26.440, 0.8782),
            (0.1595, 27.118, 0.8954),
            (0.2176, 28.099, 0.9140),
            (0.2986, 29.192, 0.9304),
            (0.3986, 30.301, 0.9446),
            (0.5988, 32.090, 0.9609),
            (0.7983, 33.490, 0.9707),
            (1.1982, 35.681, 0.9807),
        ),
    ),
    PublishedCurve(
        "BPG 4:4:4",
        (
            (0.0678, 26.195, 0.8686),
            (0.1610, 28.682, 0.9242),
            (0.3516, 31.595, 0.9611),
            (0.6847, 34.857, 0.9808),
            (1.1997, 38.260, 0.9905),
        ),
    ),
    PublishedCurve(
        "CompressAI bmshj2018-hyperprior",
        (
            (0.1313, 27.582, 0.9174),
            (0.2089, 29.197, 0.9421),
            (0.3199, 30.972, 0.9611),
            (0.4784, 32.838, 0.9749),
            (0.6687, 34.526, 0.9836),
            (0.9388, 36.743, 0.9893),
            (1.2592, 38.584, 0.9929),
        ),
    ),
    PublishedCurve(
        "CompressAI cheng2020-attn",
        (
            (0.1156, 28.431, 0.9239),
            (0.1745, 29.766, 0.9453),
            (0.2690, 31.321, 0.9635),
            (0.4270, 33.364, 0.9762),
            (0.5953, 34.949, 0.9838),
            (0.8059, 36.622, 0.9892),
        ),
    ),
)
