"""`rank_and_world`: which of how many processes this one is."""

import os

import torch.distributed as dist

__all__ = ["rank_and_world"]


def rank_and_world() -> tuple[int, int]:
    """(rank, world size) of this process.

    As torch.distributed has them if its default group is initialized; else from the variables RANK and
    WORLD_SIZE of the environment (set by torchrun) if both are there; else (0, 1). Ask when an iteration
    starts, not earlier: Lightning may start its processes after the data module was built.

    Raises:
        ValueError: the environment's rank is not in [0, world size).

    Examples:
        >>> rank_and_world()
        (0, 1)
    """
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        if not 0 <= rank < world:
            raise ValueError(f"RANK must be in [0, WORLD_SIZE), got RANK={rank} and WORLD_SIZE={world}.")
        return rank, world
    return 0, 1
