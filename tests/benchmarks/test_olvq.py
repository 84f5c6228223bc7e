"""The tables of learned lattices: which networks they need, and what a saving is."""

import math

import pandas as pd
import pytest

from benchmarks.olvq import _SIZES, first_table, in_second_table, saving, second_table, wanted


def images(bpp, mse):
    return pd.DataFrame({"image": [f"{i}.png" for i in range(len(bpp))], "bpp": bpp, "mse": mse})


def test_a_saving_is_that_of_the_rate_at_equal_distortion(rng):
    bpp, mse = rng.uniform(0.2, 1, 6), rng.uniform(5, 50, 6)
    mean, error = saving(images(bpp, mse), images(0.9 * bpp, mse))
    assert mean == pytest.approx(-10) and error == pytest.approx(0, abs=1e-9)
    worse, _ = saving(images(bpp, mse), images(bpp, 1.1 * mse))
    assert worse > 0
    assert math.isnan(saving(images(bpp[:1], mse[:1]), images(bpp[:1], mse[:1]))[1])


@pytest.mark.parametrize(("tables", "networks"), [([1], 12), ([2], 4), ([1, 2], 12)])
def test_networks_of_the_tables(tables, networks):
    found = wanted(tables)
    assert len(found) == networks and all("rounding" in quantizers for _, _, quantizers in found)


def test_both_tables(tmp_path, rng):
    for transforms, context, quantizers in wanted([1, 2]):
        for quantizer in quantizers:
            folder = tmp_path / f"{transforms}_{context}" / quantizer.replace(", ", "_").replace(" ", "_")
            folder.mkdir(parents=True)
            rows = images(rng.uniform(0.2, 1, 3), rng.uniform(5, 50, 3)).assign(psnr=30.0, exact=True)
            rows.to_csv(folder / "images.csv", index=False)
    first, second = ("\n".join(table(tmp_path, _SIZES["smoke"], "Made.")) for table in (first_table, second_table))
    assert first.count("\n| SwinT-ChARM |") == 4 and "nan" not in first + second
    assert "72 of 72" in first and "| Leech |" in second
    quantizers = sum(len(quantizers) for *_, quantizers in wanted([2]))
    assert f"{3 * quantizers} of {3 * quantizers}" in second
    assert in_second_table("bmshj2018", "factorized") and not in_second_table("LIC-TCM", "spatial")
