"""The site: it builds without a warning, and asks the network for nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("mkdocs")

# What a browser fetches by itself, unlike a link.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc=["']?(?:https?:)?//|<link[^>]*\srel=["']?stylesheet[^>]*https?://"""
)


@pytest.mark.slow
def test_the_site_builds_strictly_and_needs_no_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr[-3000:]
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 35
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not _FETCHED.search(text), page
        # Formulas have become MathML, and roles links.
        assert "$$" not in text, page
        assert 'class="arithmatex"' not in text and not re.search(r":(?:class|func|meth|mod|math|data|attr):", text), (
            page
        )


def test_docstrings_become_markdown():
    griffe = pytest.importorskip("griffe")
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        from docstrings import markdown
    finally:
        sys.path.pop(0)
    scope = griffe.Module("m")
    text = "A :class:`~ltc.lattices.Lattice`.\n\n.. math::\n    a = b,\n    \\quad c\n\nMore:\n\n"
    text += "Example:\n    >>> 1\n    1"
    found = markdown(text, scope)
    assert '<autoref identifier="ltc.lattices.Lattice" optional><code>Lattice</code></autoref>' in found
    assert "$$\na = b,\n\\quad c\n$$" in found and "Examples:" in found and found.endswith("    1")
    assert "$$\nx^2\n$$" in markdown("One line:\n\n.. math:: x^2\n\nand on.", scope)
