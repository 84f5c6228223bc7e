"""Recordings as symbols of the Speech source: a WAV file is a stream of spectra."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from ltc.transforms.log_spectrum import BINS, FRAME, frames_of

__all__ = ["WaveReader", "read_wave"]


class WaveReader:
    """The log-magnitude spectra of a recording, as an array [frames, 33] that is read in order.

    Args:
        file: a WAV file, open for reading.
        name: how messages call it.

    Raises:
        ValueError: if it is no mono recording of 16 bits, or shorter than a frame.
    """

    dtype = "float32"

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._samples = read_wave(file, name)
        if len(self._samples) < FRAME:
            raise ValueError(f"{name} has {len(self._samples)} samples, fewer than the {FRAME} of a frame.")
        self.shape: tuple[int, ...] = (len(self._samples) - FRAME + 1, BINS)
        self._frame = 0

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
    try:
        with wave.open(str(file) if isinstance(file, Path) else file, "rb") as recording:
            channels, size = recording.getnchannels(), recording.getsampwidth()
            raw = recording.readframes(recording.getnframes())
    except (EOFError, wave.Error) as error:
        raise ValueError(f"{name} is no WAV file.") from error
    if (channels, size) != (1, 2):
        raise ValueError(f"{name} has {channels} channels of {8 * size} bits; mono recordings of 16 bits can be coded.")
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2")
    return torch.from_numpy(samples.astype(np.float32) / 32768)
