"""What we change inside Hydra, and why: its parsers of the command line and of overrides.

Hydra offers plugins for launchers, sweepers and sources of configurations, and nothing for what people type. The tests
of this file fail when Hydra changes there.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

__all__ = ["change_argument_parser", "change_override_parser", "replace_value"]


def change_argument_parser(change: Callable[[argparse.ArgumentParser], None]) -> None:
    """Has something done to the parser of ``hydra.main``'s command line, each time one is made; once only."""
    module = sys.modules["hydra.main"]  # hydra.main itself is the decorator
    make = module.get_args_parser  # type: ignore[attr-defined]
    if hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def get_args_parser() -> argparse.ArgumentParser:
        parser = make()
        change(parser)
        return parser

    module.get_args_parser = get_args_parser  # type: ignore[attr-defined]


def change_override_parser(read: Callable[[Callable[[str], Override], str], Override]) -> None:
    """Lets ``read(parse, text)`` read each override, wherever overrides are read; once only.

    Args:
        read: given Hydra's own way of reading one, and an override's text.
    """
    parse_all = OverridesParser.parse_overrides
    if hasattr(parse_all, "__wrapped__"):
        return

    @functools.wraps(parse_all)
    def parse_overrides(self: OverridesParser, overrides: list[str]) -> list[Override]:
        def parse(text: str) -> Override:
            (override,) = parse_all(self, [text])
            return override

        return [read(parse, text) for text in overrides]

    OverridesParser.parse_overrides = parse_overrides  # type: ignore[method-assign]


def replace_value(override: Override, value: str) -> None:
    """Gives an override another value."""
    override._value = value
