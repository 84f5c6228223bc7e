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


def test_names_in_docstrings_become_links():
    griffe = pytest.importorskip("griffe")
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        from docstrings import linked
    finally:
        sys.path.pop(0)
    code = "class Box:\n    def open(self, key): ...\n    def close(self): ...\n\ndef box(): ...\n"
    module = griffe.visit("m", Path("m.py"), code)

    def link(name):
        shown = name.removeprefix("m.").removeprefix("Box.")
        return f'<autoref identifier="{name}" optional><code>{shown}</code></autoref>'

    method = module["Box.open"]
    assert linked("``ltc.lattices.Lattice`` of a ``box``.", module) == (
        f"{link('ltc.lattices.Lattice')} of a {link('m.box')}."
    )
    assert linked("As ``close``, by ``key``; ``ltc`` or ``k + 1``, ``nothing``", method) == (
        f"As {link('m.Box.close')}, by ``key``; ``ltc`` or ``k + 1``, ``nothing``"
    )


def test_docstrings_have_one_dialect():
    """Google's in Markdown: no roles, directives or tables of reStructuredText, which a page would show as they are."""
    foreign = re.compile(
        r":(?:class|func|meth|mod|math|data|attr|exc):`|^ *\.\. \w+::|^=+ +=+$|^ *(?:Example|Reference):$", re.M
    )
    for package in ("ltc", "datamodules", "experiment", "callbacks", "conf"):
        for path in (ROOT / package).rglob("*.py"):
            assert not foreign.search(path.read_text(encoding="utf-8")), path
