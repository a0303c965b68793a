"""HTTP+SSE when processes die, when clients do not read, and when there are many of them."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import bridge_memory
import pytest
from harness import Bridge, Bridges
from http_raw import ConnectionEnded
from outcomes import SESSION_DIES, Outcome, assert_nothing_twice
from processes import Process, ProcessWatch
from replies import text_of
from sse_client import SSEClient
from test_slow_readers import dropped, metric
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually


@pytest.fixture
def bridge(bridges: Bridges, counting: list[CountingUpstream]) -> Bridge:
    bridge = bridges.start({upstream.name: upstream.entry for upstream in counting})
    for upstream in counting:
        bridge.wait_upstream(upstream.name)
    return bridge


def kill(process: Process) -> None:
    with ProcessWatch([process]) as watch:
        os.kill(process.pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE)


class Callers:
    """Clients that call without pause, each on a stream of its own, and remember how each call ended."""

    def __init__(self, bridge: Bridge, upstreams: list[CountingUpstream], count: int) -> None:
        self.clients = [SSEClient(bridge.address).initialize("2025-06-18") for _ in range(count)]
        self.endpoints = [client.endpoint for client in self.clients]
        self.outcomes: list[Outcome] = []
        self.surprises: list[str] = []
        self._bridge = bridge
        self._upstreams = upstreams
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(count)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a call was never answered"
        for client in self.clients:
            client.close()

    def wait_for_results(self, count: int) -> None:
        """Waits for so many further results of each client, on average."""

        def results() -> int:
            return sum(outcome.ending == "result" for outcome in self.outcomes)

        with self._changed:
            wanted = results() + count * len(self.clients)
            assert self._changed.wait_for(lambda: results() >= wanted, PATIENCE), self.outcomes[-5:]

    def _open(self) -> SSEClient | None:
        """Another stream; nothing where the next front dies while it is opened."""
        try:
            return SSEClient(self._bridge.address).initialize("2025-06-18")
        except (ConnectionEnded, OSError):
            return None

    def _run(self, number: int) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            tool = self._upstreams[(number + turn) % len(self._upstreams)].tool
            try:
                outcome = self.clients[number].outcome(tool, f"{number}-{turn}", 5)
                if outcome.ending in ("closed", "refused"):
                    self.clients[number].close()
                    self.clients[number] = eventually(self._open, "a stream is opened anew")
            except Exception as error:  # noqa: BLE001 - a thread's failure has to reach the test
                self.surprises.append(f"{number}-{turn}: {error!r}")
                return
            with self._changed:
                self.outcomes.append(outcome)
                self._changed.notify_all()


def test_the_session_worker_dies_and_every_stream_goes_on(
    bridge: Bridge, counting: list[CountingUpstream]
) -> None:
    with Callers(bridge, counting, 12) as callers:
        for _ in range(3):
            callers.wait_for_results(5)
            kill(bridge.worker("session"))
        callers.wait_for_results(5)
    assert not callers.surprises
    assert [client.endpoint for client in callers.clients] == callers.endpoints
    assert not SESSION_DIES.forbidden(callers.outcomes)
    assert_nothing_twice(callers.outcomes, counting)


def test_the_front_dies_and_each_client_opens_its_stream_anew(
    bridge: Bridge, counting: list[CountingUpstream]
) -> None:
    with Callers(bridge, counting, 12) as callers:
        for _ in range(2):
            callers.wait_for_results(5)
            kill(bridge.worker("http"))
        callers.wait_for_results(5)
    assert not callers.surprises
    assert not set(callers.endpoints) & {client.endpoint for client in callers.clients}
    assert {outcome.ending for outcome in callers.outcomes} <= {"result", "closed"}
    assert_nothing_twice(callers.outcomes, counting)


def test_calls_of_a_front_that_died_are_cancelled(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    bridge = bridges.start({"bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    with SSEClient(bridge.address) as client:
        before = len(misbehaving.received("notifications/cancelled"))
        calls = len(misbehaving.received("tools/call"))
        client.initialize().send_call("bad.never")
        misbehaving.wait_received("tools/call", calls + 1)
        kill(bridge.worker("http"))
        misbehaving.wait_received("notifications/cancelled", before + 1)
        with pytest.raises((ConnectionEnded, OSError)):
            while True:
                client.next_event()


def test_a_call_under_way_in_a_session_worker_that_dies_is_answered_on_the_stream(
    bridges: Bridges, misbehaving: MisbehavingUpstream
) -> None:
    bridge = bridges.start({"bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    with SSEClient(bridge.address) as client:
        calls = len(misbehaving.received("tools/call"))
        hanging = client.initialize("2025-11-25").send_call("bad.never")
        misbehaving.wait_received("tools/call", calls + 1)
        kill(bridge.worker("session"))
        assert client.answer_to(hanging).failure.word == "outcome_unknown"
        assert client.revision == "2025-11-25" and client.echoes("bad")


def test_subscriptions_and_levels_outlive_the_session_worker(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    bridge = bridges.start({"bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    with SSEClient(bridge.address) as client:
        client.initialize("2025-11-25")
        assert client.request("logging/setLevel", {"level": "error"}).result == {}
        kill(bridge.worker("session"))
        client.echoes("bad")
        told = client.call("bad.log", {"level": "warning", "data": "quiet"}).notifications
        told += client.call("bad.log", {"level": "error", "data": "loud"}).notifications
        logs = [note["params"]["data"] for note in told if note["method"] == "notifications/message"]
        assert logs == ["loud"]


# Clients that do not read


@contextlib.contextmanager
def deaf_client(bridge: Bridge) -> Iterator[SSEClient]:
    """A client that has read where to post, and reads nothing more."""
    with SSEClient(bridge.address) as client:
        client.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        yield client


def test_who_does_not_read_fills_no_memory_and_delays_nobody(
    bridges: Bridges, misbehaving: MisbehavingUpstream
) -> None:
    """Small answers without end, and progress without end."""
    bridge = bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry}, bridge={"limits": {"heldBytes": 16 << 20}})
    bridge.wait_upstream("bad")
    before = bridge_memory.total(bridge)
    with deaf_client(bridge) as deaf, SSEClient(bridge.address) as other:
        deaf.send_call("bad.progress", {"count": 100_000, "bytes": 1000}, progress_token=1)
        text = "x" * 8000
        statuses: set[int] = set()
        while statuses <= {202}:
            body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "demo.echo", "arguments": {"text": text}}}
            statuses.add(deaf.post_bytes(json.dumps(body).encode()).status)
            assert other.echoes("demo")
        assert statuses == {202, 404}, "the stream is closed, and its session over"
        assert dropped(bridge) == 1
        grown = bridge_memory.total(bridge) - before
    assert grown < 96 << 20, f"grown by {grown >> 20} MiB"


def test_who_reads_slowly_but_steadily_gets_every_answer(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    bridge = bridges.start({"bad": misbehaving.entry, "demo": demo_upstream()})
    bridge.wait_upstream("bad")
    with deaf_client(bridge) as client:
        client.initialize()
        big = client.send_call("bad.big", {"bytes": 16 << 20})
        eventually(lambda: metric(bridge, 'held_bytes{kind="answer"}') > 0, "the answer is there")
        ids = [client.send_call("demo.echo", {"text": str(number) * 100}) for number in range(500)]
        assert len(text_of(client.answer_to(big).result)) == 16 << 20
        answers = [client.next_answer() for _ in ids]
        assert sorted(answer["id"] for answer in answers) == ids
    eventually(lambda: metric(bridge, 'held_bytes{kind="answer"}') == 0, "nothing is held any more")


def test_who_never_reads_is_given_up(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    bridge = bridges.start({"bad": misbehaving.entry}, bridge={"limits": {"slowReadTimeout": 1}})
    bridge.wait_upstream("bad")
    with deaf_client(bridge) as client:
        client.initialize().send_call("bad.big", {"bytes": 30 << 20})
        eventually(lambda: dropped(bridge) == 1, "the stream closed")
        assert client.post_bytes(b'{"jsonrpc":"2.0","method":"notifications/x"}').status == 404


# Many


def test_two_hundred_clients_at_once(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    failures: queue.SimpleQueue[str] = queue.SimpleQueue()
    everybody = threading.Barrier(200, timeout=3 * PATIENCE)

    def work(number: int) -> None:
        try:
            with SSEClient(bridge.address) as client:
                client.initialize("2025-11-25")
                everybody.wait()
                for turn in range(10):
                    text = f"{number}/{turn}"
                    assert text_of(client.call("demo.echo", {"text": text}).result) == text
                everybody.wait()
        except BaseException as error:  # noqa: BLE001 - a thread's failure has to reach the test
            failures.put(f"{number}: {error!r}")
            everybody.abort()

    run_all(work, 200)
    assert failures.empty(), failures.get()
    eventually(lambda: metric(bridge, "mcp_bridge_http_streams") == 0, "no stream is left")
    assert (bridge.state / "sessions.journal").stat().st_size == 0 if (bridge.state / "sessions.journal").exists() else True


def run_all(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(6 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
