"""Processes that stand still for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from processes import Process, is_stopped
from waiting import eventually


@contextmanager
def stopped(*processes: Process) -> Iterator[None]:
    """Each is stopped with all its threads: after the signal alone, those that are not yet there may go on for a moment."""
    try:
        for process in processes:
            # One that is gone does nothing more, either.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGSTOP)
        eventually(lambda: all(is_stopped(process) for process in processes), "they have stopped")
        yield
    finally:
        for process in reversed(processes):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
