"""The page of images at every rate: its figures are those of its rows, its codecs those that it names."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.crop_picture import by_pillow
from benchmarks.multirate import rows_wanted
from benchmarks.multirate_page import page
from benchmarks.multirate_time import seconds_alone
from benchmarks.pillow_codecs import available
from ltc import lattices
from ltc.codec.image_checkpoint import ImageCheckpoint
from ltc.images.networks import MultirateNetwork
from ltc.images.swap import use_lattice


def photograph(height: int = 176, width: int = 192) -> torch.Tensor:
    """Smooth, with some noise, uint8 [3, height, width]."""
    coarse = torch.rand(1, 3, 11, 12)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]
    return ((smooth + 0.05 * torch.randn(3, height, width)).clamp(0, 1) * 255).round().to(torch.uint8)


@pytest.mark.parametrize("codec", available(), ids=lambda codec: codec.name)
def test_codecs_go_from_low_rate_to_high(codec):
    pixels = photograph()
    rows = [
        codec.row(pixels, value) for value in (codec.values[0], codec.values[len(codec.values) // 2], codec.values[-1])
    ]
    assert [row["bytes"] for row in rows] == sorted(row["bytes"] for row in rows)
    assert [row["psnr"] for row in rows] == sorted(row["psnr"] for row in rows)
    assert all(row["bpp"] == pytest.approx(8 * row["bytes"] / (176 * 192)) for row in rows)
    assert all(row["psnr"] == pytest.approx(10 * math.log10(255**2 / row["mse"])) for row in rows)


def test_equal_bytes_are_not_exceeded():
    pixels = photograph()
    codec = next(c for c in available() if c.name == "JPEG")
    for size in (3000, 6000):
        found, decoded = by_pillow(codec, pixels, size)
        assert 0.7 * size < found <= size and decoded.shape == pixels.shape


def test_rows_have_an_anchor_for_all():
    """Whatever is compared is compared with rounding of the same seed, on images that both have."""
    rows = rows_wanted(["z", "tcq8", "tcq64"], [3, 4], 24)
    nearest = {(seed, count) for name, seed, effort, count in rows if name == "z" and effort is None}
    assert all(any(seed == s and count <= c for s, c in nearest) for _, seed, _, count in rows)
    assert len(rows) == len(set(rows))


def test_bd_rates_are_those_of_the_rows(tmp_path):
    """A tenth less rate at every PSNR is -10 %, in the table and for each codec."""
    rng, rows = np.random.default_rng(), []
    for seed in (0, 1):
        for lattice, effort, factor in (("z", math.nan, 1.0), ("tcq64", math.nan, 0.9), ("tcq64", 0.0, 0.8)):
            for image in range(5):
                for step in range(4):
                    rate = 0.2 * 2**step * (1 + 0.3 * image)
                    rows.append(
                        {
                            "seed": seed,
                            "lattice": lattice,
                            "price": 0.01 * step,
                            "effort": effort,
                            "image": f"{image}.png",
                        }
                        | {"bpp": rate * factor, "estimated_bpp": rate * factor / 1.01, "psnr": 28 + 3 * step}
                        | {"ms_ssim": 0.9 + 0.02 * step, "exact": True, "encode_seconds": 1.0, "decode_seconds": 0.5}
                    )
    # The search has an image less, and so have the curves.
    rows = [row for row in rows if row["image"] != "4.png" or row["effort"] != 0.0]
    networks = pd.DataFrame(rows).sample(frac=1, random_state=rng.integers(1 << 30))
    codec = networks[(networks.lattice == "z") & (networks.seed == 0)].assign(codec="JPEG", value=lambda t: t.price)
    text = page(
        networks.sort_values(["seed", "lattice"]),
        codec,
        [("a",), ("b",), ("c",), ("d",)],
        "Made.",
        1.0,
        tmp_path / "x.md",
    )
    lines = {tuple(cell.strip() for cell in line.split("|")[1:3]): line for line in text.splitlines() if "| " in line}
    assert "-10.00 ± 0.00 % | 0.00 | 5 | 2" in lines["tcq64", "z"]
    assert "-20.00 ± 0.00 % | 0.00 | 4 | 2" in lines["tcq64 + search", "z"]
    assert "+0.00 ± 0.00 %" in lines["z", "JPEG"] and "-20.00" in lines["tcq64 + search", "JPEG"]
    assert "the 4 images and the seeds that all rows have" in text
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_seconds_alone_are_a_row_for_each_coder():
    network = MultirateNetwork(16, 16, [0.01, 0.03], depth=1)
    use_lattice(network, lattices.get("tcq8"), along="image").eval().update(force=True)
    lines = seconds_alone({"tcq8": ImageCheckpoint(network, {}, b"12345678")}, 0.02, photograph(64, 96))
    (row,) = [line.split("|")[1:4] for line in lines if line.startswith("| tcq8")]
    assert all(0 <= float(cell) < 60 for cell in row[1:]) and any("96 x 64 pixels" in line for line in lines)
