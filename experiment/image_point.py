"""The RD point of an image network: the keys of all RD points, and PSNR and MS-SSIM."""

from __future__ import annotations

import statistics
from typing import Any

from datamodules.images import names_in_common

__all__ = ["image_point"]


def image_point(module: Any, data: Any, steps: int, function: Any) -> dict[str, Any] | None:
    """The figures of a trained and evaluated network; None in all processes but the first.

    A symbol is a pixel, three numbers from 0 to 255. ``rate``, and ``coded_rate``, is that of whole files in bits per
    pixel, and ``estimated_rate`` that of the likelihoods, all means over images, as the field reports them;
    ``distortion`` is the mean squared error, of which ``psnr`` is not the logarithm: it is the mean of the images'
    PSNR. ``lattices`` are the shares of the latents that lattices really quantized.

    Args:
        module: an `ltc.training.ImageModule` after its test.
        data: the data module that it was tested on.
        steps: of its training.
        function: not used: R(D) of images is unknown.
    """
    # All processes take part in this sum.
    figures = {k: float(v) for k, v in module.evaluated.compute().items()}
    rows = module.rows
    if not rows:
        return None
    similar = [row["ms_ssim"] for row in rows if row["ms_ssim"] is not None]
    rates = [row["bpp"] for row in rows]
    return {
        "steps": steps,
        "train_seconds": round(module.clock.seconds, 3),
        "calibration_seconds": 0.0,
        "eval_symbols": sum(row["width"] * row["height"] for row in rows),
        "rate": _mean(rates),
        "distortion": figures["distortion"],
        "bound_rate": None,
        "gap": None,
        "coded_rate": _mean(rates),
        "estimated_rate": figures["rate"],
        "sample_rate": figures["sample_rate"],
        "rate_error": _standard_error(rates),
        "distortion_error": figures["distortion_error"],
        "gap_error": None,
        "theory_gap": None,
        "exact": True,
        "psnr": _mean([row["psnr"] for row in rows]),
        "ms_ssim": _mean(similar) if similar else None,
        "lattices": ", ".join(f"{name} {share:.1%}" for name, share in module.use.shares().items()) or None,
        "test_set": names_in_common(data.test_images.files)[0].name,
        "images": len(rows),
        "decoded_exactly": all(row["exact"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "estimated_bytes": sum(row["estimated_bpp"] * row["width"] * row["height"] for row in rows) / 8,
        "encode_seconds": _mean([row["encode_seconds"] for row in rows]),
        "decode_seconds": _mean([row["decode_seconds"] for row in rows]),
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _standard_error(values: list[float]) -> float | None:
    """Of the mean; of one value there is none."""
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
