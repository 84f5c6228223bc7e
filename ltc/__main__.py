"""The command of the library, ``ltc`` or ``python -m ltc``: compress, decompress, pack, unpack, info, lattices, report.

Each command is the ``main`` of the part that it belongs to, which is imported when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import NamedTuple

import ltc
from ltc.extras import missing

__all__ = ["main"]


class _Command(NamedTuple):
    module: str
    takes_name: bool
    help: str


_COMMANDS = {
    "compress": _Command("ltc.codec.__main__", True, "an array, recording or image to an .ltc file"),
    "decompress": _Command("ltc.codec.__main__", True, "an .ltc file to an array or image"),
    "pack": _Command("ltc.codec.__main__", True, "any array, or a network's weights, to an .ltc file, untrained"),
    "unpack": _Command("ltc.codec.__main__", True, "a file of pack to what was packed"),
    "info": _Command("ltc.codec.__main__", True, "what an .ltc file or a coder says about itself"),
    "lattices": _Command("ltc.lattices.__main__", False, "second moment, gap and speed of all lattices, or one's card"),
    "report": _Command("experiment.report.__main__", False, "a page of one or several sweeps (in a clone)"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the command line; None: ``sys.argv``.

    Returns:
        The exit code of the command: 0, or 2 after one sentence about what was wrong.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = _parser().parse_args(words[:1]).command
    command = _COMMANDS[name]
    if command.module.partition(".")[0] != "ltc" and importlib.util.find_spec(command.module.partition(".")[0]) is None:
        print(f"error: `ltc {name}` belongs to the experiments: run it in a clone of the project.", file=sys.stderr)
        return 2
    try:
        run = importlib.import_module(command.module).main
        return run(words if command.takes_name else words[1:], prog="ltc" if command.takes_name else f"ltc {name}") or 0
    except ModuleNotFoundError as error:
        sentence = missing(error)
        if sentence is None:
            raise
        print(f"error: {sentence}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    from rich_argparse import RichHelpFormatter

    parser = argparse.ArgumentParser(
        prog="ltc",
        description="Lattice transform coding: files through trained coders, and the lattices themselves.",
        epilog="ltc COMMAND --help says more of one. Experiments are run by run.py, in a clone of the project.",
        formatter_class=RichHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ltc {ltc.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, command in _COMMANDS.items():
        # A command's own words are read by its own parser.
        commands.add_parser(name, help=command.help, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
