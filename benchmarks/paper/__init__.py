"""The experiments of the paper, run and written up: ``python -m benchmarks.paper`` makes ``docs/results.md``.

- ``__main__`` the command: sweeps, bounds, page
- ``sections`` which sweeps make up which section of the page
- ``systems`` the points of a sweep by system (NTC, LTC, block LTC, ECVQ), and their BD-rates
- ``bounds`` what R(D) allows for each source, solved once and kept
- ``published`` figures of the paper
- ``page``, ``pictures`` what people see
"""
