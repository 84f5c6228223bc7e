"""Tutorials as pages: a program in cells (jupytext's percent format) becomes a page, with what its cells print.

The program is run when the site is built, so that the page shows what it really does.
"""

from __future__ import annotations

import contextlib
import functools
import io
import textwrap
from pathlib import Path
from typing import Any

import jupytext
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

__all__ = ["on_files"]


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """MkDocs' event: the files of the site are known; adds a page for each program in ``tutorials``."""
    folder = Path(config.docs_dir) / "tutorials"
    for path in sorted(folder.glob("*.py")):
        page = _page(path.name, path.read_text(encoding="utf-8"))
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=page))
    return files


@functools.cache
def _page(name: str, program: str) -> str:
    """The page of a program, run from top to bottom."""
    space: dict[str, Any] = {"__name__": "__main__"}
    parts = []
    for number, cell in enumerate(jupytext.reads(program, fmt="py:percent").cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(cell.source, f"{name}, cell {number}", "exec"), space)
        if printed.getvalue():
            parts.append(f"``` {{ .text .output }}\n{printed.getvalue().rstrip()}\n```")
    note = f"""
        *This page is the program `docs/tutorials/{name}` and what it prints; `make notebooks` makes a notebook of it.*
    """
    return "\n\n".join([*parts, textwrap.dedent(note).strip()]) + "\n"
