"""Lattices at a glance, measured on this machine.

    python -m ltc.lattices                 a table of every lattice and trellis code
    python -m ltc.lattices leech           the card of one
    python -m ltc.lattices an --dim 5      of one of a family
    python -m ltc.lattices a2 --plot       and a picture of it, a2.png

Second moments are Monte-Carlo figures with their standard errors; --seed draws other inputs. The table takes about a
second for each lattice, after a first start has compiled them; --precise measures until the standard error is 2e-5.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ltc.lattices.card import Card, kissing, measure
from ltc.lattices.card_plot import plot
from ltc.lattices.lattice import Lattice
from ltc.lattices.registry import get, names
from ltc.lattices.trellis_lattice import TrellisLattice
from ltc.theory import space_filling_gap

# What is measured of each lattice in the table: to which standard error, and for how many seconds at most.
_QUICK = {"error": 1e-4, "seconds": 0.1, "patience": 0.5}
_PRECISE = {"error": 2e-5, "seconds": 0.4}
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def main(arguments: Sequence[str] | None = None, prog: str = "python -m ltc.lattices") -> int:
    """Prints the table of all lattices, or one lattice's card.

    Args:
        arguments: the command line; None: ``sys.argv``.
        prog: how the command calls itself.

    Returns:
        0, or 2 after one sentence about what was wrong.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Lattices at a glance, measured on this machine: normalized second moment, gap to R(D), speed.",
    )
    parser.add_argument("name", nargs="?", help="one lattice, for its card; without it a table of all")
    parser.add_argument("--dim", type=int, help="the dimension, for families (z, an, dn, ...) and trellis codes (tcq8)")
    parser.add_argument("--plot", action="store_true", help="write NAME.png: Voronoi cells (2-D) or the theta series")
    parser.add_argument("--output", metavar="FILE", help="where to write the picture; implies --plot")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs that second moments are measured on")
    parser.add_argument("--precise", action="store_true", help="the table with second moments to 2e-5: minutes")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        if options.name is None:
            if options.plot or options.output or options.dim is not None:
                raise ValueError("--plot, --output and --dim need the name of a lattice.")
            _print_all(console, options.seed, _PRECISE if options.precise else _QUICK)
            return 0
        lattice = get(options.name, options.dim)
        path = options.output or (f"{lattice.name}.png" if options.plot else None)
        if path is not None:
            plot(lattice, path)
        _print_card(console, lattice, options.seed)
        if path is not None:
            console.print(f"wrote {path}", highlight=False)
        return 0
    except (ValueError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2


def _print_all(console: Console, seed: int, effort: dict[str, float]) -> None:
    begun = time.perf_counter()
    cards = []
    # Progress goes to the error stream: the table may be piped, and a first start compiles for a minute.
    errors = Console(stderr=True)
    with Progress(*_COLUMNS, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=len(names()))
        for name in names():
            progress.update(task, description=f"measuring {name}")
            cards.append(measure(get(name), seed=seed, **effort))  # type: ignore[arg-type]
            progress.advance(task)
    cards.sort(key=lambda card: -card.nsm)
    # As narrow as a terminal of 80 columns.
    table = Table(title="Lattices and trellis codes, measured on this machine", caption_justify="left")
    table.box, table.pad_edge, table.collapse_padding = SIMPLE_HEAD, False, True
    table.add_column("name", no_wrap=True)
    for title in ("dim", "G measured", "publ. G", "gap\nbits", "vectors\n/s", "samples\n/s", "states/\nedges"):
        table.add_column(title, justify="right", no_wrap=True)
    for card in cards:
        table.add_row(*_row(card))
    seconds = time.perf_counter() - begun
    table.caption = f"gap = ½ log2(2πe G); speeds: float32, {_threads()}; all in {seconds:.0f} s"
    console.print(table)


def _row(card: Card) -> list[str]:
    lattice = card.lattice
    return [
        lattice.name,
        str(lattice.dim),
        f"{card.nsm:.5f} ±{card.nsm_error:.0e}".replace("e-0", "e-"),
        "-" if lattice.nsm is None else f"{lattice.nsm:.6f}",
        f"{card.gap:.4f}",
        _short(card.vectors_per_second),
        _short(card.samples_per_second),
        _size(lattice).translate({ord(" "): None, ord(","): None}),
    ]


def _print_card(console: Console, lattice: Lattice, seed: int) -> None:
    card, shell = measure(lattice, seed=seed), kissing(lattice)
    table = Table(title=lattice.name, show_header=False)
    published = "none" if lattice.nsm is None else f"{lattice.nsm:.6f}, gap {space_filling_gap(lattice.nsm):.4f} bits"
    rows = {
        "dimension": str(lattice.dim) if lattice.generator is not None else f"{lattice.dim} (length of a sequence)",
        "normalized second moment G": f"{card.nsm:.6f} ± {card.nsm_error:.6f} measured, {published} published",
        "gap to R(D) at high rate": f"{card.gap:.5f} ± {card.gap_error:.5f} bits per dimension, measured",
        "determinant of the generator": "no generator (a trellis code)"
        if lattice.generator is None
        else f"{float(torch.linalg.det(lattice.generator).abs()):.9f}",
        "least squared norm": "-" if shell is None else f"{shell.norm:.6f} at unit volume",
        "kissing number": "-" if shell is None else f"{shell.count:,}",
        "quantize": f"{card.vectors_per_second:,.0f} vectors/s, {card.samples_per_second:,.0f} samples/s "
        f"(float32, {_threads()}, {'compiled' if lattice._kernel is not None else 'torch'})",
        "trellis, largest state count / edges": _size(lattice),
        "trellis, states after each coordinate": _profile(lattice),
        "steps of the integer coordinates": _steps(lattice),
    }
    for title, value in rows.items():
        table.add_row(title, value)
    console.print(table)


def _short(number: float) -> str:
    """Three digits and a prefix: 28.6 k for 28,624."""
    for prefix, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * unit:
            return f"{number / unit:.3g} {prefix}"
    return f"{number:.3g}"


def _threads() -> str:
    count = torch.get_num_threads()
    return "1 thread" if count == 1 else f"{count} threads"


def _size(lattice: Lattice) -> str:
    if not isinstance(lattice, TrellisLattice):
        return "-"
    return f"{max(lattice.trellis.state_counts):,} / {lattice.trellis.edge_count:,}"


def _profile(lattice: Lattice, most: int = 40) -> str:
    """The state counts; those of a long sequence end in an ellipsis."""
    if not isinstance(lattice, TrellisLattice):
        return "-"
    counts = lattice.trellis.state_counts
    return " ".join(map(str, counts[:most])) + (" …" if len(counts) > most else "")


def _steps(lattice: Lattice) -> str:
    """The different steps, once each."""
    if not isinstance(lattice, TrellisLattice):
        return "-"
    return ", ".join(f"{step:.6f}" for step in sorted(set(lattice.steps.tolist())))


if __name__ == "__main__":
    sys.exit(main())
