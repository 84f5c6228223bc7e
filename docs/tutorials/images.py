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
# # A lattice in an image model
#
# A model of [CompressAI](https://interdigitalinc.github.io/CompressAI) rounds its
# latents. One call exchanges rounding for a lattice, and keeps all weights; the model
# trains, compresses and decompresses as before. The model here is small and trained for
# seconds, so that this page runs anywhere: what it shows is how, not how good.

# %%
import math

import torch
from compressai.models import ScaleHyperprior
from ltc import lattices
from ltc.images import use_lattice

torch.manual_seed(0)
torch.set_num_threads(1)

# %% [markdown]
# ## Pictures
#
# Anything with structure will do: smooth patches of colour with edges.


# %%
def pictures(count, side=64):
    coarse = torch.rand(count, 3, 5, 5)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    across, down, shift = torch.rand(3, count, 1, 1, 1) * 2 - 1
    grid = torch.linspace(-1, 1, side)
    edge = (across * grid + down * grid[:, None] + 0.5 * shift > 0).float()
    return (0.7 * smooth + 0.3 * edge).clamp(0, 1)


# %% [markdown]
# ## A model with rounding
#
# `ScaleHyperprior` is Ballé et al.'s network of 2018: latents with a Gaussian each,
# whose scales are sent as side information. Training adds noise in the place of
# rounding.

# %%
model = ScaleHyperprior(N=8, M=16)
lmbda = 0.05 * 255**2


def bits_per_pixel(out, x):
    pixels = x.shape[0] * x.shape[2] * x.shape[3]
    nats = sum(likelihoods.log().sum() for likelihoods in out["likelihoods"].values())
    return nats / (-math.log(2) * pixels)


def train(model, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        x = pictures(2)
        out = model(x)
        loss = bits_per_pixel(out, x) + lmbda * (out["x_hat"] - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


train(model, steps=60, lr=5e-3)

# %% [markdown]
# ## The same model with E8
#
# Every `GaussianConditional` becomes a `LatticeGaussianConditional`: eight channels at
# a position are one point of E8, put together by their scales, and cost $-\log_2
# P(\text{point} \mid \text{scales})$ exactly. A little more training lets the
# transforms follow.

# %%
model = use_lattice(model, lattices.get("e8"))
train(model, steps=15, lr=2e-3)
print(model.gaussian_conditional)

# %% [markdown]
# ## Into bytes
#
# CompressAI's own calls: `update` for the tables, `compress` and `decompress`.

# %%
model.eval()
model.update()
x = pictures(1, side=128)
with torch.no_grad():
    out = model(x)
    coded = model.compress(x)
    decoded = model.decompress(**coded)["x_hat"]

length = sum(len(string) for strings in coded["strings"] for string in strings)
error = (decoded - x).square().mean().item()
print(f"estimated {bits_per_pixel(out, x):.3f} bits per pixel")
print(f"in bytes  {8 * length / x[0, 0].numel():.3f} bits per pixel ({length:,} bytes)")
print(f"PSNR      {-10 * math.log10(error):.1f} dB")
print(
    "decoded to what evaluation shows:", torch.equal(decoded, out["x_hat"].clamp(0, 1))
)

# %% [markdown]
# A checkpoint of a scalar model goes in the same way: load it, call `use_lattice`,
# train on for a while. What lattices are worth in one network, measured on Kodak, is in
# [the results for images](../images.md); more about the choices in [a lattice in your
# CompressAI model](../guides/compressai_model.md).
