"""What a lattice can save: costs are ordered as theory orders them."""

import torch

from benchmarks.image_limit import costs_of


def test_nothing_costs_less_than_the_limit(rng):
    """Searches cost no more than nearest points of the same code, and R(D) of Gaussians less than everything."""
    scales = torch.tensor(rng.uniform(0.2, 3, (1, 24, 16, 16)))
    prices = torch.tensor(rng.uniform(2, 9, (1, 24, 1, 1))).expand_as(scales)
    noise = torch.randn(scales.shape, dtype=torch.float64)
    costs = costs_of(scales * noise, scales, prices)
    for name in ("z", "tcq8", "tcq64", "tcq256"):
        assert costs["R(D)"] < costs[f"{name} + search"] < costs[name]
    assert costs["tcq256 + search"] < costs["z + search"]
