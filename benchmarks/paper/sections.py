"""Which sweeps make up which section of the results page."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LATTICES", "SECTIONS", "Section"]

LATTICES = "_lattices"
"""After a sweep's name: the folder of the lattices that go on from it."""


@dataclass(frozen=True)
class Section:
    """A source on the page.

    Attributes:
        title: its heading.
        sweeps: names in ``multirun_sweeps`` whose points it shows; the first one's folder keeps its bounds.
        note: what a reader has to know of source and bound.
        lattices: that go on from the first sweep's block LTC with the integers, which is the start of all of them.
    """

    title: str
    sweeps: tuple[str, ...]
    note: str
    lattices: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "Gaussian",
        ("gaussian", "gaussian_beside"),
        "N(0, 1), squared error, linear transforms; R(D) is known in closed form.",
    ),
    Section(
        "Laplace",
        ("laplace",),
        "Laplace with scale 1, squared error; R(D) by Blahut-Arimoto with a certified bracket.",
    ),
    Section(
        "Banana",
        ("banana",),
        "The two-dimensional Banana, distortion per component; R(D) by Blahut-Arimoto on a grid, with a certified "
        "bracket. NTC and LTC (A2) code one vector at a time; block LTC codes blocks.",
        ("z", "leech", "tcq256"),
    ),
    Section(
        "Sawbridge",
        ("sawbridge",),
        "Paths of 1,024 samples, one latent a path. One-shot coders (NTC) cannot be below the entropy-distortion "
        "function of Wagner and Ballé (DCC 2021); block coders can, and are compared with an upper bound on R(D) from "
        "samples.",
        ("z", "bw16", "leech", "tcq256"),
    ),
    Section(
        "Physics",
        ("physics",),
        "Events of 16 numbers, trained on 8,000 and evaluated on whole blocks of 2,000 others, all of the authors' "
        "test file, so figures do not compare exactly with the paper's. R(D) is unknown: the bound is an upper bound "
        "on it from samples, and a coder may well be below it.",
        ("z", "e8", "tcq256"),
    ),
    Section(
        "Speech",
        ("speech",),
        "Log-spectra of spoken digits, 33 numbers, evaluated on recordings that training never saw. R(D) is unknown: "
        "the bound is an upper bound on it from samples.",
        ("z", "e8", "tcq256"),
    ),
)
