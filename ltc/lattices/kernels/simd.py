"""Numbers in SIMD lanes, for numba: one value stands for LANES numbers, and ``+ - * < min rint`` act on all at once.

Kernels search LANES vectors at a time, one a lane. Left to itself the compiler turns an inner loop over lanes into
SIMD code or not, as it can or cannot prove that table rows do not overlap; here it has no choice. A value is an LLVM
vector: with AVX-512 one register of float32 or two of float64, with AVX2 or NEON a few more.

Tables of lanes are C-contiguous arrays [rows, LANES]; ``load(table, row)`` is a value, ``table[row, lane]`` one
number of it. Python numbers mix with values and take their precision.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

__all__ = ["LANES", "bits", "filled", "load", "maximum", "minimum", "rint", "select", "store"]

LANES = 16

# Type checkers see the compiled functions' Python side, which takes two arguments more or nothing at all.
_intrinsic: Any = intrinsic


class Lanes(types.Type):
    """The type of LANES numbers of one floating-point type, or of LANES truth values."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype}, {LANES})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: ir.IntType(1)}
        super().__init__(dmm, fe_type, ir.VectorType(element[fe_type.dtype], LANES))


_MASK = Lanes(types.boolean)


@lower_cast(types.Number, Lanes)
def _splat(context, builder, fromty, toty, value):  # type: ignore[no-untyped-def]
    """A Python number in all lanes."""
    value = context.cast(builder, value, fromty, toty.dtype)
    vector = context.get_value_type(toty)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _define(function: Any, emit: Callable, result: Lanes | None = None) -> None:
    """Give ``function`` a meaning for lanes: ``emit(builder, *values)``; of the arguments' type, or of ``result``."""

    @infer_global(function)
    class _Template(AbstractTemplate):
        key = function

        def generic(self, args, kws):  # type: ignore[no-untyped-def]
            lanes = [a for a in args if isinstance(a, Lanes)]
            if not lanes or kws or not all(a is lanes[0] or isinstance(a, (types.Number, Lanes)) for a in args):
                return None
            return signature(result or lanes[0], *[lanes[0]] * len(args))

    for count in (1, 2):

        @lower_builtin(function, *[Lanes] * count)
        def _lower(context, builder, sig, args):  # type: ignore[no-untyped-def]
            return emit(builder, *args)


def _call(name: str) -> Callable:
    """An LLVM intrinsic of one argument."""

    def emit(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
        suffix = f"v{LANES}{x.type.element.intrinsic_name}"
        kind = ir.FunctionType(x.type, [x.type])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{suffix}"), [x])

    return emit


def rint(x):  # type: ignore[no-untyped-def]
    """The nearest integers, ties to even."""
    raise NotImplementedError("rint is for use in compiled kernels")


def minimum(x, y):  # type: ignore[no-untyped-def]
    """``x if x < y else y``."""
    raise NotImplementedError("minimum is for use in compiled kernels")


def maximum(x, y):  # type: ignore[no-untyped-def]
    """``x if x > y else y``."""
    raise NotImplementedError("maximum is for use in compiled kernels")


_define(operator.add, lambda b, x, y: b.fadd(x, y))
_define(operator.sub, lambda b, x, y: b.fsub(x, y))
_define(operator.mul, lambda b, x, y: b.fmul(x, y))
_define(operator.lt, lambda b, x, y: b.fcmp_ordered("<", x, y), _MASK)
_define(operator.ne, lambda b, x, y: b.fcmp_unordered("!=", x, y), _MASK)
_define(operator.eq, lambda b, x, y: b.fcmp_ordered("==", x, y), _MASK)
_define(abs, _call("fabs"))
_define(rint, _call("rint"))
_define(minimum, lambda b, x, y: b.select(b.fcmp_ordered("<", x, y), x, y))
_define(maximum, lambda b, x, y: b.select(b.fcmp_ordered(">", x, y), x, y))


@_intrinsic
def select(typingctx, mask, x, y):  # type: ignore[no-untyped-def]
    """In each lane x where the mask is true, else y."""
    lanes = x if isinstance(x, Lanes) else y

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.select(*args)

    return signature(lanes, _MASK, lanes, lanes), emit


@_intrinsic
def bits(typingctx, mask):  # type: ignore[no-untyped-def]
    """The truth values of all lanes as one unsigned integer, lane 0 in the lowest bit."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.bitcast(args[0], ir.IntType(LANES))

    return signature(getattr(types, f"uint{LANES}"), _MASK), emit


def _row(context, builder, table, value, row, rowty):  # type: ignore[no-untyped-def]
    """A pointer to a row of a table. No bounds are checked and nothing wraps around."""
    data = context.make_array(table)(context, builder, value).data
    row = context.cast(builder, row, rowty, types.intp)
    start = builder.gep(data, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(start, context.get_value_type(Lanes(table.dtype)).as_pointer())


@_intrinsic
def load(typingctx, table, row):  # type: ignore[no-untyped-def]
    """The row of a table [rows, LANES]."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = _row(context, builder, sig.args[0], args[0], args[1], sig.args[1])
        return builder.load(pointer, align=context.get_abi_sizeof(context.get_value_type(sig.args[0].dtype)))

    return signature(Lanes(table.dtype), table, row), emit


@_intrinsic
def store(typingctx, table, row, value):  # type: ignore[no-untyped-def]
    """Set the row of a table [rows, LANES]."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = _row(context, builder, sig.args[0], args[0], args[1], sig.args[1])
        size = context.get_abi_sizeof(context.get_value_type(sig.args[0].dtype))
        builder.store(args[2], pointer, align=size)
        return context.get_dummy_value()

    return signature(types.none, table, row, Lanes(table.dtype)), emit


@_intrinsic
def filled(typingctx, table, number):  # type: ignore[no-untyped-def]
    """A number in all lanes, of the type of a table's numbers."""
    lanes = Lanes(table.dtype)

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return context.cast(builder, args[1], sig.args[1], lanes)

    return signature(lanes, table, number), emit
