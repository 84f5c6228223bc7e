"""What the README claims, measured: each module prints (and some write to docs/) the figures of one subject.

- ``main_job`` training speed and gaps on the Gaussian source
- ``nearest_points`` vectors per second of every lattice
- ``provenance`` the line that says where a figure was measured
"""
