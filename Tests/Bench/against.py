"""Two builds of the bridge, measured alternately: that one, this one, that one, this one, and so on.

A run of a measurement starts bridges of its own, so that each run is as independent of the others as it can be. One run
of that build comes before all the others and one after them: these two show how far apart runs of the same build are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bare
from allocations import CountedBridge, Counter, per_call
from load import Generator, Load, Run, median, median_by_role
from measures import CAPABILITIES, Plan
from rig import Bridge, Direct, Unmeasurable, answer_first_call, settle
from verdicts import Comparison, Kind

#: What a single run of a measurement found, by row.
Found = dict[str, tuple[Kind, float]]
CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True)
class Build:
    name: str
    binary: Path


@dataclass
class Against:
    that: Build
    this: Build
    programs: Path
    plan: Plan
    say: Callable[[str], None]
    #: What there is no figure of, and why.
    failed: dict[str, str] = field(default_factory=dict)
    rows: list[Comparison] = field(default_factory=list)
    #: CPU per call in µs of each process: connections, then build, then process.
    cpu: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)
    #: The same for allocations.
    allocations: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)
    #: Those of a bare NIOHTTP1 server, by connections.
    bare_allocations: dict[int, float] = field(default_factory=dict)
    #: How long each measurement took.
    seconds: dict[str, float] = field(default_factory=dict)
    #: Why allocations are not known, where they are not.
    uncounted: str | None = None
    _runs: dict[tuple[int, str], list[Run]] = field(default_factory=dict)

    @property
    def generator(self) -> Generator:
        return Generator(self.programs)

    def compare(self, names: list[str]) -> None:
        for name in names:
            begun = time.monotonic()
            try:
                self._alternate(name)
            except (Unmeasurable, OSError) as error:
                self.failed[name] = str(error) or repr(error)
            self.seconds[name] = time.monotonic() - begun
        if "calls" in names:
            begun = time.monotonic()
            for (connections, build), runs in self._runs.items():
                found = median_by_role(runs, lambda run: run.cpu)
                self.cpu.setdefault(connections, {})[build] = found
            self._count_allocations()
            self.seconds["allocations"] = time.monotonic() - begun

    def _alternate(self, name: str) -> None:
        """Runs the measurement with this name for both builds, and keeps a row for each figure that both have."""
        runs: dict[str, list[Found]] = {"that": [], "this": [], "same": []}
        order = ["same", *["that", "this"] * self.plan.rounds, "same"]
        for number, which in enumerate(order, 1):
            build = self.this if which == "this" else self.that
            self.say(f"{name}: {build.name}, run {number} of {len(order)}")
            try:
                runs[which].append(getattr(self, name)(build))
            except (Unmeasurable, OSError) as error:
                raise Unmeasurable(f"{build.name}: {error or repr(error)}") from error
        for title, (kind, _) in runs["that"][0].items():
            found = {which: [each[title][1] for each in those] for which, those in runs.items()}
            self.rows.append(Comparison(title, kind, **found))

    def _bridge(self, build: Build, tools: int = 1) -> Bridge:
        return Bridge(build.binary, self.programs, tools)

    def _load(self, **how: Any) -> Load:
        return Load(seconds=self.plan.seconds, requests=self.plan.requests, **how)

    def _warm(self, *servers: Bridge | Direct) -> None:
        for server in servers:
            self.generator.run(server, Load(connections=16, requests=self.plan.warm_calls))

    # The measurements, one run each

    def calls(self, build: Build) -> Found:
        found: Found = {}
        with self._bridge(build) as bridge, Direct(self.programs) as direct:
            self._warm(bridge, direct)
            for connections in CONNECTIONS:
                load = self._load(connections=connections)
                plain = self.generator.run(direct, load)
                run = self.generator.run(bridge, load)
                self._runs.setdefault((connections, build.name), []).append(run)
                title = plural(connections)
                found[f"{title}: p50"] = Kind.MICROSECONDS, run.p50
                found[f"{title}: calls"] = Kind.RATE, run.rate
                found[f"{title}: CPU per call"] = Kind.MICROSECONDS, run.bridge_cpu
                if connections == 1:
                    found[f"{title}: p50 beyond direct calls"] = Kind.MICROSECONDS, run.p50 - plain.p50
                else:
                    found[f"{title}: p99/p50"] = Kind.RATIO, run.p99 / run.p50
                    to_direct = run.p99 / run.p50 / (plain.p99 / plain.p50)
                    found[f"{title}: p99/p50, to that of direct calls"] = Kind.RATIO, to_direct
        return found

    def sizes(self, build: Build) -> Found:
        found: Found = {}
        with self._bridge(build) as bridge:
            self._warm(bridge)
            for size in (100, 10_000, 1_000_000):
                for connections in (1, 8):
                    run = self.generator.run(bridge, self._load(connections=connections, size=size))
                    title = f"{size:,} bytes, {plural(connections)}"
                    found[f"{title}: p50"] = Kind.MICROSECONDS, run.p50
                    found[f"{title}: calls"] = Kind.RATE, run.rate
                    found[f"{title}: CPU per call"] = Kind.MICROSECONDS, run.bridge_cpu
        return found

    def lists(self, build: Build) -> Found:
        found: Found = {}
        for tools in (10, 1_000, 10_000):
            with self._bridge(build, tools) as bridge:
                run = self.generator.run(bridge, self._load(mode="list"))
                found[f"tools/list of {tools:,}: p50"] = Kind.MICROSECONDS, run.p50
        return found

    def capabilities(self, build: Build) -> Found:
        with self._bridge(build) as bridge:
            self._warm(bridge)
            run = self.generator.run(bridge, self._load(connections=16, capabilities=CAPABILITIES))
        return {
            "callers that declare capabilities: calls": (Kind.RATE, run.rate),
            "callers that declare capabilities: CPU per call": (Kind.MICROSECONDS, run.bridge_cpu),
        }

    def starts(self, build: Build) -> Found:
        fresh = []
        for _ in range(self.plan.starts):
            bridge = self._bridge(build)
            try:
                fresh.append(_start(bridge))
            finally:
                bridge.__exit__()
        warm = []
        with self._bridge(build) as bridge:
            for _ in range(self.plan.starts):
                bridge.stop()
                warm.append(_start(bridge))
        return {
            "cold start to the first answer": (Kind.MILLISECONDS, median(fresh)),
            "the same with the tool lists kept": (Kind.MILLISECONDS, median(warm)),
        }

    def memory(self, build: Build) -> Found:
        found: Found = {}
        with self._bridge(build) as bridge:
            settle(self.plan.settle)
            found["memory (PSS), idle"] = Kind.MEMORY, memory_of(bridge, "Pss")
            self._warm(bridge)
            self.generator.run(bridge, self._load(connections=64))
            found["memory (PSS), loaded by 64 connections"] = Kind.MEMORY, memory_of(bridge, "Pss")
            for title, load in (
                ("calls", Load(connections=16, requests=self.plan.calls)),
                ("abandoned sessions", Load(connections=8, requests=self.plan.sessions, mode="init")),
            ):
                self.generator.run(bridge, load)
                settle(self.plan.settle)
                found[f"memory of its own after {load.requests:,} {title}"] = (
                    Kind.MEMORY, memory_of(bridge, "Pss_Anon"),
                )
        return found

    def connections(self, build: Build) -> Found:
        bare.raise_descriptor_limit()
        with Bridge(build.binary, self.programs, connections=2 * self.plan.connections) as bridge:
            found = bare.idle_connections(bridge, self.plan.connections, self.plan.settle)
        title = f"each of {found['connections']:,.0f} idle connections"
        return {f"{title}, {when}": (Kind.KIBIBYTES, found[when]) for when in ("never asked", "after a call")}

    # Allocations

    def _count_allocations(self) -> None:
        """A run of its own, which is not timed."""
        found: dict[int, dict[str, dict[str, float]]] = {}
        calls = min(2_000, max(100, self.plan.warm_calls))
        try:
            for build in (self.that, self.this):
                self.say(f"allocations: {build.name}")
                counter = Counter.build(build.binary, self.programs)
                with CountedBridge(build.binary, self.programs, counter) as bridge:
                    self._warm(bridge)
                    for connections in CONNECTIONS:
                        counted = per_call(bridge, self.generator, connections, calls)
                        found.setdefault(connections, {})[build.name] = counted
            self.say("allocations: a bare server")
            with bare.Bare(self.programs, Counter.build(self.programs / "bare_server", self.programs)) as alone:
                for connections in CONNECTIONS:
                    counted = per_call(alone, self.generator, connections, calls)
                    self.bare_allocations[connections] = counted["bare"]
        except (Unmeasurable, OSError) as error:
            self.uncounted = str(error) or repr(error)
            return
        self.allocations = found


def _start(bridge: Bridge) -> float:
    """Milliseconds from spawning to the first answer."""
    begun = time.monotonic()
    bridge.spawn()
    return (answer_first_call(bridge, begun + 30) - begun) * 1e3


def memory_of(bridge: Bridge, kind: str) -> float:
    """Memory of the bridge's own processes, in MiB: of both builds as the kernel tells it where it does (to root it
    always does), else as the bridge itself tells it."""
    try:
        return sum(_told_by_the_kernel(pid, kind) for pid, role in bridge.roles().items() if role != "child")
    except PermissionError:
        return sum(bridge.memory(kind).values())


def _told_by_the_kernel(pid: int, kind: str) -> float:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) / 1024 for line in file if line.startswith(f"{kind}:"))


def plural(connections: int) -> str:
    return f"{connections} connection{'' if connections == 1 else 's'}"
