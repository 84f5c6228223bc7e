"""What a lattice costs in training: whole steps of bmshj2018-hyperprior with each bottleneck, taken in turns.

    python -m benchmarks.image_step                          # N=128, M=192, 256x256 crops, batch 8
    python -m benchmarks.image_step --lattices e8 --batch 16 --output ""     # prints it only

A step is the forward pass, rate + lambda * MSE, the backward pass and Adam, on random crops. All steps of a round are
taken one after the other, and the median over the rounds is shown, with the ratio to CompressAI's own bottleneck; on a
machine that does other work too, the processor's time says more than the clock's. The bottleneck alone (forward and
backward, at the shape of the network's latents) is timed beside it. Writes ``docs/image_step.md``.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from compressai.models import ScaleHyperprior
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.provenance import provenance
from ltc import lattices
from ltc.images import use_lattice

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "image_step.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lattices", nargs="*", default=["z", "e8", "tcq8", "bw16", "leech"])
    parser.add_argument("--along", default="channels")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--channels", type=int, nargs=2, default=[128, 192], metavar=("N", "M"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", default=str(_PAGE), help='of the page; "" for none')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = ScaleHyperprior(*options.channels)
    models = {"CompressAI's": network}
    for name in options.lattices:
        models[name] = use_lattice(copy.deepcopy(network), lattices.get(name), options.along)
    x = torch.rand(options.batch, 3, options.crop, options.crop)
    whole = in_turns({name: step_of(model, x) for name, model in models.items()}, options.rounds)
    shape = (options.batch, options.channels[1], options.crop // 16, options.crop // 16)
    alone = in_turns({n: bottleneck_of(m.gaussian_conditional, shape) for n, m in models.items()}, options.rounds)
    columns = ["bottleneck", "step, s", "ratio", "step, processor s", "ratio", "alone, processor ms"]
    rows = []
    for name, (clock, processor) in whole.items():
        first_clock, first_processor = whole["CompressAI's"]
        figures = f"{clock:.2f}", f"{clock / first_clock:.3f}", f"{processor:.2f}", f"{processor / first_processor:.3f}"
        rows.append([name, *figures, f"{1000 * alone[name][1]:.0f}"])
    size = "N={}, M={}".format(*options.channels)
    setting = (
        f"Training steps of bmshj2018-hyperprior, {size}, {options.crop}x{options.crop} crops, batch {options.batch}, "
        f"vectors along {options.along}, {options.threads} threads, medians of {options.rounds} rounds."
    )
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console().print(setting, provenance(), table)
    if options.output:
        command = " ".join(["python -m benchmarks.image_step", *sys.argv[1:]])
        lines = ["# What a lattice costs in training", "", f"Made by `{command}`; {provenance()}.", "", setting, ""]
        lines += [f"| {' | '.join(row)} |" for row in (columns, ["---", *["---:"] * (len(columns) - 1)], *rows)]
        Path(options.output).write_text("\n".join(lines) + "\n")


def step_of(model: ScaleHyperprior, x: Tensor) -> Callable[[], None]:
    """A training step as a function."""
    model.train()
    parameters = [p for name, p in model.named_parameters() if not name.endswith(".quantiles")]
    optimizer = torch.optim.Adam(parameters, lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        out = model(x)
        rate = sum(-part.log2().sum() for part in out["likelihoods"].values()) / (x.numel() / 3)
        (rate + 0.01 * 255**2 * (out["x_hat"] - x).square().mean()).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return step


def bottleneck_of(bottleneck: nn.Module, shape: tuple[int, ...]) -> Callable[[], None]:
    """The bottleneck alone, on latents whose scales are spread like a trained network's."""
    scales = torch.exp(torch.empty(shape).uniform_(-3, 1.5)).requires_grad_()
    y = (torch.randn(shape) * scales.detach()).requires_grad_()

    def step() -> None:
        y_hat, likelihoods = bottleneck(y, scales)
        (y_hat.sum() - likelihoods.log2().sum()).backward()

    return step


def in_turns(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, tuple[float, float]]:
    """The median time of each by the clock and of all its threads, in seconds; a first round does not count."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for round_ in range(rounds + 1):
        for name, step in steps.items():
            clock, processor = time.perf_counter(), time.process_time()
            step()
            if round_:
                times[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {
        name: (statistics.median(c for c, _ in found), statistics.median(p for _, p in found))
        for name, found in times.items()
    }


if __name__ == "__main__":
    main()
