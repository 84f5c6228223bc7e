"""LTC: lattice transform coding. Lattices in the place of rounding, with exact rates and bitstreams.

>>> import ltc
>>> ltc.lattices.get("e8").dim
8

The layers, each of which knows only those above it in this list. Each is loaded at its first use, so that
``import ltc`` itself loads neither torch nor numpy:

- :mod:`ltc.theory` R(D), Blahut-Arimoto, normalized second moments (knows nothing of the others)
- :mod:`ltc.transforms` analysis and synthesis networks (likewise)
- :mod:`ltc.lattices` nearest points, trellises, generator matrices
- :mod:`ltc.entropy` probability models on lattice points
- :mod:`ltc.coding` their bitstreams
- :mod:`ltc.models` a coder = transform + lattice + entropy model
- :mod:`ltc.images` lattice bottlenecks and networks for images
- :mod:`ltc.training` the LightningModules that train coders and networks
- :mod:`ltc.codec` trained coders on files

Beside them ``files`` writes files whole or not at all, ``pixels`` reads and writes images, and ``extras`` says what to
install.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ltc import codec, coding, entropy, images, lattices, models, theory, training, transforms

__version__ = "0.2.0"

__all__ = [
    "__version__",
    "codec",
    "coding",
    "entropy",
    "images",
    "lattices",
    "models",
    "theory",
    "training",
    "transforms",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            from ltc.extras import missing

            raise ImportError(missing(error) or str(error)) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
