"""Tasks of a benchmark: none begins before what it waits for, all are run once, and a failure is not hidden."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.tasks import Task, run_tasks


@pytest.mark.parametrize("workers", [1, 3])
def test_none_begins_before_what_it_waits_for(workers, capsys):
    ended, lock = [], threading.Lock()

    def do(name):
        with lock:
            assert all(name[:at] in ended for at in range(1, len(name)))
            ended.append(name)
        return name if len(name) == 1 else None

    def tree(name, depth):
        return Task(do, (name,), [tree(name + letter, depth - 1) for letter in "xyz"] if depth else [])

    with ThreadPoolExecutor(workers) as pool:
        run_tasks(pool, [tree(letter, 2) for letter in "ab"])
    assert len(ended) == len(set(ended)) == 2 * (1 + 3 + 9)
    assert sorted(capsys.readouterr().out.split()) == ["a", "b"]


def test_a_failure_ends_it():
    def fail():
        raise OSError("disk is full")

    begun = []
    with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="disk is full"):
        run_tasks(pool, [Task(fail, (), [Task(begun.append, (1,))])])
    assert begun == []
