"""Lattices by name: each file of the catalogue registers what it defines, and ``get`` finds it."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable

from ltc.lattices.lattice import Lattice

__all__ = ["get", "names", "register"]

_FACTORIES: dict[str, tuple[Callable[[int], Lattice], int, bool]] = {}


def register(name: str, dim: int, fixed: bool = True) -> Callable:
    """Decorator: makes a function ``dim -> Lattice`` known as ``name``.

    Args:
        name: what ``get`` is asked for.
        dim: the dimension, or the default one.
        fixed: whether there is no other dimension.
    """

    def note(factory: Callable[[int], Lattice]) -> Callable[[int], Lattice]:
        _FACTORIES[name] = (factory, dim, fixed)
        return factory

    return note


def names() -> list[str]:
    """The names of all lattices."""
    _discover()
    return sorted(_FACTORIES)


def get(name: str, dim: int | None = None) -> Lattice:
    """A lattice by name, at unit volume.

    Args:
        name: one of ``names``, e.g. ``"e8"``.
        dim: the dimension, for families (``"z"``, ``"an"``, ``"dn"``, ``"dn_dual"``); for a trellis code the
            length of the sequence. None takes the default.

    Raises:
        ValueError: for an unknown name, or a dimension that the lattice does not have.

    Examples:
        >>> get("e8").dim, get("dn", 5).dim
        (8, 5)
    """
    _discover()
    if name not in _FACTORIES:
        raise ValueError(f"There is no lattice {name!r}; there are {', '.join(names())}.")
    _, default, fixed = _FACTORIES[name]
    if dim is not None and (int(dim) != dim or dim < 1):
        raise ValueError(f"The dimension of a lattice is a positive integer, got dim={dim}.")
    if fixed and dim not in (None, default):
        raise ValueError(
            f"{name} has dimension {default}, not {dim}; for a product of copies quantize a multiple of {default}."
        )
    return _build(name, default if dim is None else int(dim))


@functools.lru_cache(maxsize=256)
def _build(name: str, dim: int) -> Lattice:
    return _FACTORIES[name][0](dim)


@functools.cache
def _discover() -> None:
    catalogue = importlib.import_module("ltc.lattices.catalogue")
    for module in pkgutil.iter_modules(catalogue.__path__, f"{catalogue.__name__}."):
        importlib.import_module(module.name)
