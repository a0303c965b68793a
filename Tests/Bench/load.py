"""Runs of the load generator, and what is made of several of them."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rig import Bridge, Server, Unmeasurable, end_with_parent


@dataclass(frozen=True)
class Run:
    """One run. Times in microseconds."""

    calls: int
    rate: float
    p50: float
    p99: float
    #: Until the first byte of what was answered, by the half of them.
    first: float
    #: CPU per call of each process of the server, by what it is.
    cpu: dict[str, float]
    #: How often each of them was given a processor, per call.
    switches: dict[str, float]
    #: PSS right after the last call, in MiB.
    memory: dict[str, float]

    @property
    def bridge_cpu(self) -> float:
        """CPU per call of all the bridge's own processes."""
        return sum(value for role, value in self.cpu.items() if role != "child")

    @property
    def bridge_memory(self) -> float:
        return sum(value for role, value in self.memory.items() if role != "child")


@dataclass(frozen=True)
class Load:
    """How to call: `seconds` long, or `requests` many."""

    connections: int = 1
    seconds: float = 1.0
    warm_up: float = 0.1
    requests: int = 0
    size: int = 100
    mode: str = "call"
    capabilities: str = "{}"
    #: Further lines of each request's head.
    fields: tuple[str, ...] = ()
    path: str = "/mcp"
    #: Whom chats ask.
    model: str = "gpt-4o-mini"

    def of(self, **how: Any) -> Self:
        """The same, but for these."""
        return replace(self, **how)

    def arguments(self) -> list[str]:
        length = ["-n", self.requests] if self.requests else ["-d", self.seconds, "-w", self.warm_up]
        values = ["-c", self.connections, "-s", self.size, "-m", self.mode, "-C", self.capabilities, *length]
        values += ["--model", self.model]
        values += [value for field in self.fields for value in ("-H", field)]
        return [str(value) for value in values]

    @property
    def limit(self) -> float:
        """Seconds after which the run is given up."""
        return 180 if self.requests else self.seconds + self.warm_up + 60


class Generator:
    def __init__(self, programs: Path) -> None:
        self._program = programs / "mcpload"

    def run(self, server: Server, load: Load) -> Run:
        command = [str(self._program), "-u", server.address(load.path), "-t", server.tool, "--pid", str(server.pid), "--json"]
        command += [] if server.verify else ["--no-verify"]
        roles = server.roles() if isinstance(server, Bridge) else {server.pid: "direct"}
        try:
            done = subprocess.run(
                [*command, *load.arguments()],
                capture_output=True,
                timeout=load.limit,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        except subprocess.TimeoutExpired:
            raise Unmeasurable(f"the load did not end within {load.limit:.0f} s") from None
        server.check()
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise Unmeasurable(f"the load generator said {done.stderr[-200:]!r}") from None
        if report["errors"] or not report["ok"]:
            raise Unmeasurable(f"{report['err']} calls failed: {report['errors'][:300]}")
        return self._read(report, roles, server.memory() if isinstance(server, Bridge) else None)

    @staticmethod
    def _read(report: dict[str, Any], roles: dict[int, str], memory: dict[str, float] | None) -> Run:
        """One run; a bridge has told its memory itself, that of others the generator has seen."""

        def by_role(key: str) -> dict[str, float]:
            return {roles.get(each["pid"], "child"): float(each[key]) for each in report["procs"]}

        return Run(
            calls=report["ok"],
            rate=report["rps"],
            p50=report["p50_us"],
            p99=report["p99_us"],
            first=report["ttft_p50_us"],
            cpu=by_role("cpu_us_per_req"),
            switches=by_role("switches_per_req"),
            memory=memory or by_role("pss_mb"),
        )

    def alternate(self, pairs: Sequence[tuple[Server, Load]], rounds: int) -> list[list[Run]]:
        """A/B/A/B: the runs of each, round by round, so that what the machine does otherwise meets all alike."""
        found: list[list[Run]] = [[] for _ in pairs]
        for _ in range(rounds):
            for runs, (server, load) in zip(found, pairs, strict=True):
                runs.append(self.run(server, load))
        return found


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def median_of(runs: Sequence[Run], value: Callable[[Run], float]) -> float:
    return median(value(run) for run in runs)


def median_by_role(runs: Sequence[Run], value: Callable[[Run], dict[str, float]]) -> dict[str, float]:
    roles = {role: None for run in runs for role in value(run)}
    return {role: median(value(run).get(role, 0.0) for run in runs) for role in roles}
