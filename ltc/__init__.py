"""LTC: lattice transform coding. The layers, each of which knows only those above it in this list:

- :mod:`ltc.lattices` nearest points, trellises, generator matrices
- :mod:`ltc.entropy` probability models on lattice points
- :mod:`ltc.coding` their bitstreams
- :mod:`ltc.transforms` analysis and synthesis networks (knows nothing of lattices)
- :mod:`ltc.theory` R(D), Blahut-Arimoto, normalized second moments (knows nothing of the others)
- :mod:`ltc.models` a coder = transform + lattice + entropy model, and the LightningModule that trains it
- :mod:`ltc.images` lattice bottlenecks and networks for images (knows all but the next)
- :mod:`ltc.codec` trained coders on files
"""

__version__ = "0.1.0"
