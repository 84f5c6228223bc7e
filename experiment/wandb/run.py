"""Weights & Biases without an account: a run for each point, offline unless the user sets WANDB_MODE otherwise."""

from __future__ import annotations

import json
import netrc
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["commit_of", "has_login", "sweep_group", "wandb_logger", "wandb_mode"]


def wandb_mode() -> Any:
    """``WANDB_MODE`` if it is set, else offline, so that nothing ever asks for a login.

    Raises:
        ValueError: if it is set to something that needs a login, and there is none.
    """
    mode = os.environ.get("WANDB_MODE") or "offline"
    if mode in ("online", "run", "shared"):
        import wandb

        server = os.environ.get("WANDB_BASE_URL") or wandb.Settings().base_url
        if not has_login(server):
            raise ValueError(
                f"WANDB_MODE={mode}, but there is no login for {server}: run `wandb login`, set WANDB_API_KEY, "
                "or leave WANDB_MODE out and `wandb sync` later."
            )
    return mode


def has_login(server: str) -> bool:
    """Whether wandb would know who asks, without asking.

    Args:
        server: its address.
    """
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    try:
        from wandb.sdk.lib.wbauth import read_netrc_auth
    except ImportError:  # an older wandb, whose server has one name only
        path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
        try:
            return path.is_file() and netrc.netrc(path).authenticators(urlsplit(server).netloc) is not None
        except netrc.NetrcParseError:
            return False
    return read_netrc_auth(host=server) is not None


def wandb_logger(
    project: str,
    save_dir: str,
    config: Mapping[str, Any],
    overrides: Sequence[str] = (),
    log_model: bool = False,
    group: str | None = None,
    **options: Any,
) -> Any:
    """Lightning's WandbLogger in `wandb_mode`, with a run of its own for this job, which ends with its RD point.

    Args:
        project: W&B project.
        save_dir: the job's folder; the offline files go there.
        config: what the run is a run of. The commit and the whole composed configuration are added to it.
        overrides: what the command line or the sweeper set.
        log_model: whether the trained coder and the checkpoints become an artifact of the run.
        group: what the run is shown with; None: the sweep, if the job is one of a sweep.
        options: further options of ``WandbLogger``.
    """
    import wandb
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from experiment.wandb.point import PointLogger

    os.environ.setdefault("WANDB_SILENT", "true")
    # A job that failed before its end leaves its run behind; this job is another one.
    if wandb.run is not None:
        wandb.finish(exit_code=1)
    folder = Path(save_dir)
    if group is None and HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        group = sweep_group(folder.absolute().parent)
    return PointLogger(
        folder=folder,
        artifact=log_model,
        project=project,
        save_dir=save_dir,
        config={**config, "overrides": list(overrides), "commit": commit_of(folder), "composed": _composed(folder)},
        mode=wandb_mode(),
        group=group,
        job_type="point",
        **{"name": _name(config), **options},
    )


def sweep_group(folder: Path) -> str:
    """The group of a sweep's runs: the name of the sweep, from its folder."""
    from experiment.report.sweeps import sweep_name

    return sweep_name(folder)[-128:]  # W&B takes no more


def commit_of(folder: Path) -> str | None:
    """The commit that a job in this folder ran at: of its ``provenance.json``, else of the code; None if unknown."""
    path = folder / "provenance.json"
    if path.is_file():
        content = json.loads(path.read_text())
        if isinstance(content, dict) and content.get("commit"):
            return str(content["commit"])
    from experiment.provenance import git

    try:
        return git("rev-parse", "HEAD").strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _name(config: Mapping[str, Any]) -> str | None:
    """``e8, lambda=2``: what a reader looks for in a list of runs."""
    parts = [str(config["lattice"])] if config.get("lattice") else []
    parts += [f"lambda={config['lambda']:g}"] if config.get("lambda") is not None else []
    return ", ".join(parts) or None


def _composed(folder: Path) -> Any:
    """The job's composed configuration, resolved, without what only says where figures go."""
    from omegaconf import OmegaConf

    path = folder / ".hydra" / "config.yaml"
    if not path.is_file():
        return {}
    config: Any = OmegaConf.load(path)
    kept = OmegaConf.to_container(config, resolve=True)
    return {k: v for k, v in kept.items() if k not in ("logger", "sweep_logger", "callbacks")}  # type: ignore[union-attr]
