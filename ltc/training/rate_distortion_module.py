"""The LightningModule that trains every coder: minimize rate + lambda * distortion, then measure both."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from ltc.models.coder import Coder, Coding
from ltc.models.distortion import DISTORTIONS
from ltc.models.lattice_bottleneck import LatticeBottleneck
from ltc.models.rd_search import RDSearch
from ltc.training.alternation import Alternation
from ltc.training.calibration import Calibration, Draw
from ltc.training.clock import TrainingClock
from ltc.training.fitting import fit_transforms
from ltc.training.moments import RateDistortionMoments
from ltc.training.start import Start, start_from_coder

__all__ = ["RateDistortionModule"]


class RateDistortionModule(pl.LightningModule):
    """Trains and evaluates a coder.

    Args:
        coder: the coder.
        n: symbols in a block; rates are bits per symbol.
        lmbda: lambda, the price of distortion in bits.
        measure: the distortion, a key of ``ltc.models.distortion.DISTORTIONS``.
        energy: E|x|^2 per component of the source where it is known: makes evaluation more precise.
        optimizer: makes the optimizer from the parameters.
        prior_lr: learning rate of the entropy model's parameters where it is not the others': with noise, latents that
            say nothing have to become free of cost, and a prior that follows slowly hinders that.
        noise_steps: training begins with as many steps with noise in the place of quantization.
        calibration: the phase after training, of coders with a lattice bottleneck; None for none.
        alternation: the last phase, with the decoder in the encoder's search; likewise.
        scheduler: makes the learning-rate schedule (a step each batch) from the optimizer; None keeps it constant.
        init_from: ``coder.pt`` of a finished run of the same source and transforms, or its folder, to start from; its
            lattice may be another one. None to start afresh.

    Attributes:
        evaluated: ``RateDistortionMoments`` of the last evaluation, synchronized over all ranks.
        clock: how long training took.
        alternated: what the alternation came to; None before, or where there was none.
        calibrated: what the calibration came to; None before, or where there was nothing to calibrate.
        coded_rate: bits of a real bitstream per symbol, told by whoever has coded the test; None where nobody has.
        start: the coder that training began with, if it was trained before (`ltc.training.start`).
    """

    def __init__(
        self,
        coder: Coder,
        n: int,
        lmbda: float,
        measure: str = "mse",
        energy: float | None = None,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        scheduler: Callable[..., Any] | None = None,
        prior_lr: float | None = None,
        noise_steps: int = 0,
        alternation: Alternation | None = None,
        calibration: Calibration | None = None,
        init_from: Path | str | None = None,
    ) -> None:
        super().__init__()
        if not lmbda > 0 or not math.isfinite(lmbda):
            raise ValueError(f"lambda is a positive number, got {lmbda}.")
        if measure not in DISTORTIONS:
            raise ValueError(f"There is no distortion {measure!r}; there are {', '.join(DISTORTIONS)}.")
        self.coder, self.n, self.lmbda = coder, n, float(lmbda)
        self.measure, self.distortion = measure, DISTORTIONS[measure]
        self.evaluated = RateDistortionMoments(energy)
        self.prior_lr, self.noise_steps = prior_lr, noise_steps
        self._optimizer, self._scheduler, self._calibration = optimizer, scheduler, calibration
        self._alternation = alternation
        self.clock = TrainingClock()
        self.alternated: dict[str, float] | None = None
        self.calibrated: dict[str, float] | None = None
        self.coded_rate: float | None = None
        self.start: Start | None = None
        if init_from is not None:
            start_from_coder(self, Path(init_from))

    @torch.no_grad()
    def on_fit_start(self) -> None:
        # Compiled kernels load at their first call, which takes a second: not inside the time of training.
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        self._check(data.source)
        fit_transforms(self.coder, self._draw(), data.source.dim)
        with torch.random.fork_rng(devices=[]):
            self.coder.eval()(data.calibration_batch(0)[:2].to(self.device))
            self.coder.train()

    def _check(self, source: Any) -> None:
        """A module for another source would train and count the wrong thing."""
        if source.measure != self.measure or self.evaluated.energy not in (None, source.energy):
            raise ValueError(
                f"The module has measure={self.measure} and energy={self.evaluated.energy}, but its source has "
                f"measure={source.measure} and energy={source.energy}: set symbol.measure and symbol.energy."
            )

    def on_train_start(self) -> None:
        self.clock.start()

    def on_train_end(self) -> None:
        lattice = isinstance(self.coder.bottleneck, LatticeBottleneck)
        if self._calibration is not None and lattice:
            with self.clock.calibrating():
                self._calibrate(self._calibration)
        if self._alternation is not None and lattice:
            self._alternate(self._alternation)
        self.clock.stop()

    def _calibrate(self, calibration: Calibration) -> None:
        """Scale, decoder and prior on truly quantized latents; the last checkpoint is renewed."""
        self.calibrated = calibration(self.coder, self._objective(), self._draw(), self.start)
        self._renew_checkpoint()

    def _alternate(self, alternation: Alternation) -> None:
        """All parts on truly quantized latents, the best on held-out blocks is kept; likewise."""
        held_out: Tensor = self.trainer.datamodule.held_out().to(self.device)  # type: ignore[attr-defined]
        self.alternated = alternation(self.coder, self._objective(), self._draw(), held_out)
        self._renew_checkpoint()

    def _objective(self) -> RDSearch:
        return RDSearch(self.lmbda * self.n, self.measure).to(self.device)

    def _draw(self) -> Draw:
        """Batches by number; under DDP every rank has the same ones, so that all of them keep the same coder."""
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        return lambda index: data.calibration_batch(index).to(self.device)

    def _renew_checkpoint(self) -> None:
        checkpoint: Any = self.trainer.checkpoint_callback
        if checkpoint is not None and checkpoint.best_model_path:
            self.trainer.save_checkpoint(checkpoint.best_model_path)

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        self.coder.noisy = self.global_step < self.noise_steps
        reconstruction, bits = self.coder(batch)
        rate = bits.mean() / self.n
        distortion = self.distortion(batch, reconstruction).mean()
        loss = rate + self.lmbda * distortion
        # Logging costs as much as a layer: only on the steps whose figures anyone will see.
        if self.global_step % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"The loss is {loss.item()} at step {self.global_step}: training diverged; "
                    "lower optimizer.lr or lambda."
                )
            figures = {"train/rate": rate, "train/distortion": distortion, "train/loss": loss}
            self.log_dict({k: v.detach() for k, v in figures.items()}, prog_bar=True)
        return loss + self.coder.bottleneck.auxiliary_loss()

    def _evaluate(self, batch: Tensor, batch_index: int) -> Coding:
        # Processes take turns with an evaluation's batches.
        world = self.trainer.world_size  # type: ignore[attr-defined]
        self.coder.bottleneck.seek(batch_index * world + self.global_rank)
        return self.coder(batch)

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        reconstruction, bits = self._evaluate(batch, batch_index)
        rate, distortion = bits.mean() / self.n, self.distortion(batch, reconstruction).mean()
        figures = {"val/rate": rate, "val/distortion": distortion, "val/loss": rate + self.lmbda * distortion}
        self.log_dict(figures, sync_dist=True, batch_size=len(batch))

    def on_test_epoch_start(self) -> None:
        self.evaluated.reset()

    def test_step(self, batch: Tensor, batch_index: int) -> None:
        reconstruction, bits = self._evaluate(batch, batch_index)
        self.evaluated.update(bits / self.n, self.distortion(batch, reconstruction), batch.square().mean(-1))

    def on_test_epoch_end(self) -> None:
        figures = self.evaluated.compute()
        self.log_dict({"test/rate": figures["rate"], "test/distortion": figures["distortion"]}, rank_zero_only=True)

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self._groups())
        if self._scheduler is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._scheduler(optimizer), "interval": "step"},
        }

    def _groups(self) -> Any:
        """The parameters, or, where the prior learns at its own rate, theirs and the prior's."""
        if self.prior_lr is None:
            return self.parameters()
        prior = list(self.coder.bottleneck.parameters())
        among = {id(p) for p in prior}
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.parameters() if id(p) not in among]},
            {"params": prior, "lr": self.prior_lr},
        ]
        return [group for group in groups if group["params"]]
