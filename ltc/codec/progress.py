"""The bar on a terminal that tells how far a command is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

__all__ = ["progress_bar"]


@contextlib.contextmanager
def progress_bar(what: str, total: int | None, steps: bool = False) -> Iterator[Callable[[int], None]]:
    """Shown while the block runs; it gives what is told how many numbers are done.

    Args:
        what: is done.
        total: numbers; None if not known.
        steps: whether they are steps, and not numbers of four bytes each.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count, size = (MofNCompleteColumn(), 1) if steps else (DownloadColumn(), 4)
    columns = (TextColumn(f"{what}"), BarColumn(), count, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None if total is None else size * total)
        yield lambda numbers: progress.advance(task, size * numbers)
