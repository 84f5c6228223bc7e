"""`Physics`: simulated particle-collision events, 16 numbers each; a finite data set."""

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.errors import DataError
from datamodules.source import Source

__all__ = ["Physics"]

FILE = "physics/ppzee-split=test.npy"
TRAIN, VALIDATION, TEST, DIM = 7_000, 1_000, 2_000, 16
ROWS = TRAIN + VALIDATION + TEST
ORIGIN = "https://github.com/mandt-lab/RD-sandwich, folder data/physics"


class Physics(Source):
    """Events pp -> Z -> ee of particle physics, 16 numbers each.

    Only the 10,000 events of the authors' *test* file are at hand, so they are split here: the first 7,000
    rows train, the next 1,000 validate, the last 2,000 test. **Say so wherever a figure is shown**: it does
    not compare exactly with the paper's, which trains on a file of its own and tests on these 10,000.

    The numbers are used as they are in the file, rounded to float32. The paper's code does not standardize
    them either (`get_np_datasets` in its utils.py), and distortions are in the units of the file; standard
    deviations are 0.03 to 0.08, so lambdas are of the order 100 to 30,000. R(D) is unknown.

    Reference: Yang & Mandt, "Towards Empirical Sandwich Bounds on the Rate-Distortion Function", ICLR 2022,
    arXiv:2111.12166; data from the repository of the paper, github.com/mandt-lab/RD-sandwich.

    Args:
        data_dir: the folder that holds `physics/ppzee-split=test.npy`.

    Raises:
        DataError: the file is missing or unreadable, is not float [10000, 16], or has values that are not
            finite.
        ValueError: the measure is not "mse".

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> (folder / "physics").mkdir()
        >>> np.save(folder / FILE, np.random.default_rng(0).normal(size=(10_000, 16)))
        >>> source = Physics(folder)
        >>> source.sample(5, torch.Generator().manual_seed(0)).shape, source.test_set().shape
        (torch.Size([5, 16]), torch.Size([2000, 16]))
    """

    name = "physics"

    def __init__(self, data_dir: str | PathLike[str], measure: str = "mse") -> None:
        super().__init__(dim=DIM, measure=measure)
        rows = torch.from_numpy(_load(Path(data_dir) / FILE))
        self._train, self._validation, self._test = rows.split([TRAIN, VALIDATION, TEST])

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        chosen = torch.randint(TRAIN, (count,), generator=generator, device=generator.device)
        return self._train.to(generator.device)[chosen]

    def validation_set(self) -> Tensor:
        return self._validation

    def test_set(self) -> Tensor:
        return self._test


def _load(path: Path) -> np.ndarray:
    """The checked rows of the file, float32 [10000, 16]."""
    wanted = f"it must be a float array [{ROWS}, {DIM}] of finite numbers, see {ORIGIN}."
    if not path.is_file():
        raise DataError(f"Physics data {path} does not exist; {wanted}")
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"Physics data {path} is no readable .npy file; {wanted}") from error
    if not isinstance(rows, np.ndarray) or rows.shape != (ROWS, DIM) or rows.dtype.kind != "f":
        found = f"{rows.dtype} {list(rows.shape)}" if isinstance(rows, np.ndarray) else "an archive"
        raise DataError(f"Physics data {path} holds {found}; {wanted}")
    if not np.isfinite(rows).all():
        raise DataError(f"Physics data {path} holds {(~np.isfinite(rows)).sum()} NaN or infinite values; {wanted}")
    return rows.astype(np.float32)
