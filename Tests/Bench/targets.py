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
    #: The measurement it is about.
    section: str
    #: Looks the figure up in that measurement's results.
    find: Callable[[dict[str, Any]], float]
    limit: float
    unit: str
    #: Whether more is better.
    at_least: bool = False
    digits: int = 0

    def judge(self, results: dict[str, Any]) -> Verdict:
        wanted = f"{'≥' if self.at_least else '≤'} {self._write(self.limit)}"
        try:
            value = self.find(results[self.section])
        except KeyError:
            return Verdict(self.what, None, "-", wanted)
        met = value >= self.limit if self.at_least else value <= self.limit
        return Verdict(self.what, met, self._write(value), wanted)

    def _write(self, value: float) -> str:
        return f"{value:,.{self.digits}f}{self.unit}"


TARGETS = [
    Target("added p50 at 1 connection", "calls", lambda all: all["1"]["added p50"], 250, " µs"),
    Target("calls at 16 connections", "calls", lambda all: all["16"]["bridge"]["rate"], 12_000, "/s", at_least=True),
    Target("CPU per call at 16 connections", "calls", lambda all: all["16"]["bridge"]["cpu"], 100, " µs"),
    Target("idle memory (PSS)", "memory", lambda all: all["idle"], 60, " MiB"),
    Target("cold start to first answer", "starts", lambda all: all["bridge"]["median"], 300, " ms"),
    Target("tools/list of 10,000 to direct", "lists", lambda all: all["10000"]["p50 ratio"], 5, " x", digits=2),
    Target(
        "calls/s with capabilities to without", "capabilities", lambda all: all["rate ratio"], 0.9, " x",
        at_least=True, digits=2,
    ),
    Target("CPU with capabilities to without", "capabilities", lambda all: all["cpu ratio"], 1.1, " x", digits=2),
    Target(
        "calls/s with a token and audit rows to without", "tokens", lambda all: all["rate ratio"], 0.9, " x",
        at_least=True, digits=2,
    ),
    Target("p50 with one of 10,000 tokens to the only one", "tokens", lambda all: all["p50 ratio"], 1.02, " x", digits=2),
    Target("chat of the sandbox: added p50 at 1 connection", "chat", lambda all: all["1"]["added p50"], 200, " µs"),
    Target(
        "chat of the sandbox: requests at 16 connections", "chat", lambda all: all["16"]["bridge"]["rate"], 12_000, "/s",
        at_least=True,
    ),
    Target("chat of the sandbox: first streamed byte", "chat", lambda all: all["stream"]["bridge"]["first byte"], 300, " µs"),
    Target("chat through a client: beyond its own time", "chat", lambda all: all["lent"]["added p50"], 400, " µs"),
    Target(
        "front's allocations beyond bare NIO", "bare",
        lambda all: all["allocations"]["front"] - all["allocations"]["bare"], 6, "", digits=1,
    ),
    Target("idle connection, never asked", "bare", lambda all: all["memory"]["front"]["never asked"], 9, " KiB", digits=1),
    Target("idle connection after a call", "bare", lambda all: all["memory"]["front"]["after a call"], 14, " KiB", digits=1),
    Target("server over HTTP: added p50 to stdio", "http", lambda all: all["1"]["added p50"], 80, " µs"),
    Target(
        "server over HTTP: calls/s at 16 to stdio", "http", lambda all: all["16"]["rate ratio"], 0.5, " x",
        at_least=True, digits=2,
    ),
    Target(
        "server over HTTP: CPU of its worker to the library alone", "http", lambda all: all["16"]["cpu ratio"], 1.3, " x",
        digits=2,
    ),
    # Two runs of one and the same are as far apart, at most.
    Target(
        "server over HTTP, signed in: calls/s to without, and the spread", "http",
        lambda all: all["signed in"]["rate"]["ratio"] + all["signed in"]["rate"]["spread"], 1, " x", at_least=True, digits=2,
    ),
    Target(
        "server over HTTP, signed in: CPU to without, less the spread", "http",
        lambda all: all["signed in"]["cpu"]["ratio"] - all["signed in"]["cpu"]["spread"], 1, " x", digits=2,
    ),
    Target("growth by 100,000 calls", "memory", lambda all: all["calls"]["growth"], SLACK, " MiB", digits=1),
    Target("growth by 10,000 sessions", "memory", lambda all: all["sessions"]["growth"], SLACK, " MiB", digits=1),
]


def judge(results: dict[str, Any]) -> Iterator[Verdict]:
    """Of the targets whose measurement was asked for."""
    for target in TARGETS:
        if target.section in results["asked"]:
            yield target.judge(results)
