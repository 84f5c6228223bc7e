"""Numbers as choices of the config group ``lambda``: ``lambda=0.5,1,2`` beside ``lambda=low``.

Hydra wants a file for each choice of a group: a config source makes up the file of any positive number, wherever Hydra
reads a configuration (command line, ``-m``, sweep files, defaults lists, a launcher's subprocess). That a number is
handed to a group as its text is done in ``conf.overrides``.
"""

from __future__ import annotations

import math
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

__all__ = ["LambdaSource", "accept_numbers_as_lambda"]

_GROUP = "lambda"


class LambdaSource(ConfigSource):
    """The config files ``lambda/<number>.yaml`` for every positive number: ``lambda: <number>`` at the top level."""

    @staticmethod
    def scheme() -> str:
        return "lambda"

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return False

    def is_config(self, config_path: str) -> bool:
        # Asked last of all sources, so whatever comes here under lambda/ is no named value.
        group, _, choice = config_path.partition("/")
        if group != _GROUP or not choice:
            return False
        _positive(choice.removesuffix(".yaml"))
        return True

    def load_config(self, config_path: str) -> ConfigResult:
        number = _positive(config_path.partition("/")[2].removesuffix(".yaml"))
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=OmegaConf.create({_GROUP: number}),
            header={"package": "_global_"},
        )

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []


class _LambdaSearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append("lambda", "lambda://numbers")
        # Sweeps are started by name: python run.py -m --config-name gaussian
        search_path.append("sweeps", f"file://{Path(__file__).resolve().parent.parent / 'multirun_sweeps'}")


def accept_numbers_as_lambda() -> None:
    """Registers the above with Hydra; safe to call again."""
    Plugins.instance().register(LambdaSource)
    Plugins.instance().register(_LambdaSearchPath)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise ConfigCompositionException(
            f"lambda={text} is not allowed: lambda is a positive number, as in lambda=0.5, or one of low, mid, high."
        )
    return number
