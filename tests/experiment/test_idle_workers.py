"""Workers that have nothing left to do."""

import subprocess
import sys

_SWEEP = """
import os, time
from pathlib import Path
from joblib import Parallel, delayed
from experiment.sweep.idle_workers import end_idle_workers, worker_processes

end_idle_workers()  # there are none yet: nothing happens
workers = set(Parallel(n_jobs=2, backend="loky")(delayed(os.getpid)() for _ in range(8)))
alive = lambda: sum(Path(f"/proc/{worker}").exists() for worker in workers)
before = alive()
assert {process.pid for process in worker_processes()} >= workers
end_idle_workers()
print(len(workers), before, alive())
"""


def test_they_end_at_once_and_silently():
    done = subprocess.run([sys.executable, "-c", _SWEEP], capture_output=True, text=True, check=True)
    workers, before, after = map(int, done.stdout.split())
    assert workers == before >= 1 and after == 0 and not done.stderr
