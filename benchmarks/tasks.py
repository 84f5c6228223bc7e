"""Tasks for the processes of a benchmark, each with those that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

__all__ = ["Task", "run_tasks"]


@dataclass(frozen=True)
class Task:
    """A call, and what can be done when it has ended.

    Attributes:
        call: the function, at a module's top level.
        arguments: of the call.
        then: tasks that need its result in some file.
    """

    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    then: Sequence[Task] = ()


def run_tasks(pool: Executor, tasks: Iterable[Task]) -> None:
    """Runs tasks and all that follow, in the order in which they can begin, and prints what they return, if anything.

    Raises:
        Exception: of the first task that failed; what has not begun by then is left out.
    """
    running: dict[Future[Any], Task] = {pool.submit(task.call, *task.arguments): task for task in tasks}
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                ended = running.pop(future)
                if (found := future.result()) is not None:
                    print(found, flush=True)
                running |= {pool.submit(task.call, *task.arguments): task for task in ended.then}
    finally:
        for future in running:
            future.cancel()
