"""Runs of latents, vectors in runs, and what is left over."""

import itertools

import pytest
import torch

from ltc import lattices
from ltc.images.layout import ALONG, Layout, segments


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("by_scale", [False, True])
@pytest.mark.parametrize("shape", [(2, 5), (1, 3, 4), (2, 6, 3, 5)])
def test_runs_hold_all_latents_once_and_lead_back(along, by_scale, shape, generator):
    y = torch.randn(shape, generator=generator)
    levels = torch.randint(4, shape, generator=generator) if by_scale else None
    layout = Layout(y.shape, along, levels)
    runs = layout.runs(y)
    torch.testing.assert_close(layout.latents(runs), y, atol=0, rtol=0)
    lengths = {"channels": shape[1], "positions": y[0, 0].numel(), "image": y[0].numel()}
    assert runs.shape == (shape[0], y[0].numel() // lengths[along], lengths[along])
    if by_scale:
        assert (layout.runs(levels).diff(dim=-1) <= 0).all()


@pytest.mark.parametrize("most", [0, 4, 2**15 - 1, 2**15, 2**40])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_equal_levels_stay_as_they_came(most, dtype, generator):
    """Whatever sorts them: files depend on this order."""
    levels = torch.randint(most + 1, (2, 3, 7, 9), generator=generator).clamp(max=torch.iinfo(dtype).max).to(dtype)
    levels[0, 0, 0, 0] = min(most, torch.iinfo(dtype).max)
    numbers = torch.arange(levels[0].numel()).expand(2, -1).reshape(levels.shape)
    runs, columns = Layout(levels.shape, "image", levels).runs(numbers), levels.flatten(1).tolist()
    for order, column in zip(runs[:, 0].tolist(), columns, strict=True):
        assert order == sorted(range(len(column)), key=lambda i: (-column[i], i))


def test_the_derivative_goes_the_same_way(generator):
    y = torch.randn(2, 5, 3, generator=generator, requires_grad=True)
    weight = torch.randn(2, 5, 3, generator=generator)
    layout = Layout(y.shape, "image", torch.randint(4, y.shape, generator=generator))
    (layout.runs(y) * layout.runs(weight)).sum().backward()
    torch.testing.assert_close(y.grad, weight)


@pytest.mark.parametrize("name", ["z", "a2", "dn", "e8", "bw16", "leech", "tcq8"])
def test_segments_cover_a_run(name):
    lattice = lattices.get(name)
    for length in [*range(1, 60), 1024, 1025, 2500]:
        found = segments(lattice, length)
        assert [s.start for s in found] == [0, *[s.stop for s in found[:-1]]] and found[-1].stop == length
        assert all((s.stop - s.start) % s.lattice.dim == 0 for s in found)
        if name != "tcq8":
            assert all(a.lattice.dim > b.lattice.dim for a, b in itertools.pairwise(found))
            assert length < lattice.dim or (found[0].lattice is lattice and length - found[0].stop < lattice.dim)


def test_the_remainder_may_be_chosen():
    found = segments(lattices.get("leech"), 24 + 13, lattices.get("dn", 5))
    assert [(s.lattice.name, s.stop - s.start) for s in found] == [("leech", 24), ("dn", 10), ("dn_dual", 3)]


def test_what_is_left_over_is_said_once(caplog, monkeypatch):
    monkeypatch.setattr("ltc.images.layout._said", set())
    for _ in range(3):
        segments(lattices.get("e8"), 20)
        segments(lattices.get("e8"), 16)
    assert [r.getMessage() for r in caplog.records] == [
        "e8 has dimension 8: of each run of 20 latents 16 elements use e8, 4 elements use dn."
    ]


def test_unknown_runs_are_refused():
    with pytest.raises(ValueError, match="channels, positions, image"):
        Layout(torch.Size((1, 2)), "rows")


@pytest.mark.parametrize("along", ALONG)
def test_latents_are_contiguous(along):
    """Convolutions of other strides end in other bits, and a decoder's latents have no others."""
    layout = Layout(torch.Size([2, 17, 4, 4]), along, torch.randint(5, (2, 17, 4, 4)))
    assert layout.latents(layout.runs(torch.randn(2, 17, 4, 4))).is_contiguous()
