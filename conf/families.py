"""Experiments that differ in their lattice alone: ``experiment=bltc_e8`` is ``experiment=bltc lattice=e8``.

Hydra wants a file for each choice of a group: a config source makes up the file of each family with each lattice,
wherever Hydra reads a configuration. A file that is there is taken first.
"""

from __future__ import annotations

from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

__all__ = ["FAMILIES", "FamilySource", "accept_lattices_in_experiments"]

FAMILIES = ("ltc", "one_shot", "dither", "bltc", "refine", "eclq", "images/ltc")
"""Files of ``conf/experiment`` that leave the lattice open."""

_GROUP = "experiment/"


class FamilySource(ConfigSource):
    """The config files ``experiment/<family>_<lattice>.yaml``."""

    @staticmethod
    def scheme() -> str:
        return "families"

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return False

    def is_config(self, config_path: str) -> bool:
        return _split(config_path) is not None

    def load_config(self, config_path: str) -> ConfigResult:
        found = _split(config_path)
        assert found is not None
        family, lattice = found
        # Which lattices there are is Hydra's to say: it knows of those in other folders, too.
        defaults: list[Any] = [f"/{_GROUP}{family}", {"override /lattice": lattice}]
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=OmegaConf.create({"defaults": defaults}),
            header={"package": "_global_"},
        )

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []


def _split(config_path: str) -> tuple[str, str] | None:
    """Family and lattice of a file's path.

    Examples:
        >>> _split("experiment/bltc_dn_dual.yaml"), _split("experiment/images/ltc_e8"), _split("experiment/prior_flow")
        (('bltc', 'dn_dual'), ('images/ltc', 'e8'), None)
    """
    if not config_path.startswith(_GROUP):
        return None
    name = config_path.removeprefix(_GROUP).removesuffix(".yaml")
    family = next((family for family in FAMILIES if name.startswith(f"{family}_")), None)
    return None if family is None else (family, name.removeprefix(f"{family}_"))


class _FamilySearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append("families", "families://experiments")


def accept_lattices_in_experiments() -> None:
    """Registers the above with Hydra; safe to call again."""
    Plugins.instance().register(FamilySource)
    Plugins.instance().register(_FamilySearchPath)
