"""The wheel: what it holds, and that it works from any folder in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import ltc

_ROOT = Path(ltc.__file__).resolve().parent.parent

# What of the environment's packages the core must do without.
_EXTRAS = ["compressai", "matplotlib", "pandas", "pytorch_lightning", "torchmetrics", "torchvision", "wandb", "zuko"]

_TOUR = """
import sys
for name in {blocked}:
    sys.modules[name] = None  # an import of it fails
import numpy as np, torch, ltc
assert "site" in ltc.__file__, ltc.__file__
torch.manual_seed(0)
lattice = ltc.lattices.get("e8")
prior = ltc.entropy.exact_prior(lattice, 8)
coder = ltc.models.Coder(
    ltc.transforms.Linear(8, 8), ltc.models.LatticeBottleneck(prior), ltc.transforms.Linear(8, 8)
).eval()
coder.update()
x = torch.randn(100, 8)
stream = coder.compress(x)
assert torch.equal(coder.decompress(stream, 100), coder(x)[0])
print(len(stream))
try:
    ltc.images
except ImportError as error:
    assert str(error) == "This needs the package compressai: pip install 'ltc[images]'.", error
else:
    raise AssertionError("compressai was blocked")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy of what git would commit."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=_ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if name.startswith("ltc/") or "/" not in name:
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (_ROOT / name).is_file():
                target.write_bytes((_ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    (found,) = folder.glob("ltc-*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, which sees the packages of this one, but not this project's folder."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    # A path in a .pth file is searched, but .pth files in it are not read: nothing of an editable install.
    (packages / "packages.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    install = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*install, "--no-deps", "--no-index", "--force-reinstall", str(wheel)], check=True)
    return folder


def _run(environment: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "bin" / words[0]), *words[1:]]
    # No path of this process's: the wheel has to be enough.
    variables = {"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(cwd), "COLUMNS": "80"}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)


def test_it_holds_ltc_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"ltc", f"ltc-{ltc.__version__}.dist-info"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    modules = {name for name in names if name.endswith(".py")}
    assert modules == {str(p.relative_to(_ROOT)) for p in (_ROOT / "ltc").rglob("*.py")}


@pytest.mark.slow
def test_the_library_works_from_any_folder_without_the_extras(environment: Path, tmp_path: Path) -> None:
    done = _run(environment, "python", "-c", _TOUR.format(blocked=_EXTRAS), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_the_command_works_from_any_folder(environment: Path, tmp_path: Path) -> None:
    assert _run(environment, "ltc", "--version", cwd=tmp_path).stdout == f"ltc {ltc.__version__}\n"
    listing = _run(environment, "ltc", "--help", cwd=tmp_path)
    assert listing.returncode == 0 and all(word in listing.stdout for word in ("compress", "info", "lattices"))
    wrong = _run(environment, "ltc", "info", "nothing.ltc", cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ") and "Traceback" not in wrong.stderr
    report = _run(environment, "ltc", "report", "somewhere", cwd=tmp_path)
    assert report.returncode == 2 and "clone" in report.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_its_own_dependencies_are_enough(wheel: Path, tmp_path: Path) -> None:
    """In an environment with nothing but what pip installs for the wheel, by the pins that `make install` takes."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    install = [str(tmp_path / "env" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-c", str(_ROOT / "constraints.txt"), str(wheel)], check=True)
    done = _run(tmp_path / "env", "python", "-c", _TOUR.format(blocked=[]), cwd=tmp_path)
    assert done.returncode == 0 and int(done.stdout) > 10, done.stderr
    card = _run(tmp_path / "env", "ltc", "lattices", "a2", cwd=tmp_path)
    assert card.returncode == 0 and "0.08018" in card.stdout, card.stderr
