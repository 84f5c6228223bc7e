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
# # A codec for a source
#
# From vectors of your own to a file and back: a transform, a lattice and a prior are
# trained together, then compress an array. The library alone does it here; `run.py`
# does the same from the command line, with everything around it ([start](../start.md)).

# %%
import tempfile
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from ltc.codec import load_coder, save_coder
from ltc.codec.__main__ import main
from ltc.models import RDSearch
from ltc.theory import WaterfillingRD
from ltc.training import Calibration

torch.manual_seed(0)
torch.set_num_threads(1)

# %% [markdown]
# ## The source
#
# Symbols of eight numbers, each number like the one before it: think of a sensor that
# is read eight times. They are Gaussian here, so that R(D) is known (reverse
# water-filling on the eigenvalues of the covariance).

# %%
positions = torch.arange(8)
covariance = 0.9 ** (positions[:, None] - positions).abs().float()
factor = torch.linalg.cholesky(covariance)


def draw(count):
    return torch.randn(count, 8) @ factor.T


bound = WaterfillingRD(covariance)

# %% [markdown]
# ## The coder
#
# A coder is $y = g\, g_a(x)$, a lattice point $\hat y$ near $y$, and $\hat x = g_s(\hat
# y / g)$. It is made from a configuration, because a file that holds a coder has to say
# how to make it again. These are the same names as in `conf/`.

# %%
e8 = {"_target_": "ltc.lattices.get", "name": "e8"}
linear = {"_target_": "ltc.transforms.Linear", "inputs": 8, "outputs": 8}
config = {
    "_target_": "ltc.models.Coder",
    "analysis": linear,
    "synthesis": linear,
    "gain": 2.5,
    "bottleneck": {
        "_target_": "ltc.models.LatticeBottleneck",
        "entropy_model": {
            "_target_": "ltc.entropy.exact_prior",
            "lattice": e8,
            "dim": 8,
        },
    },
}
coder = instantiate(config)

# %% [markdown]
# `Linear` starts as the identity. A better start costs nothing: the axes along which a
# sample of the source is uncorrelated (the Karhunen-Loève transform).

# %%
with torch.no_grad():
    axes = torch.linalg.eigh(torch.cov(draw(10_000).T)).eigenvectors
    coder.analysis.layers[0].weight.copy_(axes.T)
    coder.synthesis.layers[0].weight.copy_(axes)

# %% [markdown]
# ## Training
#
# The loss is $R + \lambda D$: bits per symbol, and $\lambda$ times the mean squared
# error per component. Quantization has no useful derivative; the bottleneck takes it to
# be one.

# %%
lmbda, steps = 400.0, 150
optimizer = torch.optim.Adam(coder.parameters(), lr=5e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
for _ in range(steps):
    x = draw(1000)
    coding = coder(x)
    loss = coding.bits.mean() + lmbda * (coding.reconstruction - x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()

# %% [markdown]
# Straight-through training ends at a scale of the latents that is not quite right.
# [Calibration](../ideas/calibration.md) searches it on the true objective, refits
# decoder and prior, and tries the encoder's [rate-distortion optimal
# search](../ideas/search.md).

# %%
calibration = Calibration(
    evaluations=3,
    rounds=1,
    refit_steps=25,
    rdo_factors=(1.0,),
    rdo_steps=60,
    final_steps=80,
)
found = calibration(coder, RDSearch(price=lmbda), lambda index: draw(1000))
before, after = found["cost_before"], found["cost_after"]
print(f"cost {before:.3f} -> {after:.3f}, scale times {found['factor']:.2f}")

coder.eval()
x = draw(40_000)
with torch.no_grad():
    coding = coder(x)
rate = coding.bits.mean().item()
distortion = (coding.reconstruction - x).square().mean().item()
print(f"rate {rate:.3f} bits per symbol, distortion {distortion:.4f} per component")
gap = (rate - bound.rate(distortion)) / 8
print(f"R(D) {bound.rate(distortion):.3f}: a gap of {gap:.4f} bits per number")

# %% [markdown]
# ## Into bytes
#
# `update` makes the entropy coder's tables from the prior; after it the coder is a
# codec.

# %%
coder.update()
stream = coder.compress(x)
again = coder.decompress(stream, count=len(x))
print(f"{len(stream):,} bytes, {8 * len(stream) / len(x):.3f} bits per symbol")
print("decoded to the reconstruction:", torch.equal(again, coding.reconstruction))

# %% [markdown]
# ## Files
#
# `save_coder` writes the coder with its tables; the command compresses arrays with it,
# on any machine. [The file](../format.md) is described to the bit.

# %%
folder = Path(tempfile.mkdtemp())
save_coder(
    folder / "coder.pt",
    coder,
    config,
    n=1,
    dim=8,
    measure="mse",
    about={"source": "sensor"},
)
np.save(folder / "readings.npy", draw(20_000).numpy())

files = [str(folder / name) for name in ("readings.npy", "readings.ltc", "decoded.npy")]
main(["compress", str(folder / "coder.pt"), files[0], files[1]])
main(["decompress", str(folder / "coder.pt"), files[1], files[2]])

readings, decoded = np.load(folder / "readings.npy"), np.load(folder / "decoded.npy")
print(
    f"{readings.nbytes:,} bytes -> {(folder / 'readings.ltc').stat().st_size:,} bytes"
)
print(f"mean squared error {np.square(readings - decoded).mean():.4f}")
print("written by a coder of", load_coder(folder).about["source"])

# %% [markdown]
# In a terminal the two lines are
#
# ```
# ltc compress coder.pt readings.npy readings.ltc
# ltc decompress coder.pt readings.ltc decoded.npy
# ```
#
# Next: [a lattice in an image model](images.md).
