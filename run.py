"""Trains and evaluates one coder on one source at one lambda, or a sweep of them.

    python run.py lattice=leech lambda=2
    python run.py -m lattice=e8,leech lambda=0.5,1,2,4
    python run.py --cfg job

Only Hydra is imported here: torch, Lightning and the rest come when a job runs (``callbacks.experiment``).
"""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

import conf  # noqa: F401  (registers resolvers, and numbers as lambda)


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg: DictConfig) -> float | None:
    from callbacks.experiment import run_job

    return run_job(cfg)


if __name__ == "__main__":
    sys.exit(main())
