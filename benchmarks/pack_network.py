"""The weights of a network in few bits: a classifier of drawn letters, trained here, and its accuracy after packing."""

from __future__ import annotations

import string
import zlib

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

import ltc

__all__ = ["network_lines", "trained_weights"]

_SIDE, _LETTERS = 24, string.ascii_letters[:26]
_TRAIN, _TEST, _STEPS = 16_000, 4_000, 800
_BITS = (1.0, 2.0, 3.0, 4.0)


def letters(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Letters, turned, moved, of several sizes, with noise: float32 [count, 576], and which they are."""
    rng = np.random.default_rng(seed)
    fonts = [ImageFont.load_default(size) for size in (14, 17, 20)]
    which = rng.integers(len(_LETTERS), size=count)
    images = np.empty((count, _SIDE, _SIDE), np.float32)
    for i, letter in enumerate(which):
        image = Image.new("L", (_SIDE, _SIDE))
        place = tuple(_SIDE / 2 + rng.normal(0, 1.2, 2))
        ImageDraw.Draw(image).text(place, _LETTERS[letter], 255, fonts[rng.integers(3)], anchor="mm")
        images[i] = np.asarray(image.rotate(rng.normal(0, 14), Image.Resampling.BILINEAR)) / 255
    images += rng.normal(0, 0.2, images.shape)
    return torch.from_numpy(images.reshape(count, -1)), torch.from_numpy(which)


def network() -> nn.Sequential:
    """Three layers, 0.73 million weights."""
    size = _SIDE * _SIDE
    return nn.Sequential(nn.Linear(size, 768), nn.ReLU(), nn.Linear(768, 384), nn.ReLU(), nn.Linear(384, 26))


def trained_weights() -> tuple[dict[str, np.ndarray], float]:
    """The weights by name, and how many test letters they tell."""
    torch.manual_seed(0)
    # Small layers gain nothing by threads, and lose much where others use the machine.
    torch.set_num_threads(1)
    x, which = letters(_TRAIN, 1)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, _STEPS)
    for _ in range(_STEPS):
        batch = torch.randint(len(x), (256,))
        loss = nn.functional.cross_entropy(model(x[batch]), which[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    weights = {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}
    return weights, accuracy_of(weights)


@torch.no_grad()
def accuracy_of(weights: dict[str, np.ndarray]) -> float:
    """The share of test letters that a network with these weights tells."""
    x, which = letters(_TEST, 2)
    model = network()
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in weights.items()})
    return float((model(x).argmax(1) == which).double().mean())


def network_lines(weights: dict[str, np.ndarray], before: float) -> list[str]:
    """Bytes, error and accuracy, beside rounding with zlib in as many bytes."""
    count = sum(value.size for value in weights.values())
    lines = [
        f"## The weights of a network, {count:,} numbers",
        "",
        f"A classifier of letters, three layers, trained here; it tells {100 * before:.2f} % of {_TEST:,} test ones. "
        "Beside it: each tensor rounded to multiples of its deviation over a number, as bytes through zlib at its best "
        "level, the number such that the bytes are as many. Errors are mean squares over those of the weights.",
        "",
        "| bits a number | bytes | error | accuracy, % | rounding and zlib: bytes | error | accuracy, % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for bits in _BITS:
        data = ltc.pack(weights, bits=bits)
        found = ltc.unpack(data)
        size, plain = rounded(weights, len(data))
        lines.append(
            f"| {8 * len(data) / count:.3f} | {len(data):,} | {_error(weights, found):.5f} | "
            f"{100 * accuracy_of(found):.2f} | {size:,} | {_error(weights, plain):.5f} | "
            f"{100 * accuracy_of(plain):.2f} |"
        )
        print(lines[-1], flush=True)
    return [*lines, ""]


def rounded(weights: dict[str, np.ndarray], most: int) -> tuple[int, dict[str, np.ndarray]]:
    """Plain rounding in at most so many bytes, as fine as these allow."""
    low, high = 0.05, 64.0
    best: tuple[int, dict[str, np.ndarray]] = (0, {})
    for _ in range(12):
        parts = (low * high) ** 0.5
        size, found = 0, {}
        for name, value in weights.items():
            step = value.std() / parts
            k = np.clip(np.rint(value / step), -127, 127).astype(np.int8)
            size += len(zlib.compress(k.tobytes(), 9)) + 4
            found[name] = (k * step).astype(np.float32)
        if size <= most:
            low, best = parts, (size, found)
        else:
            high = parts
    return best


def _error(weights: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> float:
    lost = sum(float(np.square(found[name] - value, dtype=np.float64).sum()) for name, value in weights.items())
    return lost / sum(float(np.square(value, dtype=np.float64).sum()) for value in weights.values())
