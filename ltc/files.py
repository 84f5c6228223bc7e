"""Whole files or none: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["whole_file", "write_json"]

# What writing says of a place that is full, and does not say of which.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name when the block ends well, and vanishes when it does not.

    Folders on the way are made, and vanish with it. Whatever interrupts the block, at any place, leaves nothing behind.

    Raises:
        OSError: if there can be no such file; it names ``path``.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "figures.txt"
        >>> with whole_file(target) as temporary:
        ...     _ = temporary.write_text("1.0")
        >>> target.read_text()
        '1.0'
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    made = [folder for folder in path.parents if not folder.exists()]
    # Named before it is made, so that it is known to whoever removes it. The suffix is kept: pictures choose their
    # format by it.
    temporary = path.with_name(f".part-{os.urandom(8).hex()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.replace(path)
    except BaseException as error:
        # Above it there may be a file, and then there is nothing to remove.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError) and (error.filename == str(temporary) or _nameless(error)):
            error.filename, error.filename2 = str(path), None
        raise


def write_json(path: Path | str, content: Any) -> None:
    """Writes ``content`` as indented JSON, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def _nameless(error: OSError) -> bool:
    return error.filename is None and error.errno in _FULL
