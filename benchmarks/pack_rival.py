"""NNCodec on an array, with an interpreter that has ``nncodec``, which pins versions of its own.

    PYTHON benchmarks/pack_rival.py ARRAY.npy QP …      # as ``benchmarks.pack`` runs it

For each quantization parameter one line of JSON: bytes, seconds to encode and to decode, and the mean squared error
with the best gain and without. With dependent quantization, its other settings those of its own defaults.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main() -> None:
    from nncodec import nnc

    array = np.load(sys.argv[1])
    for word in sys.argv[2:]:
        start = time.perf_counter()
        stream = nnc.compress({"x": array}, qp=int(word), use_dq=True, return_bitstream=True, bitstream_path=None)
        encoded = time.perf_counter()
        found = np.asarray(nnc.decompress(stream)["x"], dtype=np.float64)
        decoded = time.perf_counter()
        exact = array.astype(np.float64)
        energy = float((found * found).sum())
        gain = float((exact * found).sum()) / energy if energy else 0.0
        point = {
            "qp": int(word),
            "bytes": len(stream),
            "encode": encoded - start,
            "decode": decoded - encoded,
            "distortion": float(np.square(found - exact).mean()),
            "best": float(np.square(gain * found - exact).mean()),
        }
        print(json.dumps(point), flush=True)


if __name__ == "__main__":
    main()
