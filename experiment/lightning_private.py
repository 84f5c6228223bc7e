"""What we do to Lightning behind its back, and why: empty hooks that cost time, and handlers of signals that wait.

Neither has a public way. The tests of this file fail when Lightning changes there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytorch_lightning import Callback, Trainer

from experiment.interruption import keep_signals

__all__ = ["keep_own_signals", "without_idle_hooks"]

_EVERY_STEP = (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "on_test_batch_start",
    "on_test_batch_end",
)


def without_idle_hooks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The same callbacks, of which Lightning calls at every step only those hooks that do something.

    Ten callbacks with six empty hooks take as long as a tenth of a small coder's training. Lightning calls what is
    callable, so the empty ones are made None.

    Args:
        callbacks: of a Trainer that is about to be made; changed in place.

    Examples:
        >>> class Counter(Callback):
        ...     def on_after_backward(self, trainer, pl_module): ...
        >>> (counter,) = without_idle_hooks([Counter()])
        >>> callable(counter.on_after_backward), callable(counter.on_train_batch_end)
        (True, False)
    """
    callbacks = list(callbacks)
    for callback in callbacks:
        for hook in _EVERY_STEP:
            if getattr(type(callback), hook) is getattr(Callback, hook):
                setattr(callback, hook, None)
    return callbacks


def keep_own_signals(trainer: Trainer) -> None:
    """Lets a trainer's handlers of signals not take the place of ours (`experiment.interruption.keep_signals`).

    Args:
        trainer: one that has not run yet; changed in place.
    """
    signals: Any = trainer._signal_connector
    signals.register_signal_handlers = keep_signals(signals.register_signal_handlers)
