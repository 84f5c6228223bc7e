"""Launchers and sweepers of extras that are not installed: one sentence says how to install them.

Without these Hydra would list all that it has found instead. ``conf.launchers`` offers them under the names of those
that are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

__all__ = ["MissingLauncher", "MissingSweeper"]


class _Missing:
    """Refuses to do anything.

    Args:
        missing: ``hydra/launcher=…`` or ``hydra/sweeper=…``, as it was chosen.
        needs: what is missing, and the extra that brings it.
        options: whatever else was set.
    """

    def __init__(self, missing: str, needs: list[str], **options: Any) -> None:
        self.missing, self.needs = missing, needs

    def setup(self, **kwargs: Any) -> NoReturn:
        self.refuse()

    def refuse(self) -> NoReturn:
        name, extra = self.needs
        raise CompactHydraException(f"{self.missing} needs {name}, which pip install '.[{extra}]' brings.")


class MissingLauncher(_Missing, Launcher):
    """Refuses to run jobs."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> NoReturn:
        self.refuse()


class MissingSweeper(_Missing, Sweeper):
    """Refuses to make jobs."""

    def sweep(self, arguments: list[str]) -> NoReturn:
        self.refuse()
