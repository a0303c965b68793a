"""One call, and one answer, that goes wrong over HTTP: nobody else loses by it, and nobody is told what is not so."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_raw import RawConnection
from odd_http import Exchange, OddHTTP, text_result
from outcomes import DID_NOT_RUN, MAY_HAVE_RUN
from replies import RPCFailure, text_of
from waiting import eventually

CANCELLED = "notifications/cancelled"
FOREIGN = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "Bad Request: no valid session"}}
REVISION = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "Unsupported protocol version"}}
#: As interfaces that are not JSON-RPC tell of errors.
FOREIGN_FORM = {"error": {"code": 500, "message": "oh", "status": "INTERNAL"}}


@pytest.fixture(scope="module")
def odd() -> Iterator[OddHTTP]:
    server = OddHTTP(capabilities={"tools": {}})
    yield server
    server.stop()
    server.check()


@pytest.fixture(scope="module")
def shared(shared_bridges: Bridges, odd: OddHTTP) -> Bridge:
    bridge = shared_bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    odd.wait_requests("GET")
    return bridge


@pytest.fixture
def bridge(shared: Bridge, odd: OddHTTP) -> Iterator[Bridge]:
    yield shared
    odd.hooks.clear()


def ask(bridge: Bridge, tool: str, **arguments: Any) -> str:
    """The text of an answer, or the word of an error, or what the server's own error says."""
    with bridge.client() as client:
        bridge.wait_tool(f"odd.{tool}", client)
        try:
            return text_of(client.call(f"odd.{tool}", arguments).result)
        except RPCFailure as failure:
            return failure.word or str(failure)


def sessions(odd: OddHTTP) -> int:
    return len(odd.requests("initialize"))


@pytest.mark.parametrize("body", [b"", b"Bad Request", FOREIGN, REVISION], ids=["empty", "text", "session", "revision"])
def test_one_call_that_is_always_refused_ends_nobodys_session(bridge: Bridge, odd: OddHTTP, body: Any) -> None:
    before = sessions(odd)
    begun, over = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> None:
        begun.set()
        over.wait()
        exchange.text("slow")

    odd.hooks["tools/call:echo"] = slow
    odd.hooks["tools/call:odd"] = lambda exchange: exchange.reply(400, body)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask, bridge, "echo")
        try:
            begun.wait()
            for number in range(4):
                # An error of JSON-RPC is the call's answer then.
                told = ask(bridge, "odd")
                assert told == MAY_HAVE_RUN if isinstance(body, bytes) else body["error"]["message"] in told
                assert ask(bridge, "count", tag=f"{number}") == f"{number}"
        finally:
            over.set()
        assert other.result() == "slow"
    assert sessions(odd) == before, "the session is the same"
    odd.counted.clear()


def test_a_refusal_that_the_server_repeats_of_everything_is_a_lost_session(bridge: Bridge, odd: OddHTTP) -> None:
    before = sessions(odd)
    odd.sessions.clear()
    for what in ("tools/call", "ping"):
        odd.hooks[what] = lambda exchange: exchange.reply(400, b"") if not odd.sessions else False
    assert ask(bridge, "count", tag="again") == "again"
    assert odd.counted.pop("again") == 1 and sessions(odd) == before + 1


def test_a_notification_that_is_refused_as_of_no_session_ends_none(bridge: Bridge, odd: OddHTTP) -> None:
    before, pings = sessions(odd), len(odd.requests("ping"))
    begun, over = threading.Event(), threading.Event()

    def hang(exchange: Exchange) -> None:
        begun.set()
        over.wait()
        exchange.text("late")

    odd.hooks["tools/call:odd"] = hang
    odd.hooks[CANCELLED] = lambda exchange: exchange.reply(404, b"")
    call = {"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": {"name": "odd.odd", "arguments": {}}}
    with bridge.client() as client:
        connection = RawConnection(client.address)
        connection.send("POST", "/mcp", client.headers("POST"), json.dumps(call).encode())
        begun.wait()
        client.notify(CANCELLED, {"requestId": 77})
        odd.wait_requests("ping", pings + 1)
        assert text_of(client.call("odd.count", {"tag": "cancelled"}).result) == "cancelled"
        connection.close()
    over.set()
    assert sessions(odd) == before


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [(500, {}, MAY_HAVE_RUN), (429, {}, DID_NOT_RUN), (303, {"Location": "/elsewhere"}, MAY_HAVE_RUN), (302, {"Location": "/elsewhere"}, DID_NOT_RUN)],
)
def test_what_is_told_of_a_call_is_what_its_status_says(
    bridge: Bridge, odd: OddHTTP, status: int, headers: dict[str, str], told: str
) -> None:
    odd.hooks["tools/call:odd"] = lambda exchange: exchange.reply(status, FOREIGN_FORM, **headers)
    assert ask(bridge, "odd") == told


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_the_rest_of_an_answer_is_asked_for_until_the_server_has_time(bridge: Bridge, odd: OddHTTP, status: int) -> None:
    refused = []

    def begin(exchange: Exchange) -> None:
        tag = odd.count(exchange)

        def go_on(other: Exchange) -> Any:
            if other.seen.headers.get("last-event-id") != "c1":
                return False
            if len(refused) < 3:
                refused.append(status)
                return other.reply(status, b"busy")
            other.stream()
            other.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)}, id="c2")
            return other.end()

        odd.hooks["GET"] = go_on
        exchange.stream()
        exchange.event(id="c1", retry=110)
        exchange.end()

    odd.hooks["tools/call"] = begin
    assert ask(bridge, "count", tag=f"r{status}") == f"r{status}"
    assert len(refused) == 3 and odd.counted[f"r{status}"] == 1


def test_a_session_whose_confirmation_fails_amid_a_call_is_confirmed_once_the_server_is_there(
    bridge: Bridge, odd: OddHTTP
) -> None:
    begun, over = threading.Event(), threading.Event()
    tried, refused = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> None:
        begun.set()
        over.wait()
        exchange.text("slow")

    def refuse(exchange: Exchange) -> Any:
        if tried.is_set():
            return False
        tried.set()
        exchange.reply_and_wait(401, b"not now")
        return refused.set()

    odd.hooks["tools/call:echo"] = slow
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, bridge, "echo")
        try:
            begun.wait()
            odd.hooks["notifications/initialized"] = refuse
            odd.sessions.clear()
            second = pool.submit(ask, bridge, "count", tag="confirmed")
            refused.wait()  # and the bridge knows it
        finally:
            over.set()
        assert first.result() == "slow"
        assert second.result() == "confirmed"
    assert odd.counted["confirmed"] == 1
    eventually(lambda: bridge.upstream("odd")["phase"] == "ready", "it is as it was")
