"""Files: trained coders that read and write them (``python -m ltc.codec``).

- ``checkpoint`` a trained coder as one file, with the configuration that made it
- ``earlier_coders`` what earlier versions wrote there
- ``container`` the ``.ltc`` file of an array, ``image_container`` that of an image, both of ``ltc.coding.file_fields``
- ``arrays`` arrays of symbols as streams of blocks
- ``tables`` tables (.csv, .npz, .parquet) as such streams
- ``stream`` an array to an ``.ltc`` file and back, chunk by chunk
- ``audio`` recordings as symbols of the Speech source
- ``image_checkpoint`` a trained network for images as one file; ``images`` files of one image, whole or in tiles;
  ``image_evaluation`` what networks do to images
- ``__main__`` the command, and its parts: ``command`` (its words), ``packing`` (those of ``ltc.arrays``), ``ends``
  (inputs and outputs), ``interruption`` (signals), ``progress``, ``memory`` and ``info``

Names are loaded at their first use: the command heeds signals before it loads torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltc.lazy import lazy_names

if TYPE_CHECKING:
    from ltc.codec.checkpoint import CodecCheckpoint, load_coder, save_coder
    from ltc.codec.stream import compress_stream, decompress_stream

__all__ = ["CodecCheckpoint", "compress_stream", "decompress_stream", "load_coder", "save_coder"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CodecCheckpoint": "checkpoint",
        "compress_stream": "stream",
        "decompress_stream": "stream",
        "load_coder": "checkpoint",
        "save_coder": "checkpoint",
    },
)
