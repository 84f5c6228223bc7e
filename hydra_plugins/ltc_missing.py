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


class MissingLauncher(Launcher):
    """Refuses to run jobs.

    Args:
        missing: ``hydra/launcher=…``, as it was chosen.
        needs: what is missing, and the extra that brings it.
        options: whatever else was set.
    """

    def __init__(self, missing: str, needs: list[str], **options: Any) -> None:
        self.missing, self.needs = missing, needs

    def setup(self, **kwargs: Any) -> NoReturn:
        _refuse(self.missing, self.needs)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> NoReturn:
        _refuse(self.missing, self.needs)


class MissingSweeper(Sweeper):
    """Refuses to make jobs.

    Args:
        missing: ``hydra/sweeper=…``, as it was chosen.
        needs: what is missing, and the extra that brings it.
        options: whatever else was set.
    """

    def __init__(self, missing: str, needs: list[str], **options: Any) -> None:
        self.missing, self.needs = missing, needs

    def setup(self, **kwargs: Any) -> NoReturn:
        _refuse(self.missing, self.needs)

    def sweep(self, arguments: list[str]) -> NoReturn:
        _refuse(self.missing, self.needs)


def _refuse(missing: str, needs: list[str]) -> NoReturn:
    name, extra = needs
    raise CompactHydraException(f"{missing} needs {name}, which pip install '.[{extra}]' brings.")
