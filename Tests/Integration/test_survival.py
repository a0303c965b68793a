"""`kill -9` of each kind of process while sixteen clients call three upstreams."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from callers import Called, Callers
from harness import Bridge, Bridges
from http_raw import ConnectionEnded
from mcp_http import MCPClient
from outcomes import (
    ALL_DIES,
    DID_NOT_RUN,
    FRONT_DIES,
    MAY_HAVE_RUN,
    NOTHING,
    SERVER_DIES,
    SESSION_DIES,
    May,
    assert_nothing_twice,
    call_until_answered,
)
from processes import Process, ProcessWatch
from replies import text_of
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, best_of, eventually

#: Within this long the first crash of a process is mended (seconds).
MENDED = 0.5

Victim = Callable[[Bridge], Process]


def child_of_alpha(bridge: Bridge) -> Process:
    return bridge.upstream_child("alpha")


def worker_of_alpha(bridge: Bridge) -> Process:
    return bridge.worker("upstream alpha")


def session_worker(bridge: Bridge) -> Process:
    return bridge.worker("session")


def front_worker(bridge: Bridge) -> Process:
    return bridge.worker("http")


UPSTREAM_SIDE = pytest.mark.parametrize(
    "victim", [child_of_alpha, worker_of_alpha], ids=["stdio child", "upstream worker"]
)
EVERY_WORKER = pytest.mark.parametrize(
    ("victim", "may"),
    [
        (child_of_alpha, SERVER_DIES),
        (worker_of_alpha, SERVER_DIES),
        (session_worker, SESSION_DIES),
        (front_worker, FRONT_DIES),
    ],
    ids=["stdio child", "upstream worker", "session worker", "front"],
)


def start_counting(bridges: Bridges, counting: list[CountingUpstream]) -> Bridge:
    bridge = bridges.start({upstream.name: upstream.entry for upstream in counting})
    for upstream in counting:
        bridge.wait_upstream(upstream.name)
    return bridge


@pytest.fixture
def bridge(bridges: Bridges, counting: list[CountingUpstream]) -> Bridge:
    return start_counting(bridges, counting)


def kill_under_load(callers: Callers, victim: Process) -> float:
    """Kills once all callers are well under way; says when."""
    callers.wait_for_results(each=2)
    moment = time.monotonic()
    os.kill(victim.pid, signal.SIGKILL)
    return moment


def in_flight(outcomes: list[Called], moment: float) -> list[Called]:
    return [outcome for outcome in outcomes if outcome.started <= moment < outcome.finished]


def assert_same_sessions(callers: Callers) -> None:
    assert {outcome.session for outcome in callers.outcomes} == set(callers.sessions)


@UPSTREAM_SIDE
def test_a_dead_upstream_is_felt_by_its_own_callers_only(
    bridge: Bridge, counting: list[CountingUpstream], victim: Victim
) -> None:
    with Callers(bridge, counting) as callers:
        moment = kill_under_load(callers, victim(bridge))
        callers.wait_for_results(each=3, since=moment)
    assert not NOTHING.forbidden(outcome for outcome in callers.outcomes if outcome.upstream != "alpha")
    assert not SERVER_DIES.forbidden(callers.outcomes)
    assert in_flight(callers.outcomes, moment), "nothing was under way: the test proves nothing"
    assert not callers.surprises
    assert_same_sessions(callers)
    assert_nothing_twice(callers.outcomes, counting)


def test_calls_through_a_dead_session_worker_are_answered_by_the_front(
    bridge: Bridge, counting: list[CountingUpstream]
) -> None:
    # Longer calls: some are under way at any moment.
    with Callers(bridge, counting, milliseconds=200) as callers:
        moment = kill_under_load(callers, session_worker(bridge))
        callers.wait_for_results(each=3, since=moment)
    assert not SESSION_DIES.forbidden(callers.outcomes)
    assert [each for each in in_flight(callers.outcomes, moment) if each.ending == "error"]
    assert not callers.surprises
    assert_same_sessions(callers)
    assert_nothing_twice(callers.outcomes, counting)


def test_calls_through_a_dead_front_end_with_their_connection(bridge: Bridge, counting: list[CountingUpstream]) -> None:
    # Longer calls: some are under way at any moment.
    with Callers(bridge, counting, milliseconds=200) as callers:
        moment = kill_under_load(callers, front_worker(bridge))
        callers.wait_for_results(each=3, since=moment)
    assert not FRONT_DIES.forbidden(callers.outcomes)
    assert [each for each in in_flight(callers.outcomes, moment) if each.ending == "closed"]
    assert not callers.surprises
    assert_same_sessions(callers)
    assert_nothing_twice(callers.outcomes, counting)


def test_calls_through_a_dead_supervisor_end_with_their_connection_and_go_on_after_a_restart(
    bridge: Bridge, counting: list[CountingUpstream]
) -> None:
    with Callers(bridge, counting) as callers:
        callers.wait_for_results(each=2)
        moment = time.monotonic()
        bridge.kill()
        bridge.start()
        callers.wait_for_results(each=3, since=moment)
    assert not ALL_DIES.forbidden(callers.outcomes)
    assert not callers.surprises
    assert_same_sessions(callers)
    assert_nothing_twice(callers.outcomes, counting)


@EVERY_WORKER
def test_the_first_crash_is_mended_in_half_a_second(
    bridges: Bridges, folder: Path, victim: Victim, may: May
) -> None:
    """From the kill to the result of a call that began after it, through the place that died."""

    def measure() -> float:
        alpha = CountingUpstream(folder, "alpha")
        bridge = bridges.start({"alpha": alpha.entry})
        bridge.wait_upstream("alpha")
        client = bridge.client()
        life = f"{alpha.file.stat().st_size}"
        assert "result" in client.call(alpha.tool, {"tag": f"{life}-before"}).message
        dying = victim(bridge)
        with ProcessWatch([dying]) as watch:
            moment = time.monotonic()
            os.kill(dying.pid, signal.SIGKILL)
            assert watch.wait_until_all_ended(PATIENCE)
        outcomes = call_until_answered(client, alpha.tool, may, f"{life}-after")
        took = time.monotonic() - moment
        assert_nothing_twice(outcomes, [alpha])
        bridge.stop()
        return took

    best_of(3, MENDED, measure)


@pytest.fixture
def gate(folder: Path) -> Path:
    path = folder / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture
def holding(bridges: Bridges, folder: Path) -> Iterator[tuple[Bridge, MisbehavingUpstream]]:
    upstream = MisbehavingUpstream(folder, "bad")
    bridge = bridges.start({"bad": upstream.entry, "demo": demo_upstream()})
    bridge.wait_upstream("bad")
    bridge.wait_upstream("demo")
    yield bridge, upstream


def reopen(client: MCPClient, last_event_id: str | None) -> list[dict]:
    """The rest of a stream, over as many connections as it takes: the front may just be coming back."""

    def attempt() -> list[dict] | None:
        try:
            with client.open_stream(last_event_id, answers="tools/call") as stream:
                return [event.message for event in stream if event.message is not None]
        except ConnectionEnded:
            return None

    return eventually(attempt, "the stream is given again")


@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_call_outlives_the_front_and_is_fetched_with_the_last_event_id(
    holding: tuple[Bridge, MisbehavingUpstream], gate: Path, revision: str
) -> None:
    bridge, upstream = holding
    client = bridge.client(revision)
    stream = client.open_call("bad.hold", {"gate": str(gate)}, progress_token="t")
    stream.wait_for("notifications/progress")
    last_seen = stream.last_event_id
    os.kill(front_worker(bridge).pid, signal.SIGKILL)
    with pytest.raises(ConnectionEnded):
        stream.next_message()

    def release() -> None:
        gate.write_text("survived", encoding="utf-8")

    releasing = threading.Thread(target=release)
    releasing.start()
    (message,) = reopen(client, last_seen)
    releasing.join()
    assert text_of(message["result"]) == "survived"
    assert not upstream.received("notifications/cancelled")
    assert len([each for each in upstream.received("tools/call") if each["params"]["name"] == "hold"]) == 1


def test_a_stream_is_told_when_the_session_worker_dies(holding: tuple[Bridge, MisbehavingUpstream], gate: Path) -> None:
    """A call whose answer had begun gets its one answer on its stream."""
    bridge, _ = holding
    client = bridge.client()
    with client.open_call("bad.hold", {"gate": str(gate)}, progress_token="t", id="mine") as stream:
        stream.wait_for("notifications/progress")
        os.kill(session_worker(bridge).pid, signal.SIGKILL)
        messages = [event.message for event in stream if event.message is not None]
    (message,) = messages
    assert message["id"] == "mine"
    assert message["error"]["data"]["code"] == MAY_HAVE_RUN
    assert text_of(client.call("demo.echo", {"text": "on"}).result) == "on"


def test_an_ended_session_stays_ended_when_the_session_worker_dies(bridge: Bridge) -> None:
    client, other = bridge.client(), bridge.client()
    assert client.delete().status in (200, 204)
    with ProcessWatch([session_worker(bridge)]) as watch:
        os.kill(session_worker(bridge).pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE)
    assert other.request("ping").result == {}
    assert client.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 404


def test_the_log_level_is_remembered_when_the_session_worker_dies(
    holding: tuple[Bridge, MisbehavingUpstream],
) -> None:
    bridge, _ = holding
    client = bridge.client()
    assert client.request("logging/setLevel", {"level": "error"}).result == {}
    with ProcessWatch([session_worker(bridge)]) as watch:
        os.kill(session_worker(bridge).pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE)
    client.call("bad.log", {"level": "warning", "data": "too quiet"}, progress_token=1)
    with client.keep_stream_open() as stream:
        reply = client.call("bad.log", {"level": "error", "data": "loud"}, progress_token=2)
        heard = [each for each in reply.notifications if each["method"] == "notifications/message"]
        first = heard[0] if heard else stream.wait_for("notifications/message")
        assert first["params"]["data"] == "loud"


def test_warm_tools_are_listed_while_their_upstream_is_down(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad")
    bridge = bridges.start({"bad": upstream.entry, "demo": demo_upstream()})
    bridge.wait_upstream("bad")
    assert "bad.echo" in bridge.client().tool_names()
    assert bridge.stop() == 0
    assert bridge.config is not None
    # The same program, which cannot run like this.
    bridge.config["mcpServers"]["bad"] = {**upstream.entry, "env": {"PYTHONHOME": str(folder / "nowhere")}}
    bridge.start("live").wait_upstream("demo")
    client = bridge.client()
    assert {"bad.echo", "demo.echo"} <= set(client.tool_names())
    failure = client.call("bad.echo", {"text": "x"}).failure
    assert (failure.code, failure.word) == (-32003, DID_NOT_RUN)
    assert "bad" in failure.message
