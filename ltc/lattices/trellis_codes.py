"""The convolutional codes of trellis-coded quantization: polynomials, and what is known of each. Needs no torch."""

from __future__ import annotations

import numpy as np

__all__ = ["CODES", "LONG", "encoder_tables"]

LONG = 512
"""From so many states on a search takes one sequence at a time and a window of decisions."""

# States: (h0, h1, normalized second moment G, what the ends add). The moments are this project's own
# (benchmarks.trellis_codes): the mean squared error per coordinate deep within a long sequence, and by how much the
# squared error of a whole sequence exceeds length * G, which the known first state costs beyond what the free last one
# saves; standard errors 1e-5 and 0.006, from 4,096 states on 0.02.
CODES: dict[int, tuple[int, int, float, float]] = {
    4: (0o5, 0o2, 0.06625, 0.085),
    8: (0o13, 0o04, 0.06490, 0.105),
    16: (0o23, 0o04, 0.06400, 0.128),
    32: (0o45, 0o10, 0.06305, 0.166),
    64: (0o103, 0o024, 0.06241, 0.186),
    128: (0o235, 0o126, 0.06175, 0.216),
    256: (0o515, 0o362, 0.06128, 0.247),
    # Past the published tables: found by the search of benchmarks/trellis_codes.py.
    512: (0o1105, 0o602, 0.06082, 0.261),
    1024: (0o2205, 0o1402, 0.06053, 0.270),
    2048: (0o4405, 0o3002, 0.06029, 0.299),
    4096: (0o12167, 0o4042, 0.06011, 0.323),
    8192: (0o25143, 0o16076, 0.05994, 0.343),
    16384: (0o43273, 0o32116, 0.05980, 0.365),
    32768: (0o107363, 0o64636, 0.05969, 0.363),
    65536: (0o210653, 0o126156, 0.05958, 0.416),
}


def encoder_tables(states: int, h0: int, h1: int) -> tuple[np.ndarray, np.ndarray]:
    """The canonical systematic feedback encoder of two parity polynomials.

    Returns:
        next_state: [states, 2], by the free bit z1.
        residue: [states, 2], k mod 4 = 2 z1 + z0.

    Examples:
        >>> next_state, residue = encoder_tables(4, 0o5, 0o2)
        >>> residue.tolist()
        [[0, 2], [1, 3], [0, 2], [1, 3]]
    """
    state, z1 = np.arange(states)[:, None], np.arange(2)[None, :]
    z0 = state & 1
    return (state >> 1) ^ (z0 * (h0 >> 1)) ^ (z1 * (h1 >> 1)), 2 * z1 + z0
