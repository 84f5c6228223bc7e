"""``make``'s virtual environment: made by a Python that can, whole or not at all, and made anew when it is broken."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    """A folder with what makes the environment, and nothing else."""
    (tmp_path / ".ci").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", ".ci/environment"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def make(project):
    """``make("install", PYTHON=...)``: in that folder, without a network."""

    def call(*arguments, **variables):
        words = [f"{name}={value}" for name, value in variables.items()]
        environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "HOME": str(project)}
        return subprocess.run(
            ["make", *arguments, *words], cwd=project, env=environment, capture_output=True, text=True, timeout=100
        )

    return call


@pytest.fixture
def python(project):
    """``python("sys.version_info = (3, 9)")``: this Python, but for what is said."""

    def pretend(code):
        path = project / "pretended"
        path.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -c "import sys; {code}; $1"\n')
        path.chmod(0o755)
        return path

    return pretend


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 1), (3, 10, 13), (3, 13, 0), (4, 0, 0)])
def test_a_python_that_will_not_do_is_named_at_once(make, python, project, version):
    done = make("install", PYTHON=python(f"sys.version_info = {version}"))
    line, _ = done.stderr.splitlines()
    assert done.returncode == 2 and not (project / ".venv").exists()
    assert f"is Python {version[0]}.{version[1]}, and LTC needs 3.11 or 3.12" in line and line.startswith("error: ")


def test_a_python_without_venv_or_none_at_all(make, python, project):
    for asked, words in [(python("sys.modules['ensurepip'] = None"), "python3-venv"), ("no-python", "there is no")]:
        done = make("install", PYTHON=asked)
        line, _ = done.stderr.splitlines()
        assert done.returncode == 2 and line.startswith("error: ") and words in line
        assert not (project / ".venv").exists()


def test_the_promise_is_one():
    """README, pyproject.toml, the tools and CI speak of the same versions."""
    text = (ROOT / "pyproject.toml").read_text()
    assert 'requires-python = ">=3.11,<3.13"' in text
    assert 'target-version = "py311"' in text and 'python_version = "3.11"' in text
    assert "Python 3.11 or 3.12" in (ROOT / "README.md").read_text()
    assert 'python: ["3.11", "3.12"]' in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_whole_or_not_at_all(make, project, ends):
    """Where pip fails, nothing is left. What an earlier failure has left is made anew."""
    inner = f'#!/bin/sh\n[ "$2" != pip ] || exit {int(ends == "badly")}\nexec {sys.executable} "$@"\n'
    (project / "inner").write_text(inner)
    made = "mkdir -p $3/bin; cp inner $3/bin/python; chmod +x $3/bin/python; exit 0"
    python = project / "pretended"
    python.write_text(f'#!/bin/sh\n[ $1 != -m ] || {{ {made}; }}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").write_text("broken")
    (project / ".venv" / "left").touch()
    done = make("install", PYTHON=python)
    assert "anew" in done.stdout and not (project / ".venv" / "left").exists()
    if ends == "well":
        assert done.returncode == 0 and (project / ".venv" / ".installed").exists(), done.stderr
        assert "Installing" not in make("install", PYTHON=python).stdout
    else:
        assert done.returncode == 2 and "nothing is left of it" in done.stderr
        assert not (project / ".venv").exists()


@pytest.mark.skipif(shutil.which("flock") is None, reason="no flock on this machine")
def test_one_make_at_a_time(make, project):
    """A second one leaves alone what the first has not finished."""
    (project / ".venv").mkdir()
    with (project / "pyproject.toml").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = make("install", PYTHON=sys.executable)
    assert done.returncode == 2 and "another make is at work" in done.stderr and (project / ".venv").exists()


def test_what_works_stays_and_another_python_is_noticed(make, python, project):
    def stale(*asked):
        words = [str(project / ".ci" / "environment"), "stale", ".venv", *map(str, asked)]
        return subprocess.run(words, cwd=project, capture_output=True, text=True, check=True).stdout.strip()

    assert stale() == ""  # there is none yet
    folder = project / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    assert stale() == "stale"  # never finished, and has no pip
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "pip.py").touch()
    (folder / ".installed").touch()
    assert stale() == stale(sys.executable) == ""
    assert stale(python("sys.version_info = (3, 10, 1)")) == "stale"
    assert make("install").returncode == 0 and make("install", PYTHON=sys.executable).returncode == 0
    (folder / "bin" / "python").unlink()
    assert stale() == "stale"
