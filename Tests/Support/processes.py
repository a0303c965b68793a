"""Looking at processes through /proc and pidfds, without owning them."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import select
import time
from dataclasses import dataclass

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one with the same pid by its start time (clock ticks since boot)."""

    pid: int
    started: int
    command: tuple[str, ...]

    @property
    def label(self) -> str:
        """`supervisor`, `http`, `session`, `upstream NAME`, or the command of a child."""
        match self.command:
            case [_, "worker", "upstream", name, *_]:
                return f"upstream {name}"
            case [_, "worker", kind, *_]:
                return kind
            case [_, "serve", *_]:
                return "supervisor"
            case _:
                return " ".join(self.command)


def look_up(pid: int) -> Process | None:
    """The process with this pid, unless there is none or it is a zombie."""
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = tuple(part.decode(errors="replace") for part in file.read().split(b"\0")[:-1])
    except OSError:
        return None
    return Process(pid, int(fields[19]), command)


def is_alive(process: Process) -> bool:
    found = look_up(process.pid)
    return found is not None and found.started == process.started


def is_stopped(process: Process) -> bool:
    """Whether a signal has stopped it, or it has ended: until then any thread may still be in the middle of something."""
    try:
        threads = os.listdir(f"/proc/{process.pid}/task")
    except OSError:
        return True
    states = [_stat(f"{process.pid}/task/{thread}") for thread in threads]
    return all(fields is None or fields[0] in "TZX" for fields in states)


def children(pid: int) -> list[Process]:
    return [process for process in map(look_up, _children_by_parent().get(pid, [])) if process is not None]


def descendants(pid: int) -> list[Process]:
    """Every living process below `pid`, parents before their children."""
    by_parent = _children_by_parent()
    found: list[Process] = []
    waiting = list(by_parent.get(pid, []))
    while waiting:
        current = waiting.pop(0)
        waiting += by_parent.get(current, [])
        process = look_up(current)
        if process is not None:
            found.append(process)
    return found


def processor_seconds(pid: int) -> float:
    """Processor time of a process and of everything below it, those that have ended and been waited for included."""
    by_parent = _children_by_parent()
    ticks, waiting = 0, [pid]
    while waiting:
        current = waiting.pop()
        waiting += by_parent.get(current, [])
        if (fields := _stat(current)) is not None:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


class ProcessWatch:
    """Waits for processes to end, by pidfd: exact, and without asking again and again."""

    def __init__(self, processes: list[Process]) -> None:
        self._open: dict[int, Process] = {}
        self._poll = select.poll()
        for process in processes:
            try:
                descriptor = os.pidfd_open(process.pid)
            except ProcessLookupError:
                continue
            if not is_alive(process):
                os.close(descriptor)
                continue
            self._open[descriptor] = process
            self._poll.register(descriptor, select.POLLIN)

    def __enter__(self) -> ProcessWatch:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()

    @property
    def alive(self) -> list[Process]:
        return list(self._open.values())

    def wait_until_all_ended(self, within: float) -> bool:
        """Whether all of them ended in time (seconds)."""
        deadline = time.monotonic() + within
        while self._open and (left := deadline - time.monotonic()) > 0:
            self._take_ended(left)
        return not self._open

    def wait_until_one_ended(self, within: float) -> Process | None:
        """The first one to end, or nothing when all lived through the whole time (seconds)."""
        ended = self._take_ended(within)
        return ended[0] if ended else None

    def _take_ended(self, within: float) -> list[Process]:
        ended: list[Process] = []
        for descriptor, _ in self._poll.poll(max(0.0, within) * 1000):
            self._poll.unregister(descriptor)
            os.close(descriptor)
            ended.append(self._open.pop(descriptor))
        return ended


def adopt_orphans() -> None:
    """Makes this process the one that orphans below it are given to, so that a test can find and end them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def allow_many_descriptors() -> None:
    """Raises the soft limit, which the daemon inherits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def reap(pid: int) -> None:
    """Collects one ended child of ours, if it is that."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except OSError as error:
        if error.errno != errno.ECHILD:
            raise


def _stat(pid: int | str) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (state) on, of a process or of one of its threads."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def _children_by_parent() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))) is not None:
            found.setdefault(int(fields[1]), []).append(int(entry))
    return found
