"""Columns of numbers, or one column of lists of them, of a ``.parquet`` file; needs the package ``pyarrow``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ltc.extras import missing
from ltc.vectors.shapes import as_single
from ltc.vectors.vectors import PIECE

__all__ = ["parquet_dim", "parquet_pieces"]


def parquet_dim(path: Path, key: str | None) -> int:
    """Components of a file's rows."""
    file = _opened(path)
    columns = _columns(file, path, key)
    if key is None or not _is_list(file, key):
        return len(columns)
    first = next(file.iter_batches(batch_size=1, columns=columns), None)
    if first is None:
        raise ValueError(f"{path} holds no vectors.")
    return _numbers(first, True, str(path), 0).shape[1]


def parquet_pieces(path: Path, key: str | None) -> Iterator[np.ndarray]:
    """All rows of a file, float32 [count, dim], a piece at a time.

    Args:
        path: of the file.
        key: the column whose lists (or numbers) are the vectors; None: each column is a component.

    Raises:
        ValueError: if columns are no numbers, or ``pyarrow`` is not installed.
    """
    dim = parquet_dim(path, key)
    file = _opened(path)
    lists, row = key is not None and _is_list(file, key), 0
    for batch in file.iter_batches(batch_size=max(1, PIECE // dim), columns=_columns(file, path, key)):
        if batch.num_rows:
            numbers = _numbers(batch, lists, str(path), row)
            if numbers.shape[1] != dim:
                raise ValueError(f"{path}: the lists of {key} have {numbers.shape[1]} numbers, after those of {dim}.")
            yield as_single(numbers, str(path), row)
        row += batch.num_rows


def _opened(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ModuleNotFoundError as error:
        raise ValueError(f"{path}: {missing(error) or error}") from error
    try:
        return parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise ValueError(f"{path} is no .parquet file.") from error


def _columns(file: Any, path: Path, key: str | None) -> list[str]:
    """The columns that are read, all of numbers."""
    from pyarrow import types

    schema = file.schema_arrow
    if key is not None and key not in schema.names:
        raise ValueError(f"{path} holds no column {key}; it has {', '.join(schema.names)}.")
    names = list(schema.names) if key is None else [key]
    for name in names:
        kind = schema.field(name).type
        kind = kind.value_type if key is not None and _is_list(file, name) else kind
        if not (types.is_integer(kind) or types.is_floating(kind)):
            hint = "" if key is not None else ": a key says which column's lists are the vectors"
            raise ValueError(f"{path}: the column {name} holds {kind}, and no numbers{hint}.")
    return names


def _is_list(file: Any, name: str) -> bool:
    from pyarrow import types

    kind = file.schema_arrow.field(name).type
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _numbers(batch: Any, lists: bool, name: str, row: int) -> np.ndarray:
    """A batch's numbers [rows, dim]; what is missing is NaN."""
    if not lists:
        columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
        return np.stack([np.asarray(column) for column in columns], 1)
    flat = batch.column(0).flatten().to_numpy(zero_copy_only=False)
    lengths = {0 if value is None else len(value) for value in batch.column(0)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{name}: from row {row} lists have {sorted(lengths)} numbers; vectors have one length.")
    return flat.reshape(batch.num_rows, -1)
