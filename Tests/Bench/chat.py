"""Chat completions through the bridge: of its sandbox, and of a client that lends its model."""

from __future__ import annotations

from typing import Any

import granted
import lending
from load import Generator, Load, Run, median, median_of
from rig import Bridge, Direct

PATH = "/v1/chat/completions"


def of_sandbox(generator: Generator, direct: Direct, bridge: Bridge, load: Load, rounds: int) -> dict[str, Any]:
    """Beside a server that has its answer ready: whole ones at 1 and 16 connections, and streams, at one."""
    shown = (granted.field(granted.create(bridge, "bench", "--scope", "chat", "--sandbox")),)
    found: dict[str, Any] = {}
    for key, how in (
        ("1", load.of(path=PATH, mode="chat")),
        ("16", load.of(path=PATH, mode="chat", connections=16)),
        ("stream", load.of(path=PATH, mode="chatstream")),
    ):
        plain, bridged = generator.alternate([(direct, how), (bridge, how.of(fields=shown))], rounds)
        found[key] = {
            "direct": _figures(plain),
            "bridge": _figures(bridged),
            "added p50": median(b.p50 - a.p50 for a, b in zip(plain, bridged, strict=True)),
            "p50 ratio": median(b.p50 / a.p50 for a, b in zip(plain, bridged, strict=True)),
            "rate ratio": median(b.rate / a.rate for a, b in zip(plain, bridged, strict=True)),
            "first byte ratio": median(b.first / a.first for a, b in zip(plain, bridged, strict=True)),
        }
    return found


def of_client(generator: Generator, bridge: Bridge, load: Load, rounds: int) -> dict[str, Any]:
    """One after the other, beside what the client itself took for each."""
    shown = (granted.field(granted.create(bridge, "bench lent", "--scope", "chat")),)
    through, own = [], []
    with lending.Lender(bridge) as client:
        for _ in range(rounds):
            client.taken()
            through.append(generator.run(bridge, load.of(path=PATH, mode="chat", fields=shown, model=lending.MODEL)))
            own.append(median(client.taken()))
    return {
        "own": median(own),
        "p50": median_of(through, lambda run: run.p50),
        "added p50": median(run.p50 - each for run, each in zip(through, own, strict=True)),
    }


def _figures(runs: list[Run]) -> dict[str, Any]:
    return {
        "rate": median_of(runs, lambda run: run.rate),
        "p50": median_of(runs, lambda run: run.p50),
        "p99": median_of(runs, lambda run: run.p99),
        "first byte": median_of(runs, lambda run: run.first),
        "cpu": median_of(runs, lambda run: run.bridge_cpu),
    }
