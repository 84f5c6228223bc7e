"""Files through a trained coder, and arrays without one.

    python -m ltc.codec compress CHECKPOINT INPUT OUTPUT
    python -m ltc.codec decompress CHECKPOINT INPUT OUTPUT
    python -m ltc.codec pack INPUT OUTPUT --bits 2
    python -m ltc.codec unpack INPUT OUTPUT
    python -m ltc.codec info FILE …

CHECKPOINT is the ``coder.pt`` that a run leaves in its folder, or that folder. INPUT of ``compress`` is an array of
symbols (.npy, or .csv, .npz, .parquet), or a recording (.wav) for a coder of the Speech source; ``decompress`` writes
an array. A coder of images takes an image (.png, .jpg and others) and writes a PNG. ``pack`` needs no coder: it fits a
model to any array (.npy), or to each array of an .npz or .safetensors file, and ``unpack`` writes a file of the same
kind. A ``-`` stands for standard input or output. ``info`` tells what a file is, and which coder wrote it; of a coder,
its name in the files it writes and what it was trained on.
"""

from __future__ import annotations

import sys

from ltc.codec.interruption import Interruptions, ignore_signals

__all__ = ["main"]


def main(arguments: list[str] | None = None, prog: str = "python -m ltc.codec") -> int:
    """Runs the command.

    Args:
        arguments: the command line; None: ``sys.argv``.
        prog: how the command calls itself.

    Returns:
        0, or 2 after one sentence about what was wrong; 130 or 143 if it was interrupted.
    """
    with Interruptions("error: interrupted; no output was written.") as interruptions:
        try:
            # Signals are heeded while this is loaded, and all that it needs.
            from ltc.codec.command import run

            return run(arguments, prog, __doc__ or "", interruptions)
        except BaseException:
            if interruptions.number is None:
                raise
            # Whatever a library has made of the signal.
            print(interruptions.line, file=sys.stderr)
            return interruptions.code


if __name__ == "__main__":
    code = main()
    ignore_signals()
    sys.exit(code)
