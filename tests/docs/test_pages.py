"""The pages: their Python runs, their tutorials run, their links lead somewhere."""

import re
import runpy
import textwrap
from pathlib import Path

import pytest
import torch

from ltc.lattices import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.py"))

_BLOCK = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _blocks(page):
    """The page's Python blocks, each on the lines that it has there, so that a traceback says where."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield "\n" * text.count("\n", 0, match.start(2)) + textwrap.dedent(match.group(2))


def _named(path):
    return str(path.relative_to(ROOT))


@pytest.fixture
def apart(monkeypatch, tmp_path):
    """A folder of its own, and a register of lattices that forgets what a page adds to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))


@pytest.mark.parametrize("page", [page for page in PAGES if any(_blocks(page))], ids=_named)
def test_python_of_a_page_runs_from_top_to_bottom(page, apart):
    space = {"__name__": "__page__"}
    for block in _blocks(page):
        exec(compile(block, str(page), "exec"), space)


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.parametrize("tutorial", TUTORIALS, ids=_named)
def test_a_tutorial_runs_from_top_to_bottom(tutorial, apart, capsys):
    with torch.random.fork_rng():
        runpy.run_path(str(tutorial), run_name="__main__")
    printed = capsys.readouterr().out
    assert "True" in printed and "False" not in printed


def test_every_link_of_a_page_leads_to_a_file():
    lost = []
    for page in PAGES:
        for link in _LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
            target = (page.parent / link.partition("#")[0]).resolve()
            # A tutorial is a program, and its page is made of it.
            found = target.exists() or target.with_suffix(".py") in TUTORIALS
            if "://" not in link and not link.startswith(("#", "mailto:")) and not found:
                lost.append(f"{_named(page)}: {link}")
    assert not lost


def test_links_of_tutorials_lead_to_files():
    for tutorial in TUTORIALS:
        for link in _LINK.findall(tutorial.read_text(encoding="utf-8")):
            target = (tutorial.parent / link.partition("#")[0]).resolve()
            assert "://" in link or target.exists() or target.with_suffix(".py") in TUTORIALS, link


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    pages += [Path("tutorials", tutorial.name).with_suffix(".md") for tutorial in TUTORIALS]
    assert not [str(page) for page in pages if not re.search(rf"[ :]{re.escape(str(page))}$", navigation, re.MULTILINE)]


def test_no_page_cites_a_file_that_is_not_here():
    cited = re.compile(r"\bDESIGN\b")
    files = [*PAGES, *(p for folder in ("ltc", "benchmarks", "tests", "conf") for p in (ROOT / folder).rglob("*.py"))]
    assert not [_named(p) for p in files if p != Path(__file__) and cited.search(p.read_text(encoding="utf-8"))]


def _without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL))
