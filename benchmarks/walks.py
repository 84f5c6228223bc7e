"""Three walks through the code: the files that a job, a codec and an image pass, in the order in which they are met.

    python -m benchmarks.walks             # prints them
    python -m benchmarks.walks --output docs/walks.md

A walk *comes back* where a call from another file enters a file that is still at work further up. What belongs to a
function or an object that is at work there (its closures, methods of the same object: a base class that calls its
heirs) is no new visit, and imports are none.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.provenance import provenance
from ltc.files import whole_file

_ROOT = Path(__file__).resolve().parent.parent
_PARTS = ("run.py", "conf/", "experiment/", "callbacks/", "datamodules/", "ltc/")


class Walk:
    """The files that calls have entered, and where they came back: by file, from which function to which."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.returns: dict[tuple[str, str, str], str] = {}

    @contextmanager
    def taken(self) -> Iterator[None]:
        sys.setprofile(self._event)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or (here := _file(frame)) is None:
            return
        came, back, above = here, None, frame.f_back
        while above is not None:
            there = _file(above)
            if there is not None and above.f_code.co_name == "<module>":
                return  # an import
            if back is None and there == here and came != here:
                back = came, above
            came, above = there or came, above.f_back
        if frame.f_code.co_name == "<module>":
            return
        self.files.setdefault(here)
        if back is not None and not _belongs(frame, back[1]):
            self.returns.setdefault((here, back[1].f_code.co_name, frame.f_code.co_name), back[0])


def _belongs(frame: FrameType, other: FrameType) -> bool:
    """Whether a function is part of another one, or both are methods of one object."""
    code = frame.f_code
    if code.co_flags & inspect.CO_NESTED or code.co_name.startswith("<"):
        return True
    return frame.f_locals.get("self", frame) is other.f_locals.get("self", other)


def _file(frame: FrameType) -> str | None:
    name = frame.f_code.co_filename
    if not name.startswith(f"{_ROOT}/"):
        return None
    inside = name[len(str(_ROOT)) + 1 :]
    return inside if inside.startswith(_PARTS) else None


def batch(folder: Path) -> None:
    """From ``run.py`` to ``rd_point.json``."""
    import run

    sys.argv = ["run.py", "trainer=smoke", "logger=none", "eval_symbols=20000", f"hydra.run.dir={folder / 'job'}"]
    run.main()


def codec(folder: Path) -> None:
    """``ltc compress`` of an array, with the job's coder."""
    np.save(folder / "array.npy", np.random.default_rng(0).normal(size=20_000).astype(np.float32))
    _ltc("compress", folder / "job" / "coder.pt", folder / "array.npy", folder / "array.ltc")


def image(folder: Path) -> None:
    """``ltc compress`` of an image, with an untrained network."""
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from ltc.codec.image_checkpoint import save_network

    with initialize_config_dir(str(_ROOT / "conf"), version_base="1.3"):
        small = ["network=bmshj2018_hyperprior", "network.N=16", "network.M=24", "lattice=e8"]
        cfg = compose("images", [*small, "experiment=images/ltc"])
    settings: Any = OmegaConf.to_container(cfg.network_config, resolve=True)
    network = instantiate(settings).eval()
    network.update(force=True)
    save_network(folder / "network.pt", network, settings, {"lambda": 0.0067})
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "image.png")
    _ltc("compress", folder / "network.pt", folder / "image.png", folder / "image.ltc")


def _ltc(*arguments: Any) -> None:
    from ltc.__main__ import main

    sys.argv = ["ltc", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


_WALKS: dict[str, Callable[[Path], None]] = {
    "A batch, from `run.py` to `rd_point.json`": batch,
    "`ltc compress` of an array": codec,
    "`ltc compress` of an image": image,
}


def page(command: str) -> str:
    """What was met, as Markdown."""
    lines = ["# Three walks through the code", "", f"Made by `{command}`; {provenance()}.", ""]
    lines += [*" ".join(__doc__.split("\n\n")[2].split()).split("\n"), ""]
    with tempfile.TemporaryDirectory() as name:
        for title, walk in _WALKS.items():
            found = Walk()
            with found.taken():
                walk(Path(name))
            files = [f for f in found.files if not f.endswith("__init__.py")]
            lines += [f"## {title}", "", f"{len(files)} files:", "", *(f"1. `{file}`" for file in files), ""]
            lines += ["Comes back:", ""] if found.returns else ["Comes back nowhere.", ""]
            lines += [
                f"- `{file}`: `{above}`, through `{came}`, to `{here}`"
                for (file, above, here), came in found.returns.items()
            ] + ([""] if found.returns else [])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="a page")
    output = parser.parse_args().output
    text = page(" ".join(["python -m benchmarks.walks", *sys.argv[1:]]))
    if output is not None:
        with whole_file(output) as temporary:
            temporary.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
