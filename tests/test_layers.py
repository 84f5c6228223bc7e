"""The house's floors: every package of ltc imports only those below it, and nothing outside of ltc knows less."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ltc

_ROOT = Path(ltc.__file__).resolve().parent

# What each package may import of ltc, besides itself.
_MAY = {
    "theory": set(),
    "transforms": set(),
    "vectors": set(),
    "lattices": {"theory"},
    "entropy": {"lattices"},
    "coding": {"lattices", "entropy"},
    "models": {"lattices", "entropy", "coding", "transforms"},
    "images": {"lattices", "entropy", "coding", "models"},
    "training": {"lattices", "entropy", "coding", "models", "images", "transforms"},
    "arrays": {"lattices", "coding"},
    "codec": {"lattices", "entropy", "coding", "arrays", "models", "images", "transforms", "vectors"},
}
# Single files beside the packages, which know none of them.
_FILES = {"extras", "files", "lazy", "npy_header", "pixels", "run_folder"}
# Who may know the frameworks.
_FRAMEWORKS = {
    "pytorch_lightning": {"training"},
    "torchmetrics": {"training"},
    "hydra": {"codec"},
    "omegaconf": {"codec"},
}


def _imports(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names if node.module == "ltc"}
    return found


def _packages() -> list[str]:
    return sorted(p.name for p in _ROOT.iterdir() if (p / "__init__.py").exists())


def test_every_package_has_a_floor() -> None:
    assert set(_packages()) == set(_MAY)


@pytest.mark.parametrize("package", _packages())
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    allowed = _MAY[package] | _FILES | {package, "__version__"}
    for path in (_ROOT / package).rglob("*.py"):
        for module in _imports(path):
            top, _, rest = module.partition(".")
            if top == "ltc" and rest:
                assert rest.split(".")[0] in allowed, f"{path} imports {module}"
            assert top not in {"callbacks", "datamodules", "conf", "experiment", "benchmarks"}, f"{path}: {module}"
            assert package in _FRAMEWORKS.get(top, {package}), f"{path} imports {module}"


def _names(path: Path) -> set[str]:
    """The names that a file defines or imports from others at its top level."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names if alias.name != "annotations"}
    return found


@pytest.mark.parametrize("package", _packages())
def test_no_function_has_the_name_of_its_module(package: str) -> None:
    """``ltc.coding.point_model`` would be the function or the module, whichever was imported last."""
    for init in (_ROOT / package).rglob("__init__.py"):
        modules = {p.stem for p in init.parent.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
        assert not modules & _names(init), init
        assert not [p for p in init.parent.glob("*.py") if p.stem in _names(p)], init


def test_importing_ltc_loads_nothing_heavy() -> None:
    code = (
        "import ltc, sys; print(sorted({'torch', 'numpy', 'numba', 'hydra', 'pytorch_lightning'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_packages_are_attributes_that_load_at_first_use() -> None:
    assert set(_packages()) <= set(ltc.__all__) & set(dir(ltc))
    # One process for all: each would load torch again.
    code = f"import ltc; print(*(getattr(ltc, name).__name__ for name in {_packages()}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == [f"ltc.{name}" for name in _packages()]


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'latices'"):
        _ = ltc.latices


def test_importing_the_image_models_warns_of_nothing() -> None:
    """Not of what libraries do to each other, which nobody here could change."""
    command = [sys.executable, "-W", "error::FutureWarning", "-W", "error::DeprecationWarning:ltc", "-c"]
    subprocess.run([*command, "import ltc; ltc.images.use_lattice"], check=True, timeout=200)
