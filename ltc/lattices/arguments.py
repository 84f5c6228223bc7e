"""What is given to lattices, priors and bottlenecks: a tensor of vectors, or one sentence about what it is instead."""

from __future__ import annotations

from torch import Tensor

__all__ = ["check_floating", "check_like", "check_vectors"]


def check_vectors(x: object, dim: int, owner: object, method: str, copies: bool = False) -> None:
    """Makes sure that ``x`` is a tensor [..., dim], or [..., m * dim].

    Args:
        x: what was given.
        dim: length of its last axis.
        owner: to whom it was given: a lattice or a model.
        method: the name of what was called.
        copies: whether any multiple of ``dim`` will do.

    Raises:
        TypeError: if it is no tensor.
        ValueError: if its last axis does not fit.

    Examples:
        >>> import ltc.lattices, numpy
        >>> ltc.lattices.get("e8").quantize(numpy.zeros(8))
        Traceback (most recent call last):
        ...
        TypeError: e8.quantize takes a tensor, got numpy.ndarray: torch.as_tensor makes one of an array.
    """
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{_name(owner)}.{method} takes a tensor, got {_type(x)}: torch.as_tensor makes one of an array."
        )
    last = x.shape[-1] if x.ndim else 0
    if x.ndim == 0 or (last % dim if copies else last != dim):
        wanted = f"a last axis that is a multiple of {dim}" if copies and dim > 1 else f"a last axis of {dim}"
        wanted = "at least one axis" if copies and dim == 1 else wanted
        raise ValueError(f"{_name(owner)}.{method} takes {wanted}, got shape {tuple(x.shape)}.")


def check_floating(x: Tensor, owner: object, method: str) -> None:
    """Makes sure that the numbers of ``x`` are floating-point ones.

    Raises:
        ValueError: if they are not.
    """
    if not x.is_floating_point():
        raise ValueError(f"{_name(owner)}.{method} takes floating-point input, got {x.dtype}.")


def check_like(x: object, points: Tensor, what: str, owner: object, method: str) -> None:
    """Makes sure that ``x`` is a tensor that can stand beside ``points``, number for number.

    Args:
        x: what was given with the points.
        points: the points.
        what: what it is, in a word.
        owner: to whom it was given.
        method: the name of what was called.

    Raises:
        TypeError: if it is no tensor.
        ValueError: if its shape is another one.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{_name(owner)}.{method} takes {what} as a tensor, got {_type(x)}.")
    if x.shape != points.shape:
        raise ValueError(
            f"{_name(owner)}.{method} takes {what} of the points' shape {tuple(points.shape)}, "
            f"got shape {tuple(x.shape)}."
        )


def _name(owner: object) -> str:
    name = getattr(owner, "name", None)
    return name if isinstance(name, str) else type(owner).__name__


def _type(x: object) -> str:
    kind = type(x)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
