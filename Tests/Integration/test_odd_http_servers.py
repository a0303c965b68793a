"""Servers over HTTP as they are, beyond what belongs to one call: sessions, revisions, redirects, and how they end."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Bridge, Bridges
from odd_http import Exchange, OddHTTP, text_result
from outcomes import MAY_HAVE_RUN
from replies import RPCFailure, text_of
from upstreams import demo_upstream
from waiting import eventually


class OnlyHTTP2:
    """A server that speaks nothing but HTTP/2, without TLS."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/mcp"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.recv(1 << 16)
            connection.sendall(b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01")
            connection.close()

    def close(self) -> None:
        self._listener.close()


def stray(exchange: Exchange) -> None:
    exchange.text("fine") if exchange.seen.tool != "odd" else exchange.result(text_result("fine"), Mcp_Session_Id="stray")


def no_such_revision(exchange: Exchange) -> Any:
    if exchange.seen.headers.get("mcp-protocol-version") != "2025-11-25":
        return False
    error = {"code": -32000, "message": "Bad Request: Unsupported protocol version: 2025-11-25"}
    return exchange.reply(400, {"jsonrpc": "2.0", "id": None, "error": error})


def no_such_revision_in_words(exchange: Exchange) -> Any:
    if exchange.seen.headers.get("mcp-protocol-version") != "2025-11-25":
        return False
    return exchange.reply(400, "Bad Request: Unsupported protocol version (supported versions: 2025-06-18)\n", "text/plain")


def login(exchange: Exchange) -> None:
    exchange.reply(302, b"", None, Location="https://login.example/start")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, OddHTTP]]:
    over = threading.Event()
    servers = {
        "stray": OddHTTP(hooks={"tools/call:odd": stray}),
        "bare": OddHTTP(has_sessions=False),
        "older": OddHTTP(hooks={"tools/list": no_such_revision, "tools/call": no_such_revision}),
        "wordy": OddHTTP(
            hooks=dict.fromkeys(("notifications/initialized", "tools/list", "tools/call"), no_such_revision_in_words)
        ),
        "login": OddHTTP(hooks={"initialize": login}),
        "clinging": OddHTTP(hooks={"DELETE": lambda exchange: over.wait()}),
        "counted": OddHTTP(hooks={"tools/call:odd": lambda exchange: exchange.cut()}),
    }
    yield servers
    over.set()
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, servers: dict[str, OddHTTP]) -> Iterator[Bridge]:
    modern = OnlyHTTP2()
    entries = {name: server.entry() for name, server in servers.items()}
    bridge = shared_bridges.start({**entries, "modern": {"type": "http", "url": modern.url}, "demo": demo_upstream()}, ready="live")
    for name in servers:
        if name != "login":
            bridge.wait_upstream(name)
    bridge.wait_upstream("demo")
    yield bridge
    modern.close()


def call(bridge: Bridge, name: str, **arguments: Any) -> str:
    with bridge.client() as client:
        bridge.wait_tool(name, client)
        try:
            return text_of(client.call(name, arguments).result)
        except RPCFailure as failure:
            return failure.word or str(failure)


def test_an_id_on_another_answer_is_no_session_and_is_told_once(bridge: Bridge, servers: dict[str, OddHTTP]) -> None:
    for _ in range(3):
        assert call(bridge, "stray.odd") == "fine"
    assert {seen.headers["mcp-session-id"] for seen in servers["stray"].requests("tools/call")} == {"session-1"}
    bridge.wait_logged("another session id")
    assert len([line for line in bridge.log if "another session id" in line]) == 1


def test_a_server_without_sessions_is_served_and_not_told_of_the_end(bridge: Bridge, servers: dict[str, OddHTTP]) -> None:
    assert call(bridge, "bare.echo", text="x") == "x"
    assert not [seen for seen in servers["bare"].seen if "mcp-session-id" in seen.headers]
    servers["bare"].wait_requests("GET")


@pytest.mark.parametrize("name", ["older", "wordy"])
def test_a_revision_that_is_refused_in_the_header_is_not_proposed_again(
    bridge: Bridge, servers: dict[str, OddHTTP], name: str
) -> None:
    assert call(bridge, f"{name}.count", tag="t") == "t"
    older = servers[name]
    assert older.counted == {"t": 1}
    proposed = [seen.message["params"]["protocolVersion"] for seen in older.requests("initialize")]
    assert proposed == ["2025-11-25", "2025-06-18"]
    assert older.requests("tools/call")[-1].headers["mcp-protocol-version"] == "2025-06-18"


def test_a_redirect_to_a_login_page_wants_somebody_to_sign_in(bridge: Bridge, servers: dict[str, OddHTTP]) -> None:
    state = eventually(
        lambda: found if (found := bridge.upstream("login")).get("phase") == "sign-in needed" else None, "told")
    assert servers["login"].url in state["lastError"] and "https://login.example/start" in state["lastError"]


def test_a_server_that_speaks_nothing_but_http_2_is_told_as_that(bridge: Bridge) -> None:
    assert "HTTP/2" in bridge.wait_error("modern")["lastError"]


def metrics(bridge: Bridge, name: str, labels: str) -> float:
    text = bridge.get("/metrics").body.decode()
    found = re.search(rf"^{name}\{{{labels}\}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("upstream", ["counted", "demo"])
def test_calls_of_a_server_are_counted_by_their_outcome_and_by_how_soon_it_answered(bridge: Bridge, upstream: str) -> None:
    label = f'upstream="{upstream}"'
    for number in range(3):
        assert call(bridge, f"{upstream}.echo", text=f"{number}") == f"{number}"
    assert metrics(bridge, "mcp_bridge_upstream_requests_total", f'{label},outcome="result"') == 3
    assert metrics(bridge, "mcp_bridge_upstream_answer_seconds_count", label) == 3
    assert metrics(bridge, "mcp_bridge_upstream_answer_seconds_bucket", rf'{label},le="\+Inf"') == 3
    assert metrics(bridge, "mcp_bridge_upstream_answer_seconds_bucket", f'{label},le="60"') == 3
    assert metrics(bridge, "mcp_bridge_upstream_answer_seconds_sum", label) > 0
    if upstream == "counted":
        assert call(bridge, "counted.odd") == MAY_HAVE_RUN
        assert metrics(bridge, "mcp_bridge_upstream_requests_total", f'{label},outcome="{MAY_HAVE_RUN}"') == 1
        assert metrics(bridge, "mcp_bridge_upstream_answer_seconds_count", label) == 3


def test_a_server_that_does_not_answer_the_farewell_holds_up_nobody(bridge: Bridge, servers: dict[str, OddHTTP]) -> None:
    """The last of this file: it ends the bridge."""
    begun = time.monotonic()
    assert bridge.stop() == 0
    assert time.monotonic() - begun < 15
    assert len(servers["clinging"].requests("DELETE")) == 1
