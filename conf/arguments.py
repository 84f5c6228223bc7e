"""Options of ``run.py`` anywhere among its overrides: ``run.py trainer=smoke --config-name images lambda=0.01``."""

from __future__ import annotations

import argparse

from conf.hydra_private import change_argument_parser

__all__ = ["accept_options_anywhere"]


def accept_options_anywhere() -> None:
    """Lets ``hydra.main`` parse its command line so; safe to call again.

    Python's argparse takes overrides in one run only, before or after all options, unless it is asked to intermix.
    """
    change_argument_parser(_intermix)


def _intermix(parser: argparse.ArgumentParser) -> None:
    parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
