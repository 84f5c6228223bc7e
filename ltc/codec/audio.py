"""Recordings as symbols of the Speech source: a WAV file is a stream of spectra."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from ltc.transforms.log_spectrum import BINS, FRAME, frames_of

__all__ = ["RATE", "WaveReader", "read_wave"]

RATE = 8000
"""Samples a second of the recordings that coders of the Speech source are trained on."""

# The length of recordings that were written to a pipe, whose end was not known.
_ENDLESS = (1 << 32) - (1 << 16)


class WaveReader:
    """The log-magnitude spectra of a recording, as an array [frames, 33] that is read in order.

    Args:
        file: a WAV file, open for reading.
        name: how messages call it.

    Attributes:
        notes: what else a user should know of it.

    Raises:
        ValueError: if it is no mono recording of 16 bits, or shorter than a frame.
    """

    dtype = "float32"

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name = name
        self._samples, rate = _read(file, name)
        self.notes: list[str] = []
        if rate != RATE:
            self.notes.append(
                f"{name} has {rate:,} samples a second, and coders of the Speech source are trained on {RATE:,}."
            )
        if len(self._samples) < FRAME:
            raise ValueError(f"{name} has {len(self._samples)} samples, fewer than the {FRAME} of a frame.")
        self.shape: tuple[int, ...] = (len(self._samples) - FRAME + 1, BINS)
        self._frame = 0

    def check(self, dim: int) -> None:
        """Makes sure that the coder's symbols of ``dim`` components are spectra.

        Raises:
            ValueError: if they are not.
        """
        if dim != BINS:
            raise ValueError(
                f"The coder's symbols are arrays [..., {dim}], and {self._name} is a recording, whose spectra are "
                f"[..., {BINS}]: a coder of source=speech takes it."
            )

    def end(self) -> None:
        """Nothing that follows in a recording's file belongs to it."""

    def numbers(self, count: int) -> np.ndarray:
        """The next ``count`` numbers, whole frames."""
        frames = count // BINS
        part = self._samples[self._frame : self._frame + frames + FRAME - 1]
        self._frame += frames
        return frames_of(part).reshape(-1).numpy()


def read_wave(file: BinaryIO | Path | str, name: str) -> Tensor:
    """The samples of a mono recording of 16 bits: float32 [samples] in [-1, 1).

    Args:
        file: the file, or its path.
        name: how messages call it.

    Raises:
        ValueError: if it is no such recording.
    """
    return _read(file, name)[0]


def _read(file: BinaryIO | Path | str, name: str) -> tuple[Tensor, int]:
    """The samples, and how many there are in a second."""
    try:
        with wave.open(str(file) if isinstance(file, Path) else file, "rb") as recording:
            channels, size, rate = recording.getnchannels(), recording.getsampwidth(), recording.getframerate()
            promised = recording.getnframes() * channels * size
            raw = recording.readframes(recording.getnframes())
    except (EOFError, wave.Error) as error:
        raise ValueError(f"{name} is no WAV file.") from error
    if (channels, size) != (1, 2):
        raise ValueError(f"{name} has {channels} channels of {8 * size} bits; mono recordings of 16 bits can be coded.")
    if len(raw) < promised < _ENDLESS:
        raise ValueError(f"{name} ends before its {promised // 2:,} samples do.")
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2")
    return torch.from_numpy(samples.astype(np.float32) / 32768), rate
