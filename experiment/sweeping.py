"""Whether a job is one of a sweep, whose table and progress say what it would say alone."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

__all__ = ["sweeping"]


def sweeping() -> bool:
    """Whether this job is one of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
