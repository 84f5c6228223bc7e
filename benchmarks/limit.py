"""How close to R(D), and how fast: every quantizer, every rate, and NNCodec.

    python -m benchmarks.limit                                # without NNCodec
    python -m benchmarks.limit --nncodec other/bin/python     # with that of another environment
    python -m benchmarks.limit --small                        # whether it runs: small arrays, few codes, no page

Files are those of ``ltc.pack`` of numbers of N(0, 1), their gap that of all their bytes to R(D) of a Gaussian with the
numbers' own variance. Runs are those of ``run.py`` with exact rates on fresh evaluation data: for a wanted rate R and
an expected gap g, D = 2^(-2 (R - g)) and lambda = 1 / (2 ln 2 D). Writes ``docs/limit.md`` and its two pictures. What
each part has found is kept in ``multirun/limit``, by commit and options, so that a run that was interrupted goes on;
``--again`` measures anew. Less than twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import limit_points as points
from benchmarks.limit_pictures import draw_rates, draw_speeds
from benchmarks.parts import Parts
from benchmarks.provenance import provenance
from ltc.lattices.trellis_codes import CODES
from ltc.theory import GaussianRD

_ROOT = Path(__file__).resolve().parent.parent
# The best code that encodes 150,000 numbers a second on two cores.
_BEST = "tcq32768"
_LATTICES = {"a2": ("A2", 0.2269), "e8": ("E8", 0.146), "bw16": ("Λ16", 0.1111), "leech": ("Leech", 0.0839)}
_MANY, _FEW, _LONG = 10_000_000, 1_000_000, 4_000_000
_RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
_SLOPES = (0.8, 0.9, 1.0, 1.1, 1.2)
# Quantization parameters of NNCodec from three bits to a twentieth; the one of about two bits.
_PARAMETERS, _TWO_BITS = [-8, -6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 14], -3
_CODE = ["transform=identity", "lattice.dim=4096", "batch_floats=24000", "steps_share=1"]
_LAPLACE = ["source=laplace", "source.measure=l1"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nncodec", metavar="PYTHON", help="an interpreter that has nncodec")
    parser.add_argument("--small", action="store_true", help="small arrays, few codes, no runs, and no page")
    parser.add_argument("--again", action="store_true", help="measures what an earlier run has measured")
    options = parser.parse_args()
    Page(options.small, options.nncodec, options.again).write()


class Page:
    """The page, part after part.

    Args:
        small: whether it is a trial.
        rival: an interpreter that has nncodec, or None.
        again: whether everything is measured anew.
    """

    def __init__(self, small: bool, rival: str | None, again: bool) -> None:
        self.small, self.rival = small, rival
        self.part = Parts("limit", f"{provenance()}{' small' if small else ''}", again).of
        self.codes = ["z", "tcq8", "tcq512"] if small else ["z", *(f"tcq{states}" for states in CODES)]
        self.best = self.codes[-1] if small else _BEST

    def write(self) -> None:
        """Measures everything, and writes page and pictures."""
        command = "python -m benchmarks.limit" + (" --nncodec PYTHON" if self.rival else "")
        load = self.part("load", lambda: round(os.getloadavg()[0], 1))
        lines = [
            "# How close to R(D), measured",
            "",
            f"Made by `{command}`; seed 0; {provenance()}; load of the machine {load}.",
            "",
            *self.speeds(),
            *self.best_code(),
            *self.low_rates(),
            *self.rates(),
            *self.window(),
            *([] if self.small else self.runs()),
        ]
        text = "\n".join(lines).rstrip() + "\n"
        if self.small:
            print(text)
        else:
            (_ROOT / "docs" / "limit.md").write_text(text)

    def packed(self, part: str, count: int, code: str, **goal: Any) -> dict[str, Any]:
        count = count // 100 if self.small else count
        return self.part(part, lambda: points.packed(points.normal(count), code, **goal))

    def speeds(self) -> list[str]:
        """Gap against speed."""
        rows, drawn = [], []
        for code in self.codes:
            count = _MANY if code == "z" or int(code[3:]) <= 1024 else _LONG
            p, search = (
                self.packed(f"speed-{code}", count, code, bits=2),
                self.part(f"search-{code}", partial(points.searched, code)),
            )
            million = (count // 100 if self.small else count) / 1e6
            row = [code, p["rate"], p["gap"], search / 1e6, million / p["pack"], million / p["unpack"]]
            rows.append(_row(row))
            drawn.append((code, million / p["pack"], p["gap"], "file"))
        for name, (title, gap) in {} if self.small else _LATTICES.items():
            p = self.part(f"lattice-{name}", partial(points.ran, self._lattice(name, gap)))
            search = self.part(f"search-{name}", partial(points.searched, name))
            rows.append(_row([title, p["rate"], p["gap"], search / 1e6, None, None]))
            drawn.append((title, search / 1e6, p["gap"], "search"))
        if self.rival:
            count = _FEW // 10 if self.small else _FEW
            measure = partial(points.nncodec, self.rival, points.normal(count), [_TWO_BITS])
            (p,) = self.part("nncodec-speed", measure)
            row = ["NNCodec", p["rate"], p["gap"], None, count / 1e6 / p["pack"], count / 1e6 / p["unpack"]]
            rows.append(_row(row))
            drawn.append(("NNCodec", count / 1e6 / p["pack"], p["gap"], "rival"))
        if not self.small:
            draw_speeds(drawn, _ROOT / "docs" / "limit_speed.png")
        return [
            "## Gap against speed",
            "",
            f"N(0, 1) at 2 bits. Codes with a file: {_MANY:,} numbers, {_LONG:,} from 2,048 states on, NNCodec "
            f"{_FEW:,} and the gain that suits its decoder best; all bytes, and all of the time, that of fitting the "
            "model among it. Lattices: exact rates of `run.py`, and the time of the search for nearest points alone.",
            "",
            "![Bits above R(D) against numbers encoded per second](limit_speed.png)",
            "",
            "| quantizer | bits | bits above R(D) | nearest points, million/s | encoding, million/s | "
            "decoding, million/s |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]

    def best_code(self) -> list[str]:
        """The best code at four rates, and Laplace at one bit."""
        lines = [
            "## The best code, from files",
            "",
            f"`{self.best}`, {_MANY:,} numbers of N(0, 1).",
            "",
            "| bits asked for | bits | error | bits above R(D) | encoding, numbers/s | decoding, numbers/s |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for bits in (0.5, 1.0, 1.5, 2.0):
            p = self.packed(f"best-{bits}", _MANY, self.best, bits=bits)
            count = _MANY // 100 if self.small else _MANY
            lines.append(
                f"| {bits:g} | {p['rate']:.4f} | {p['distortion']:.5f} | {p['gap']:.4f} | {count / p['pack']:,.0f} | "
                f"{count / p['unpack']:,.0f} |"
            )
        return [*lines, "", *self._laplace()]

    def _laplace(self) -> list[str]:
        lines = [
            f"Laplace under squared error, {_FEW:,} numbers, above R(D) of `ltc.theory.DiscretizedRD`:",
            "",
            "| code | bits | error over the variance | bits above R(D) |",
            "| --- | --- | --- | --- |",
        ]
        for code in ("tcq8", self.best) if self.small else ("tcq256", self.best):
            for bits in (0.5, 1.0, 2.0):
                p = self.part(
                    f"laplace-{code}-{bits}", partial(_laplace_file, _FEW // (100 if self.small else 1), code, bits)
                )
                lines.append(f"| {code} | {p['rate']:.4f} | {p['distortion']:.5f} | {p['gap']:.4f} |")
        return [*lines, ""]

    def low_rates(self) -> list[str]:
        """Rate + lambda * distortion at low lambda."""
        codes = ("tcq8", self.best) if self.small else ("tcq64", "tcq256", self.best)
        lines = [
            "## Low rates",
            "",
            f"rate + λ · distortion of files (`lmbda=`) above the least there is, bits; {_FEW:,} numbers of N(0, 1). "
            "All numbers decoded as 0 are 0.004, 0.019, 0.043, 0.074 and 0.112 above.",
            "",
            "| λ | " + " | ".join(f"{code}: bits | above" for code in codes) + " |",
            "| --- |" + " --- | --- |" * len(codes),
        ]
        for lmbda in _SLOPES:
            cells = [f"{lmbda:g}"]
            for code in codes:
                p = self.packed(f"slope-{code}-{lmbda}", _FEW, code, lmbda=lmbda)
                above = p["rate"] + lmbda * p["distortion"] - GaussianRD().least_cost(lmbda)
                cells += [f"{p['rate']:.3f}", f"{above:.4f}"]
            lines.append("| " + " | ".join(cells) + " |")
        return [*lines, ""]

    def rates(self) -> list[str]:
        """Gap against rate."""
        curves: dict[str, list[tuple[float, float]]] = {}
        for code in ("z", "tcq8", self.best) if self.small else ("z", "tcq256", self.best):
            found = [self.packed(f"rate-{code}-{bits}", _FEW, code, bits=bits) for bits in _RATES]
            curves[code] = [(p["rate"], p["gap"]) for p in found]
        if self.rival:
            count = _FEW // 10 if self.small else _FEW
            measure = partial(points.nncodec, self.rival, points.normal(count), _PARAMETERS)
            curves["NNCodec"] = [(p["rate"], p["gap"]) for p in self.part("nncodec-rates", measure)]
        if not self.small:
            leech = [*(self._leech(lmbda) for lmbda in (1.2, 1.33, 1.5, 1.7, 2.8, 44.0))]
            leech.append(self.part("lattice-leech", partial(points.ran, self._lattice("leech", 0.0839))))
            curves["Leech"] = [(p["rate"], p["gap"]) for p in leech]
            draw_rates(curves, _ROOT / "docs" / "limit_rate.png")
        rows = []
        for name, curve in curves.items():
            shown = ", ".join(f"{rate:.3f}: {gap:.4f}" for rate, gap in sorted(curve))
            rows.append(f"- {name}: {shown}")
        return [
            "## Gap against rate",
            "",
            f"Files of {_FEW:,} numbers of N(0, 1), of which what is around the numbers takes 0.0015 bit; Leech by "
            "`run.py`.",
            "",
            "![Bits above R(D) against the rate](limit_rate.png)",
            "",
            "Rate and gap, bits:",
            "",
            *rows,
            "",
        ]

    def window(self) -> list[str]:
        """What the window costs."""
        lines = [
            "## Memory of long codes",
            "",
            "Decisions are kept of a window, a bit a state and sample, however long the sequence; the loss is that "
            "beside keeping all of them, on the same 2¹⁸ uniform samples.",
            "",
            "| states | bytes a sample | of the window, MB | loss, bits |",
            "| --- | --- | --- | --- |",
        ]
        for states in [512] if self.small else [512, 2048, 8192, 32768]:
            p = self.part(f"window-{states}", partial(points.windows, states))
            lines.append(f"| {states:,} | {p['bytes']:,} | {p['all'] / 1e6:.1f} | {p['loss']:.6f} |")
        return [
            *lines,
            "",
            "The codes are those of `ltc/lattices/trellis_codes.py`; `python -m benchmarks.trellis_codes` measures "
            "their second moments with standard errors. Those of 4,096 states and more were found by its "
            "`--search STATES --codes 24 --samples 65536`, seed 0 (16,384: `--codes 100 --samples 262144`); those of "
            "512 to 2,048 by `--search STATES`.",
            "",
        ]

    def runs(self) -> list[str]:
        """Rows of ``run.py``."""
        lines = [
            "## Trained coders",
            "",
            "| target | command `python run.py …` | rate | distortion | gap ± s.e. | seconds |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for i, (target, overrides) in enumerate(self._commands()):
            p = self.part(f"run-{i}", partial(points.ran, overrides))
            lines.append(
                f"| {target} | `{' '.join(overrides)}` | {p['rate']:.4f} | {p['distortion']:.5f} | "
                f"{p['gap']:.4f} ± {p['gap_error']:.4f} | {p['train_seconds']:.0f} |"
            )
        return lines

    def _commands(self) -> list[tuple[str, list[str]]]:
        found = []
        for rate in (0.5, 1.0, 1.5, 2.0):
            overrides = ["lattice=tcq256", *_CODE, f"lambda={points.slope(rate, 0.034):.4f}"]
            found.append((f"{rate:g} bit: at most 0.036", overrides))
        # R(D) = log2(1 / D): lambda = 1 / (ln 2 D) at D about 0.55.
        found.append(("Leech", [*_LAPLACE, "lattice=leech", "transform=identity", "lambda=2.7"]))
        found.append(("Leech, nearest points", [*found[-1][1], "quantizer.rdo=false"]))
        found.append(("0.03 below Leech", [*_LAPLACE, "lattice=tcq256", *_CODE, "lambda=2.7"]))
        return found

    def _lattice(self, name: str, gap: float) -> list[str]:
        return [f"lattice={name}", "transform=identity", f"lambda={points.slope(2.0, gap):.4f}"]

    def _leech(self, lmbda: float) -> dict[str, Any]:
        overrides = ["lattice=leech", "transform=identity", f"lambda={lmbda}"]
        return self.part(f"leech-{lmbda}", partial(points.ran, overrides))


def _laplace_file(count: int, code: str, bits: float) -> dict[str, Any]:
    return points.packed(points.laplace(count), code, points.laplace_bound(), bits=bits)


def _row(cells: list[Any]) -> str:
    """A row of the table of speeds."""
    name, rate, gap, *speeds = cells
    shown = ["" if s is None else f"{s:,.0f}" if s >= 100 else f"{s:.3g}" for s in speeds]
    return f"| {name} | {rate:.4f} | {gap:.4f} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    main()
