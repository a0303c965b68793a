"""Very many connections, and the one caller beside them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from harness import Bridge, Bridges
from mcp_http import MCPClient
from places import SUPPORT
from replies import text_of
from rpc import request
from upstreams import demo_upstream
from waiting import best_of

BODY_LIMIT = 4 << 20
#: A caller within the limit of connections is served in this time, however many others are idle (seconds).
NEXT_CALLER = 0.05
IDLE_CONNECTIONS = 10_000
ECHO = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo.echo","arguments":{"text":%s}}}'


@pytest.fixture
def bystander(demo: Bridge) -> Iterator[MCPClient]:
    """Another client, which must notice nothing."""
    client = demo.client()
    yield client
    assert text_of(client.call("demo.echo", {"text": "still served"}).result) == "still served"


@pytest.fixture
def client(demo: Bridge, bystander: MCPClient) -> MCPClient:
    return demo.client()


# Ten thousand idle connections


@pytest.fixture
def crowd() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def hold_idle(bridge: Bridge, count: int, crowd: list[subprocess.Popen[str]]) -> int:
    """Has another process open and hold so many connections; says how many it got."""
    process = subprocess.Popen(
        [sys.executable, str(SUPPORT / "idle_connections.py"), *map(str, bridge.address), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    crowd.append(process)
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words and words[0] == "open", "the crowd could not connect"
    return int(words[1])


def test_the_next_caller_is_served_beside_ten_thousand_idle_connections(
    bridges: Bridges, crowd: list[subprocess.Popen[str]]
) -> None:
    bridge = bridges.start(
        {"demo": demo_upstream()}, bridge={"limits": {"connections": IDLE_CONNECTIONS + 100, "idleTimeout": 600}}
    )
    bridge.wait_upstream("demo")
    client = bridge.client()
    assert hold_idle(bridge, IDLE_CONNECTIONS, crowd) == IDLE_CONNECTIONS

    def measure() -> float:
        client.close()
        started = time.monotonic()
        assert text_of(client.call("demo.echo", {"text": "next"}).result) == "next"
        return time.monotonic() - started

    best_of(20, NEXT_CALLER, measure)


def test_beyond_the_limit_of_connections_one_waits_for_a_place(
    bridges: Bridges, crowd: list[subprocess.Popen[str]]
) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"limits": {"connections": 20, "idleTimeout": 600}})
    bridge.wait_upstream("demo")
    client = bridge.client()
    client.close()
    hold_idle(bridge, 20, crowd)
    # Inside or in front of the door, it has to be served as soon as somebody goes.
    with bridge.http() as waiting:
        body = json.dumps(request()).encode()
        waiting.send("POST", "/mcp", client.headers("POST"), body)
        crowd[0].kill()
        crowd[0].wait()
        assert waiting.read_response().status in (200, 503)
    assert client.request("ping").result == {}
