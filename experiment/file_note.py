"""Why files are not as long as a model's rate says, where the two differ: one sentence for tables."""

from __future__ import annotations

__all__ = ["file_note"]

# A file may differ from the rate by this much without a word.
_NEGLIGIBLE = 0.005


def file_note(estimate: float | None, coded: float | None) -> str | None:
    """The difference of a rate in files and the model's own rate of the same symbols, and its reason.

    Files are shorter where the model has not learned its latents yet. Latents that its prior holds for next to
    impossible cost it hundreds of bits (or the 30 of CompressAI's floor), and a file an escape code of a few. And a
    coder's tables end: what mass the prior has beyond them (a quarter, of CompressAI's untrained one) is shared out to
    what is inside. Both vanish as training goes on.

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
        return (
            f"Files are {100 * (1 - coded / estimate):.3g} % shorter than the model's rate: its prior does not fit "
            "yet, and latents that it holds for next to impossible cost less in a file, as escapes. Longer training "
            "ends that."
        )
    longer = (
        f"{coded / estimate:.3g} times as long as"
        if coded > 2 * estimate
        else f"{100 * (coded / estimate - 1):.3g} % longer than"
    )
    return f"Files are {longer} the model's rate says: they are short, and headers and the ends of streams weigh."
