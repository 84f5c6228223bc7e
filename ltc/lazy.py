"""Packages whose names are loaded at their first use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, modules: Mapping[str, str | None]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Args:
        package: its name.
        modules: the module of the package that has each of its public names; None for a name that is a module itself.

    Raises:
        AttributeError: from ``__getattr__``, for another name.
        ImportError: likewise, where a package is not installed; it says which extra of ``ltc`` has it.

    Examples:
        >>> load, names = lazy_names("ltc.codec", {"save_coder": "checkpoint", "stream": None})
        >>> load("stream").__name__, "save_coder" in names()
        ('ltc.codec.stream', True)
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = modules[name]
        try:
            found = importlib.import_module(f"{package}.{module or name}")
        except ModuleNotFoundError as error:
            from ltc.extras import missing

            raise ImportError(missing(error) or str(error)) from error
        return found if module is None else getattr(found, name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return load, names
