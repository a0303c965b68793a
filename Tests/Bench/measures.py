"""What is measured. Each measurement yields a dictionary of figures; times in microseconds, memory in MiB."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bare
import caller
import chat
import granted
import lending
import shares
import signed_in
from journal import Journaled
from load import Generator, Load, Run, median, median_by_role, median_of
from rig import Bridge, Direct, Server, Unmeasurable, answer_first_call, settle

Figures = dict[str, Any]

#: What a client declares that can answer every question a server may ask.
CAPABILITIES = '{"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'


@dataclass(frozen=True)
class Plan:
    """How much time is spent on what."""

    #: Of calls at 1, 16 and 64 connections.
    rounds: int
    #: Of everything else that is compared.
    further_rounds: int
    seconds: float
    starts: int
    settle: float
    warm_calls: int
    #: For what they add to memory.
    calls: int = 100_000
    sessions: int = 10_000
    #: So many calls in place of so many seconds, unless it is 0.
    requests: int = 0
    #: That are open at once, and idle.
    connections: int = 10_000

    @staticmethod
    def smoke() -> Plan:
        """As little as fills every row: whether it can be measured, not how much it is."""
        return Plan(
            rounds=1, further_rounds=1, seconds=0.0, starts=1, settle=0.0, warm_calls=100, calls=500, sessions=50,
            requests=80, connections=100,
        )

    @staticmethod
    def smoke_against() -> Plan:
        return replace(Plan.smoke(), calls=200, sessions=20)

    @staticmethod
    def quick_against() -> Plan:
        """`rounds` is how often each build has its turn."""
        return Plan(
            rounds=5, further_rounds=0, seconds=0.5, starts=2, settle=1.0, warm_calls=2_000, calls=10_000, sessions=1_000
        )

    @staticmethod
    def thorough_against() -> Plan:
        return Plan(
            rounds=5, further_rounds=0, seconds=1.5, starts=5, settle=2.0, warm_calls=20_000, calls=50_000, sessions=5_000
        )

    @staticmethod
    def quick() -> Plan:
        return Plan(rounds=3, further_rounds=2, seconds=0.5, starts=5, settle=1.0, warm_calls=5_000)

    @staticmethod
    def thorough() -> Plan:
        return Plan(rounds=9, further_rounds=5, seconds=1.5, starts=15, settle=3.0, warm_calls=50_000)


@dataclass(frozen=True)
class Bench:
    binary: Path
    programs: Path
    plan: Plan
    say: Callable[[str], None]
    #: Whether chats are measured of a bridge whose log is the machine's journal.
    journaled: bool = False
    #: What there is no figure of, and why.
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def generator(self) -> Generator:
        return Generator(self.programs)

    def bridge(self, tools: int = 1, connections: int | None = None) -> Bridge:
        return Bridge(self.binary, self.programs, tools, connections)

    def direct(self, tools: int = 1) -> Direct:
        return Direct(self.programs, tools)

    def load(self, **how: Any) -> Load:
        """As long as the plan wants it."""
        return Load(seconds=self.plan.seconds, requests=self.plan.requests, **how)

    # Calls

    def calls(self) -> Figures:
        """Calls with 100 bytes at 1, 16 and 64 connections."""
        found: Figures = {}
        with self.direct() as direct, self.bridge() as bridge:
            self._warm(direct, bridge)
            for connections in (1, 16, 64):
                load = self.load(connections=connections)
                title = f"calls at {connections} at a time"
                self._try(found, str(connections), title, direct, bridge, load, self.plan.rounds)
        return found

    def sizes(self) -> Figures:
        """Calls with longer arguments, at 1 and at 8 connections."""
        found: Figures = {}
        with self.direct() as direct, self.bridge() as bridge:
            self._warm(direct, bridge)
            for size in (100, 10_000, 1_000_000):
                for connections in (1, 8):
                    load = self.load(connections=connections, size=size)
                    title = f"calls with {size:,} bytes at {connections} at a time"
                    self._try(found, f"{size} x {connections}", title, direct, bridge, load)
        return found

    def lists(self) -> Figures:
        """`tools/list` at one connection."""
        found: Figures = {}
        for tools in (10, 1_000, 10_000):
            with self.direct(tools) as direct, self.bridge(tools) as bridge:
                load = self.load(mode="list")
                self._try(found, str(tools), f"tools/list of {tools:,}", direct, bridge, load)
        return found

    def capabilities(self) -> Figures:
        """Callers that declare sampling, elicitation and roots against callers that declare none."""
        self.say("callers with and without capabilities")
        with self.bridge() as bridge:
            without = self.load(connections=16)
            declared = self.load(connections=16, capabilities=CAPABILITIES)
            self._warm(bridge)
            runs = self.generator.alternate([(bridge, without), (bridge, declared)], 2 * self.plan.further_rounds + 2)
        none, some = runs
        return {"without": self._figures(none), "declared": self._figures(some), **self._ratios(none, some)}

    def tokens(self) -> Figures:
        """Calls with a token, and so with a row of the audit each, against calls without; one of many tokens against the
        only one."""
        with self.bridge() as bridge:
            self.say("calls with a token")
            shown = (granted.field(granted.create(bridge, "bench")),)
            without, using = self.load(connections=16), self.load(connections=16, fields=shown)
            self._warm(bridge)
            none, some = self.generator.alternate([(bridge, without), (bridge, using)], 2 * self.plan.further_rounds + 2)
            self.say(f"calls with one of {granted.MANY:,} tokens")
            alone, among = [], []
            for _ in range(self.plan.further_rounds):
                alone.append(self.generator.run(bridge, using))
                with granted.many(bridge):
                    among.append(self.generator.run(bridge, using))
        return {
            "without": self._figures(none),
            "with": self._figures(some),
            **self._ratios(none, some),
            "alone": self._figures(alone),
            "among many": self._figures(among),
            "p50 ratio": median(b.p50 / a.p50 for a, b in zip(alone, among, strict=True)),
        }

    def chat(self) -> Figures:
        """Chat completions of the sandbox beside a server that has its answer ready, and of a client that lends."""
        kind = Journaled if self.journaled else Bridge
        with self.direct() as direct, kind(self.binary, self.programs, settings=lending.SETTINGS) as bridge:
            self.say("chat completions of the sandbox")
            self._warm(bridge)
            load, rounds = self.load(), self.plan.further_rounds
            found = chat.of_sandbox(self.generator, direct, bridge, load, rounds)
            self.say("chat completions through a client")
            found["lent"] = chat.of_client(self.generator, bridge, load, rounds)
            if isinstance(bridge, Journaled):
                self.say("what the journal has of them")
                found["journal"] = bridge.kept()
            return found

    @staticmethod
    def _ratios(none: list[Run], some: list[Run]) -> Figures:
        """Of neighbours in time, so that the machine's moods meet both alike."""
        return {
            "rate ratio": median(b.rate / a.rate for a, b in zip(none, some, strict=True)),
            # 0 where a kernel counts in ticks and there were too few calls to take one.
            "cpu ratio": median(
                b.bridge_cpu / a.bridge_cpu if a.bridge_cpu else 0.0 for a, b in zip(none, some, strict=True)
            ),
        }

    # Starting and memory

    def starts(self) -> Figures:
        """Milliseconds from spawning to the first call answered; and again with the tool lists known from before."""
        self.say("cold starts")

        def start(server: Server) -> float:
            begun = time.monotonic()
            server.spawn()
            return (answer_first_call(server, begun + 30) - begun) * 1e3

        direct, fresh, warm = [], [], []
        for _ in range(self.plan.starts):
            for make, times in ((self.direct, direct), (self.bridge, fresh)):
                server = make()
                try:
                    times.append(start(server))
                finally:
                    server.__exit__()
        with self.bridge() as bridge:
            for _ in range(self.plan.starts):
                bridge.stop()
                warm.append(start(bridge))
        return {
            name: {"best": min(times), "median": median(times), "worst": max(times)}
            for name, times in (("direct", direct), ("bridge", fresh), ("bridge with a cache", warm))
        }

    def memory(self) -> Figures:
        """PSS of the bridge's own processes: idle, under load, and what many calls and many sessions add."""
        with self.bridge() as bridge:
            self.say("memory, idle")
            settle(self.plan.settle)
            idle = bridge.memory()
            self.say(f"memory after {self.plan.calls:,} calls")
            self.generator.run(bridge, Load(connections=16, requests=self.plan.warm_calls))
            loaded = self.generator.run(bridge, self.load(connections=64))
            calls = self._growth(bridge, Load(connections=16, requests=self.plan.calls))
            self.say(f"memory after {self.plan.sessions:,} abandoned sessions")
            self.generator.run(bridge, Load(connections=8, requests=self.plan.sessions // 10, mode="init"))
            sessions = self._growth(bridge, Load(connections=8, requests=self.plan.sessions, mode="init"))
        return {
            "idle": sum(idle.values()),
            "idle by process": idle,
            "loaded": loaded.bridge_memory,
            "loaded by process": {role: value for role, value in loaded.memory.items() if role != "child"},
            "calls": calls,
            "sessions": sessions,
        }

    def _growth(self, bridge: Bridge, load: Load) -> Figures:
        """What the load adds to memory that is not a file's."""
        settle(self.plan.settle)
        before = bridge.memory("Pss_Anon")
        self.generator.run(bridge, load)
        settle(self.plan.settle)
        after = bridge.memory("Pss_Anon")
        return {
            "requests": load.requests,
            "before": sum(before.values()),
            "after": sum(after.values()),
            "growth": sum(after.values()) - sum(before.values()),
            "growth by process": {role: after[role] - before.get(role, 0.0) for role in after},
        }

    def bare(self) -> Figures:
        """The front beside a bare NIOHTTP1 server: calls, allocations, idle connections."""
        bare.raise_descriptor_limit()
        found: Figures = {}
        with self.bridge() as bridge, bare.Bare(self.programs) as alone:
            self.say("calls beside a bare server")
            self._warm(bridge, alone)
            for connections in (16, 64):
                load = self.load(connections=connections)
                found[str(connections)] = bare.calls(self.generator, bridge, alone, load, self.plan.further_rounds)
        self.say("allocations beside a bare server")
        calls = min(2_000, max(100, self.plan.warm_calls))
        found["allocations"] = bare.allocations(self.binary, self.programs, self.generator, 64, calls)
        self.say(f"memory of {self.plan.connections:,} idle connections")
        found["memory"] = {}
        for name, server in (
            ("front", self.bridge(connections=2 * self.plan.connections)), ("bare", bare.Bare(self.programs))
        ):
            with server:
                memory = bare.idle_connections(server, self.plan.connections, self.plan.settle)
                found["memory"][name] = memory
        return found

    def http(self) -> Figures:
        """A bridge to the echo server over HTTP beside one to it on stdio, and beside async-http-client alone."""
        found: Figures = {}
        with self.direct() as server, self.bridge() as stdio, Bridge(self.binary, self.programs, url=server.url) as http:
            self._warm(stdio, http)
            for connections in (1, 16):
                self.say(f"calls of a server over HTTP at {connections} at a time")
                load = self.load(connections=connections)
                rounds = self.plan.further_rounds
                by_stdio, by_http = self.generator.alternate([(stdio, load), (http, load)], rounds)
                calls = self.plan.requests or max(200, round(by_http[0].rate * self.plan.seconds))
                alone = [caller.run(self.programs, server.port, connections, calls) for _ in range(rounds)]
                cpu = median_of(by_http, lambda run: run.cpu.get("upstream", 0.0))
                bare_cpu = median(each["cpu"] for each in alone)
                found[str(connections)] = {
                    "stdio": self._figures(by_stdio),
                    "http": self._figures(by_http),
                    "alone": {"rate": median(each["rate"] for each in alone), "cpu": bare_cpu},
                    "added p50": median(b.p50 - a.p50 for a, b in zip(by_stdio, by_http, strict=True)),
                    "rate ratio": median(b.rate / a.rate for a, b in zip(by_stdio, by_http, strict=True)),
                    "upstream cpu": cpu,
                    "cpu ratio": cpu / bare_cpu if bare_cpu else 0.0,
                }
            self.say("calls of a server over HTTP that is signed in to")
            with signed_in.bridge(self.binary, self.programs) as using:
                self._warm(using)
                load, rounds = self.load(connections=16), 2 * self.plan.further_rounds + 2
                found["signed in"] = signed_in.beside(self.generator, http, using, load, rounds)
        return found

    def shares(self) -> Figures:
        """What the processor's time of calls with 1 MB goes to; why that is not known, where it is not."""
        size, connections = 1_000_000, 8
        title = f"what calls with {size:,} bytes take time for"
        self.say(title)
        load = self.load(connections=connections, size=size)
        with self.bridge() as bridge:
            self._warm(bridge)
            try:
                cpu = shares.of_calls(bridge, self.generator, load, self.plan.further_rounds)
            except Unmeasurable as reason:
                return {"unknown": str(reason)}
        return {"size": size, "connections": connections, "cpu": cpu}

    # Comparing

    def _warm(self, *servers: Server) -> None:
        for server in servers:
            self.generator.run(server, Load(connections=16, requests=self.plan.warm_calls))

    def _try(
        self, found: Figures, key: str, title: str, direct: Direct, bridge: Bridge, load: Load, rounds: int = 0
    ) -> None:
        """One row. The others do not suffer when it fails."""
        self.say(title)
        try:
            found[key] = self._compare(direct, bridge, load, rounds or self.plan.further_rounds)
        except Unmeasurable as problem:
            self.failed[title] = str(problem)

    def _compare(self, direct: Direct, bridge: Bridge, load: Load, rounds: int) -> Figures:
        plain, bridged = self.generator.alternate([(direct, load), (bridge, load)], rounds)
        return {
            "direct": self._figures(plain),
            "bridge": self._figures(bridged),
            "added p50": median(b.p50 - a.p50 for a, b in zip(plain, bridged, strict=True)),
            "p50 ratio": median(b.p50 / a.p50 for a, b in zip(plain, bridged, strict=True)),
            "rate ratio": median(b.rate / a.rate for a, b in zip(plain, bridged, strict=True)),
        }

    @staticmethod
    def _figures(runs: list[Run]) -> Figures:
        return {
            "rate": median_of(runs, lambda run: run.rate),
            "best rate": max(run.rate for run in runs),
            "p50": median_of(runs, lambda run: run.p50),
            "best p50": min(run.p50 for run in runs),
            "p99": median_of(runs, lambda run: run.p99),
            "cpu": median_of(runs, lambda run: run.bridge_cpu),
            "cpu by process": median_by_role(runs, lambda run: run.cpu),
            "switches by process": median_by_role(runs, lambda run: run.switches),
        }
