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
- ``ltc.arrays`` arrays of any kind to small files, without training: ``ltc.pack`` and ``ltc.unpack``
- ``ltc.codec`` trained coders on files, and the commands

Beside them ``files`` writes files whole or not at all, ``npy_header`` and ``pixels`` read arrays' headers and images,
``run_folder`` knows where a run's coder is, ``extras`` says what to install, and ``lazy`` loads packages at their first
use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc import arrays, codec, coding, entropy, images, lattices, models, theory, training, transforms, vectors
    from ltc.arrays import pack, unpack

__version__ = "0.2.0"

__all__ = [
    "__version__",
    "arrays",
    "codec",
    "coding",
    "entropy",
    "images",
    "lattices",
    "models",
    "pack",
    "theory",
    "training",
    "transforms",
    "unpack",
    "vectors",
]


_CALLS = {"pack": "arrays", "unpack": "arrays"}

__getattr__, __dir__ = lazy_names(__name__, {name: _CALLS.get(name) for name in __all__ if name != "__version__"})
