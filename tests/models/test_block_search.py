"""Laws of the block's search with the decoder in its loop: exact for each latent, and never worse than its start."""

import itertools

import pytest
import torch
from compressai.entropy_models import EntropyBottleneck

from ltc import lattices
from ltc.entropy import GaussianMixture, exact_prior
from ltc.models import BlockCoder, Coder, LatticeBottleneck, RDSearch, ScalarBottleneck
from ltc.models.block_search import candidates
from ltc.transforms import MLP, Linear, LinearCompander

NAMES = [("z", 6), ("dn", 4), ("e8", 8), ("bw16", 16), ("leech", 24), ("tcq8", 32), ("tcq256", 64)]
PRICE = 20.0


def block_coder(name, n, latents=2, components=3, decoder=MLP):
    lattice = lattices.get(name, n if name in ("dn",) or name.startswith("tcq") else None)
    prior = exact_prior(lattice, latents * n, lambda dim: GaussianMixture(dim, scale=1.5), period=latents, run=n)
    analysis, synthesis = Linear(components, latents), decoder(latents, components)
    return BlockCoder(analysis, LatticeBottleneck(prior), synthesis, n=n, latents=latents, gain=2.0).eval()


def searched(coder, objective):
    coder.neighbours = coder.closed_search(objective)
    return coder


@torch.no_grad()
def costs(coder, x, objective, point):
    return objective.cost(x, coder.decode(point), coder.bottleneck.rate(point))


@pytest.mark.parametrize(("name", "n"), NAMES)
@pytest.mark.parametrize("measure", ["mse", "l1"])
def test_it_never_costs_more_and_mostly_less(name, n, measure, generator):
    coder = block_coder(name, n)
    objective = RDSearch(PRICE * n, measure)
    x = torch.randn(30, 3 * n, generator=generator)
    before = costs(coder, x, objective, coder.encode(x))
    after = costs(coder, x, objective, searched(coder, objective).encode(x))
    assert (after <= before * (1 + 1e-5)).all()
    assert after.mean() < 0.999 * before.mean()


@pytest.mark.parametrize(("name", "n"), [("z", 4), ("dn", 4), ("tcq4", 6)])
@torch.no_grad()
def test_a_latent_gets_the_best_of_all_its_points(name, n, generator):
    """Against every combination of the integers that are looked at, of those that are points."""
    objective = RDSearch(PRICE * n)
    coder = searched(block_coder(name, n, latents=1), objective)
    coder.neighbours.passes = 1
    x = torch.randn(3, 3 * n, generator=generator)
    start = coder.bottleneck.quantize(coder.latents(x))
    found = costs(coder, x, objective, coder.encode(x))
    lattice, q = coder.bottleneck.lattice, coder.bottleneck.entropy_model.modulus
    width = candidates(q)
    for block, at, cost in zip(x, lattice.to_integers(start), found, strict=True):
        least = at - width // 2
        k = torch.stack([least + torch.tensor(c) for c in itertools.product(range(width), repeat=n)])
        points = lattice.to_points(k)
        points = points[(lattice.quantize(points) - points).abs().amax(1) < 1e-4]
        every = costs(coder, block.expand(len(points), -1), objective, points)
        assert float(cost) == pytest.approx(float(every.min()), rel=1e-4)


@pytest.mark.parametrize(("name", "n"), NAMES)
@torch.no_grad()
def test_behind_an_isometry_it_is_the_search_among_latents(name, n, generator):
    """There the open search is exact, and one pass finds as good a point wherever that one is looked at."""
    coder = block_coder(name, n, latents=2, components=2, decoder=Linear)
    coder.synthesis.load_state_dict(coder.analysis.state_dict())
    identity = torch.eye(2)
    for transform in (coder.analysis, coder.synthesis):
        weight = next(p for p in transform.parameters() if p.shape == (2, 2))
        weight.copy_(identity)
    objective = RDSearch(PRICE * n)
    x = torch.randn(20, 2 * n, generator=generator)
    y = coder.latents(x)
    mu = 2 * n / (PRICE * n / coder.gain.item() ** 2)
    start, exact = coder.bottleneck.quantize(y), coder.bottleneck.quantize(y, mu)
    best = costs(coder, x, objective, exact)
    found = costs(coder, x, objective, searched(coder, objective).encode(x))
    lattice, modulus = coder.bottleneck.lattice, coder.bottleneck.entropy_model.modulus
    away = (lattice.to_integers(exact) - lattice.to_integers(start)).abs().amax(1)
    seen = away <= candidates(modulus) // 2
    assert seen.float().mean() > 0.5 and (found >= best - 1e-4 * best).all()
    torch.testing.assert_close(found[seen], best[seen], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "n"), NAMES)
def test_integers_of_arbitrary_costs(name, n, generator):
    """What is chosen is a point, and no other points' costs are lower: those one short vector away."""
    model = block_coder(name, n, latents=1).bottleneck.entropy_model
    lattice, q = model.lattice, model.modulus
    lowest = torch.randint(-5, 5, (10, n), generator=generator)
    table = 5 * torch.rand(10, n, 3 * q, generator=generator)
    k = model.cheapest_of(lowest, table, slice(0, n))
    chosen = k - lowest
    assert (chosen >= 0).all() and (chosen < 3 * q).all()
    points = lattice.to_points(k)
    torch.testing.assert_close(lattice.quantize(points), points, atol=1e-4, rtol=0)
    cost = table.gather(2, chosen[..., None])[..., 0].sum(1) + model(points)
    other = lattice.quantize(points + torch.randn(10, n, generator=generator))
    at = lattice.to_integers(other) - lowest
    inside = ((at >= 0) & (at < 3 * q)).all(1)
    others = table.gather(2, at.clamp(0, 3 * q - 1)[..., None])[..., 0].sum(1) + model(other)
    assert (cost <= others + 1e-3)[inside].all()


@pytest.mark.parametrize(("name", "n"), [("e8", 8), ("tcq8", 32)])
def test_a_bitstream_decodes_to_what_the_search_found(name, n, generator):
    coder = searched(block_coder(name, n), RDSearch(PRICE * n))
    coder.update()
    x = torch.randn(40, 3 * n, generator=generator)
    decoded = coder.decompress(coder.compress(x), len(x))
    torch.testing.assert_close(decoded, coder(x).reconstruction, atol=1e-5, rtol=0)


def test_where_there_is_none_it_says_so():
    prior = exact_prior(lattices.get("an", 3), 6, GaussianMixture)
    triangular = BlockCoder(Linear(2, 2), LatticeBottleneck(prior), Linear(2, 2), n=3, latents=2)
    lattice = LatticeBottleneck(exact_prior(lattices.get("e8"), 16, GaussianMixture, period=2, run=8))
    compander = {"compress": LinearCompander(2, 8), "expand": LinearCompander(2, 8)}
    companded = BlockCoder(Linear(2, 2), lattice, Linear(2, 2), n=8, latents=2, **compander)
    for coder in (triangular, companded):
        with pytest.raises(ValueError, match="product along a trellis"):
            coder.closed_search(RDSearch(1.0))
    scalar = ScalarBottleneck(lattices.get("z"), EntropyBottleneck(2))
    with pytest.raises(ValueError, match="ScalarBottleneck has none"):
        Coder(Linear(2, 2), scalar, Linear(2, 2)).closed_search(RDSearch(1.0))
