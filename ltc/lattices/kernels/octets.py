"""Eight costs at once: of the eight integers around a sample, the better of each pair with the same residue mod 4."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["four_costs"]

_intrinsic: Any = intrinsic
_FLOAT, _INDEX = ir.FloatType(), ir.IntType(32)


@_intrinsic
def four_costs(typingctx, bits, inward, at, y, weight):  # type: ignore[no-untyped-def]
    """``weight * (y - j - inward[at + j])^2 + bits[at + j]`` for j below 8, the lesser of j and j + 4 for j below 4.

    Args:
        bits: float32 [m].
        inward: likewise.
        at: where in them; at + 8 is at most m, which is not checked.
        y: float32.
        weight: float32.

    Returns:
        The four costs, and an integer whose bit j is whether j + 4 has the lesser one.
    """

    def emit(context, builder, sig, args):  # type: ignore[no-untyped-def]
        eight = ir.VectorType(_FLOAT, 8)

        def loaded(which: int) -> ir.Value:
            data = context.make_array(sig.args[which])(context, builder, args[which]).data
            place = builder.gep(data, [args[2]])
            return builder.load(builder.bitcast(place, eight.as_pointer()), align=4)

        def splat(value: ir.Value) -> ir.Value:
            vector = builder.insert_element(ir.Constant(eight, ir.Undefined), value, ir.Constant(_INDEX, 0))
            mask = ir.Constant(ir.VectorType(_INDEX, 8), [0] * 8)
            return builder.shuffle_vector(vector, ir.Constant(eight, ir.Undefined), mask)

        error = builder.fsub(splat(args[3]), ir.Constant(eight, [float(j) for j in range(8)]))
        error = builder.fsub(error, loaded(1))
        cost = builder.fadd(builder.fmul(splat(args[4]), builder.fmul(error, error)), loaded(0))

        def half(first: int) -> ir.Value:
            mask = ir.Constant(ir.VectorType(_INDEX, 4), list(range(first, first + 4)))
            return builder.shuffle_vector(cost, ir.Constant(eight, ir.Undefined), mask)

        one, two = half(0), half(4)
        better = builder.fcmp_ordered("<", two, one)
        least = builder.select(better, two, one)
        mask = builder.zext(builder.bitcast(better, ir.IntType(4)), ir.IntType(8))
        parts = [builder.extract_element(least, ir.Constant(_INDEX, j)) for j in range(4)]
        return context.make_tuple(builder, sig.return_type, [*parts, mask])

    result = types.Tuple((types.float32,) * 4 + (types.uint8,))
    return result(bits, inward, types.intp, types.float32, types.float32), emit
