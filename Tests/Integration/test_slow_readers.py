"""Clients that ask for much and read slowly or not at all: they delay and harm only themselves."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from typing import Any

import bridge_memory
import pytest
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection
from mcp_http import MCPClient
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually


def slow_reader(
    bridge: Bridge, client: MCPClient, tool: str, arguments: dict[str, Any], token: int | None, number: int = 1,
    fields: dict[str, str] | None = None,
) -> RawConnection:
    """Asks for much and reads nothing."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    connection = bridge.http()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.send("POST", "/mcp", fields or client.headers("POST"), json.dumps(body).encode())
    return connection


def test_a_slow_reader_delays_only_itself(
    demo: Bridge, shared_bridges: Bridges, misbehaving: MisbehavingUpstream
) -> None:
    bridge = shared_bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    client = bridge.client()
    slow = slow_reader(bridge, client, "bad.big", {"bytes": 30 << 20}, None)
    misbehaving.wait_received("tools/call")
    with slow:
        for number in range(200):
            assert text_of(client.call("demo.echo", {"text": str(number)}).result) == str(number)
            assert text_of(client.call("bad.echo", {"text": str(number)}).result) == str(number)
        assert len(text_of(slow.read_response().json()["result"])) == 30 << 20


def test_a_slow_reader_does_not_fill_the_memory(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    """A hundred megabytes of progress for somebody who reads nothing: its source is left waiting."""
    bridge = bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    client = bridge.client()
    before = bridge_memory.total(bridge)
    with slow_reader(bridge, client, "bad.progress", {"count": 100_000, "bytes": 1000}, 1):
        for number in range(300):
            assert text_of(client.call("demo.echo", {"text": str(number)}).result) == str(number)
        grown = bridge_memory.total(bridge) - before
    assert grown < 48 << 20, f"grown by {grown >> 20} MiB"
    assert text_of(client.call("demo.echo", {"text": "on"}).result) == "on"


@pytest.mark.parametrize("persistence", ["keep-alive", "close"])
def test_who_reads_slowly_but_steadily_gets_all_of_it(
    bridges: Bridges, misbehaving: MisbehavingUpstream, persistence: str
) -> None:
    """Neither the time for idle connections nor that for a close begins while the answer is being read."""
    limits = {"idleTimeout": 1, "slowReadTimeout": 20, "linger": 0.1}
    bridge = bridges.start({"bad": misbehaving.entry}, bridge={"limits": limits})
    bridge.wait_upstream("bad")
    client = bridge.client()
    fields = {**client.headers("POST"), "Connection": persistence}
    with slow_reader(bridge, client, "bad.big", {"bytes": 16 << 20}, None, fields=fields) as slow:
        eventually(lambda: metric(bridge, 'held_bytes{kind="answer"}') > 0, "the answer is there")
        received = 0
        for _ in range(3):
            # A connection that has been answered, and is closed for its idleness, tells when the time has passed.
            with bridge.http() as witness:
                assert witness.request("GET", "/health/live").status == 200
                assert witness.read_until_closed() == b""
            received += read_up_to(slow, 64 << 10)
        assert metric(bridge, 'held_bytes{kind="answer"}') > 0, "it has all left already, and nothing was tested"
        while received < 16 << 20:
            received += read_up_to(slow, 1 << 20)


def read_up_to(connection: RawConnection, octets: int) -> int:
    piece = connection.socket.recv(octets)
    assert piece, "cut off"
    return len(piece)


def metric(bridge: Bridge, name: str) -> int:
    found = re.search(re.escape(name) + r" (\d+)", bridge.get("/metrics").body.decode())
    return int(found[1]) if found else 0


def dropped(bridge: Bridge) -> int:
    return metric(bridge, 'refused_total{reason="slow_reader"}')


def test_readers_of_large_answers_do_not_fill_the_memory(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    """Eight times 40 MB for clients that read nothing: the bridge keeps what it may and drops the others."""
    limits = {"heldBytes": 64 << 20}
    bridge = bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry}, bridge={"limits": limits})
    bridge.wait_upstream("bad")
    client = bridge.client()
    with contextlib.ExitStack() as stack:
        for number in range(8):
            stack.enter_context(slow_reader(bridge, client, "bad.big", {"bytes": 40 << 20}, None, 100 + number))
        eventually(lambda: dropped(bridge) == 7, "seven slow readers dropped", 3 * PATIENCE)
        held = metric(bridge, 'held_bytes{kind="answer"}')
        assert 0 < held <= 64 << 20
        for number in range(100):
            assert text_of(client.call("demo.echo", {"text": str(number)}).result) == str(number)
        used = bridge_memory.by_process(bridge)["http"]
    assert used < 300 << 20, f"the front holds {used >> 20} MiB"


def test_a_reader_that_never_reads_is_given_up(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    impatient = bridges.start({"bad": misbehaving.entry}, bridge={"limits": {"slowReadTimeout": 2}})
    impatient.wait_upstream("bad")
    client = impatient.client()
    with slow_reader(impatient, client, "bad.big", {"bytes": 30 << 20}, None) as slow:
        eventually(lambda: dropped(impatient) == 1, "the connection closed")
        with pytest.raises((ConnectionEnded, json.JSONDecodeError)):
            slow.read_response().json()
    client.close()
    assert client.request("ping").result == {}
