"""The LightningModule that trains image networks: minimize bits per pixel + lambda * squared error."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from ltc.images.estimates import estimate
from ltc.images.lattice_use import LatticeUse
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.quality import bits, squared_error
from ltc.images.refinement import Refinement
from ltc.images.start import start_from
from ltc.lattices import Lattice
from ltc.training.clock import TrainingClock
from ltc.training.moments import RateDistortionMoments

__all__ = ["ImageModule"]


class ImageModule(pl.LightningModule):
    """Trains and evaluates an image network.

    The loss is rate + lambda * distortion with the rate in bits per pixel and the distortion the mean squared error of
    pixels from 0 to 255. That is CompressAI's convention (lambda * 255^2 * error of pixels from 0 to 1), so that lambda
    = 0.0018, 0.0035, 0.0067, 0.013, 0.025, 0.0483, 0.0932, 0.18 mean here what they mean in the field.

    The quantiles of entropy bottlenecks, which tell the entropy coder where its tables end, are learned by a loss of
    their own that touches nothing else, and the loss above does not touch them. They form a group of the optimizer's
    parameters with its own learning rate; since such optimizers treat every parameter by itself, that is an optimizer
    of their own. Gradient clipping leaves them out.

    Args:
        network: the network.
        lmbda: lambda.
        optimizer: makes the optimizer from groups of parameters.
        auxiliary_lr: learning rate of the quantiles.
        scheduler: makes the learning-rate schedule (a step each batch) from the optimizer; None keeps it constant.
        clip: the largest norm of the gradient of all other parameters; None for no limit.
        init_from: ``coder.pt`` of a trained network with the same transforms, to start from; None to start afresh.
        effort: steps of descent of the encoder's search for each test image (``ltc.images.Refinement``), 0 for the
            trellis search alone; None for nearest points.

    Attributes:
        evaluated: ``ltc.training.moments.RateDistortionMoments`` of the last evaluation, over whole images: bits
            per pixel by the likelihoods, squared error of pixels (0 to 255) that are rounded as in a file.
        use: which lattices the latents have used, in the first training step and then in the last evaluation.
        clock: how long training took.
        rows: a dictionary for each test image, told by whoever has coded the test; None where nobody has.

    Raises:
        ValueError: if lambda is not positive, effort no number of steps, or ``init_from`` does not fit.
    """

    def __init__(
        self,
        network: ImageNetwork,
        lmbda: float,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        auxiliary_lr: float = 1e-3,
        scheduler: Callable[..., Any] | None = None,
        clip: float | None = 1.0,
        init_from: Path | str | None = None,
        effort: int | None = None,
    ) -> None:
        super().__init__()
        if effort is not None and (isinstance(effort, bool) or not isinstance(effort, int) or effort < 0):
            raise ValueError(f"effort={effort} is not allowed: it is a number of steps, or null for no search.")
        if not lmbda > 0 or not math.isfinite(lmbda):
            raise ValueError(f"lambda is a positive number, got {lmbda}.")
        self.search = None if effort is None else Refinement(float(lmbda), effort)
        if init_from is not None:
            start_from(network, init_from)
        self.network, self.lmbda, self.clip, self.auxiliary_lr = network, float(lmbda), clip, auxiliary_lr
        self.evaluated = RateDistortionMoments()
        self.clock = TrainingClock()
        self.rows: list[dict[str, Any]] | None = None
        self.use = LatticeUse(network)
        network.at(self.lmbda)
        self._optimizer, self._scheduler = optimizer, scheduler

    def on_train_start(self) -> None:
        self.clock.start()

    def on_train_end(self) -> None:
        self.clock.stop()

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        rate, distortion, loss = self._training_loss(batch)
        if self.global_step == 0:
            self.use.check()
        auxiliary = self._auxiliary_loss()
        if self.global_step % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"The loss is {loss.item()} at step {self.global_step}: training diverged; "
                    "lower optimizer.lr or lambda."
                )
            figures = {"train/rate": rate, "train/distortion": distortion, "train/loss": loss, "train/aux": auxiliary}
            self.log_dict({k: v.detach() for k, v in figures.items()}, prog_bar=True)
        return loss + auxiliary

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        rate, distortion = (figure.mean() for figure in self._rates_and_distortions(batch))
        figures = {"val/rate": rate, "val/distortion": distortion, "val/loss": rate + self.lmbda * distortion}
        self.log_dict(figures, sync_dist=True, batch_size=len(batch))

    def _training_loss(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rate, distortion and what is minimized, of a batch of crops."""
        rate, distortion = (figure.mean() for figure in self._rates_and_distortions(batch))
        return rate, distortion, rate + self.lmbda * distortion

    def _rates_and_distortions(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Bits per pixel, and squared error of pixels from 0 to 255, of each crop of a batch [batch, 3, size, size].

        Raises:
            ValueError: if the crops' sides are no multiples of the network's factor.
        """
        height, width, factor = *batch.shape[2:], self.network.factor
        if height % factor or width % factor:
            raise ValueError(
                f"Crops are {width} x {height} pixels, but {type(self.network).__name__} trains on sides that are "
                f"multiples of {factor}: crop_size={max(factor, min(height, width) // factor * factor)}, say. "
                "(Whole images of any size are padded.)"
            )
        return self._figures(self.network(batch), batch)

    def _figures(self, out: dict[str, Any], batch: Tensor) -> tuple[Tensor, Tensor]:
        """The same of what a network has made of a batch."""
        rates = bits(out["likelihoods"]) / batch[0, 0].numel()
        return rates, 255**2 * (out["x_hat"] - batch).square().flatten(1).mean(1)

    def _auxiliary_loss(self) -> Tensor:
        """What belongs to the entropy coder's tables, and the penalties of learned lattices."""
        penalties = [m.auxiliary_loss() for m in self.network.modules() if isinstance(m, Lattice)]
        return torch.as_tensor(self.network.aux_loss()) + sum(penalties)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], self.clip)

    def on_test_epoch_start(self) -> None:
        self.evaluated.reset()
        self.use.reset()

    def test_step(self, batch: tuple[int, Tensor], batch_index: int) -> dict[str, Any]:
        """One image, by number: ``estimate``, what the network makes of it without a file."""
        _, pixels = batch
        found = estimate(self.network, pixels, self.search)
        distortion = squared_error(pixels, found.reconstruction)
        rate = found.bits / pixels[0].numel()
        self.evaluated.update(*(torch.tensor([figure], device=self.device) for figure in (rate, distortion)))
        return {"estimate": found}

    def on_test_epoch_end(self) -> None:
        figures = self.evaluated.compute()
        self.log_dict({"test/rate": figures["rate"], "test/distortion": figures["distortion"]}, rank_zero_only=True)

    def configure_optimizers(self) -> Any:
        quantiles = [p for name, p in self.network.named_parameters() if name.endswith("quantiles")]
        others = [p for name, p in self.network.named_parameters() if not name.endswith("quantiles")]
        groups: list[dict[str, Any]] = [{"params": others}, {"params": quantiles, "lr": self.auxiliary_lr}]
        optimizer = self._optimizer([group for group in groups if group["params"]])
        if self._scheduler is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._scheduler(optimizer), "interval": "step"},
        }
