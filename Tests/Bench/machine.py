"""The machine that is measured on, and how much of it others were using meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import time
from typing import Any


def describe() -> dict[str, Any]:
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cores": len(os.sched_getaffinity(0)), "processor": model, "kernel": platform.release()}


class Others:
    """What share of the machine's processors went to anybody but the benchmark.

    Complete only once everything that the benchmark started has ended.
    """

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._busy = self._busy_seconds()
        self._own = self._own_seconds()

    def share(self) -> float:
        """From 0 to 1."""
        capacity = (time.monotonic() - self._begun) * (os.cpu_count() or 1)
        others = self._busy_seconds() - self._busy - (self._own_seconds() - self._own)
        return min(1.0, max(0.0, others / capacity))

    @staticmethod
    def _busy_seconds() -> float:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own_seconds() -> float:
        own = 0.0
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return own
