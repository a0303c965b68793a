"""What the bridge is meant to reach on two cores that generator, bridge and upstream share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

#: What allocators and caches may still take once warm, in MiB. A kept session would cost several times that.
SLACK = 2.0


@dataclass(frozen=True)
class Verdict:
    what: str
    #: Nothing when the measurement it rests on failed.
    met: bool | None
    found: str
    wanted: str

    @property
    def word(self) -> str:
        return {True: "met", False: "MISSED", None: "no figure"}[self.met]


@dataclass(frozen=True)
class Target:
    what: str
    #: Looks the figure up in the results.
    find: Callable[[dict[str, Any]], float]
    limit: float
    unit: str
    #: Whether more is better.
    at_least: bool = False
    digits: int = 0

    def judge(self, results: dict[str, Any]) -> Verdict:
        wanted = f"{'≥' if self.at_least else '≤'} {self._write(self.limit)}"
        try:
            value = self.find(results)
        except KeyError:
            return Verdict(self.what, None, "-", wanted)
        met = value >= self.limit if self.at_least else value <= self.limit
        return Verdict(self.what, met, self._write(value), wanted)

    def _write(self, value: float) -> str:
        return f"{value:,.{self.digits}f}{self.unit}"


TARGETS = [
    Target("added p50 at 1 connection", lambda all: all["calls"]["1"]["added p50"], 250, " µs"),
    Target("calls at 16 connections", lambda all: all["calls"]["16"]["bridge"]["rate"], 12_000, "/s", at_least=True),
    Target("CPU per call at 16 connections", lambda all: all["calls"]["16"]["bridge"]["cpu"], 100, " µs"),
    Target("idle memory (PSS)", lambda all: all["memory"]["idle"], 60, " MiB"),
    Target("cold start to first answer", lambda all: all["starts"]["bridge"]["median"], 300, " ms"),
    Target("tools/list of 10,000 to direct", lambda all: all["lists"]["10000"]["p50 ratio"], 5, " x", digits=2),
    Target(
        "calls/s with capabilities to without",
        lambda all: all["capabilities"]["rate ratio"], 0.9, " x", at_least=True, digits=2,
    ),
    Target("CPU with capabilities to without", lambda all: all["capabilities"]["cpu ratio"], 1.1, " x", digits=2),
    Target("growth by 100,000 calls", lambda all: all["memory"]["calls"]["growth"], SLACK, " MiB", digits=1),
    Target("growth by 10,000 sessions", lambda all: all["memory"]["sessions"]["growth"], SLACK, " MiB", digits=1),
]


def judge(results: dict[str, Any]) -> Iterator[Verdict]:
    for target in TARGETS:
        yield target.judge(results)
