"""Waiting for what must come, and holding times against limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: How long a test waits for something that must come but that no paper gives a time for (seconds).
PATIENCE = 10.0

T = TypeVar("T")


def eventually(ask: Callable[[], T | None], what: str, within: float = PATIENCE) -> T:
    """Asks until the answer is neither None nor False. For what can only be asked, never for what can be awaited."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.01)


def best_of(attempts: int, limit: float, measure: Callable[[], float]) -> None:
    """Holds a measured time (seconds) against a limit that the design gives.

    A machine that builds something else at the same time can make any single measurement late, and none early: the best
    of a few tells what the program does. Each attempt has to start afresh.
    """
    measured: list[float] = []
    for _ in range(attempts):
        measured.append(measure())
        if measured[-1] <= limit:
            return
    raise AssertionError(f"never within {limit:g} s: " + ", ".join(f"{seconds:.3f}" for seconds in measured))
