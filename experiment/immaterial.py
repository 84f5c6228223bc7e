"""The settings that change no figure of a job: where files go, how they are shown, what only costs time."""

from __future__ import annotations

__all__ = ["matters", "tells"]

# A name stands for all that is below it.
_IMMATERIAL = {
    *("logger", "sweep_logger", "threads", "resume", "fail_fast", "hydra"),
    # Where the same files are.
    *("data_dir", "trainer.default_root_dir"),
    *("data.workers", "data.cache_mb", "trainer.enable_progress_bar"),
    *("callbacks.progress", "callbacks.rd_point.views", "callbacks.checkpoint", "callbacks.resume.seconds"),
}

# What follows from other settings, and is no setting of a coder in people's words.
_FOLLOWING = {
    "path",
    "start",
    "callbacks",
    "image_callbacks",
    "_target_",
    "_partial_",
    "_recursive_",
    "_convert_",
    "_args_",
}


def matters(name: str) -> bool:
    """Whether a job's figures may depend on a setting, by its dotted name.

    Examples:
        >>> matters("lattice"), matters("data.batch_size"), matters("data.workers"), matters("logger.csv.name")
        (True, True, False, False)
    """
    parts = name.replace("/", ".").split(".")
    return not any(".".join(parts[:count]) in _IMMATERIAL for count in range(1, len(parts) + 1))


def tells(name: str) -> bool:
    """Whether a setting says something of a coder to a person: it matters, and is no Python name or part of a callback.

    Examples:
        >>> tells("transform.hidden"), tells("transform._target_"), tells("callbacks.rd_point.description")
        (True, False, False)
    """
    parts = name.split(".")
    return matters(name) and parts[0] not in _FOLLOWING and parts[-1] not in _FOLLOWING
