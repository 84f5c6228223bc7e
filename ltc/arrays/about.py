"""What a file of packed arrays says about itself."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from ltc.arrays.chunks import Errors
from ltc.arrays.container import CONSTANT, LOSSY, Record, read_ends, read_header, read_record
from ltc.arrays.layouts import KINDS
from ltc.arrays.model import Model
from ltc.arrays.sinks import suffix_of
from ltc.coding.file_fields import read_chunk

__all__ = ["about_arrays"]

# Arrays that are told one by one.
_MOST = 200


def about_arrays(file: BinaryIO) -> dict[str, str]:
    """Rate, distortion, step and prior of each array, by name; all checksums are looked at.

    Args:
        file: open for reading, at its start.

    Raises:
        ltc.coding.CorruptStream: if it is no such file, or damaged.
    """
    kind, arrays, _ = read_header(file)
    found: list[tuple[Record, int]] = []
    for _ in range(arrays):
        record = read_record(file)
        payload = sum(len(read_chunk(file)) for _ in range(record.chunks))
        found.append((record, payload + len(record.model)))
    lost = read_ends(file, arrays)
    numbers, size = sum(record.size for record, _ in found), sum(payload for _, payload in found)
    rows = {} if arrays == 1 else {"arrays": f"{arrays:,}, of a {suffix_of(kind)} file, {numbers:,} numbers"}
    if arrays > 1:
        rows["rate"] = _rate(size, numbers)
    for (record, payload), errors in list(zip(found, lost, strict=True))[:_MOST]:
        told = _about(record, payload, errors)
        if arrays == 1 and not record.name:
            rows |= told
        else:
            rows[record.name] = "; ".join(f"{name} {value}" for name, value in told.items() if value)
    if arrays > _MOST:
        rows["…"] = f"and {arrays - _MOST:,} more"
    return rows


def _about(record: Record, payload: int, errors: Errors) -> dict[str, str]:
    shape = " x ".join(f"{length:,}" for length in record.shape) or "one number"
    kind = record.type.raw.name if record.type.name.startswith(("<", ">", "|", "=")) else record.type.name
    rows = {"array": f"{shape}, {kind}{', first axis first' if record.fortran else ''}"}
    if record.kind == CONSTANT:
        return {**rows, "coded": "exactly: all numbers are the same"}
    rows["rate"] = _rate(payload, record.size)
    if record.kind != LOSSY:
        return {**rows, "coded": "exactly"}
    model = Model.from_bytes(record.model, record.type.raw)
    distortion = errors.squares / max(1, errors.count)
    rows["distortion"] = f"{distortion:.6g}, largest error {errors.largest:.6g}"
    if errors.count < record.size:
        rows["kept"] = f"{record.size - errors.count:,} numbers are not finite, and kept"
    rows["code"] = f"{model.code.name}, step {model.step:.6g}"
    rows["prior"] = _prior(model)
    return rows


def _rate(payload: int, numbers: int) -> str:
    return f"{8 * payload / max(1, numbers):.4f} bits a number, {payload:,} bytes"


def _prior(model: Model) -> str:
    layout = model.layout
    curves = sum(prior.curve is not None for prior in model.priors)
    words = [f"{curves} curve{'s' * (curves > 1)}"] if curves else []
    if curves < len(model.priors):
        tables = len(model.priors) - curves
        words.append(f"{tables} table{'s' * (tables > 1)}")
    classes = f"{layout.classes} class{'es' * (layout.classes > 1)}"
    where = {0: KINDS[0], 1: f"{layout.length:,} columns", 2: f"blocks of {layout.length:,}"}[layout.kind]
    entries = int(np.sum([model.code.parities * (prior.high - prior.low) for prior in model.priors]))
    shift = max(prior.shift for prior in model.priors)
    plain = f", {shift} bits of each integer as they are" if shift else ""
    return f"{where}: {classes}, {' and '.join(words)} of {entries:,} entries{plain}"
