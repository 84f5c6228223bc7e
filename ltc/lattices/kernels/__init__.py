"""Nearest-point searches compiled for the CPU: what ``Lattice.quantize`` runs on float32 and float64 tensors.

One file a family of lattices:

- ``cosets``: cosets of Z^n and D_n by the all-ones vector (a2, dn, dn_dual, e8),
- ``barnes_wall``: bw16,
- ``leech``: leech,
- ``viterbi``: trellis codes, and trellis search with any additive costs; ``viterbi_steps`` what it is made of,
- ``windowed_viterbi``: the same for codes of many states, in bounded memory: ``windowed_search``, ``windowed_steps``,
  with the states in the order of ``phases`` and in the lanes of ``shorts``,
- ``rated_viterbi``, ``windowed_rated``: both with bits from tables (``rated_costs``), on plain arrays.

What they share: ``simd`` (a number type for all lanes of a SIMD register), ``blocks`` (tables of words' costs and the
Wagner rule, in lanes), ``compilation``, ``parallel`` (pieces of a batch on several threads). Nothing is compiled on
import; a kernel is compiled on first use, a few seconds, and cached on disk beside its source (in numba's user cache
where that cannot be written).
"""
