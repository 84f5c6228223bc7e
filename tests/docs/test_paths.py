"""What pages and packages name is there, and what is there they name."""

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "multirun_sweeps" / "README.md"]
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
FOLDERS = sorted(p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name not in IGNORED)
PACKAGES = sorted(
    path.parent
    for top in ("ltc", "experiment", "callbacks", "datamodules", "benchmarks")
    for path in (ROOT / top).rglob("__init__.py")
    # One file a lattice, one a network: their names are the list.
    if path.parent.name not in ("catalogue", "kernels", "networks")
)


def named_paths(text):
    """What stands in backticks and looks like a path of the project's, without what a run leaves."""
    prose = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`([\w./*-]+)`", prose):
        top, _, rest = name.partition("/")
        if (rest and top in FOLDERS) or (not rest and name.endswith((".py", ".md", ".toml", ".cff"))):
            yield name


def test_paths_are_told_from_other_words():
    text = "`ltc/lattices`, `run.py`, `lattice=e8`, `outputs/x`, `report.html`\n```\n`ltc/nothing`\n```\n`docs/*.md`"
    assert list(named_paths(text)) == ["ltc/lattices", "run.py", "docs/*.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page):
    lost = []
    for name in named_paths(page.read_text(encoding="utf-8")):
        found = [ROOT.glob(name)]
        if "/" not in name:  # a file's name alone may be anywhere in a package
            found += [(ROOT / folder).rglob(name) for folder in FOLDERS]
        if next(itertools.chain(*found), None) is None:
            lost.append(name)
    assert not lost


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_packages_list_their_modules(package):
    """The docstring of a package that has a list names all of its files."""
    text = (package / "__init__.py").read_text(encoding="utf-8").split('"""')[1]
    own = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    own |= {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    listed = set(re.findall(r"`(?:\w+\.)*(\w+)`", text))
    assert own <= listed or not own & listed, sorted(own - listed)
