# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Quantize and count bits
#
# A lattice takes the place of rounding, a prior says what each of its points costs, and
# the bits are real: they come out of an entropy coder. Here is all of it, on numbers
# from N(0, 1).

# %%
import torch
from ltc import lattices
from ltc.coding import decode_points, encode_points, point_model
from ltc.entropy import GaussianMixture, exact_prior
from ltc.theory import GaussianRD, space_filling_gap

torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(50_000, 8)

# %% [markdown]
# ## Ten lines
#
# `quantize` gives the nearest point of E8 for each vector of eight numbers. A lattice
# has unit volume, so the size of its cells is the size that you give your numbers: here
# they are scaled up by two, and the cells are half as wide. The prior has a Gaussian
# for each coordinate, and learns how wide it is.

# %%
e8 = lattices.get("e8")
scale = 2.0
points = e8.quantize(scale * x)
prior = exact_prior(e8, 8, family=lambda dim: GaussianMixture(dim, components=1))
optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
for _ in range(100):
    optimizer.zero_grad()
    prior(points[:10_000]).mean().backward()
    optimizer.step()
rate = prior(points).mean().item() / 8
decoder = (x * points).sum() / points.square().sum()

# %% [markdown]
# The decoder multiplies points by one number, the one with the least squared error: a
# little less than one half, because points lie a little further out than what they
# stand for.
#
# `prior(points)` is $-\log_2 P$ of each point, in bits, and $P$ sums to one over the
# whole lattice ([the exact prior](../ideas/exact_prior.md)). Beside it stands what
# Shannon allows at the same distortion. The difference is the *gap*, which theory knows
# in advance: $\tfrac12 \log_2 (2 \pi e\, G)$ for a lattice of second moment $G$
# ([lattices](../ideas/lattice.md)).

# %%
distortion = (decoder * points - x).square().mean().item()
bound = GaussianRD().rate(distortion)
print(f"rate        {rate:.4f} bits per number; mean squared error {distortion:.4f}")
print(f"R(D)        {bound:.4f}")
print(f"gap         {rate - bound:.4f}; theory says {space_filling_gap(e8.nsm):.4f}")

# %% [markdown]
# ## The bits themselves
#
# The same prior drives a range coder. `to_integers` gives the integer coordinates that
# are coded.

# %%
tables = point_model(prior)
stream = encode_points(tables, e8.to_integers(points).numpy())
decoded = e8.to_points(torch.from_numpy(decode_points(tables, len(x), stream)))
print(f"{len(stream):,} bytes: {8 * len(stream) / x.numel():.4f} bits per number")
print("decoded to the very points:", torch.equal(decoded, points))

# %% [markdown]
# ## Every lattice
#
# The program is the same for all of them. Rounding is the lattice `z`; `leech` is the
# best known in 24 dimensions, and `tcq64` is a [trellis code](../ideas/trellis.md),
# which quantizes whole sequences. The priors start at the right width here, and need no
# training.


# %%
def gap(name, dim):
    lattice = lattices.get(name, dim if name.startswith("tcq") else None)
    points = lattice.quantize(scale * x.reshape(-1, dim))
    prior = exact_prior(lattice, dim, lambda dim: GaussianMixture(dim, 1, scale))
    with torch.no_grad():
        rate = prior(points).mean().item() / dim
    decoder = (x * points.flatten()).sum() / points.square().sum()
    distortion = (decoder * points.flatten() - x).square().mean().item()
    return rate - GaussianRD(x.var().item()).rate(distortion)


x = torch.randn(768_000)
print("lattice   gap, bits   theory")
for name, dim in {"z": 1, "a2": 2, "e8": 8, "leech": 24, "tcq64": 1024}.items():
    theory = space_filling_gap(lattices.get(name).nsm)
    print(f"{name:10}{gap(name, dim):9.4f}{theory:9.4f}")

# %% [markdown]
# Next: [a codec for a source](codec.md), in which the scale is learned, and a transform
# with it.
