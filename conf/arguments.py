"""Options of ``run.py`` anywhere among its overrides: ``run.py trainer=smoke --config-name images lambda=0.01``."""

from __future__ import annotations

import argparse
import functools
import sys

__all__ = ["accept_options_anywhere"]


def accept_options_anywhere() -> None:
    """Lets ``hydra.main`` parse its command line so; safe to call again.

    Python's argparse takes overrides in one run only, before or after all options, unless it is asked to intermix.
    """
    module = sys.modules["hydra.main"]  # hydra.main itself is the decorator
    make = module.get_args_parser  # type: ignore[attr-defined]
    if hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def get_args_parser() -> argparse.ArgumentParser:
        parser = make()
        parser.parse_args = parser.parse_intermixed_args
        return parser

    module.get_args_parser = get_args_parser  # type: ignore[attr-defined]
