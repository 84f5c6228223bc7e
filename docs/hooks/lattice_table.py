"""The table of all lattices, made from the lattices themselves where a page says ``<!-- table of lattices -->``."""

from __future__ import annotations

from typing import Any

__all__ = ["on_page_markdown"]

_MARK = "<!-- table of lattices -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' event: a page's text before it becomes HTML."""
    return markdown.replace(_MARK, _table()) if _MARK in markdown else markdown


def _table() -> str:
    from ltc import lattices
    from ltc.theory import space_filling_gap

    rows = [
        "| name | dimension | G | gap at high rate, bits | states | edges |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    found = sorted((lattices.get(name) for name in lattices.names()), key=lambda lattice: -(lattice.nsm or 1.0))
    for lattice in found:
        code = lattice.is_code
        trellis = lattice.trellis if isinstance(lattice, lattices.TrellisLattice) else None
        rows.append(
            f"| `{lattice.name}` | {'any length' if code else lattice.dim} | "
            + (f"{lattice.nsm:.6f} | {space_filling_gap(lattice.nsm):.4f} | " if lattice.nsm else " | | ")
            + (f"{max(trellis.state_counts):,} | " if trellis else " | ")
            + (f"{trellis.edge_count:,} |" if trellis and not code else " |")
        )
    return "\n".join(rows)
