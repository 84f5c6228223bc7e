"""Weights & Biases without an account: offline unless the user sets WANDB_MODE otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["log_sweep", "wandb_logger", "wandb_mode"]


def wandb_mode() -> Any:
    """``WANDB_MODE`` if it is set, else offline, so that nothing ever asks for a login."""
    return os.environ.get("WANDB_MODE", "offline")


def wandb_logger(project: str, save_dir: str, config: Mapping[str, Any], **options: Any) -> Any:
    """Lightning's WandbLogger in :func:`wandb_mode`.

    Args:
        project: W&B project.
        save_dir: where the offline files go.
        config: what the run is a run of.
        options: further options of ``WandbLogger``.
    """
    from pytorch_lightning.loggers import WandbLogger

    os.environ.setdefault("WANDB_SILENT", "true")
    mode = wandb_mode()
    logger = WandbLogger(
        project=project, save_dir=save_dir, config=dict(config), mode=mode, offline=mode == "offline", **options
    )
    # Lightning passes a setting that wandb no longer has, and wandb warns of it.
    logger._wandb_init.pop("anonymous", None)
    return logger


def log_sweep(points: Any, picture: Path, folder: Path, project: str) -> None:
    """One run for a whole sweep: a table of its RD points, W&B charts of the curves, and the picture.

    Args:
        points: pandas DataFrame of RD points.
        picture: path of ``rd_curves.png``.
        folder: the sweep's folder.
        project: W&B project.
    """
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    with wandb.init(project=project, name=f"sweep-{folder.name}", dir=str(folder), mode=wandb_mode()) as run:
        done = points[points["rate"].notna()]
        table = wandb.Table(dataframe=done.astype(dict.fromkeys(done.select_dtypes("object"), str)))
        run.log(
            {
                "rd_points": table,
                "rd_curve": wandb.plot.line(table, "rate", "distortion", stroke="lattice", title="RD curves"),
                "gap_curve": wandb.plot.line(table, "rate", "gap", stroke="lattice", title="gap to R(D)"),
                "rd_curves": wandb.Image(str(picture)),
            }
        )
