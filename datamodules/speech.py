"""`Speech`: frames of spoken digits, 33 log-magnitudes of a short-time spectrum each; a finite data set."""

import wave
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.source import Source
from ltc.transforms.log_spectrum import BINS, FRAME, frames_of, log_spectra

__all__ = ["Speech"]

FOLDER = "fsdd"
DIGITS, TRAIN, TEST = range(10), range(5, 50), range(5)
LENGTH, DIM = FRAME, BINS
SAMPLE_RATE, SAMPLE_BYTES, FULL_SCALE = 8000, 2, 32768
ORIGIN = "https://github.com/Jakobovski/free-spoken-digit-dataset, folder recordings"


class Speech(Source):
    """Frames of the Free Spoken Digit Dataset, speaker theo: 33 log-magnitudes of a short-time Fourier transform.

    A symbol is one column of a spectrogram with hop 1 (`frames_of`), so neighbours in time share 62 of their 63
    samples. As a memoryless source it is the distribution of a frame picked at random, all frames of a split alike:
    training draws them from recordings 5 to 49 of each digit (1,398,748 frames); the test set is those of recordings 0
    to 4 (125,701), *in a shuffled order that is always the same*, so that blocks of the test set are made like those of
    training. They are far from independent samples of what theo may say: standard errors of an evaluation are about
    this test set and no larger population. R(D) is unknown.

    Windows are cut and transformed when drawn: the recordings take 6 MB, all their frames would take 200 MB.

    Reference: Yang & Mandt, "Towards Empirical Sandwich Bounds on the Rate-Distortion Function", ICLR 2022,
    arXiv:2111.12166, with the frames of its data/speech/create_data.py; FSDD by Jackson et al., CC BY-SA 4.0.

    Args:
        data_dir: the folder that holds `fsdd/0_theo_0.wav` to `fsdd/9_theo_49.wav`.

    Raises:
        DataError: a recording is missing, is no mono 16-bit WAV at 8 kHz, or has fewer than 63 samples.
        ValueError: the measure is not "mse".

    Examples:
        >>> import itertools, os, tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "fsdd"
        >>> folder.mkdir()
        >>> for digit, index in itertools.product(range(10), range(50)):
        ...     with wave.open(str(folder / f"{digit}_theo_{index}.wav"), "wb") as file:
        ...         file.setparams((1, 2, 8000, 0, "NONE", ""))
        ...         file.writeframes(os.urandom(2 * 100))  # 100 samples, so 38 frames
        >>> source = Speech(folder.parent)
        >>> source.sample(5, torch.Generator().manual_seed(0)).shape, source.test_set().shape
        (torch.Size([5, 33]), torch.Size([1900, 33]))
    """

    name = "speech"

    def __init__(self, data_dir: str | PathLike[str], measure: str = "mse") -> None:
        super().__init__(dim=DIM, measure=measure)
        folder = Path(data_dir) / FOLDER
        _check_complete(folder)
        train, test = ([_load(folder / _file(d, i)) for d in DIGITS for i in split] for split in (TRAIN, TEST))
        self._train = torch.cat(train)
        # Frames are numbered through all recordings; frame f of recording r starts at sample f + r * (LENGTH - 1).
        self._ends = torch.tensor([len(recording) - LENGTH + 1 for recording in train]).cumsum(0)
        frames = torch.cat([frames_of(recording) for recording in test])
        self._test = frames[torch.randperm(len(frames), generator=torch.Generator().manual_seed(0))]

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        frame = torch.randint(int(self._ends[-1]), (count, 1), generator=generator, device=device)
        recording = torch.searchsorted(self._ends.to(device), frame, right=True)
        start = frame + recording * (LENGTH - 1)
        return log_spectra(self._train.to(device)[start + torch.arange(LENGTH, device=device)])

    def test_set(self) -> Tensor:
        return self._test


def _file(digit: int, index: int) -> str:
    return f"{digit}_theo_{index}.wav"


def _check_complete(folder: Path) -> None:
    wanted = [_file(digit, index) for digit in DIGITS for index in (*TEST, *TRAIN)]
    if not folder.is_dir():
        raise DataError(f"Speech data {folder} does not exist; it must be a folder of {_wanted(len(wanted))}")
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"Speech data {folder / missing[0]} does not exist ({len(missing)} missing); "
            f"the folder must hold {_wanted(len(wanted))}"
        )


def _load(path: Path) -> Tensor:
    """The samples of a recording, float32 [samples] in [-1, 1)."""
    try:
        with wave.open(str(path), "rb") as file:
            found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise DataError(f"Speech data {path} is no readable WAV file; {_recording()}") from error
    if found != (1, SAMPLE_BYTES, SAMPLE_RATE):
        channels, size, rate = found
        raise DataError(f"Speech data {path} has {channels} channels of {8 * size} bits at {rate} Hz; {_recording()}")
    if len(raw) < SAMPLE_BYTES * LENGTH:
        raise DataError(f"Speech data {path} has {len(raw) // SAMPLE_BYTES} samples; {_recording()}")
    samples = np.frombuffer(raw[: len(raw) // SAMPLE_BYTES * SAMPLE_BYTES], dtype="<i2")
    return torch.from_numpy(samples.astype(np.float32) / FULL_SCALE)


def _wanted(count: int) -> str:
    return f"{count} recordings, {_file(DIGITS[0], TEST[0])} to {_file(DIGITS[-1], TRAIN[-1])}, see {ORIGIN}."


def _recording() -> str:
    return (
        f"it must be mono, of {8 * SAMPLE_BYTES} bits at {SAMPLE_RATE} Hz, of at least {LENGTH} samples, see {ORIGIN}."
    )
