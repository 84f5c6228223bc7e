"""Configurations in files that earlier versions wrote, as this version's classes take them."""

from __future__ import annotations

from typing import Any

__all__ = ["of_today"]

# Bottlenecks that took the lattice beside the prior, which now owns it.
_WITH_PRIOR = {"ltc.models.LatticeBottleneck", "ltc.models.DitheredBottleneck"}


def of_today(config: Any) -> Any:
    """A coder's configuration, of whatever version, as it would be written today.

    Args:
        config: nested dictionaries and lists, with ``_target_``.

    Returns:
        Likewise; the configuration that was given stays as it is.

    Examples:
        >>> prior = {"_target_": "ltc.entropy.exact_prior", "lattice": {"_target_": "ltc.lattices.get", "name": "e8"}}
        >>> old = {"_target_": "ltc.models.LatticeBottleneck", "lattice": prior["lattice"], "entropy_model": prior}
        >>> sorted(of_today(old)), sorted(of_today(old)["entropy_model"])
        (['_target_', 'entropy_model'], ['_target_', 'lattice'])
    """
    if isinstance(config, list):
        return [of_today(part) for part in config]
    if not isinstance(config, dict):
        return config
    gone = {"lattice"} if config.get("_target_") in _WITH_PRIOR else set()
    return {key: of_today(value) for key, value in config.items() if key not in gone}
