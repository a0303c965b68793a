"""Servers over HTTP that want to be asked again later: nobody asks them sooner, and nobody waits in vain for them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_raw import RawConnection
from mcp_http import call_params
from odd_http import Exchange, OddHTTP, OddSSE
from outcomes import DID_NOT_RUN
from replies import text_of
from waiting import eventually


@pytest.fixture(params=[OddHTTP, OddSSE])
def odd(request: pytest.FixtureRequest) -> Iterator[OddHTTP]:
    server: OddHTTP = request.param()
    yield server
    server.stop()
    server.check()


def busy(seconds: int | str, status: int = 429, body: Any = b"busy", times: int = 1 << 30) -> Any:
    left = [times]

    def refuse(exchange: Exchange) -> Any:
        if left[0] == 0:
            return False
        left[0] -= 1
        told = {**body, "id": exchange.id} if isinstance(body, dict) else body
        return exchange.reply(status, told, Retry_After=str(seconds))

    return refuse


def error(bridge: Bridge, **arguments: Any) -> dict[str, Any]:
    """What a call of `odd.echo` is told."""
    with bridge.client() as client:
        return dict(client.call("odd.echo", arguments).message["error"])


def answer(call: RawConnection) -> dict[str, Any]:
    """To a call that was begun, whether it is a stream by now or not."""
    with call:
        body = call.read_response().body
    events = [line[5:] for line in body.splitlines() if line.startswith(b"data:") and line[5:].strip()]
    return dict(json.loads(events[-1] if events else body))


def next_attempt(state: dict[str, Any]) -> float:
    """In how many seconds."""
    at = datetime.fromisoformat(state["nextReconnectAt"].replace("Z", "+00:00"))
    return (at - datetime.now(timezone.utc)).total_seconds()


def in_date(seconds: int) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize("is_date", [False, True])
def test_a_call_is_told_when_the_server_wants_it_again(bridges: Bridges, odd: OddHTTP, is_date: bool) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
    odd.hooks["tools/call"] = busy(in_date(600) if is_date else 600)
    told = error(bridge)
    assert told["data"]["code"] == DID_NOT_RUN and told["data"]["upstream"] == "odd"
    assert 590 <= told["data"]["retryAfter"] <= 600 and "wants to be asked again" in told["message"]
    assert len(odd.requests("tools/call")) == 1 and bridge.upstream("odd")["connected"]


def test_a_call_that_has_not_so_much_time_is_told_at_once(bridges: Bridges, odd: OddHTTP) -> None:
    bridge = bridges.start({"odd": odd.entry(timeouts={"call": "4s"})})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
    odd.hooks["tools/call"] = busy(5)
    told = error(bridge)
    assert told["data"]["code"] == DID_NOT_RUN and told["data"]["retryAfter"] == 5, "it waited until its time was over"
    assert len(odd.requests("tools/call")) == 1


TOO_MANY = {"jsonrpc": "2.0", "error": {"code": -32000, "message": "Too many requests"}}


@pytest.mark.parametrize(("status", "body"), [(429, b"busy"), (503, b"busy"), (429, TOO_MANY), (503, TOO_MANY)])
def test_a_server_that_cannot_be_greeted_yet_has_not_failed(
    bridges: Bridges, odd: OddHTTP, status: int, body: Any
) -> None:
    odd.hooks["initialize"] = busy(1_000, status, body)
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    state = wait_busy(bridge)
    assert state["reconnectAttempts"] == 0
    assert 900 < next_attempt(state) <= 1_002 and str(status) in state["lastError"]


def wait_busy(bridge: Bridge) -> dict[str, Any]:
    return eventually(
        lambda: found if (found := bridge.upstream("odd")).get("phase") == "backoff" else None, "the server is busy"
    )


def check_calls_are_told_at_once(bridges: Bridges, odd: OddHTTP, what: str) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
    assert bridge.stop() == 0
    count = len(odd.requests(what))
    odd.hooks[what] = busy(1_000)
    bridge.start("live")
    wait_busy(bridge)
    for _ in range(3):
        told = error(bridge)
        assert told["data"]["code"] == DID_NOT_RUN and 900 < told["data"]["retryAfter"] <= 1_000
    assert len(odd.requests(what)) == count + 1, "a call has hurried a server that wants peace"
    assert bridge.upstream("odd")["reconnectAttempts"] == 0


def test_calls_to_a_server_that_cannot_be_greeted_yet_are_told_at_once(bridges: Bridges, odd: OddHTTP) -> None:
    check_calls_are_told_at_once(bridges, odd, "initialize")


def test_calls_to_a_server_that_gives_no_stream_yet_are_told_at_once(bridges: Bridges) -> None:
    server = OddSSE()
    try:
        check_calls_are_told_at_once(bridges, server, "GET")
    finally:
        server.stop()


@pytest.mark.parametrize("times", [1, 2])
def test_a_call_waits_for_a_server_that_wants_to_be_asked_again_soon(
    bridges: Bridges, odd: OddHTTP, times: int
) -> None:
    """Whether it is its greeting that is refused, or its stream."""
    bridge = bridges.start({"odd": odd.entry(start="lazy", idleStop="200ms")})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
        eventually(lambda: bridge.upstream("odd")["phase"] == "idle", "the unused connection has ended")
        odd.hooks["initialize"] = busy(1, times=times)
        assert text_of(client.call("odd.echo", {"text": "x"}).result) == "x"
        if not isinstance(odd, OddSSE):
            return
        eventually(lambda: bridge.upstream("odd")["phase"] == "idle", "the unused connection has ended")
        odd.hooks["GET"] = busy(1, times=1)
        assert text_of(client.call("odd.echo", {"text": "y"}).result) == "y"


def test_calls_wait_once_and_no_longer_than_they_have(bridges: Bridges, odd: OddHTTP) -> None:
    what = "GET" if isinstance(odd, OddSSE) else "initialize"
    bridge = bridges.start({"odd": odd.entry(start="lazy", idleStop="200ms", timeouts={"call": "60s", "tools": {"count": "2s"}})})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
        eventually(lambda: bridge.upstream("odd")["phase"] == "idle", "the unused connection has ended")
        odd.hooks[what] = busy(4)
        waits = client.open_request("tools/call", call_params("odd.echo", {}, None))
        for _ in range(2):
            told = client.call("odd.count", {}).message["error"]
            assert told["data"]["code"] == DID_NOT_RUN and told["data"]["retryAfter"] >= 3, "it waited in vain"
        told = answer(waits)["error"]
        assert told["data"]["code"] == DID_NOT_RUN and told["data"]["retryAfter"] == 4


@pytest.mark.parametrize("body", [b"busy", TOO_MANY])
def test_lists_are_asked_for_again_when_the_server_wants_that(bridges: Bridges, odd: OddHTTP, body: Any) -> None:
    odd.capabilities = {"tools": {}, "prompts": {}}
    odd.results["prompts/list"] = {"prompts": []}
    odd.hooks["tools/list"] = busy(1_000, body=body)
    bridge = bridges.start(
        {"odd": odd.entry(headers={"X-Key": "spent"})}, ready="live", bridge={"refreshInterval": "20ms"})
    eventually(lambda: len(odd.requests("prompts/list")) > 10, "the other list is read again and again")
    assert len(odd.requests("tools/list")) == 1
    # Nobody has told this to whoever has another key.
    del odd.hooks["tools/list"]
    reconfigure(bridge, headers={"X-Key": "fresh"})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)


def reconfigure(bridge: Bridge, **entry: Any) -> None:
    assert bridge.config is not None
    bridge.config["mcpServers"]["odd"] |= entry
    bridge.write_config()
    os.kill(bridge.supervisor.pid, signal.SIGHUP)


def test_it_is_asked_again_when_it_wants_that(bridges: Bridges, odd: OddHTTP) -> None:
    odd.hooks["initialize"] = busy(6, times=1)
    begun = time.monotonic()
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
        assert text_of(client.call("odd.echo", {"text": "x"}).result) == "x"
    assert len(odd.requests("initialize")) == 2 and time.monotonic() - begun >= 6


@pytest.mark.parametrize("status", [307, 308])
def test_where_it_redirects_to_is_remembered_for_later_connections(
    bridges: Bridges, odd: OddHTTP, status: int
) -> None:
    """The stream of HTTP+SSE and the address that it names are redirected as well."""
    moved = {"/mcp": "/mcp/", "/sse": "/sse/", "/messages": "/messages/"}

    def move(exchange: Exchange) -> Any:
        path, mark, query = exchange.seen.path.partition("?")
        if path not in moved:
            exchange.seen.path = exchange.seen.path.replace("/?", "?").rstrip("/")
            return False
        hops.append(path)
        return exchange.reply(status, b"", None, Location=f"{moved[path]}{mark}{query}")

    hops: list[str] = []
    for what in ("GET", "initialize", "notifications/initialized", "tools/list", "tools/call"):
        odd.hooks[what] = move
    bridge = bridges.start({"odd": odd.entry(idleStop="200ms")})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
        for count in range(2, 5):
            eventually(lambda: bridge.upstream("odd")["phase"] == "idle", "the unused connection has ended")
            assert text_of(client.call("odd.echo", {"text": "x"}).result) == "x"
            eventually(lambda: len(odd.requests("initialize")) >= count, "another connection")
    assert hops.count("/mcp") == (0 if isinstance(odd, OddSSE) else 1)
    # Each stream names the address anew, which is asked at once where it has once led to.
    assert hops.count("/sse") == (1 if isinstance(odd, OddSSE) else 0)
    if isinstance(odd, OddSSE):
        streams = len([seen for seen in odd.requests("GET") if seen.path == "/sse"])
        assert hops.count("/messages") <= streams


@pytest.mark.parametrize("gone", [404, 401, 500, None])
def test_where_nobody_is_any_more_the_configured_address_is_asked(bridges: Bridges, odd: OddHTTP, gone: int | None) -> None:
    """An earlier connection was redirected; the server has moved on meanwhile."""
    first, second = {"/mcp": ("/one", "/two"), "/sse": ("/sse-one", "/sse-two")}["/sse" if isinstance(odd, OddSSE) else "/mcp"]
    place = [first]

    def move(exchange: Exchange) -> Any:
        if exchange.seen.path in ("/mcp", "/sse"):
            return exchange.reply(307, b"", None, Location=place[0])
        if exchange.seen.path == place[0]:
            return False
        return exchange.cut() if gone is None else exchange.reply(gone, b"")

    odd.hooks["GET" if isinstance(odd, OddSSE) else "initialize"] = move
    bridge = bridges.start({"odd": odd.entry(idleStop="200ms")})
    with bridge.client() as client:
        bridge.wait_tool("odd.echo", client)
        eventually(lambda: bridge.upstream("odd")["phase"] == "idle", "the unused connection has ended")
        place[0] = second
        if gone != 401:
            assert text_of(client.call("odd.echo", {"text": "x"}).result) == "x", "a call was lost to an address of before"
            return
        client.call("odd.echo", {})
        eventually(lambda: "result" in client.call("odd.echo", {}).message, "it is found where it is configured")


def test_all_lanes_leave_a_server_in_peace_that_one_has_greeted(bridges: Bridges) -> None:
    server = OddHTTP()
    try:
        bridge = bridges.start({"odd": server.entry(share="session")})
        with bridge.client() as client:
            bridge.wait_tool("odd.echo", client)
        count = len(server.requests("initialize"))
        server.hooks["initialize"] = busy(1_000)
        for _ in range(4):
            with bridge.new_client().initialize() as client:
                told = dict(client.call("odd.echo", {}).message["error"])
            assert told["data"]["code"] == DID_NOT_RUN and 900 < told["data"]["retryAfter"] <= 1_000
        assert len(server.requests("initialize")) == count + 1, "each session has greeted it"
    finally:
        server.stop()


def test_no_lane_greets_a_server_that_wants_to_be_greeted_later(bridges: Bridges) -> None:
    server = OddHTTP()
    times: list[float] = []

    def refuse(exchange: Exchange) -> Any:
        times.append(time.monotonic())
        return exchange.reply(503, b"busy", Retry_After="3") if len(times) == 1 else False

    try:
        limits = {"call": "60s", "tools": {"count": "1s"}}
        bridge = bridges.start({"odd": server.entry(share="session", timeouts=limits)})
        with bridge.client() as client:
            bridge.wait_tool("odd.echo", client)
        server.hooks["initialize"] = refuse
        with bridge.new_client().initialize() as client:
            assert client.call("odd.count", {}).message["error"]["data"]["retryAfter"] == 3
        clients = [bridge.new_client().initialize() for _ in range(4)]
        calls = [client.open_request("tools/call", call_params("odd.echo", {"text": "x"}, None)) for client in clients]
        assert [text_of(answer(call)["result"]) for call in calls] == ["x"] * 4
        assert len(times) >= 5 and times[1] - times[0] >= 3, "somebody has greeted it meanwhile"
    finally:
        server.stop()


def test_other_headers_end_the_peace(bridges: Bridges, odd: OddHTTP) -> None:
    def refuse(exchange: Exchange) -> Any:
        return exchange.reply(429, b"busy", Retry_After="1000") if exchange.seen.headers.get("x-key") == "spent" else False

    odd.hooks["initialize"] = odd.hooks["GET"] = refuse
    bridge = bridges.start({"odd": odd.entry(headers={"X-Key": "spent"})}, ready="live")
    wait_busy(bridge)
    reconfigure(bridge, headers={"X-Key": "fresh"})
    bridge.wait_upstream("odd")
