"""Python processes that begin where their imports have ended.

A run of ``run.py`` takes seconds for imports and tenths of seconds for what a test asks of it. So a server, a process
that has imported all that runs import, forks for each of them: what follows is a whole process with its own arguments,
environment, folder, output, signals and exit code. Tests of what happens while Python starts take real processes.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]

# What runs import sooner or later.
_IMPORTS = (
    "conf",
    "experiment.job",
    "experiment.point_report",
    "experiment.pictures.rd_point",
    "experiment.report.page",
    "callbacks",
    "callbacks.image_evaluation",
    "callbacks.sweep_summary",
    "callbacks.sweep_progress",
    "datamodules",
    "ltc.codec.command",
    "ltc.images.networks",
    "ltc.training",
    "ltc.theory",
    "torchmetrics.image",
    "matplotlib.pyplot",
    "rich.table",
    "rich.progress",
)


class WarmPython:
    """The server's client. ``python.start(["run.py", "lattice=z"], …)`` is ``subprocess.Popen`` of a warm process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.warm_python", str(theirs.fileno())]
        files: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        self._server = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()], **files)
        theirs.close()
        self._socket = ours

    def start(
        self, arguments: list[str], cwd: Path, env: dict[str, str], stdin: Any, stdout: Any, stderr: Any
    ) -> WarmProcess:
        """A process with a session of its own.

        Args:
            arguments: of ``python``: a script, or ``-m`` and a module, and what follows.
            cwd: its folder.
            env: its environment.
            stdin: its files, with a ``fileno``.
            stdout: likewise.
            stderr: likewise.
        """
        ours, theirs = socket.socketpair()
        job = json.dumps({"arguments": list(map(str, arguments)), "cwd": str(cwd), "env": env}).encode()
        fds = array.array("i", [theirs.fileno(), stdin.fileno(), stdout.fileno(), stderr.fileno()])
        self._socket.sendmsg([len(job).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        self._socket.sendall(job)
        theirs.close()
        return WarmProcess(ours)

    def run(
        self, arguments: list[str], cwd: Path, env: dict[str, str], timeout: float = 280
    ) -> subprocess.CompletedProcess[str]:
        """``subprocess.run`` with captured text, and nothing to read; a process that takes longer is killed.

        Raises:
            subprocess.TimeoutExpired: if it does.
        """
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, open(os.devnull) as nothing:
            process = self.start(arguments, cwd, env, nothing, out, err)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            texts = [(file.seek(0), file.read())[1] for file in (out, err)]
        return subprocess.CompletedProcess(arguments, code, *texts)

    def stop(self) -> None:
        """Ends the server, when its last process has ended."""
        self._socket.close()
        self._server.wait(timeout=60)


class WarmProcess:
    """What of ``subprocess.Popen`` tests use."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.pid = int.from_bytes(_exactly(link, 4), "big")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, minus the signal that ended it; None while it runs."""
        if self.returncode is None and select.select([self._link], [], [], 0)[0]:
            self.returncode = int.from_bytes(_exactly(self._link, 4), "big", signed=True)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code.

        Raises:
            subprocess.TimeoutExpired: if it is not there in time.
        """
        if self.returncode is None and not select.select([self._link], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a warm process", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def _exactly(link: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = link.recv(count - len(data))
        if not part:
            raise EOFError("The server of warm processes has ended.")
        data += part
    return data


def _serve(link: socket.socket) -> list[str] | None:
    """Forks for each job; returns its arguments in the child, and None when there are no more jobs."""
    running: dict[int, socket.socket] = {}
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([link, wake_read], [], [])[0]
        if wake_read in ready:
            os.read(wake_read, 4096)
            for pid in list(running):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    code = os.waitstatus_to_exitcode(status)
                    with running.pop(pid) as end:
                        end.sendall(code.to_bytes(4, "big", signed=True))
        if link not in ready:
            continue
        fds = array.array("i")
        head, messages, _, _ = link.recvmsg(4, socket.CMSG_SPACE(4 * fds.itemsize))
        if not head:
            return None
        for _, _, data in messages:
            fds.frombytes(data)
        job = json.loads(_exactly(link, int.from_bytes(head, "big")))
        end = socket.socket(fileno=fds[0])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (link, end, *running.values()):
                other.close()
            os.close(wake_read)
            os.close(wake_write)
            _become(job, list(fds[1:]))
            return job["arguments"]
        running[pid] = end
        end.sendall(pid.to_bytes(4, "big"))
        for fd in fds[1:]:
            os.close(fd)


def _become(job: dict[str, Any], fds: list[int]) -> None:
    """Takes on a job's session, folder, environment and files."""
    os.setsid()
    # Tests that run in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)


def _run(arguments: list[str]) -> NoReturn:
    """What ``python arguments…`` does, without taking all that was imported to pieces at the end."""
    code = 0
    try:
        _run_main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _run_main(arguments: list[str]) -> None:
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = os.getcwd()
        sys.modules.pop(arguments[1], None)  # of which runpy would warn
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for _name in _IMPORTS:
        __import__(_name)
    gc.collect()
    gc.freeze()
    _arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    if _arguments is not None:
        _run(_arguments)
    os._exit(0)
