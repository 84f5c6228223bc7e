"""After a sweep of image networks: PSNR and MS-SSIM over the rate of real files, ``psnr_curves.png``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

__all__ = ["ImageCurves"]


class ImageCurves(Callback):
    """Hydra's callback that draws the RD curves of a sweep as the field draws them."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        import pandas as pd

        from experiment.pictures.image_curves import draw_image_curves
        from experiment.sweep.results import gather
        from ltc.files import whole_file

        folder = Path(config.hydra.sweep.dir).absolute()
        points = pd.DataFrame(gather(folder))
        if "psnr" not in points or not points["psnr"].notna().any():
            return
        with whole_file(folder / "psnr_curves.png") as temporary:
            draw_image_curves(points[points["psnr"].notna()]).savefig(temporary, dpi=150)
