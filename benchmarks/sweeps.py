"""Sweeps: what killing them costs in figures (nothing), what launchers and callbacks cost in time.

python -m benchmarks.sweeps kills        # 20 kills at random moments of a sweep of 12 points
python -m benchmarks.sweeps launchers    # the smoke sweep of 8 points, one after another and by each launcher
python -m benchmarks.sweeps overhead     # the default run with and without callbacks
python -m benchmarks.sweeps              # all of it; writes docs/sweeps.md
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import pandas as pd

from benchmarks.provenance import provenance

_ROOT = Path(__file__).resolve().parent.parent

# Clocks, and the order in which columns came.
_CLOCKS = ("train_seconds", "calibration_seconds")

_POINTS = ["lattice=z,a2,e8", "lambda=0.5,1,2,4"]
_TWELVE = ["trainer=smoke", "trainer.max_steps=300", "logger=none", *_POINTS]
_EIGHT = ["--config-name", "smoke", "lambda=0.5,1,2,4", "logger=none"]

# One after another, lest a machine that is slow for a minute decides; what the figure is wanted of three times.
_TIMED = ["basic", "joblib"] * 3 + ["submitit_local", "ray"]


def main() -> None:
    parts = {"kills": kills, "launchers": launchers, "overhead": overhead}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=list(parts))
    parser.add_argument("--kills", type=int, default=20, help="how many kills")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments")
    arguments = parser.parse_args()
    chosen = [arguments.part] if arguments.part else list(parts)
    lines = ["# Sweeps, measured", "", f"Made by `python -m benchmarks.sweeps`; {provenance()}."]
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            lines += ["", *parts[name](Path(folder), arguments)]
        print("\n".join(lines[-4:]), flush=True)
    if not arguments.part:
        (_ROOT / "docs" / "sweeps.md").write_text("\n".join(lines) + "\n")


def command(folder: Path, *overrides: str) -> list[str]:
    """The command of a sweep into a folder."""
    return [sys.executable, "run.py", "-m", *overrides, f"hydra.sweep.dir={folder}"]


def start(words: list[str]) -> subprocess.Popen[bytes]:
    """A process that can be killed with all its children."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, cwd=_ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True)


def timed(words: list[str]) -> float:
    """Seconds of a command that must end well."""
    begin = time.perf_counter()
    if (code := start(words).wait()) != 0:
        raise RuntimeError(f"{' '.join(words)} ended with code {code}.")
    return time.perf_counter() - begin


def figures(folder: Path) -> pd.DataFrame:
    """The figures of a sweep without its clocks."""
    return pd.read_csv(folder / "rd_points.csv").drop(columns=list(_CLOCKS))


def whole_results(folder: Path) -> None:
    """Reads every result there is so far: none may be half written."""
    for path in (*folder.rglob("rd_point.json"), *folder.rglob("job.json"), *folder.rglob("error.json")):
        json.loads(path.read_text())
    for path in folder.rglob("*.png"):
        assert path.name.startswith(".part-") or path.read_bytes().endswith(b"IEND\xaeB`\x82"), path


def kills(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """Kills a sweep again and again, and compares it with an undisturbed one."""
    seed = random.SystemRandom().randrange(2**31) if arguments.seed is None else arguments.seed
    rng = random.Random(seed)
    whole = timed(command(folder / "whole", *_TWELVE))
    ends = sorted(path.stat().st_mtime for path in (folder / "whole").glob("*/job.json"))
    # The quickest point: were the moments later, a machine that is less busy by then would be done before them.
    each = min(after - before for before, after in pairwise(ends))
    begin = whole - (ends[-1] - ends[0])
    words, done, ended = command(folder / "killed", *_TWELVE), 0, []
    for _ in range(arguments.kills):
        process = start(words)
        try:
            if rng.random() < 0.8:
                _at_work(process, folder / "killed")
                process.wait(rng.uniform(0, 1.1 * each))
            else:
                process.wait(rng.uniform(0, begin))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        ended.append(_finished(folder / "killed"))
        whole_results(folder / "killed")
    last = timed(words)
    same = figures(folder / "whole").equals(figures(folder / "killed"))
    return [
        "## Kills: `python -m benchmarks.sweeps kills`",
        "",
        f"{done} SIGKILLs at random moments (seed {seed}) of a sweep of 12 points; points finished after each: "
        f"{', '.join(map(str, ended))}. Undisturbed {whole:.0f} s, last start {last:.0f} s. "
        f"Figures of all points {'equal to the last digit' if same else 'DIFFER'}.",
    ]


def _at_work(process: subprocess.Popen[bytes], folder: Path, patience: float = 300) -> None:
    """Waits until a sweep that has been started runs a job: on a busy machine that takes its time."""
    begin = time.time()
    while process.poll() is None and time.time() - begin < patience:
        if any(path.stat().st_mtime >= begin for path in folder.glob("*/job.json")):
            return
        time.sleep(0.02)


def _finished(folder: Path) -> int:
    return sum(json.loads(path.read_text())["state"] == "finished" for path in folder.glob("*/job.json"))


def launchers(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """The smoke sweep by each launcher that is installed: time and figures."""
    lines = [
        "## Launchers: `python -m benchmarks.sweeps launchers`",
        "",
        f"The smoke sweep of 8 points on {os.cpu_count()} cores: `python run.py -m {' '.join(_EIGHT)}`; "
        "`basic` is Hydra's own launcher, one job after another.",
        "",
        "| launcher | seconds: median (each) | speed-up | figures |",
        "| --- | --- | --- | --- |",
    ]
    seconds: dict[str, list[float]] = {}
    for name in _TIMED:
        more = [f"hydra.sweeper.max_batch_size={os.cpu_count()}"] if name == "submitit_local" else []
        job = folder / f"{len(seconds.setdefault(name, []))}_{name}"
        try:
            seconds[name].append(timed(command(job, *_EIGHT, f"hydra/launcher={name}", *more)))
        except RuntimeError as error:
            lines.append(f"| {name} | not installed, or failed: {error} | | |")
            del seconds[name]
    alone = statistics.median(seconds["basic"])
    for name, found in seconds.items():
        same = all(figures(folder / "0_basic").equals(figures(job)) for job in folder.glob(f"*_{name}"))
        took = statistics.median(found)
        each = ", ".join(f"{t:.1f}" for t in found)
        lines.append(f"| {name} | {took:.1f} ({each}) | {alone / took:.2f} | {'equal' if same else 'DIFFER'} |")
    return lines


def overhead(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """Processor time of all callbacks together in the training of the default run."""
    words = [sys.executable, "-m", "benchmarks.callback_time", f"hydra.run.dir={folder}/run"]
    done = subprocess.run(words, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True)
    times = json.loads(done.stdout.splitlines()[-1])
    rest = times["training"] - times["callbacks"]
    return [
        "## Callbacks: `python -m benchmarks.sweeps overhead`",
        "",
        f"In the {rest:.1f} s of processor time of the default run's training steps, all callbacks together take "
        f"{times['callbacks']:.2f} s, {100 * times['callbacks'] / rest:.1f} % on top of them; "
        f"{times['saving']:.2f} s of it is writing checkpoints.",
    ]


if __name__ == "__main__":
    main()
