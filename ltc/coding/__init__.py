"""Bitstreams of lattice points: the exact models' probabilities, as integers, through a range coder.

- ``weights`` from an entropy model to its tables: ``point_model``
- ``point_models`` what the bitstream asks of a model, coordinate by coordinate
- ``trellis_model`` tables of lattices with a trellis, of trellis codes and of mixtures
- ``triangular_model`` tables of any lattice with a triangular basis
- ``conditional_search`` the cheapest point given a scale for each coordinate
- ``conditional_model`` tables given a scale for each coordinate, of lattices with a trellis and trellis codes
  (``residue_tables``, ``gaussian_mass``); ``conditional_triangular_model`` of others; ``conditional_weights`` from a
  conditional prior to them: ``conditional_point_model``
- ``trellis_steps`` what all tables over a trellis share
- ``dithered_model`` tables given a shared dither
- ``uniform_model`` tables of fixed-rate codes
- ``frequencies`` probabilities as integers, the same on any machine
- ``range_coder`` constriction's range coder, with escapes
- ``point_coder`` points to bytes and back
- ``file_fields`` integers and whole reads in files
- ``errors`` what is wrong with a stream that is none

Names are loaded at their first use: range coder and errors need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc.coding.conditional_model import ConditionalModel
    from ltc.coding.conditional_triangular_model import ConditionalTriangularModel, TabulatedTriangularModel
    from ltc.coding.conditional_weights import conditional_point_model
    from ltc.coding.errors import CorruptStream, NoBitstream
    from ltc.coding.point_coder import decode_points, encode_points
    from ltc.coding.point_models import PointModel
    from ltc.coding.weights import dithered_point_model, point_model

__all__ = [
    "ConditionalModel",
    "ConditionalTriangularModel",
    "CorruptStream",
    "NoBitstream",
    "PointModel",
    "TabulatedTriangularModel",
    "conditional_point_model",
    "decode_points",
    "dithered_point_model",
    "encode_points",
    "point_model",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ConditionalModel": "conditional_model",
        "ConditionalTriangularModel": "conditional_triangular_model",
        "CorruptStream": "errors",
        "NoBitstream": "errors",
        "PointModel": "point_models",
        "TabulatedTriangularModel": "conditional_triangular_model",
        "conditional_point_model": "conditional_weights",
        "decode_points": "point_coder",
        "dithered_point_model": "weights",
        "encode_points": "point_coder",
        "point_model": "weights",
    },
)
