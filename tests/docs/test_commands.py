"""The commands of the pages: targets, modules and configurations that they name exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import conf
from conf.families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
CONF = Path(conf.__file__).parent
# Pages that are written by hand; measured ones say what was run when they were measured.
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*/*.md")]
PAGES += [ROOT / "docs" / name for name in ("index.md", "start.md")]

_STARTS = ("python run.py ", "python -m ", "make ", "ltc ")


def _commands():
    """Commands in code: whole lines, without what is remarked behind them, and pieces of code in a line."""
    found = set()
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            pieces = [line.partition(" #")[0].strip(), *re.findall(r"`([^`\n]+)`", line)]
            found |= {p for p in pieces if p.startswith(_STARTS) and "`" not in p and ".…" not in p}
    return sorted(found)


COMMANDS = _commands()


def _beginning(*words):
    return [command for command in COMMANDS if command.split()[: len(words)] == list(words)]


def test_there_are_commands():
    assert len(_beginning("make")) > 3 and len(_beginning("python", "run.py")) > 10


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {word for command in _beginning("make") for word in command.split()[1:] if "=" not in word} <= targets


def test_modules_exist():
    for command in _beginning("python", "-m"):
        name = command.split()[2]
        path = ROOT.joinpath(*name.split("."))
        ours = path.with_suffix(".py").exists() or (path / "__main__.py").exists()
        assert ours or (not path.exists() and "." not in name and importlib.util.find_spec(name)), command


def test_the_command_has_these_parts():
    from ltc.__main__ import _COMMANDS

    assert {command.split()[1] for command in _beginning("ltc")} <= {*_COMMANDS, "--version", "--help"}


def test_choices_of_groups_exist():
    for command in _runs():
        for word in command:
            group, _, choices = word.partition("=")
            folder = CONF / group
            if "=" in word and folder.is_dir() and group not in ("lambda", "hydra/launcher"):
                families = [
                    f"{family}_{path.stem}" for family in FAMILIES for path in (CONF / "lattice").glob("*.yaml")
                ]
                known = {
                    *(families if group == "experiment" else []),
                    *(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml")),
                }
                assert known >= set(choices.split(",")), command


def test_sweeps_exist():
    for command in _runs():
        if "-m" in command and "--config-name" in command:
            name = command[command.index("--config-name") + 1]
            assert (ROOT / "multirun_sweeps" / f"{name}.yaml").exists(), command


@pytest.mark.slow
def test_configurations_compose():
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for command in _runs():
            if "-m" not in command:
                name = command[command.index("--config-name") + 1] if "--config-name" in command else "config"
                compose(name, [word for word in command if "=" in word and "…" not in word and "hydra" not in word])
    GlobalHydra.instance().clear()


def _runs():
    """What comes after run.py, but for commands about a file that their page tells the reader to write."""
    written = {"source=exponential", "lattice=dn_plus", "entropy_model=exact_secant"}
    commands = [shlex.split(command)[2:] for command in _beginning("python", "run.py")]
    return [command for command in commands if not written & set(command)]
