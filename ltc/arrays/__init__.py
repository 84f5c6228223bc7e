"""Arrays to small files without a training run: ``ltc.pack``, ``ltc.unpack`` and ``ltc pack``.

- ``calls`` ``pack`` and ``unpack``; ``packing`` arrays to files and back, chunk by chunk
- ``goals`` bits, PSNR, lambda, a largest error
- ``sources`` arrays in memory and in files; ``sinks`` where unpacked ones go; ``number_types`` their types;
  ``tensor_notes`` what a safetensors file says of its own
- ``scan`` a first look: range, columns, a sample
- ``fitting`` a model for an array and a goal; ``step_search`` (``secant``) its step, ``sample_fit`` what it makes of a
  sample, ``alternation`` its priors, ``classes`` which numbers are alike, ``codes`` the quantizers
- ``model`` step, layout and priors; ``layouts`` classes in the file; ``priors`` tables of a class
- ``chunks`` a chunk to bytes; ``symbols`` its integers; ``exceptions`` what is kept as it is; ``exact`` chunks that
  are; ``squeezed`` bytes that are deflated
- ``container`` the file; ``about`` what one says of itself

Names are loaded at their first use. Nothing here needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc.arrays.about import about_arrays
    from ltc.arrays.calls import pack, unpack
    from ltc.arrays.codes import code_names
    from ltc.arrays.goals import Goal
    from ltc.arrays.packing import pack_sources, unpack_file

__all__ = ["Goal", "about_arrays", "code_names", "pack", "pack_sources", "unpack", "unpack_file"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Goal": "goals",
        "about_arrays": "about",
        "code_names": "codes",
        "pack": "calls",
        "pack_sources": "packing",
        "unpack": "calls",
        "unpack_file": "packing",
    },
)
