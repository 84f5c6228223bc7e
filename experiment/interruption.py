"""What SIGTERM, SIGINT and SIGHUP do: one line, the shell's exit code (143, 130, 129), and nothing half written.

An exception out of a signal handler is at the mercy of whoever catches it: Lightning makes exit code 1 of a
KeyboardInterrupt, forgets SIGTERM in a calibration and makes 0 of it elsewhere, libraries print tracebacks. Here all
that is left to do is done in the handler, and then the process is gone, as by SIGKILL, which a job survives at any
moment: files are written under temporary names, and training goes on from its checkpoints.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

__all__ = [
    "add_action",
    "end_on_signals",
    "end_processes",
    "goes_on_in",
    "keep_signals",
    "leave_at_once",
    "on_interruption",
    "remove_parts",
]

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)

# What is left to do, last to first.
_actions: list[Callable[[], Any]] = []

# How the command has to be completed to go on, where its folder is named by the clock.
_more: list[str] = []


def end_on_signals(quiet: bool = False) -> None:
    """Lets these signals end this process from now on; those that it ignores (nohup, a background job) stay ignored.

    Args:
        quiet: whether another process has the word: of workers, and of the further processes of a job.
    """
    quiet = quiet or any(os.environ.get(name, "0") != "0" for name in ("LOCAL_RANK", "RANK", "SLURM_PROCID"))

    def end(number: int, frame: Any) -> None:
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        if not quiet:
            _speak()
        for action in reversed(_actions):
            with contextlib.suppress(Exception):
                action()
        os._exit(128 + number)

    for number in _SIGNALS:
        if signal.getsignal(number) in _DEFAULTS:
            signal.signal(number, end)


def add_action(action: Callable[[], Any]) -> None:
    """Has something done if this process is interrupted from now on."""
    _actions.append(action)


@contextlib.contextmanager
def on_interruption(action: Callable[[], Any]) -> Iterator[None]:
    """Has something done if the block is interrupted by a signal. It must not need what the block may be holding."""
    add_action(action)
    try:
        yield
    finally:
        _actions.remove(action)


def goes_on_in(option: str) -> None:
    """Says what the same command needs to go on, ``hydra.run.dir=outputs/…``; nothing if it is empty."""
    _more[:] = [option] if option else []


def keep_signals(register: Callable[[], Any]) -> Callable[[], Any]:
    """A function that installs handlers of its own, less those for signals that end this process already.

    Lightning's would wait for the other processes of a job, which have been told to end, too.
    """

    def registers() -> None:
        ours = {n: signal.getsignal(n) for n in _SIGNALS}
        register()
        for number, handler in ours.items():
            if getattr(handler, "__module__", None) == __name__:
                signal.signal(number, handler)

    return registers


def end_processes(processes: Any, patience: float = 10.0) -> None:
    """Ends other processes: by SIGTERM, and those that are not gone in time by SIGKILL.

    Args:
        processes: of ``multiprocessing`` or ``subprocess``.
        patience: seconds.
    """
    processes, end = list(processes), time.monotonic() + patience
    for process in processes:
        with contextlib.suppress(OSError, ValueError):
            process.terminate()
    while any(map(_runs, processes)):
        time.sleep(0.02)
        if time.monotonic() > end:
            for process in processes:
                with contextlib.suppress(OSError, ValueError):
                    process.kill()
            return


def leave_at_once(main: Callable[[], Any]) -> NoReturn:
    """Calls a program's main function, and ends the process when all is done that is to be done at its exit.

    The interpreter would then unload torch and all the rest piece by piece, with its own handlers of signals.

    Args:
        main: returns an exit code, or None.
    """
    code = 1

    def leave() -> None:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)

    atexit.register(leave)  # before anybody else's that come with a job: the last one to be called
    try:
        sys.exit(main())
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


def remove_parts(folder: Path, deep: bool = True) -> None:
    """Removes files that were being written when their process ended.

    Args:
        folder: where.
        deep: whether in all folders below, too.
    """
    for path in folder.rglob(".part-*") if deep else folder.glob(".part-*"):
        path.unlink(missing_ok=True)


def _runs(process: Any) -> bool:
    try:
        return process.poll() is None if hasattr(process, "poll") else process.is_alive()
    except Exception:  # whoever else waited for it was first
        return False


def _speak() -> None:
    line = "interrupted; the same command goes on" + "".join(f" with {option}" for option in _more)
    with contextlib.suppress(Exception):  # another thread, or this one, may be writing
        sys.stdout.flush()
    with contextlib.suppress(Exception):
        # A bar or a live table has hidden the cursor.
        before = "\x1b[?25h\n" if sys.stderr.isatty() else ""
        os.write(2, f"{before}{line}\n".encode())
