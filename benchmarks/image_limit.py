"""How much a lattice can save in a trained image network: its own Gaussians, coded by each lattice and by no lattice.

    python -m benchmarks.image_limit                    # minutes; wants the networks of python -m benchmarks.multirate
    python -m benchmarks.image_limit --folder FOLDER --images 8

In a network each latent has a Gaussian: a scale, a mean, and a price, what an error of it costs in the decoded image.
For the latents that rounding has in photographs of Kodak this compares, at equal prices, ``bits + price * squared
error`` of rounding, of trellis codes, of both with the encoder's search, and of R(D): a Gaussian of scale s and price
m costs at least log2(s^2 / D) / 2 + m D with D = min(s^2, 1 / (2 ln 2 m)) (Cover & Thomas, theorem 10.3.3), whatever
codes it. Once for latents that are what the network says, Gaussian, and once for those that photographs have. Writes
``docs/image_limit.md``.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.kodak import options_with_data, photographs
from benchmarks.multirate import network_with
from benchmarks.provenance import provenance
from ltc import lattices
from ltc.files import whole_file
from ltc.images.gaussian_conditional import LatticeGaussianConditional
from ltc.images.networks.image_network import ImageNetwork
from ltc.images.padding import pad_to_multiple
from ltc.images.rate_search import RateSearch, decoded_latents
from ltc.pixels import to_image

_ROOT = Path(__file__).resolve().parent.parent
_PRICES = (0.0035, 0.0095, 0.025, 0.066)
_CODES = ("z", "tcq8", "tcq64", "tcq256")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=_ROOT / "multirun" / "multirate", help="with trained networks")
    parser.add_argument("--images", type=int, default=4, help="of Kodak's")
    parser.add_argument("--seed", type=int, default=0, help="of the network")
    parser.add_argument("--output", type=Path, default=_ROOT / "docs" / "image_limit.md")
    options = options_with_data(parser)
    network = network_with(options.folder, options.seed, "z").network
    rows = [row for price in _PRICES for row in measure(network, price, options.data, options.images)]
    command = " ".join(["python -m benchmarks.image_limit", *sys.argv[1:]])
    text = page(rows, options.images, f"Made by `{command}`; the network of seed {options.seed}; {provenance()}.")
    with whole_file(options.output) as temporary:
        temporary.write_text(text)
    print(text)


Row = tuple[float, str, dict[str, float]]


def measure(network: ImageNetwork, price: float, data: Path, count: int) -> list[Row]:
    """Costs less rounding's over rounding's bits, in percent, of Gaussian latents and of those of photographs."""
    network.at(price)  # type: ignore[operator]
    costs: dict[str, dict[str, float]] = {"Gaussian": {}, "photographs": {}}
    for number, (_, pixels) in enumerate(photographs(data, count)):
        for latents, scales, weights in groups(network, pad_to_multiple(to_image(pixels)[None], network.factor), price):
            noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(number), dtype=torch.float64)
            for kind, x in (("Gaussian", scales * noise), ("photographs", latents)):
                for name, value in costs_of(x, scales, weights).items():
                    costs[kind][name] = costs[kind].get(name, 0.0) + value
    return [(price, kind, {"bits": found["bits"] / count, **_savings(found)}) for kind, found in costs.items()]


def _savings(costs: dict[str, float]) -> dict[str, float]:
    bits = costs["bits"]
    return {name: 100 * (cost - costs["z"]) / bits for name, cost in costs.items() if name not in ("bits", "z")}


def groups(network: ImageNetwork, image: Tensor, price: float) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Of each group of latents that is coded at once: latents less their means, their scales, and their prices."""
    seen: list[tuple[Tensor, Tensor]] = []

    def look(module: LatticeGaussianConditional, arguments: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        y, scales, means = *arguments[:2], named["means"]
        seen.append(((y - means).double(), module.lower_bound_scale(scales).double()))

    with torch.no_grad():
        y = network.g_a(image)
        energies = RateSearch(network, image).energies(*decoded_latents(network, y))
        conditional = next(m for m in network.modules() if isinstance(m, LatticeGaussianConditional))
        handle = conditional.register_forward_pre_hook(look, with_kwargs=True)
        network.measure(y)
        handle.remove()
    # Squared errors of pixels from 0 to 255 count as a mean over three colours, bits for each pixel.
    scale = price * 255**2 / 3
    return [(x, scales, (scale * energy).expand_as(x)) for (x, scales), energy in zip(seen, energies, strict=True)]


@torch.no_grad()
def costs_of(x: Tensor, scales: Tensor, weights: Tensor) -> dict[str, float]:
    """Bits + price * squared error of each code, with nearest points and with the search, and by R(D).

    Args:
        x: latents less their means, float64 [1, channels, height, width].
        scales: of their Gaussians, of the same shape.
        weights: their prices, of the same shape.

    Returns:
        By name; ``bits`` are rounding's.
    """
    found: dict[str, float] = {}
    for name in _CODES:
        conditional = LatticeGaussianConditional(lattices.get(name), along="image").eval()
        conditional.update()
        for searched in (False, True):
            start = conditional.cheapest(x, scales, None, weights) if searched else x
            point, likelihoods = conditional(start, scales)
            bits = float(-likelihoods.log2().sum())
            found[f"{name} + search" if searched else name] = bits + float((weights * (x - point).square()).sum())
            if name == "z" and not searched:
                found["bits"] = bits
    variance = scales.square()
    distortion = torch.minimum(variance, 1 / (2 * math.log(2) * weights))
    found["R(D)"] = float((0.5 * torch.log2(variance / distortion) + weights * distortion).sum())
    return found


def page(rows: list[Row], count: int, made: str) -> str:
    """The page in Markdown."""
    names = [name for name in rows[0][2] if name != "bits"]
    lines = [
        "# Images: what a lattice can save",
        "",
        made,
        "",
        f"The latents of {count} photographs of Kodak in the network of [one network for all rates](multirate.md), as "
        "rounding has them: for each a Gaussian, and a price of its squared error, by the decoder's derivative. "
        "Percent of rounding's bits by which `bits + price · squared error` is less than that of rounding with nearest "
        "points, prices as they are: to first order the rate that is saved at equal distortion. R(D) is what no code "
        "of these Gaussians falls below; `photographs` are the network's real latents with the same prior, whose R(D) "
        "nobody knows.",
        "",
        f"| lambda | latents | bits of an image, rounding | {' | '.join(names)} |",
        "| --- | --- | --- |" + " --- |" * len(names),
    ]
    for price, kind, found in rows:
        shown = [f"{found[name]:+.2f} %" if kind == "Gaussian" or name != "R(D)" else "-" for name in names]
        lines.append(f"| {price:g} | {kind} | {found['bits']:,.0f} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
