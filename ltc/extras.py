"""Packages that only parts of ltc need, and the extra that installs each of them."""

from __future__ import annotations

__all__ = ["missing"]

_EXTRA_OF = {
    "PIL": "images",
    "compressai": "images",
    "pytorch_msssim": "images",
    "torchvision": "images",
    "matplotlib": "plots",
    "pyarrow": "parquet",
    "pytorch_lightning": "training",
    "torchmetrics": "training",
    "zuko": "flows",
}


def missing(error: ModuleNotFoundError) -> str | None:
    """The sentence for a package that is not installed; None if it is none of an extra.

    Examples:
        >>> missing(ModuleNotFoundError(name="compressai"))
        "This needs the package compressai: pip install 'ltc[images]'."
    """
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRA_OF:
        return None
    return f"This needs the package {package}: pip install 'ltc[{_EXTRA_OF[package]}]'."
