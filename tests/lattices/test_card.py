"""Theta series against enumeration and closed forms; the command's table, cards, pictures and errors."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from rich.console import Console

from ltc import lattices
from ltc.lattices.__main__ import main
from ltc.lattices.card import kissing, measure, measure_nsm
from ltc.lattices.card_plot import plot, voronoi_cell
from ltc.lattices.sphere import SphereDecoder
from ltc.lattices.theta import shortest_norm, theta_series
from ltc.theory import space_filling_gap


@pytest.mark.parametrize(
    "key", ["z3", "a2", "an3", "an_dual", "dn5", "dn_dual3", "e6_dual", "e7", "e8", "an3*dn_dual3"]
)
def test_theta_series_counts_all_short_vectors(key, get_lattice, short_vectors, rng):
    lattice = get_lattice(key)
    bound = float(rng.uniform(3, 5))
    norms, counts = theta_series(lattice, bound)
    every = short_vectors(lattice.generator, bound).square().sum(1).sort().values
    torch.testing.assert_close(torch.from_numpy(norms).repeat_interleave(torch.from_numpy(counts)), every)
    assert (np.diff(norms) > 1e-6).all() and norms[0] == 0 and counts[0] == 1


def test_enumeration_and_trellis_agree():
    """A lattice without its trellis is counted by enumeration."""
    for name, bound in [("a2", 20.0), ("dn_dual", 8.0), ("e6_dual", 5.0)]:
        lattice = lattices.get(name)
        norms, counts = theta_series(lattice, bound)
        other_norms, other_counts = theta_series(SphereDecoder(lattice.generator), bound)
        np.testing.assert_allclose(norms, other_norms, atol=1e-9)
        np.testing.assert_array_equal(counts, other_counts)


def sigma(power, n):
    """The sum of a power of the divisors of n."""
    return sum(d**power for d in range(1, n + 1) if n % d == 0)


def test_theta_series_of_e8_is_an_eisenstein_series():
    """240 sigma_3(m) points of norm 2 m (SPLAG, chapter 4, section 8.1)."""
    norms, counts = theta_series(lattices.get("e8"), 24.0)
    np.testing.assert_allclose(norms, 2 * np.arange(13), atol=1e-9)
    assert counts[1:].tolist() == [240 * sigma(3, m) for m in range(1, 13)]


def test_theta_series_of_leech_in_closed_form():
    """65520/691 (sigma_11(m) - tau(m)) points of norm 2 m (SPLAG, chapter 4, section 11)."""
    tau = [1, -24, 252, -1472, 4830, -6048, -16744]
    expected = {m: 65520 * (sigma(11, m) - tau[m - 1]) // 691 for m in range(2, 8)}
    norms, counts = theta_series(lattices.get("leech"), 14.0)
    assert dict(zip((norms / 2).round().astype(int).tolist(), counts.tolist(), strict=True)) == {0: 1, **expected}


def test_theta_series_of_a_code_counts_its_sequences(generator):
    """Against all sequences of a short code."""
    code = lattices.get("tcq4", 4)
    k = torch.cartesian_prod(*[torch.arange(-4, 5)] * 4)
    norms = (k[code.trellis.contains(k)] * 0.5).square().sum(1)
    expected = {v: int((norms == v).sum()) for v in norms[norms <= 4].unique().tolist()}
    assert dict(zip(*(a.tolist() for a in theta_series(code, 4.0)), strict=True)) == expected


def test_what_cannot_be_counted_is_refused():
    for lattice, bound in [(lattices.get("leech"), 200.0), (lattices.get("an", 16), 14.0)]:
        with pytest.raises(ValueError, match="too many"):
            theta_series(lattice, bound)
    with pytest.raises(ValueError, match="trellis code"):
        shortest_norm(lattices.get("tcq4"))
    assert kissing(lattices.get("tcq4")) is None


@pytest.mark.parametrize("key", ["z1", "a2", "dn_dual5", "e8", "leech", "tcq8"])
def test_a_card_agrees_with_what_is_published(key, get_lattice, seed):
    lattice = get_lattice(key)
    card = measure(lattice, error=1e-4, seconds=0.01, seed=seed)
    assert 0 < card.nsm_error <= 1e-4
    # Published codes end at 1e-5 and Leech's moment is itself a Monte-Carlo figure.
    assert card.nsm == pytest.approx(lattice.nsm, abs=5 * card.nsm_error + 3e-5)
    assert card.gap == pytest.approx(space_filling_gap(lattice.nsm), abs=5 * card.gap_error + 5e-4)
    assert card.vectors_per_second > 0 and card.samples_per_second == card.vectors_per_second * lattice.dim


def test_the_standard_error_is_one(generator):
    """Repeated measurements spread as they say."""
    hexagonal = lattices.get("a2")
    estimates = [measure_nsm(hexagonal, 2e-4, generator) for _ in range(30)]
    z = [(nsm - hexagonal.nsm) / error for nsm, error in estimates]
    assert 0.4 < np.std(z) < 1.8 and abs(np.mean(z)) < 1


def test_voronoi_cell(rng):
    """Area 1; corners are equally near to the origin and to two other points, and nearer to none."""
    for _ in range(20):
        basis = SphereDecoder(torch.from_numpy(rng.normal(size=(2, 2)))).generator.numpy()
        cell = voronoi_cell(basis)
        following = np.roll(cell, -1, axis=0)
        area = (cell[:, 0] * following[:, 1] - cell[:, 1] * following[:, 0]).sum() / 2
        assert len(cell) in (4, 6) and area == pytest.approx(1, abs=1e-6)
        decoder = SphereDecoder(torch.from_numpy(basis))
        inside = torch.from_numpy(cell) * 0.999
        assert float(decoder.quantize(inside).abs().max()) < 1e-9
        assert (decoder.quantize(torch.from_numpy(cell) * 1.001).abs().amax(1) > 1e-3).all()


@pytest.mark.parametrize(("name", "dim"), [("a2", None), ("z", 2), ("z", 1), ("an", 3), ("leech", None), ("tcq4", 16)])
def test_pictures(name, dim, tmp_path):
    path = tmp_path / "picture.png"
    plot(lattices.get(name, dim), path)
    assert path.read_bytes()[:4] == b"\x89PNG"


def run(*words):
    return subprocess.run([sys.executable, "-m", "ltc.lattices", *words], capture_output=True, text=True, timeout=250)


@pytest.mark.parametrize("words", [["e9"], ["e8", "--dim", "7"], ["--plot"], ["z", "--output", "/nowhere/z.png"]])
def test_mistakes_end_in_one_line(words, capsys):
    code = main(words)
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and error.startswith("error: ")


def test_one_card_and_its_picture(tmp_path, capsys):
    path = tmp_path / "e8.png"
    main(["e8", "--output", str(path)])
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("0.071682", "240", "2.000000", "4 / 56", "1.000000000"))
    assert path.exists()


def test_the_command(tmp_path):
    """As a process of its own; matplotlib is imported only for a picture, and rich not by the package."""
    found = run("dn", "--dim", "3")
    assert found.returncode == 0 and "kissing number" in found.stdout and "12" in found.stdout
    program = "import sys, ltc.lattices as l; l.names(); assert not {'matplotlib', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.slow
def test_the_table_of_all(monkeypatch, capsys):
    monkeypatch.setattr("ltc.lattices.__main__.Console", lambda **more: Console(width=120, **more))
    main([])
    printed = capsys.readouterr().out
    assert all(name in printed for name in lattices.names())
