"""Laws of the exact priors: probabilities on every lattice, with every family, with and without dither."""

import functools
import itertools
import math

import pytest
import torch

from ltc import lattices
from ltc.entropy import GaussianMixture, TrellisPrior, TriangularPrior, exact_prior
from ltc.lattices import TrellisLattice
from ltc.lattices.codes import codewords, golay, reed_muller


def total_probability(prior, points, dither=None):
    parts = [prior.log_prob(part, None if dither is None else dither.expand_as(part)) for part in points.split(4000)]
    return float(torch.cat(parts).exp().sum())


def test_every_lattice_with_a_trellis_has_the_trellis_prior(lattice):
    expected = TrellisPrior if isinstance(lattice, TrellisLattice) else TriangularPrior
    prior = exact_prior(lattice, 2 * lattice.dim)
    assert type(prior) is expected and prior.exact and type(prior.family) is GaussianMixture


@torch.no_grad()
def test_probabilities_sum_to_one(small_lattice, family_class, prior_on, all_points):
    points, wide, _ = all_points(small_lattice)
    prior = prior_on(small_lattice, family_class, narrow=wide / 4, wide=wide)
    assert total_probability(prior, points) == pytest.approx(1, abs=1e-6)


@torch.no_grad()
def test_probabilities_of_single_points_are_at_most_one(lattice, family_class, prior_on):
    """A prior much narrower than the lattice puts everything on one point, and no more than everything."""
    prior = prior_on(lattice, family_class, narrow=0.005, wide=0.01)
    probability = float(prior.log_prob(torch.zeros(1, lattice.dim).double()).exp())
    assert 1 - 1e-6 < probability <= 1 + 1e-12


@torch.no_grad()
def test_probabilities_given_a_dither_sum_to_one(small_lattice, family_class, prior_on, all_points, parallelepiped):
    """Whatever the dither is: P(. | u) is a probability on the lattice."""
    points, wide, _ = all_points(small_lattice)
    if small_lattice.dim > 5:
        # A Z for each point takes its time: fewer of them, under a narrower prior.
        points, wide = points[points.square().sum(1) < 6.1], 0.1
    prior = prior_on(small_lattice, family_class, narrow=wide / 4, wide=wide)
    cell = parallelepiped(small_lattice, 3 if small_lattice.dim < 5 else 1)
    for u in cell - small_lattice.quantize(cell):
        assert total_probability(prior, points, u) == pytest.approx(1, abs=1e-6)


@torch.no_grad()
def test_a_dither_moved_by_a_lattice_point_moves_the_probabilities(
    lattice, family_class, prior_on, some_points, parallelepiped
):
    """P(p - q | u + q) = P(p | u): the decoder adds u back, so only p + u counts."""
    count = 5 if lattice.dim >= 16 else 50
    prior = prior_on(lattice, family_class)
    p, q, u = some_points(lattice, count), some_points(lattice, count), parallelepiped(lattice, count)
    torch.testing.assert_close(prior.log_prob(p - q, u + q), prior.log_prob(p, u), rtol=1e-8, atol=1e-8)
    # And the dither does count.
    assert float((prior.log_prob(p, u) - prior.log_prob(p)).abs().max()) > 0.01


@torch.no_grad()
def test_no_dither_is_a_dither_of_zero(lattice, prior_on, some_points):
    prior = prior_on(lattice, GaussianMixture)
    points = some_points(lattice, 5 if lattice.dim >= 16 else 50)
    given_zero = prior.log_prob(points, torch.zeros_like(points))
    torch.testing.assert_close(given_zero, prior.log_prob(points), rtol=1e-9, atol=1e-9)


# Where enumeration cannot go: Z by another formula, a sum over the cosets of the lattice's code.


def masses(family, lattice, modulus, dither):
    """S[i, r]: the sum of f_i over k_i = r mod modulus, and the function log f of integers."""
    reach = int(60 / lattice.steps.min()) // modulus * modulus
    k = torch.arange(-reach, reach, dtype=torch.float64)
    table = family.log_mass(k[:, None] * lattice.steps + dither, lattice.steps).exp()
    return table.reshape(-1, modulus, lattice.dim).sum(0).T


def partition_of_barnes_wall(s):
    """k = c + 2 j with c in RM(1, 4) and sum(j) even: half the sum over c of prod (A + B) + prod (A - B)."""
    total = 0.0
    for c in torch.from_numpy(codewords(reed_muller(1, 4))):
        a, b = s.gather(1, c[:, None]), s.gather(1, c[:, None] + 2)
        total += float((a + b).prod() + (a - b).prod()) / 2
    return total


def partition_of_leech(s):
    """k = m + 2 c + 4 j with c in the Golay code and sum(j) = m mod 2: the same, with a sign for m = 1."""
    words = torch.from_numpy(codewords(golay()))  # [4096, 24]
    total = 0.0
    for m in (0, 1):
        a, b = (s[torch.arange(24), (m + 2 * words + shift) % 8] for shift in (0, 4))
        total += float(((a + b).prod(1) + (-1) ** m * (a - b).prod(1)).sum()) / 2
    return total


@pytest.mark.parametrize(
    ("name", "modulus", "partition"), [("bw16", 4, partition_of_barnes_wall), ("leech", 8, partition_of_leech)]
)
@torch.no_grad()
def test_the_normalization_by_coset_sums(name, modulus, partition, family_class, prior_on, some_points, parallelepiped):
    lattice = lattices.get(name)
    prior = prior_on(lattice, family_class)
    points = some_points(lattice, 50)
    u = parallelepiped(lattice, 1)
    for dither in (None, u - lattice.quantize(u)):
        shift = 0.0 if dither is None else dither[0]
        log_z = math.log(partition(masses(prior.family, lattice, modulus, shift)))
        log_f = prior.family.log_mass(points + shift, lattice.steps).sum(1)
        found = prior.log_prob(points, None if dither is None else dither.expand_as(points))
        torch.testing.assert_close(found, log_f - log_z, rtol=1e-9, atol=1e-9)
        assert float(found.exp().sum()) < 1  # of points that differ: a probability, not a density


@torch.no_grad()
def test_ratios_are_those_of_the_functions(trellis_lattice, family_class, prior_on, some_points):
    """P(a) / P(b) = prod f_i(a_i) / prod f_i(b_i) on trellises; together with the sum, that is all of P."""
    prior = prior_on(trellis_lattice, family_class, copies=2)
    points = some_points(trellis_lattice, 40, copies=2)
    log_f = prior.family.log_mass(points, trellis_lattice.steps.repeat(2)).sum(1)
    found = prior.log_prob(points)
    torch.testing.assert_close(found - found[0], log_f - log_f[0], rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_conditional_probabilities_of_the_triangular_prior(get_lattice, prior_on, some_points, family_class):
    """Given all coordinates but the last, its probabilities are f_n, normalized along the last basis vector."""
    lattice = get_lattice("an3")
    prior = prior_on(lattice, family_class)
    start = some_points(lattice, 1)
    line = start + torch.arange(-60, 61, dtype=torch.float64)[:, None] * lattice.generator[-1]
    found = prior.log_prob(line)
    # The first two coordinates' factors are common; what remains is normalized f_3.
    log_f = prior.family.log_mass(line, lattice.generator.diagonal().abs())[:, 2]
    torch.testing.assert_close(found - found.logsumexp(0), log_f - log_f.logsumexp(0), rtol=1e-8, atol=1e-8)


@torch.no_grad()
def test_the_two_priors_agree_on_the_integers(family_class, random_family, generator):
    """Z^n has a trellis and a triangular generator, and its coordinates are independent in both."""
    z = lattices.get("z", 3)
    family = random_family(family_class, 6)
    points = torch.randint(-4, 5, (200, 6), generator=generator).double()
    dither = torch.rand(200, 6, generator=generator, dtype=torch.float64) - 0.5
    one, other = TrellisPrior(z, 6, family), TriangularPrior(z, 6, family)
    torch.testing.assert_close(one.log_prob(points), other.log_prob(points), rtol=1e-9, atol=1e-9)
    found, expected = one.log_prob(points, dither), other.log_prob(points, dither)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    # Unit cells side by side hold all of f's mass: the probability of an integer is that of its cell.
    mass = family.log_mass(points, torch.ones(6).double()).sum(1)
    torch.testing.assert_close(one.log_prob(points), mass, rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_order_and_shape_of_the_batch_do_not_matter(lattice, prior_on, some_points):
    prior = prior_on(lattice, GaussianMixture, copies=2)
    points = some_points(lattice, 12, copies=2)
    rates = prior(points)
    order = torch.randperm(12)
    torch.testing.assert_close(prior(points[order]), rates[order], rtol=1e-12, atol=1e-12)
    shaped = prior(points.reshape(2, 1, 6, -1))
    assert shaped.shape == (2, 1, 6)
    torch.testing.assert_close(shaped.flatten(), rates, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(torch.stack([prior(p) for p in points]), rates, rtol=1e-12, atol=1e-12)
    assert prior(points[:0]).shape == (0,) and prior(points[:0], points[:0]).shape == (0,)


@torch.no_grad()
def test_rates_are_bits_in_the_dtype_of_the_points(lattice, prior_on, some_points):
    prior = prior_on(lattice, GaussianMixture)
    points = some_points(lattice, 20)
    torch.testing.assert_close(prior(points), prior.log_prob(points) / -math.log(2))
    single = prior.float()(points.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), prior(points), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dithered", [False, True])
@torch.no_grad()
def test_a_product_of_copies_costs_the_sum_of_its_factors(lattice, prior_on, some_points, parallelepiped, dithered):
    """Each factor with its share of the parameters."""
    n, copies = lattice.dim, 3
    prior = prior_on(lattice, GaussianMixture, copies=copies)
    count = 4 if n >= 16 else 30
    points = some_points(lattice, count, copies=copies)
    dither = parallelepiped(lattice, count * copies).reshape(count, -1) if dithered else None
    total = torch.zeros(count).double()
    for i in range(copies):
        part = slice(i * n, (i + 1) * n)
        single = prior_on(lattice, GaussianMixture)
        single.family.load_state_dict({k: v[:, part] for k, v in prior.family.state_dict().items()})
        total += single(points[:, part], None if dither is None else dither[:, part])
    torch.testing.assert_close(prior(points, dither), total, rtol=1e-10, atol=1e-10)


@torch.no_grad()
def test_a_product_of_different_lattices_costs_the_sum(get_lattice, family_class, prior_on, some_points):
    product = get_lattice("e8*dn4")
    prior = prior_on(product, family_class)
    points = some_points(product, 30)
    total = torch.zeros(30).double()
    for key, part in (("e8", slice(0, 8)), ("dn4", slice(8, 12))):
        single = prior_on(get_lattice(key), family_class)
        single.family.load_state_dict({k: v[:, part] for k, v in prior.family.state_dict().items()})
        total += single(points[:, part])
    torch.testing.assert_close(prior(points), total, rtol=1e-10, atol=1e-10)


def test_training_evaluation_and_copies_agree(lattice, some_points):
    """With gradients or without, in inference mode, and after a round trip through a state dictionary."""
    prior = exact_prior(lattice, lattice.dim, functools.partial(GaussianMixture, components=2))
    points = some_points(lattice, 10).float()
    expected = prior(points)
    with torch.no_grad():
        torch.testing.assert_close(prior(points), expected)
    with torch.inference_mode():
        torch.testing.assert_close(prior(points.clone()), expected)
    torch.testing.assert_close(prior(points.clone().requires_grad_()), expected)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    twin = exact_prior(lattice, lattice.dim, functools.partial(GaussianMixture, components=2))
    twin.load_state_dict(prior.state_dict())
    torch.testing.assert_close(twin(points), prior(points))
    assert not torch.equal(prior(points), expected)


@pytest.mark.parametrize("key", ["z1", "a2", "dn4", "e8"])
def test_the_rate_of_a_fitted_prior_is_the_entropy(key, get_lattice, generator):
    """Two million Gaussian samples at about 0.6 bits a dimension: between their entropy and 0.005 bits more."""
    lattice = get_lattice(key)
    n, count = lattice.dim, 2_000_000
    sigma = {"z1": 0.31, "a2": 0.31, "dn4": 0.31, "e8": 0.29}[key]
    x = sigma * torch.randn(count // 10, n, generator=generator)
    points, frequency = [], []
    for _ in range(10):
        x.normal_(generator=generator).mul_(sigma)
        found, times = torch.unique(lattice.to_integers(lattice.quantize(x)), dim=0, return_counts=True)
        points.append(found)
        frequency.append(times)
    found, index = torch.unique(torch.cat(points), dim=0, return_inverse=True)
    times = torch.zeros(len(found)).double().index_add_(0, index, torch.cat(frequency).double())
    share = times / count
    entropy = float(-(share * share.log2()).sum())
    assert 0.4 * n < entropy < 0.8 * n
    prior = exact_prior(lattice, n, functools.partial(GaussianMixture, scale=0.5))
    k = found.double() * lattice.steps
    # Fitted to the frequent points, judged on all of them.
    often = times.argsort(descending=True)[:3000]
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    for _ in range(200):
        optimizer.zero_grad()
        (prior(k[often]) * share[often]).sum().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        rate = float((prior(k) * share).sum())
    # Gibbs: no code has a mean length on these very samples below their entropy, whatever was learned.
    assert rate >= entropy - 1e-6
    # The entropy of samples is low by (outcomes - 1) / 2N nats (Miller & Madow).
    assert rate <= entropy + (len(found) - 1) / (2 * count * math.log(2)) + 0.005 * n


def test_points_of_the_enumeration_are_all_there(small_lattice, all_points):
    """The tests above stand on it: as many points as the ball has volume, and none twice."""
    points, _, radius = all_points(small_lattice)
    n = small_lattice.dim
    volume = math.pi ** (n / 2) / math.gamma(n / 2 + 1) * radius**n
    assert len(points) == pytest.approx(volume, rel=0.5, abs=3)
    z = (points @ torch.linalg.inv(small_lattice.generator)).round().long()
    assert len(set(map(tuple, z.tolist()))) == len(points)
    box = torch.tensor(list(itertools.product((-1, 0, 1), repeat=min(n, 3)))).double()
    near = torch.cat([box, torch.zeros(len(box), n - box.shape[1])], 1) @ small_lattice.generator
    near = near[near.norm(dim=1) <= radius * (1 - 1e-9)]
    assert float(points.norm(dim=1).max()) <= radius * (1 + 1e-9)
    assert float(torch.cdist(near, points).min(1).values.max()) < 1e-5
