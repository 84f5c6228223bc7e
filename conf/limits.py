"""Which values settings may have, asked of a job before anything heavy is made and before any file is touched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

__all__ = ["check_settings", "check_sweep"]


@dataclass(frozen=True)
class _Limit:
    """What is allowed, and in words."""

    allows: Callable[[Any], bool]
    words: str


def _is_number(value: Any, kind: Any = (int, float)) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def _whole(low: int, high: float = math.inf) -> _Limit:
    words = f"a whole number, {low} or more" if high == math.inf else f"a whole number from {low} to {high}"
    return _Limit(lambda value: _is_number(value, int) and low <= value <= high, words)


def _between(low: float, high: float) -> _Limit:
    return _Limit(lambda value: _is_number(value) and low <= value <= high, f"a number from {low:g} to {high:g}")


def _or_null(limit: _Limit) -> _Limit:
    return _Limit(lambda value: value is None or limit.allows(value), f"{limit.words}, or null")


_POSITIVE = _Limit(lambda value: _is_number(value) and value > 0, "a positive number")
_SHARE = _Limit(lambda value: _is_number(value) and 0 < value < 1, "a number between 0 and 1")
_NOT_NEGATIVE = _Limit(lambda value: _is_number(value) and value >= 0, "a number, 0 or more")
_SWITCH = _Limit(lambda value: isinstance(value, bool), "true or false")
# Lightning's: a number of devices, all of them, or a list of those that are meant.
_DEVICES = _Limit(
    lambda value: value in (-1, "auto") or not isinstance(value, int | float) or _whole(1).allows(value),
    "a whole number, 1 or more, or -1 for all that there are",
)

_ABSENT = object()

# In this order: what others are made of comes first.
_LIMITS = {
    **{"lambda": _POSITIVE, "symbol.dim": _whole(1), "symbol.latents": _whole(1), "lattice.dim": _whole(1)},
    **{"n": _whole(1), "run": _whole(1), "gain": _POSITIVE, "noise": _between(0, 1), "seed": _whole(0, 2**32 - 1)},
    **{"parts": _whole(1), "sequence": _whole(1), "fail_fast": _SWITCH},
    **{"threads": _whole(1), "devices": _DEVICES, "num_nodes": _whole(1)},
    **{"steps": _whole(0), "step_factor": _POSITIVE, "trainer.max_steps": _whole(0)},
    **{"batch_floats": _whole(1), "batch_size": _whole(1), "eval_floats": _whole(1), "eval_batch_size": _whole(1)},
    **{"optimizer.lr": _POSITIVE, "prior_lr": _or_null(_POSITIVE), "quantizer.rdo": _SWITCH},
    **{"crops": _whole(1), "crop_size": _whole(1), "data.cache_mb": _NOT_NEGATIVE, "data.workers": _whole(0)},
    **{"calibration.lowest": _POSITIVE, "calibration.highest": _POSITIVE, "calibration.lr": _POSITIVE},
    **{f"calibration.{name}": _whole(1) for name in ("evaluations", "rounds", "validation_symbols")},
    **{f"calibration.{name}": _whole(0) for name in ("refit_steps", "rdo_steps", "final_steps")},
    **{"source.test_share": _SHARE, "source.seed": _whole(0, 2**32 - 1), "source.test_rows": _or_null(_whole(1))},
    **{"source.size": _whole(1)},
    **{"reconstructions": _SWITCH, "module.auxiliary_lr": _POSITIVE, "module.clip": _or_null(_POSITIVE)},
}


def check_settings(cfg: DictConfig) -> None:
    """Refuses settings that are missing or out of range.

    Args:
        cfg: a job's configuration; what it has no setting for is not asked about.

    Raises:
        ValueError: with the setting, its value and what is allowed.
        omegaconf.errors.OmegaConfBaseException: if a setting points to one that is not there.
    """
    if "lambda" not in cfg:
        raise ValueError("lambda is not set; it is a positive number, as in lambda=0.5.")
    missing = next((key for group in cfg if group != "hydra" for key in _missing(cfg, str(group))), None)
    if missing is not None:
        raise ValueError(f"{missing} is not set: say what it is, as in {missing}=…")
    for key, limit in _LIMITS.items():
        value = _selected(cfg, key)
        if value is not _ABSENT and not limit.allows(value):
            raise ValueError(f"{key}={_written(value)} is not allowed: it is {limit.words}.")
    _check_eval_symbols(cfg)


def _selected(cfg: DictConfig, key: str) -> Any:
    """A setting; where it follows from a file that cannot be read, that file's own error is raised."""
    try:
        return OmegaConf.select(cfg, key, default=_ABSENT)
    except OmegaConfBaseException as error:
        cause: BaseException | None = error
        while isinstance(cause, OmegaConfBaseException):
            cause = cause.__cause__ or cause.__context__
        if isinstance(cause, ValueError | OSError):
            raise cause from None
        raise


def _check_eval_symbols(cfg: DictConfig) -> None:
    # Images: null is all of them. Sources of numbers: there is a mean of some only.
    limit = _or_null(_whole(1)) if "crops" in cfg else _whole(1)
    if "eval_symbols" in cfg and not limit.allows(cfg.eval_symbols):
        raise ValueError(f"eval_symbols={_written(cfg.eval_symbols)} is not allowed: it is {limit.words}.")


def check_sweep(hydra: Any) -> None:
    """Refuses to run a single job of a configuration that sweeps, unless the command says which job.

    Args:
        hydra: Hydra's own configuration.

    Raises:
        ValueError: with the settings that are swept over.
    """
    if hydra.mode.name != "RUN":
        return
    said = {override.partition("=")[0].lstrip("+") for override in hydra.overrides.task}
    open_ = {key: value for key, value in (hydra.sweeper.get("params") or {}).items() if key not in said}
    if open_:
        name = hydra.job.config_name
        each = " ".join(f"{key}={str(value).split(',')[0].strip()}" for key, value in open_.items())
        raise ValueError(
            f"{name} is a sweep over {' and '.join(open_)}: start it with -m (python run.py -m --config-name {name}), "
            f"or say which point is wanted, as in {each}."
        )


def _missing(node: DictConfig, key: str, path: str = "") -> Iterator[str]:
    """The settings below a key that are ``???``, each where it is and not where it is referred to."""
    path = f"{path}.{key}" if path else key
    if OmegaConf.is_missing(node, key):
        yield path
    elif not OmegaConf.is_interpolation(node, key) and isinstance(node[key], DictConfig):
        for below in node[key]:
            yield from _missing(node[key], str(below), path)


def _written(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
