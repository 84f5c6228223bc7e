"""What a lack of memory looks like, and the sentence for it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

__all__ = ["memory_for", "out_of_memory"]

# torch, its libraries and the system have no one type for it.
_WORDS = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "bad allocation",
    "failed to map segment",
    "could not create a memory",
)


@contextlib.contextmanager
def memory_for(what: str) -> Iterator[None]:
    """Makes one sentence of whatever error a lack of memory leads to in the block.

    Args:
        what: for what there is not enough memory, and what may help.

    Raises:
        MemoryError: with that sentence.

    Examples:
        >>> with memory_for("so many numbers; try fewer"):
        ...     raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.")
        Traceback (most recent call last):
        ...
        MemoryError: there is not enough memory for so many numbers; try fewer.
    """
    try:
        yield
    except Exception as error:
        if not out_of_memory(error) or (isinstance(error, MemoryError) and "there is not enough" in str(error)):
            raise
        raise MemoryError(f"there is not enough memory for {what}.") from error


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it was made of, is a lack of memory."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if isinstance(error, (RuntimeError, ImportError)) and any(word in str(error) for word in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False
