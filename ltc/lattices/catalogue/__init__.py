"""The lattices by name, one file each: to add one, add a file here (and a YAML under ``conf/lattice``).

- ``z`` integers · ``a2`` hexagonal · ``an``, ``an_dual`` the root lattices A_n and their duals
- ``dn``, ``dn_dual`` the checkerboard lattices and their duals · ``e6_dual``, ``e7``, ``e7_dual``, ``e8`` (Gosset)
- ``k12`` Coxeter-Todd · ``bw16`` Barnes-Wall · ``leech``
- ``tcq`` trellis codes

Each file registers what it defines (``ltc.lattices.register``); ``ltc.lattices.get`` finds it.
"""
