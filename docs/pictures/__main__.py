"""Draws all pictures, or those that are named: ``python -m docs.pictures [NAME …]``."""

from __future__ import annotations

import importlib
import sys

import torch

NAMES = ["lattice", "trellis", "exact_prior", "dither", "search", "calibration"]


def main(names: list[str]) -> None:
    """Draws the pictures of these names, each from the same seed."""
    for name in names:
        torch.manual_seed(0)
        importlib.import_module(f"docs.pictures.{name}").draw()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:] or NAMES)
