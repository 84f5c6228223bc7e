"""Files: trained coders that read and write them (``python -m ltc.codec``).

- ``checkpoint`` a trained coder as one file, with the configuration that made it
- ``arrays`` arrays of symbols as streams of blocks
- ``stream`` an array to an ``.ltc`` file and back, chunk by chunk
- ``audio`` recordings as symbols of the Speech source
- ``images`` networks for images: their checkpoint, and files of one image
- ``__main__`` the command
"""

from ltc.codec.checkpoint import CodecCheckpoint, load_coder, save_coder
from ltc.codec.stream import compress_stream, decompress_stream

__all__ = ["CodecCheckpoint", "compress_stream", "decompress_stream", "load_coder", "save_coder"]
