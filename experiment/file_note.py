"""Why files are not as long as a model's rate says, where the two differ: one sentence for tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["file_note", "file_notes"]

# A file may differ from the rate by this much without a word.
_NEGLIGIBLE = 0.005

_REASON = (
    "its prior does not fit yet. In a file all of a table's mass is within the table, no entry takes more than 24 bits "
    "and all else is escaped. Longer training ends that."
)


def file_note(estimate: float | None, coded: float | None) -> str | None:
    """The difference of a rate in files and the model's own rate of the same symbols, and its reason.

    Files are shorter where the model has not learned its latents yet. Latents that its prior holds for next to
    impossible cost it hundreds of bits (or the 30 of CompressAI's floor); in a file an entry of a table costs 24 at
    most, and what has no entry an escape code of about 30. In swint_charm with E8 after the 20 steps of a smoke run
    (4.73 bits a pixel of latents in Gaussians by the model, 2.81 in the file of kodim01), escapes account for 60 % of
    the difference, residues for 40 %, and what is left is 0.01 bit. In lic_tcm with E8 a slice has 35 % of its vectors
    at 75 bits by the model, and at the 30 of an escape in the file: 0.214 bits a pixel become 0.082.

    With a learned density there is another reason: a coder's tables end, and what mass the prior has beyond them is
    shared out to what is inside. Of ``model=ntc`` after a smoke run the 41 entries of the table have 0.79 of the
    prior's mass, -log2 of which is the 0.34 bit by which its file is shorter (5.27 and 4.93 bits). All that vanishes
    as training goes on.

    Args:
        estimate: the model's rate, any unit; None where there is none.
        coded: the rate of files, in the same unit.

    Returns:
        None where the two differ by less than half a percent.

    Examples:
        >>> file_note(1.0, 1.001)
        >>> file_note(2.0, 1.5)[:48]
        "Files are 25 % shorter than the model's rate: it"
    """
    if not estimate or coded is None or abs(coded / estimate - 1) < _NEGLIGIBLE:
        return None
    if coded < estimate:
        return f"Files are {100 * (1 - coded / estimate):.3g} % shorter than the model's rate: {_REASON}"
    longer = (
        f"{coded / estimate:.3g} times as long as"
        if coded > 2 * estimate
        else f"{100 * (coded / estimate - 1):.3g} % longer than"
    )
    return f"Files are {longer} the model's rate says: they are short, and headers and the ends of streams weigh."


def file_notes(points: Iterable[dict[str, Any]]) -> list[str]:
    """The same of the points of a sweep: a sentence for those with shorter files, and one for those with longer ones.

    Args:
        points: rows as those of ``rd_points.csv``.

    Examples:
        >>> file_notes([{"sample_rate": 2.0, "coded_rate": 1.5}, {"sample_rate": 2.0, "coded_rate": 1.8}])[0][:74]
        "Files of 2 points are up to 25 % shorter than the model's rate: its prior "
    """
    ratios = [coded / rate for rate, coded in map(_rates, points) if rate and coded and rate == rate and coded == coded]
    shorter = [ratio for ratio in ratios if ratio <= 1 - _NEGLIGIBLE]
    longer = [ratio for ratio in ratios if ratio >= 1 + _NEGLIGIBLE]
    found = []
    if shorter:
        by = f"{100 * (1 - min(shorter)):.3g} % shorter than the model's rate"
        found.append(f"Files of {_count(shorter)} up to {by}: {_REASON}")
    if longer:
        by = f"{max(longer):.3g} times as long as the model's rate"
        found.append(
            f"Files of {_count(longer)} up to {by}: short ones, in which headers and the ends of streams weigh."
        )
    return found


def _rates(point: dict[str, Any]) -> tuple[Any, Any]:
    """The model's rate, of the very symbols that were coded, and that of their file."""
    estimate = point.get("estimated_rate")
    known = estimate is not None and estimate == estimate
    return (estimate if known else point.get("sample_rate")), point.get("coded_rate")


def _count(ratios: list[float]) -> str:
    return "1 point are" if len(ratios) == 1 else f"{len(ratios)} points are"
