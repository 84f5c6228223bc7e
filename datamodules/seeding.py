"""`batch_seed`: one random seed for each batch of each split, none of them twice."""

from enum import IntEnum
from functools import lru_cache

import numpy as np

__all__ = ["BATCHES", "Split", "batch_seed"]

BATCHES = 2**30


class Split(IntEnum):
    """What a stream of symbols is for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2
    CALIBRATION = 3  # of the training distribution, but none of the training batches


def batch_seed(seed: int, split: Split, index: int) -> int:
    r"""The seed of the random generator that makes batch number `index` of a split.

    $$
    2^{30} \, split + (a · index + b) \bmod 2^{30}
    $$

    where odd a and b are drawn by `numpy.random.SeedSequence(seed)`. For one `seed` the map from (split,
    index) is one-to-one, so no two batches, and no training and test batch, share a generator's state. That
    is why the seeds are not simply hashed: PyTorch's generator on the CPU uses the low 32 bits of its seed
    only, and among 32-bit hashes of 100,000 batches one expects a coincidence.

    Args:
        seed: the experiment's seed, not negative.
        split: which stream.
        index: the batch's number, over all processes; taken modulo `BATCHES` = 2^30.

    Returns:
        an integer in [0, 2^32).

    Raises:
        ValueError: the seed is negative.

    Examples:
        >>> seeds = {batch_seed(7, split, index) for split in Split for index in range(1000)}
        >>> len(seeds), batch_seed(7, Split.TEST, 5) >> 30
        (4000, 2)
    """
    factor, offset = _affine_map(seed)
    return (split << 30) | (factor * index + offset) % BATCHES


@lru_cache
def _affine_map(seed: int) -> tuple[int, int]:
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}.")
    factor, offset = np.random.SeedSequence(seed).generate_state(2, np.uint32)
    return int(factor) | 1, int(offset)  # an odd factor is invertible modulo a power of two
