"""LTC: lattice transform coding. Lattices in the place of rounding, with exact rates and bitstreams.

>>> import ltc
>>> ltc.lattices.get("e8").dim
8

The layers, each of which knows only those above it in this list. Each is loaded at its first use, so that
``import ltc`` itself loads neither torch nor numpy:

- ``ltc.theory`` R(D), Blahut-Arimoto, normalized second moments (knows nothing of the others)
- ``ltc.transforms`` analysis and synthesis networks (likewise)
- ``ltc.lattices`` nearest points, trellises, generator matrices
- ``ltc.entropy`` probability models on lattice points
- ``ltc.coding`` their bitstreams
- ``ltc.models`` a coder = transform + lattice + entropy model
- ``ltc.images`` lattice bottlenecks and networks for images
- ``ltc.training`` the LightningModules that train coders and networks
- ``ltc.vectors`` files of vectors of any size (knows nothing of the others)
- ``ltc.codec`` trained coders on files

Beside them ``files`` writes files whole or not at all, ``pixels`` reads and writes images, ``extras`` says what to
install, and ``lazy`` loads packages at their first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc import codec, coding, entropy, images, lattices, models, theory, training, transforms, vectors

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
    "vectors",
]


__getattr__, __dir__ = lazy_names(__name__, {name: None for name in __all__ if name != "__version__"})
