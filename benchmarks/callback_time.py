"""Time of the callbacks in the training of one run: ``python -m benchmarks.callback_time hydra.run.dir=FOLDER …``.

Counts the processor time of this thread in every hook of every callback while the training runs, which a busy machine
does not disturb, less what Lightning takes to find that there are none, and prints it as JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer import call

import run

__all__ = ["Clock"]


class Clock:
    """Takes the time of callbacks, and of the training that they are part of."""

    def __init__(self) -> None:
        self.callbacks = self.training = self.saving = 0.0
        self._begin: float | None = None
        self._calls = 0

    def hooks(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Lightning's function that calls a hook of all callbacks, with a clock."""

        def timed(trainer: pl.Trainer, hook: str, *args: Any, **kwargs: Any) -> Any:
            begin = time.thread_time()
            if hook == "on_train_start":
                self._begin = begin
            try:
                return function(trainer, hook, *args, **kwargs)
            finally:
                now = time.thread_time()
                if self._begin is not None:
                    self.callbacks += now - begin
                    self._calls += 1
                if hook == "on_train_end" and self._begin is not None:
                    self.training += now - self._begin
                    self._begin = None
                    self.callbacks -= self._calls * _empty_call(function, trainer)

        return timed

    def saves(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Lightning's writing of a checkpoint, with a clock of its own."""

        def timed(*args: Any, **kwargs: Any) -> None:
            begin = time.thread_time()
            function(*args, **kwargs)
            self.saving += (time.thread_time() - begin) if self._begin is not None else 0.0

        return timed


def _empty_call(function: Callable[..., Any], trainer: Any, repeats: int = 3000) -> float:
    """Seconds of a hook where there are no callbacks, with the clock."""
    kept, trainer.callbacks = trainer.callbacks, []
    begin = time.thread_time()
    for _ in range(repeats):
        time.thread_time()
        function(trainer, "on_before_zero_grad")
        time.thread_time()
    trainer.callbacks = kept
    return (time.thread_time() - begin) / repeats


if __name__ == "__main__":
    clock = Clock()
    call._call_callback_hooks = clock.hooks(call._call_callback_hooks)
    pl.Trainer.save_checkpoint = clock.saves(pl.Trainer.save_checkpoint)  # type: ignore[method-assign]
    run.main()
    print(json.dumps({"callbacks": clock.callbacks, "training": clock.training, "saving": clock.saving}))
