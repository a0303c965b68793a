"""Waiting for what must come, and holding times against limits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sized
from typing import TypeVar

from processes import processor_seconds

#: How long a test waits for something that must come (seconds). A net and no measure: what is right comes at once, and
#: on a machine that is busy with other things late. It decides only when a test has failed.
PATIENCE = 60.0
#: How long a list of a bridge waits for servers that start (`listWait`): several of Python's at once, on a machine that is
#: busy with other things, and shorter than a test waits for the list (seconds).
START = 50.0
#: A machine is busy with other things when they had this share of its processors.
BUSY = 0.2
#: So many times longer may take on a busy machine what the design gives a time for.
BUSY_FACTOR = 10.0

T = TypeVar("T")


def eventually(ask: Callable[[], T | None], what: str, within: float = PATIENCE) -> T:
    """Asks until the answer is none of None, False and what is empty. For what can only be asked, never for what can be awaited."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer is not None and answer is not False and not (isinstance(answer, Sized) and len(answer) == 0):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.01)


class Elsewhere:
    """What share of the machine's processors went to others than this process and all below it."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._all, self._own = machine_seconds(), processor_seconds(os.getpid())

    def share(self) -> float:
        """From 0 to 1, since it was made."""
        capacity = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        others = machine_seconds() - self._all - (processor_seconds(os.getpid()) - self._own)
        return min(1.0, max(0.0, others / capacity)) if capacity > 0 else 0.0


def machine_seconds() -> float:
    """Processor time that anybody has used since the boot, or that was taken from the machine."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def best_of(attempts: int, limit: float, measure: Callable[[], float]) -> None:
    """Holds a measured time (seconds) against a limit that the design gives.

    A machine that does something else at the same time can make any measurement late, and none early: the best of a few
    tells what the program does. Each attempt has to start afresh. While others use much of the processors, not even the
    best tells it; then the limit is only a net.
    """
    elsewhere, measured = Elsewhere(), list[float]()
    for _ in range(attempts):
        measured.append(measure())
        if measured[-1] <= limit:
            return
    share = elsewhere.share()
    if share > BUSY and min(measured) <= BUSY_FACTOR * limit:
        return
    told = ", ".join(f"{seconds:.3f}" for seconds in measured)
    raise AssertionError(f"never within {limit:g} s: {told}; others used {share:.0%} of the machine")
