"""Kodak's photographs, for benchmarks: where they are, and which are taken."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from torch import Tensor

from datamodules.errors import DataError
from datamodules.images import image_folder
from ltc.pixels import read_image

__all__ = ["options_with_data", "photographs"]

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def options_with_data(parser: ArgumentParser) -> Namespace:
    """The command's options with ``data``, a folder: ``LTC_DATA_DIR`` as for runs, or the one beside the repository.

    Raises:
        SystemExit: no photograph is there; hours may go by before a benchmark needs the first.
    """
    folder = Path(os.environ.get("LTC_DATA_DIR", _BESIDE))
    parser.add_argument("--data", type=Path, default=folder, help="with kodak in it (LTC_DATA_DIR)")
    options = parser.parse_args()
    try:
        image_folder(options.data / "kodak")
    except DataError as error:
        parser.error(str(error))
    return options


def photographs(data: Path, count: int) -> list[tuple[str, Tensor]]:
    """Names and pixels, uint8 [3, height, width], of so many of Kodak's images, as far from each other as can be."""
    files = image_folder(data / "kodak")
    return [(path.name, read_image(path)) for path in files[:: max(1, len(files) // count)][:count]]
