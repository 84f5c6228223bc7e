"""Sums over all paths of a trellis, with their gradient: the log-sum-exp semiring as one differentiable function.

The derivative of log Z by the log-value of (coordinate i, residue r) is the probability that a path drawn in
proportion to its weight has residue r at i, so the backward sums give the whole gradient at once: no graph of small
operations. On CPU both sweeps are a compiled loop over edges; elsewhere they are ``Trellis.forward`` and
``Trellis.backward``, batched.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from ltc.lattices.trellis import Trellis

__all__ = ["log_path_sum"]


def log_path_sum(trellis: Trellis, values: Tensor) -> Tensor:
    """log of the sum over all paths k of ``exp(sum_i values[i, k_i mod q])``.

    Args:
        trellis: a trellis with one final state.
        values: log-value of each coordinate's residue, [..., n, q]; -inf excludes a residue.

    Returns:
        [...], in the dtype of ``values``; differentiable once.

    Examples:
        >>> even_sum = Trellis.from_checks([[1, 1]], [2])  # two of the four parity patterns are paths
        >>> log_path_sum(even_sum, torch.zeros(2, 2)).exp()
        tensor(2.)
    """
    return _LogPathSum.apply(values, trellis)


class _LogPathSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, trellis: Trellis) -> Tensor:
        sums, marginals = _on_cpu(trellis, values) if values.device.type == "cpu" else _batched(trellis, values)
        ctx.save_for_backward(marginals)
        return sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (marginals,) = ctx.saved_tensors
        return gradient[..., None, None] * marginals, None


def _on_cpu(trellis: Trellis, values: Tensor) -> tuple[Tensor, Tensor]:
    flat = values.detach().double().reshape(-1, *values.shape[-2:]).contiguous().numpy()
    sums, marginals, safe = _scaled_sweep(flat, *_flat_edges(trellis))
    if not safe.all():
        sums[~safe], marginals[~safe] = _log_sweep(flat[~safe], *_flat_edges(trellis))
    return (
        torch.from_numpy(sums).to(values).reshape(values.shape[:-2]),
        torch.from_numpy(marginals).to(values).reshape(values.shape),
    )


def _batched(trellis: Trellis, values: Tensor) -> tuple[Tensor, Tensor]:
    reduce = lambda t: t.logsumexp(-1)  # noqa: E731
    alphas = trellis.forward(values, reduce, worst=-torch.inf)
    betas = trellis.backward(values, reduce, worst=-torch.inf)
    total = alphas[-1]
    marginals = torch.zeros_like(values)
    for i, section in enumerate(trellis.sections):
        source, target, residue = (
            torch.from_numpy(part).to(values.device) for part in (section.source, section.target, section.residue)
        )
        weight = alphas[i][..., source] + values[..., i, residue] + betas[i + 1][..., target] - total
        marginals[..., i, :].index_add_(-1, residue, weight.exp())
    return total[..., 0], marginals


def _flat_edges(trellis: Trellis) -> tuple[np.ndarray, ...]:
    """All sections' edges in one array each, states numbered within their section: compiled code wants no lists."""
    key = "flat_edges"
    if key not in trellis._tables:
        sections = trellis.sections
        trellis._tables[key] = (
            np.concatenate([s.source for s in sections]).astype(np.int32),
            np.concatenate([s.target for s in sections]).astype(np.int32),
            np.concatenate([s.residue for s in sections]).astype(np.int32),
            np.cumsum([0] + [len(s) for s in sections]).astype(np.int64),
            np.array(trellis.state_counts, dtype=np.int64),
        )
    return trellis._tables[key]


# Where the largest partial sums fall by this factor in all, a path that had underflowed could matter in the end.
_FALL = np.log(1e-150)


@numba.njit(cache=True, error_model="numpy")
def _scaled_sweep(values, source, target, residue, start, states):  # type: ignore[no-untyped-def]
    """Forward and backward sums with a scale for each coordinate: one exponential for each value, none for the edges.

    Returns:
        log sums [batch]; marginals [batch, n, q]; whether nothing that matters can have underflowed [batch].
    """
    batch, n, q = values.shape
    sums, safe = np.empty(batch), np.empty(batch, np.bool_)
    marginals = np.zeros((batch, n, q))
    weight = np.empty((n, q))
    alpha = np.zeros((n + 1, states.max()))
    beta = np.zeros((2, states.max()))
    for b in range(batch):
        log_scale = fall = fall_back = 0.0
        alpha[0, 0] = 1.0
        for i in range(n):
            top = values[b, i].max()
            weight[i] = np.exp(values[b, i] - top)
            log_scale += top
            here, there = alpha[i], alpha[i + 1, : states[i + 1]]
            there[:] = 0.0
            for e in range(start[i], start[i + 1]):
                there[target[e]] += here[source[e]] * weight[i, residue[e]]
            top = there.max()
            there /= top
            log_scale += np.log(top)
            fall += min(np.log(top), 0.0)
        # The one final state has been scaled to 1; what it was before is in the scale.
        sums[b] = log_scale
        beta[n % 2, 0] = 1.0
        for i in range(n - 1, -1, -1):
            onward, before = beta[(i + 1) % 2], beta[i % 2, : states[i]]
            before[:] = 0.0
            total = 0.0
            for e in range(start[i], start[i + 1]):
                value = weight[i, residue[e]] * onward[target[e]]
                before[source[e]] += value
                part = alpha[i, source[e]] * value
                marginals[b, i, residue[e]] += part
                total += part
            marginals[b, i] /= total
            top = before.max()
            before /= top
            fall_back += min(np.log(top), 0.0)
        safe[b] = fall > _FALL and fall_back > _FALL
    return sums, marginals, safe


@numba.njit(cache=True, error_model="numpy")
def _log_sweep(values, source, target, residue, start, states):  # type: ignore[no-untyped-def]
    """The same in the log domain, several times slower, for any values: log sums [batch], marginals [batch, n, q]."""
    batch, n, q = values.shape
    sums = np.empty(batch)
    marginals = np.zeros((batch, n, q))
    alpha = np.empty((n + 1, states.max()))
    edge = np.empty(np.diff(start).max())
    for b in range(batch):
        alpha[0, 0] = 0.0
        for i in range(n):
            for e in range(start[i], start[i + 1]):
                edge[e - start[i]] = alpha[i, source[e]] + values[b, i, residue[e]]
            _log_sum_by(target[start[i] : start[i + 1]], edge, alpha[i + 1, : states[i + 1]])
        sums[b] = alpha[n, 0]
        beta = np.zeros(1)
        for i in range(n - 1, -1, -1):
            for e in range(start[i], start[i + 1]):
                onward = values[b, i, residue[e]] + beta[target[e]]
                edge[e - start[i]] = onward
                marginals[b, i, residue[e]] += np.exp(alpha[i, source[e]] + onward - sums[b])
            beta = np.empty(states[i])
            _log_sum_by(source[start[i] : start[i + 1]], edge, beta)
    return sums, marginals


@numba.njit(cache=True, error_model="numpy")
def _log_sum_by(label, value, total):  # type: ignore[no-untyped-def]
    """total[s] = log sum of exp(value[e]) over e with label[e] = s."""
    top = np.full(len(total), -np.inf)
    for e in range(len(label)):
        # Written so that NaN is kept: a NaN must come out, not vanish.
        if not value[e] <= top[label[e]]:
            top[label[e]] = value[e]
    total[:] = 0.0
    for e in range(len(label)):
        if value[e] > -np.inf or np.isnan(value[e]):
            total[label[e]] += np.exp(value[e] - top[label[e]])
    for s in range(len(total)):
        total[s] = top[s] + np.log(total[s]) if total[s] != 0.0 else -np.inf
