"""The page of ``benchmarks.multirate``: BD-rates with error bars, curves, files, and a picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from benchmarks.bd_rate import bd_rate
from benchmarks.pillow_codecs import available
from ltc.files import whole_file

matplotlib.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["page"]

_SEARCHED = " + search"


def page(
    networks: pd.DataFrame,
    codecs: pd.DataFrame,
    steps: Sequence[tuple[str, ...]],
    made: str,
    highest: float,
    output: Path,
) -> str:
    """The page in Markdown; writes its picture beside it.

    Args:
        networks: a row for each image, network, lattice, search and lambda.
        codecs: a row for each image, codec and setting.
        steps: settings of the trainings with noise, with rounding, with each code, and with its search.
        made: by which command, in how many minutes, with which seeds, commits and machine.
        highest: lambda of those that BD-rates are of.
        output: where the page will be.
    """
    networks = networks.assign(
        system=[f"{row.lattice}{'' if math.isnan(row.effort) else _SEARCHED}" for row in networks.itertuples()]
    )
    picture = output.with_suffix(".png")
    # Curves of different images or networks would not compare.
    systems = [rows for _, rows in networks.groupby("system")]
    common, same = (set.intersection(*(set(rows[name]) for rows in systems)) for name in ("image", "seed"))
    shared = networks[networks["image"].isin(common) & networks["seed"].isin(same)]
    _draw(shared, codecs[codecs["image"].isin(common)], picture)
    lines = [
        "# Images: one small network, every rate, beside real codecs",
        "",
        made,
        "",
        f"The network (`network=multirate`) is trained on crops of BSDS500 for all lambdas at once, with noise "
        f"(`{' '.join(steps[0])}`) and then with rounding (`{' '.join(steps[1])}`). From these very numbers two "
        f"networks go on for as many steps each (`{' '.join(steps[2])}`), z and tcq64, and from each of these one "
        "whose decoder learns from what the encoder's search finds (`experiment=images/multirate_searched "
        f"{' '.join(steps[3])}`), for the rows with the search. Other trellis codes have the networks of tcq64. "
        f"Tested on {networks['image'].nunique()} images of Kodak. Rates are those of whole files, headers included; "
        "PSNR and MS-SSIM are those of the pixels decoded from them, means over images.",
        "",
        "`+ search` is the trellis search of the encoder (`--effort 0`): latents of least bits + lambda · distortion "
        "around where the decoded image says that its error is least ([how](ideas/search.md#closing-the-loop)), kept "
        "only where the decoded image costs less. Rounding has the same search.",
        "",
        f"![PSNR over bits per pixel]({picture.name})",
        "",
        f"![A part of a photograph at equal bytes]({output.stem}_crop.png)",
        "",
        "A part of one photograph, its files of at most the same number of bytes: by halving lambda or quality.",
        "",
        *_bd_table(networks[networks["price"] <= highest], codecs),
        *_curves(shared),
        *_codec_curves(codecs[codecs["image"].isin(common)]),
        *_files(networks),
    ]
    return "\n".join(lines) + "\n"


def _bd_table(networks: pd.DataFrame, codecs: pd.DataFrame) -> list[str]:
    systems = list(dict.fromkeys(networks["system"]))
    rates = networks[networks["system"] == systems[0]].groupby("price")["bpp"].mean()
    best = ([name for name in systems if name.endswith(_SEARCHED)] or systems)[-1]  # the longest code comes last
    lines = [
        "## BD-rate",
        "",
        "Average difference of rate at equal PSNR (Bjøntegaard's delta, piecewise cubic, the package `bjontegaard`), "
        "computed for each image by itself; the mean over images and seeds, with the standard error over images (of "
        "their means over seeds), and the standard deviation of the mean over seeds. Curves of lambda "
        f"{min(rates.index):g} to {max(rates.index):g}, where {systems[0]} takes {rates.min():.2f} to "
        f"{rates.max():.2f} bits/pixel.",
        "",
        *_head("system", "against", "BD-rate ± s.e. over images", "over seeds", "images", "seeds"),
    ]
    anchors = [name for name in ("z", f"z{_SEARCHED}") if name in systems]
    for anchor in anchors:
        lines += [_bd_line(networks, name, anchor) for name in systems if name != anchor]
    for codec in dict.fromkeys(codecs["codec"]):
        for name in dict.fromkeys(["z", best]):
            lines.append(_bd_line_codec(networks, name, codecs[codecs["codec"] == codec], codec))
    return lines


def _bd_line(networks: pd.DataFrame, name: str, anchor: str) -> str:
    here, there = (networks[networks["system"] == s] for s in (name, anchor))
    seeds = sorted(set(here["seed"]) & set(there["seed"]))
    values = pd.DataFrame({s: _each(there[there["seed"] == s], here[here["seed"] == s]) for s in seeds})
    return _line(name, anchor, values)


def _bd_line_codec(networks: pd.DataFrame, name: str, codec: pd.DataFrame, anchor: str) -> str:
    here = networks[networks["system"] == name]
    values = pd.DataFrame({s: _each(codec, here[here["seed"] == s]) for s in sorted(here["seed"].unique())})
    return _line(name, anchor, values)


def _line(name: str, anchor: str, values: pd.DataFrame) -> str:
    """A row of the table from values of images (rows) and seeds (columns); what has no number is left out."""
    images, common = values.mean(axis=1).dropna(), values.dropna()
    error = images.std() / math.sqrt(len(images)) if len(images) > 1 else math.nan
    spread = f"{statistics.stdev(common.mean()):.2f}" if values.shape[1] > 1 else "-"
    return (
        f"| {name} | {anchor} | {images.mean():+.2f} ± {error:.2f} % | {spread} | {len(images)} | {values.shape[1]} |"
    )


def _each(base: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """BD-rate of each image that both have; none where their curves do not overlap."""
    found = {}
    for image in sorted(set(base["image"]) & set(test["image"])):
        curves = [t[t["image"] == image].sort_values("psnr") for t in (base, test)]
        found[image] = bd_rate(*(c[k] for c in curves for k in ("bpp", "psnr")))
    return found


def _curves(networks: pd.DataFrame) -> list[str]:
    lines = [
        "",
        "## Curves",
        "",
        f"Means over the {networks['image'].nunique()} images and the seeds that all rows have, as in the picture.",
        "",
        *_head("system", "lambda", "bits/pixel", "by likelihoods", "PSNR, dB", "MS-SSIM", "seeds"),
    ]
    for (name, price), rows in networks.groupby(["system", "price"], sort=False):
        mean = rows[["bpp", "estimated_bpp", "psnr", "ms_ssim"]].mean()
        lines.append(
            f"| {name} | {price:g} | {mean['bpp']:.4f} | {mean['estimated_bpp']:.4f} | {mean['psnr']:.2f} | "
            f"{mean['ms_ssim']:.4f} | {rows['seed'].nunique()} |"
        )
    return lines


def _codec_curves(codecs: pd.DataFrame) -> list[str]:
    lines = [
        "",
        "## The codecs of Pillow",
        "",
        *(f"- {codec.name}: {codec.note}; `{codec.format}`, `{codec.fixed}`." for codec in available()),
        "",
        *_head("codec", "setting", "bits/pixel", "PSNR, dB", "MS-SSIM", "encoding, s", "decoding, s"),
    ]
    for (name, value), rows in codecs.groupby(["codec", "value"], sort=False):
        mean = rows[["bpp", "psnr", "ms_ssim", "encode_seconds", "decode_seconds"]].mean()
        lines.append(
            f"| {name} | {value:g} | {mean['bpp']:.4f} | {mean['psnr']:.2f} | {mean['ms_ssim']:.4f} | "
            f"{mean['encode_seconds']:.2f} | {mean['decode_seconds']:.2f} |"
        )
    return lines


def _head(*names: str) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]


def _files(networks: pd.DataFrame) -> list[str]:
    lines = [
        "",
        "## Files",
        "",
        "Seconds of one image of 768 x 512 pixels on one core, search included, beside another process on the other.",
        "",
        *_head("system", "files", "decoded exactly", "bytes over the likelihoods'", "encoding, s", "decoding, s"),
    ]
    for name, rows in networks.groupby("system", sort=False):
        exact = (rows["exact"].astype(str) == "True").sum()
        excess = rows["bpp"].sum() / rows["estimated_bpp"].sum() - 1
        lines.append(
            f"| {name} | {len(rows)} | {exact} of {len(rows)} | {excess:+.2%} | {rows['encode_seconds'].mean():.2f} | "
            f"{rows['decode_seconds'].mean():.2f} |"
        )
    return lines


def _draw(networks: pd.DataFrame, codecs: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    shown = [name for name in ("z", f"z{_SEARCHED}", "tcq64", f"tcq64{_SEARCHED}") if name in set(networks["system"])]
    for axis, figure_name, label in (
        (axes[0], "psnr", "PSNR, dB"),
        (axes[1], "ms_ssim", "MS-SSIM, dB: -10 log10(1 - s)"),
    ):
        for name in shown:
            mean = networks[networks["system"] == name].groupby("price")[["bpp", figure_name]].mean().sort_values("bpp")
            axis.plot(
                mean["bpp"], _scale(mean[figure_name], figure_name), "o-", label=f"multirate, {name}", markersize=4
            )
        for name, rows in codecs.groupby("codec", sort=False):
            mean = rows.groupby("value")[["bpp", figure_name]].mean().sort_values("bpp")
            axis.plot(mean["bpp"], _scale(mean[figure_name], figure_name), "--", label=name, linewidth=1.2)
        axis.set(xlabel="bits per pixel, whole files", ylabel=label, xlim=(0.1, 2.2))
        axis.grid(alpha=0.3)
    axes[0].set_ylim(25, 41)
    axes[1].set_ylim(8, 22)
    axes[0].legend(loc="lower right", fontsize=8)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
    plt.close(figure)


def _scale(values: pd.Series, name: str) -> pd.Series:
    return -10 * np.log10(1 - values) if name == "ms_ssim" else values
