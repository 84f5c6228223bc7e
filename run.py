"""Trains and evaluates one coder on one source at one lambda, or a sweep of them.

    python run.py lattice=leech lambda=2
    python run.py -m lattice=e8,leech lambda=0.5,1,2,4
    python run.py --cfg job

Only Hydra is imported here: torch, Lightning and the rest come when a job runs (``experiment.job``).
"""

from __future__ import annotations

import multiprocessing
import os

from experiment.interruption import end_on_signals, leave_at_once
from experiment.output import outlive_readers

if __name__ == "__main__":
    end_on_signals()  # before anything that takes time
    outlive_readers()

import hydra
from omegaconf import DictConfig

# Where other jobs take a core, threads that wait for each other by spinning make a step ten to fifty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import conf  # noqa: F401  (registers resolvers, and numbers as lambda)


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float | None:
    if multiprocessing.parent_process() is not None:
        end_on_signals(quiet=True)  # a launcher's worker
    from experiment.job import run_job

    return run_job(cfg)


if __name__ == "__main__":
    leave_at_once(main)
