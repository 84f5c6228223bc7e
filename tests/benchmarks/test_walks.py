"""Walks through the code: files in the order of their calls, and what counts as coming back."""

import sys
import types

from benchmarks.walks import _ROOT, Walk
from ltc import lattices


def test_files_are_those_that_are_called():
    lattice = lattices.get("e8")
    walk = Walk()
    with walk.taken():
        lattice.nsm  # noqa: B018  (calls nothing)
        lattice.generator  # noqa: B018
    assert all(file.startswith("ltc/") for file in walk.files) and sys.getprofile() is None


def test_a_file_that_is_entered_again_comes_back():
    """One file calls another, which calls a function of the first: that is a return; a closure of it is none."""
    one, other = types.ModuleType("one"), types.ModuleType("other")
    sources = {
        one: "def start(helped): return other.middle(helper, (lambda: 1) if helped else None)\ndef helper(): return 1",
        other: "def middle(function, closure): return (closure or function)()",
    }
    for module, source in sources.items():
        exec(compile(source, f"{_ROOT}/ltc/{module.__name__}.py", "exec"), module.__dict__)
    one.other = other
    for helped in (True, False):
        walk = Walk()
        with walk.taken():
            assert one.start(helped) == 1
        assert list(walk.files) == ["ltc/one.py", "ltc/other.py"]
        assert walk.returns == ({} if helped else {("ltc/one.py", "start", "helper"): "ltc/other.py"})
