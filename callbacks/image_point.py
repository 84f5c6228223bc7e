"""The RD point of an image network: ``rd_point.json`` with the keys of all RD points, and PSNR and MS-SSIM."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from callbacks.image_evaluation import ImageEvaluation
from callbacks.rd_point import RDPointWriter
from ltc.files import write_json

__all__ = ["ImagePointWriter"]


class ImagePointWriter(RDPointWriter):
    """Times the training, and after the test writes ``rd_point.json`` and logs its figures.

    A symbol is a pixel, three numbers from 0 to 255. ``rate`` is the likelihoods' bits per pixel and ``coded_rate``
    that of whole files, both means over images, as the field reports them; ``distortion`` is the mean squared error, of
    which ``psnr`` is not the logarithm: it is the mean of the images' PSNR.
    """

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        evaluation = next(c for c in trainer.callbacks if isinstance(c, ImageEvaluation))  # type: ignore[attr-defined]
        # All processes take part in this sum.
        figures = {k: float(v) for k, v in pl_module.evaluated.compute().items()}
        rows = evaluation.rows
        if not trainer.is_global_zero or not rows:
            return
        similar = [row["ms_ssim"] for row in rows if row["ms_ssim"] is not None]
        self.point = {
            **self.description,
            "steps": trainer.global_step,
            "train_seconds": round(self.train_seconds, 3),
            "calibration_seconds": 0.0,
            "eval_symbols": sum(row["width"] * row["height"] for row in rows),
            "rate": figures["rate"],
            "distortion": figures["distortion"],
            "bound_rate": None,
            "gap": None,
            "coded_rate": _mean([row["bpp"] for row in rows]),
            "sample_rate": figures["sample_rate"],
            "rate_error": figures["rate_error"],
            "distortion_error": figures["distortion_error"],
            "gap_error": None,
            "theory_gap": None,
            "exact": True,
            "psnr": _mean([row["psnr"] for row in rows]),
            "ms_ssim": _mean(similar) if similar else None,
            "test_set": trainer.datamodule.test_images.files[0].parent.name,  # type: ignore[attr-defined]
            "images": len(rows),
            "decoded_exactly": all(row["exact"] for row in rows),
            "bytes": sum(row["bytes"] for row in rows),
            "estimated_bytes": sum(row["estimated_bpp"] * row["width"] * row["height"] for row in rows) / 8,
            "encode_seconds": _mean([row["encode_seconds"] for row in rows]),
            "decode_seconds": _mean([row["decode_seconds"] for row in rows]),
        }
        write_json(self.folder / "rd_point.json", self.point)
        names = ("rate", "coded_rate", "distortion", "psnr", "ms_ssim")
        numbers = {f"rd/{k}": self.point[k] for k in names if self.point[k] is not None}
        for logger in trainer.loggers:
            logger.log_metrics(numbers)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
