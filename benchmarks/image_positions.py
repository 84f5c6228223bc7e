"""What a position costs in image networks that code position after position: to evaluate, to encode, to decode.

    python -m benchmarks.image_positions                                  # small networks, trained for 40 steps
    python -m benchmarks.image_positions --networks mbt2018 --channels 128 192 --lattices e8 tcq8
    python -m benchmarks.image_positions --coder outputs/…/coder.pt       # one that was trained

Milliseconds of the processor for each of the positions of a picture of Kodak, without the transforms; one thread. A
network that fits no latents yet has many escapes, which take longer: so it is trained for some steps on parts of the
picture itself.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.kodak import options_with_data, photographs
from benchmarks.provenance import provenance
from ltc import lattices
from ltc.codec.image_checkpoint import load_network
from ltc.images import use_lattice
from ltc.images.networks import Cheng2020Attention, ContextNetwork, JointAutoregressive, raster_context
from ltc.images.networks.image_network import ImageNetwork
from ltc.pixels import to_image
from ltc.training.image_module import ImageModule

NETWORKS: dict[str, Callable[[int, int], ImageNetwork]] = {
    "mbt2018": JointAutoregressive,
    "cheng2020_attn": lambda N, M: Cheng2020Attention(M),
    "context_raster": lambda N, M: ContextNetwork(N, M, raster_context),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--lattices", nargs="*", default=["z", "e8", "tcq8", "learned"])
    parser.add_argument("--channels", type=int, nargs=2, default=[8, 16], metavar=("N", "M"))
    parser.add_argument("--coder", help="coder.pt, in the place of networks of its own")
    options = options_with_data(parser)
    torch.set_num_threads(1)
    name, pixels = photographs(options.data, 24)[4]
    x = to_image(pixels)[None]
    table = Table("network", "lattice", *(f"{name}, ms" for name in ("evaluate", "encode", "decode")), "bits/pixel")
    if options.coder:
        table.add_row(options.coder, "", *measured(load_network(options.coder).network, x))
    else:
        for kind in options.networks:
            for lattice in options.lattices:
                torch.manual_seed(0)
                table.add_row(kind, lattice, *measured(trained(NETWORKS[kind](*options.channels), lattice, x), x))
    Console().print(f"Of a position of {name}; {provenance()}.", table)


def trained(network: ImageNetwork, name: str, x: Tensor, steps: int = 40) -> ImageNetwork:
    """The network with a lattice, after some steps on parts of a picture."""
    lattice: Any = lattices.LearnedLattice(8) if name == "learned" else lattices.get(name)
    module = ImageModule(use_lattice(network, lattice, "channels").train(), lmbda=0.05)
    optimizer = torch.optim.Adam(module.network.parameters(), lr=2e-3)
    for step in range(steps):
        left = 64 * (step % 8)
        crops = x[..., 64:192, left : left + 128].unfold(2, 64, 64).unfold(3, 64, 64)
        crops = crops.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
        rate, distortion = (figure.mean() for figure in module._rates_and_distortions(crops))
        optimizer.zero_grad()
        (rate + 0.05 * distortion + module._auxiliary_loss()).backward()
        torch.nn.utils.clip_grad_norm_(module.network.parameters(), 1.0)
        optimizer.step()
    module.network.eval().update(force=True)
    return module.network


@torch.no_grad()
def measured(network: ImageNetwork, x: Tensor) -> list[str]:
    """Milliseconds of a position, without the transforms, and the rate of the file; a part first, for what compiles."""
    coded = network.compress(x[..., :64, :64])
    network.decompress(coded["strings"], coded["shape"])
    network(x[..., :64, :64])
    analysis, y = timed(lambda: network.g_a(x))
    synthesis, _ = timed(lambda: network.synthesize(y))
    evaluate, _ = timed(lambda: network(x))
    encode, coded = timed(lambda: network.compress(x))
    decode, _ = timed(lambda: network.decompress(coded["strings"], coded["shape"]))
    positions = y.shape[2] * y.shape[3]
    seconds = evaluate - analysis - synthesis, encode - analysis, decode - synthesis
    size = sum(len(strings[0]) for strings in coded["strings"])
    return [*(f"{1000 * s / positions:.2f}" for s in seconds), f"{8 * size / x[0, 0].numel():.3f}"]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the processor, and what was called for."""
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


if __name__ == "__main__":
    main()
