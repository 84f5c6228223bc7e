"""Files of vectors: arrays ``[rows, dim]`` on disk, read in pieces or row by row, never as a whole.

- ``vectors`` ``Vectors``, what every array promises; ``ArrayVectors``, one in memory
- ``readers`` ``open_vectors`` and ``vector_dim``: the table of formats
- ``npy`` ``.npy`` files, read where they are
- ``npz`` an array of an ``.npz`` archive; ``csv_text`` tables of numbers; ``parquet`` columns of numbers
- ``kept`` what can only be read in order: in memory, or, where it is large, once into a ``.npy`` of its own
- ``shards`` a folder of such files, one after another
- ``shapes`` which shapes and types are vectors, in sentences

Light to import: numpy alone, and of a format's own package when a file of it is read.

Examples:
    >>> import tempfile
    >>> import numpy as np
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "vectors.npy"
    >>> np.save(path, np.arange(12).reshape(6, 2))
    >>> vectors = open_vectors(path)
    >>> len(vectors), vectors.dim, vectors.rows(np.array([5, 0])).tolist()
    (6, 2, [[10.0, 11.0], [0.0, 1.0]])
"""

from ltc.vectors.readers import SUFFIXES, open_vectors, vector_dim
from ltc.vectors.vectors import ArrayVectors, Vectors

__all__ = ["SUFFIXES", "ArrayVectors", "Vectors", "open_vectors", "vector_dim"]
