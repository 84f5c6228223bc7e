"""Pages of several sections: what was not made now stays as it stands, in the page's order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.kept_sections import sections, with_kept

ROOT = Path(__file__).resolve().parent.parent.parent
TITLES = ("One", "Two", "Three", "Four")
_TEXT = st.lists(st.sampled_from(["words", "", "### Below", "| a | b |", "# no section of its own"]), max_size=4)
_SECTIONS = st.dictionaries(st.sampled_from(TITLES), _TEXT)


def lines(made: dict[str, list[str]]) -> list[str]:
    return [line for title, text in made.items() for line in (f"## {title}", *text)]


def trimmed(made: dict[str, list[str]]) -> dict[str, str]:
    return {title: "\n".join(text).strip() for title, text in made.items()}


@given(_SECTIONS, _SECTIONS)
def test_what_is_new_takes_its_place_and_the_rest_stays(tmp_path_factory, old, new):
    page = tmp_path_factory.mktemp("page") / "page.md"
    page.write_text("\n".join(["# Title", "", "About.", "", *lines(old)]))
    found = with_kept(lines(new), page, TITLES)
    assert trimmed(sections(found)) == trimmed(sections(lines(old)) | sections(lines(new)))
    assert list(sections(found)) == [title for title in TITLES if title in old or title in new]
    page.write_text("\n".join(found))
    assert with_kept([], page, TITLES) == found


def test_a_page_that_does_not_exist_keeps_nothing(tmp_path):
    assert with_kept(["## Two", "text"], tmp_path / "none.md", TITLES) == ["## Two", "text"]


@pytest.mark.parametrize("page", ["results.md", "one_shot.md"])
def test_the_pages_of_this_library_would_be_kept_whole(page):
    """Each section is one that its command knows by its title, or it would vanish."""
    from benchmarks.one_shot import _SWEEPS
    from benchmarks.paper.page import CELLS, IMAGES, PRIORS
    from benchmarks.paper.sections import SECTIONS

    titles = {
        "results.md": [*(section.title for section in SECTIONS), PRIORS, CELLS, IMAGES],
        "one_shot.md": [sweep.title for sweep in _SWEEPS.values()],
    }[page]
    text = (ROOT / "docs" / page).read_text().splitlines()
    assert trimmed(sections(with_kept([], ROOT / "docs" / page, titles))) == trimmed(sections(text))
