"""Thirty-two short integers in SIMD lanes, for numba: path costs of a long trellis code, a block of states at a time.

A block is ``SHORTS`` numbers of an int16 array, a cache line; sums saturate. A value is an LLVM vector, as in
``ltc.lattices.kernels.simd``, whose numbers are floating-point ones of many sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

__all__ = ["SHORTS", "added", "least", "lesser", "load_block", "reduced", "selected", "store_block", "swapped", "which"]

SHORTS = 32

# Type checkers see the compiled functions' Python side.
_intrinsic: Any = intrinsic


class Shorts(types.Type):
    """The type of SHORTS numbers of 16 bits."""

    def __init__(self) -> None:
        super().__init__(name=f"Shorts({SHORTS})")


_SHORTS = Shorts()
_VECTOR = ir.VectorType(ir.IntType(16), SHORTS)


@register_model(Shorts)
class _ShortsModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Shorts) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _pointer(context, builder, sig, args):  # type: ignore[no-untyped-def]
    """A pointer to a block of an array. No bounds are checked and nothing wraps around."""
    data = context.make_array(sig.args[0])(context, builder, args[0]).data
    row = context.cast(builder, args[1], sig.args[1], types.intp)
    start = builder.gep(data, [builder.mul(row, ir.Constant(row.type, SHORTS))])
    return builder.bitcast(start, _VECTOR.as_pointer())


@_intrinsic
def load_block(typingctx, array, block):  # type: ignore[no-untyped-def]
    """Block number ``block`` of an int16 array."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.load(_pointer(context, builder, sig, args), align=2)

    return _SHORTS(array, block), emit


@_intrinsic
def store_block(typingctx, array, block, value):  # type: ignore[no-untyped-def]
    """Set a block of an int16 array."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.store(args[2], _pointer(context, builder, sig, args), align=2)
        return context.get_dummy_value()

    return types.none(array, block, _SHORTS), emit


def _saturating(name: str) -> Callable:
    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.sat.v{SHORTS}i16")
        return builder.call(function, args)

    return emit


@_intrinsic
def added(typingctx, x, y):  # type: ignore[no-untyped-def]
    """The sum, or the largest number there is."""
    return _SHORTS(_SHORTS, _SHORTS), _saturating("sadd")


@_intrinsic
def lesser(typingctx, x, y):  # type: ignore[no-untyped-def]
    """The lesser of two, lane by lane."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.select(builder.icmp_signed("<", *args), *args)

    return _SHORTS(_SHORTS, _SHORTS), emit


@_intrinsic
def which(typingctx, x, y):  # type: ignore[no-untyped-def]
    """Where x is less than y: a bit a lane, lane 0 the lowest, uint32."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.bitcast(builder.icmp_signed("<", *args), ir.IntType(SHORTS))

    return types.uint32(_SHORTS, _SHORTS), emit


def _splat(context, builder, number, kind):  # type: ignore[no-untyped-def]
    """A number in all lanes."""
    number = context.cast(builder, number, kind, types.int16)
    vector = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), SHORTS), [0] * SHORTS)
    return builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), zeros)


@_intrinsic
def reduced(typingctx, x, number):  # type: ignore[no-untyped-def]
    """Each number less another; the largest there is stands for no path, and stays."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        vector = _splat(context, builder, args[1], sig.args[1])
        largest = ir.Constant(_VECTOR, [0x7FFF] * SHORTS)
        return builder.select(builder.icmp_signed("==", args[0], largest), largest, builder.sub(args[0], vector))

    return _SHORTS(_SHORTS, number), emit


@_intrinsic
def least(typingctx, x):  # type: ignore[no-untyped-def]
    """The least number of all lanes."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        value, count = args[0], SHORTS
        while count > 1:
            count //= 2
            halves = [
                builder.shuffle_vector(
                    value,
                    ir.Constant(value.type, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(start, start + count))),
                )
                for start in (0, count)
            ]
            value = builder.select(builder.icmp_signed("<", *halves), *halves)
        return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

    return types.int16(_SHORTS), emit


@_intrinsic
def selected(typingctx, bits, one, zero):  # type: ignore[no-untyped-def]
    """In each lane ``one`` where its bit of ``bits`` (uint32) is set, else ``zero``: two blocks, or two numbers."""

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        mask = builder.bitcast(args[0], ir.VectorType(ir.IntType(1), SHORTS))
        values = [
            value if isinstance(kind, Shorts) else _splat(context, builder, value, kind)
            for value, kind in zip(args[1:], sig.args[1:], strict=True)
        ]
        return builder.select(mask, *values)

    return _SHORTS(types.uint32, one, zero), emit


def _swap(distance: int) -> Any:
    @_intrinsic
    def swap(typingctx, x):  # type: ignore[no-untyped-def]
        def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
            order = [lane ^ distance for lane in range(SHORTS)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), SHORTS), order)
            return builder.shuffle_vector(args[0], ir.Constant(_VECTOR, ir.Undefined), mask)

        return _SHORTS(_SHORTS), emit

    return swap


swapped = tuple(_swap(1 << bit) for bit in range(5))
"""``swapped[b](x)``: lanes exchanged whose numbers differ in bit b."""
