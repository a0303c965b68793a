"""What a token may use: exact for many callers at once, and over the death of the front."""

from __future__ import annotations

import concurrent.futures
import os
import signal

import pytest
from harness import Bridge, Bridges
from mcp_http import MCPClient
from tokens import bearer, create
from upstreams import demo_upstream
from waiting import eventually

CALLERS = 64


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


def outcomes(client: MCPClient, callers: int, each: int) -> list[str]:
    """How so many calls by so many callers at once end, by their words."""

    def call(_: int) -> list[str]:
        found = []
        with client.beside() as own:
            for _ in range(each):
                reply = own.request("tools/call", {"name": "demo.add", "arguments": {"a": 1, "b": 2}})
                found.append(reply.message["error"]["data"]["code"] if "error" in reply.message else "ok")
        return found

    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        return [word for words in pool.map(call, range(callers)) for word in words]


def test_a_rate_is_exact_for_64_callers_and_says_when_to_come_again(bridge: Bridge) -> None:
    client = bridge.new_client(headers=bearer(create(bridge, "mcp", "--rate", "100/day"))).initialize()
    found = outcomes(client, CALLERS, 3)
    # `initialize` was one of the hundred.
    assert found.count("ok") == 99 and set(found) == {"ok", "rate_limited"}, found
    refused = client.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert refused.status == 200, "an error within a session is no error of HTTP"
    assert refused.headers["x-ratelimit-limit"] == "100" and refused.headers["x-ratelimit-remaining"] == "0"
    error = refused.json()["error"]
    assert error["code"] == -32006 and int(refused.headers["Retry-After"]) == error["data"]["retryAfter"] > 0
    first = MCPClient(bridge.address, headers=client._headers)
    outside = first.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert outside.status == 429 and "Retry-After" in outside.headers
    assert bridge.get("/tools", client._headers).status == 429


def test_a_budget_is_exact_for_64_callers(bridge: Bridge) -> None:
    client = bridge.new_client(headers=bearer(create(bridge, "mcp", "--budget", "150requests/day"))).initialize()
    found = outcomes(client, CALLERS, 4)
    assert found.count("ok") == 149 and set(found) == {"ok", "budget_spent"}, found


@pytest.mark.parametrize(("limit", "lost"), [(("--rate", "300/day"), 3), (("--budget", "300requests/day"), 3)])
def test_over_the_death_of_the_front_never_more_is_let_through(
    limit: tuple[str, str], lost: int, bridge: Bridge
) -> None:
    client = bridge.new_client(headers=bearer(create(bridge, "mcp", *limit))).initialize()
    before = outcomes(client, 8, 16)
    assert set(before) == {"ok"}
    os.kill(bridge.worker("http").pid, signal.SIGKILL)
    eventually(lambda: bridge.get("/health/live").status == 200, "the next front")
    after = outcomes(client, CALLERS, 4)
    total = 1 + before.count("ok") + after.count("ok")
    assert 300 - lost <= total <= 300, total


def test_no_more_calls_than_its_concurrency_are_under_way(bridge: Bridge) -> None:
    client = bridge.new_client(headers=bearer(create(bridge, "mcp", "--concurrency", "2"))).initialize()
    nap = {"seconds": 30, "steps": 50}
    add = ("tools/call", {"name": "demo.add", "arguments": {"a": 1, "b": 2}})
    with client.open_call("demo.sleep", nap, progress_token="first"):
        with client.open_call("demo.sleep", nap, progress_token="second", id="second"):
            error = client.request(*add).message["error"]
            assert error["data"]["code"] == "concurrency_limited" and error["data"]["retryAfter"] == 1
            client.notify("notifications/cancelled", {"requestId": "second"})
            eventually(lambda: "result" in client.request(*add).message, "room for one more")


def test_all_tokens_together_have_a_rate(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"limits": {"tokenRate": "10/day"}})
    bridge.wait_upstream("demo")
    secrets = [create(bridge, "mcp") for _ in range(2)]
    statuses = [bridge.get("/tools", bearer(secrets[turn % 2])).status for turn in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert bridge.get("/tools").status == 200, "who needs no token is not counted"
