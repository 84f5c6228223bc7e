"""Pages of several sections: those that a command has not made now stay as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["sections", "with_kept"]

_HEADING = "## "


def sections(lines: Sequence[str]) -> dict[str, list[str]]:
    """The lines of each section of the second level, its heading first; what comes before them is left out.

    Example:
        >>> sections(["# Page", "", "## Banana", "", "### At low rate", "## Speech"])
        {'Banana': ['## Banana', '', '### At low rate'], 'Speech': ['## Speech']}
    """
    found: dict[str, list[str]] = {}
    title = None
    for line in lines:
        if line.startswith(_HEADING):
            title = line.removeprefix(_HEADING)
        if title is not None:
            found.setdefault(title, []).append(line)
    return found


def with_kept(made: Sequence[str], page: Path, titles: Sequence[str]) -> list[str]:
    """The sections of a page in their order, as they were made now, or else as the page has them.

    Each section names the command and the commit that made it, so that one source can be measured anew by itself.

    Args:
        made: lines of the sections that were made now.
        page: the file, which need not exist.
        titles: of all sections that a page may have, in their order.
    """
    old = sections(page.read_text().splitlines()) if page.exists() else {}
    known = old | sections(made)
    lines = []
    for title in titles:
        if title in known:
            lines += ["\n".join(known[title]).strip(), ""]
    return "\n".join(lines).splitlines()
