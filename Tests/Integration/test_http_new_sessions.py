"""A server over HTTP is greeted anew while calls and answers are put off: what they do in the session that follows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from harness import Bridge, Bridges
from mcp_http import EventStream
from odd_http import Exchange, OddHTTP, OddSSE, Seen, text_result
from outcomes import MAY_HAVE_RUN
from replies import RPCFailure, text_of
from rpc import request
from waiting import PATIENCE

QUESTION = {
    "jsonrpc": "2.0",
    "id": "q",
    "method": "elicitation/create",
    "params": {"message": "Which?", "requestedSchema": {"type": "object", "properties": {}}},
}
TASKS = {"cancel": {}, "requests": {"tools": {"call": {}}}}
RELATION = "io.modelcontextprotocol/related-task"
#: So long is put off what is to come in the next session: time enough for a busy machine to lose this one; and the greeting
#: of that for two more, which is the longest that the bridge waits for (seconds).
PUT_OFF = 3


@pytest.fixture(params=[OddHTTP, OddSSE], ids=["Streamable HTTP", "HTTP+SSE"])
def odd(request: pytest.FixtureRequest) -> Iterator[OddHTTP]:
    server = request.param(capabilities={"tools": {}})
    yield server
    server.stop()
    server.check()


@pytest.fixture
def bridge(bridges: Bridges, odd: OddHTTP) -> Bridge:
    return start(bridges, odd)


def start(bridges: Bridges, odd: OddHTTP) -> Bridge:
    bridge = bridges.start({"odd": odd.entry(timeouts={"call": 20})})
    bridge.wait_upstream("odd")
    odd.wait_listener()
    return bridge


def call(bridge: Bridge, tool: str) -> str:
    with bridge.client() as client:
        bridge.wait_tool(f"odd.{tool}", client)
        return text_of(client.call(f"odd.{tool}", {}).result)


def put_off(odd: OddHTTP, what: str, seconds: int) -> None:
    """The next such message is refused before it has run, and may come again after so long."""
    left = [1]

    def refuse(exchange: Exchange) -> Any:
        if not left:
            return False
        left.pop()
        exchange.reply(429, b"", None, Retry_After=str(seconds))
        return True

    odd.hooks[what] = refuse


@contextmanager
def losing_the_session(bridge: Bridge, odd: OddHTTP) -> Iterator[Callable[[], None]]:
    """What loses it, and another one is opened for a call: what was put off comes to its time while the greeting is. The
    client that calls is there before anything is put off, so that it has all of that time for its call."""
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)

        def lose() -> None:
            put_off(odd, "initialize", PUT_OFF + 2)
            odd.sessions.clear()
            assert text_of(client.call("odd.echo", {}).result) == "fine"

        yield lose


def session_of(seen: Seen) -> str:
    return seen.headers.get("mcp-session-id") or seen.path.rpartition("=")[2]


def test_a_call_that_was_put_off_leaves_in_the_session_that_follows(bridge: Bridge, odd: OddHTTP) -> None:
    with losing_the_session(bridge, odd) as lose, ThreadPoolExecutor(1) as pool:
        put_off(odd, "tools/call:odd", PUT_OFF)
        answer = pool.submit(call, bridge, "odd")
        odd.wait_requests("tools/call")
        lose()
        assert answer.result(PATIENCE) == "fine"
    said = [seen.tool or seen.what for seen in odd.seen]
    calls = [number for number, what in enumerate(said) if what == "odd"]
    opened = [number for number, what in enumerate(said) if what == "notifications/initialized"]
    assert len(calls) == len(opened) == 2
    assert calls[0] < opened[1] < calls[1]
    assert session_of(odd.seen[calls[1]]) in odd.sessions


def test_an_answer_that_was_put_off_is_given_later(bridge: Bridge, odd: OddHTTP) -> None:
    put_off(odd, "answer", 1)
    odd.say(request("ping", id="p"))
    assert [seen.message["id"] for seen in odd.wait_requests("answer", 2)] == ["p", "p"]


def test_an_answer_whose_connection_breaks_is_given_once_more(bridge: Bridge, odd: OddHTTP) -> None:
    odd.hooks["answer"] = lambda exchange: exchange.cut()
    odd.say(request("ping", id="p"))
    odd.wait_requests("answer", 2)
    del odd.hooks["answer"]
    odd.say(request("ping", id="q"))
    assert [seen.message["id"] for seen in odd.wait_requests("answer", 3)] == ["p", "p", "q"]


def test_an_answer_that_was_put_off_is_nothing_in_the_session_that_follows(bridge: Bridge, odd: OddHTTP) -> None:
    with losing_the_session(bridge, odd) as lose:
        put_off(odd, "answer", PUT_OFF)
        odd.say(request("ping", id="p"))
        odd.wait_requests("answer")
        lose()
    assert call(bridge, "odd") == "fine"
    assert len(odd.requests("answer")) == 1


def test_what_an_earlier_call_has_met_keeps_no_session_closed(bridge: Bridge, odd: OddHTTP) -> None:
    begun, over = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> None:
        begun.set()
        over.wait(PATIENCE)
        exchange.text("slow")

    odd.hooks["tools/call:count"] = slow
    odd.hooks["tools/call:odd"] = lambda exchange: exchange.reply(403, b"", None, WWW_Authenticate="Bearer")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, bridge, "count")
        try:
            assert begun.wait(PATIENCE)
            # Once nothing is under way, that would end the connection.
            with pytest.raises(RPCFailure):
                call(bridge, "odd")
            odd.sessions.clear()
            assert call(bridge, "echo") == "fine"
        finally:
            over.set()
        assert answer.result(PATIENCE) == "slow"
    assert call(bridge, "echo") == "fine"
    assert len(odd.requests("initialize")) == 2, "the connection was not lost for it later"


@pytest.mark.parametrize("odd", [OddHTTP], indirect=True)
def test_what_the_lost_session_has_asked_is_withdrawn(bridge: Bridge, odd: OddHTTP) -> None:
    over = threading.Event()

    def ask(exchange: Exchange) -> None:
        exchange.stream()
        exchange.event(QUESTION)
        over.wait(PATIENCE)
        exchange.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result("alone")})
        exchange.end()

    odd.hooks["tools/call:odd"] = ask
    with bridge.new_client("2025-11-25") as client:
        client.initialize({"elicitation": {}})
        bridge.wait_tool("odd.odd", client)
        try:
            stream = client.open_call("odd.odd")
            question = stream.wait_for("elicitation/create")
            odd.sessions.clear()
            assert call(bridge, "echo") == "fine"
            assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
        finally:
            over.set()
        assert text_of(stream.next_message()["result"]) == "alone"
    assert not odd.requests("answer")


@pytest.mark.parametrize("odd", [OddHTTP], indirect=True)
def test_the_rest_of_an_answer_is_asked_for_in_no_other_session(bridge: Bridge, odd: OddHTTP) -> None:
    def begin(exchange: Exchange) -> None:
        exchange.stream()
        exchange.event(id="e1", retry=PUT_OFF * 1_000)
        exchange.end()

    odd.hooks["tools/call:odd"] = begin
    with losing_the_session(bridge, odd) as lose, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, bridge, "odd")
        odd.wait_requests("tools/call")
        lose()
        with pytest.raises(RPCFailure) as failure:
            answer.result(PATIENCE)
    assert failure.value.word == MAY_HAVE_RUN
    assert not [seen for seen in odd.requests("GET") if seen.headers.get("last-event-id") == "e1"]


def test_a_call_whose_task_is_known_is_cancelled_as_a_task(bridges: Bridges) -> None:
    odd = OddHTTP(capabilities={"tools": {}, "tasks": TASKS})
    over = threading.Event()

    def make(exchange: Exchange) -> None:
        token = exchange.seen.message["params"]["_meta"]["progressToken"]
        related = {"_meta": {RELATION: {"taskId": "task-1"}}, "progressToken": token, "progress": 1}
        exchange.stream()
        exchange.event({"jsonrpc": "2.0", "method": "notifications/progress", "params": related})
        over.wait(PATIENCE)
        exchange.cut()

    odd.hooks["tools/call:odd"] = make
    bridge = start(bridges, odd)
    try:
        with bridge.new_client("2025-11-25") as client:
            client.initialize()
            bridge.wait_tool("odd.odd", client)
            params = {"name": "odd.odd", "arguments": {}, "task": {"ttl": 60_000}, "_meta": {"progressToken": "t"}}
            connection = client.open_request("tools/call", params)
            cancelled = client.next_id() - 1
            EventStream(client, connection, connection.read_head(), "tools/call").wait_for("notifications/progress")
            client.beside().notify("notifications/cancelled", {"requestId": cancelled})
            [seen] = odd.wait_requests("tasks/cancel")
            assert seen.message["params"] == {"taskId": "task-1"}
            assert not odd.requests("notifications/cancelled")
    finally:
        over.set()
        odd.stop()
    odd.check()
