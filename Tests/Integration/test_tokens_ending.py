"""Tokens that end or change while they are used: revoked, expired and rotated, with calls and streams under way."""

from __future__ import annotations

import datetime
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Bridge, Bridges
from http_raw import Response
from mcp_http import MCPClient
from places import SUPPORT
from tokens import bearer, create_known, revoke, rotate, rotate_known
from upstreams import MisbehavingUpstream, demo_upstream, python_upstream
from waiting import eventually

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
NAP = {"seconds": 30, "steps": 100}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


def client(bridge: Bridge, secret: str) -> MCPClient:
    return bridge.new_client(headers=bearer(secret)).initialize()


def code(response: Response) -> str:
    body = response.json()
    assert isinstance(body, dict)
    return body["error"]["data"]["code"]


def second(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def test_a_call_is_told_once_when_its_token_is_revoked_and_those_of_others_go_on(bridge: Bridge) -> None:
    (secret, known), (other_secret, _) = create_known(bridge, "mcp"), create_known(bridge, "mcp")
    mine, others = client(bridge, secret), client(bridge, other_secret)
    with (
        mine.open_call("demo.sleep", NAP, progress_token="mine") as ending,
        others.open_call("demo.sleep", NAP, progress_token="others") as going_on,
        mine.open_stream() as listening,
    ):
        assert ending.next_message()["method"] == "notifications/progress"
        revoke(bridge, known["id"])
        left = [event.message for event in ending if event.message and "error" in event.message]
        assert [message["error"]["data"]["code"] for message in left] == ["outcome_unknown"], left
        for event in listening:
            assert "id" not in (event.message or {}), event
        assert going_on.next_message()["method"] == "notifications/progress"
        assert going_on.next_message()["method"] == "notifications/progress", "also after that"
    assert others.exchange("POST", PING).status == 200
    assert code(mine.exchange("POST", PING)) == "invalid_token"


def test_nothing_goes_on_in_the_name_of_a_revoked_token(
    bridges: Bridges, misbehaving: MisbehavingUpstream, tmp_path: Path
) -> None:
    """A call whose client has left is cancelled at its server, and so is a task; those of others go on. When a secret alone
    is over, nobody is told any more, but what was asked with it goes on too."""
    journal = tmp_path / "journal"
    journal.touch()
    odd = python_upstream(SUPPORT / "odd_tasks.py", env={"JOURNAL": str(journal)})
    bridge = bridges.start({"bad": misbehaving.entry, "odd": odd})
    for name in ("bad", "odd"):
        bridge.wait_upstream(name)
    (secret, known), (other_secret, _) = create_known(bridge, "mcp"), create_known(bridge, "mcp")
    mine, others = client(bridge, secret), client(bridge, other_secret)
    tasks = []
    for count, each in enumerate((mine, others), 1):
        params = {"name": "odd.t", "arguments": {}, "task": {"ttl": 60_000}}
        tasks.append(each.request("tools/call", params).result["task"]["taskId"])
        with each.open_request("tools/call", {"name": "bad.never", "arguments": {}}):
            calls = misbehaving.wait_received("tools/call", count)
    with mine.open_request("tools/call", {"name": "bad.never", "arguments": {}}) as waiting:
        calls = misbehaving.wait_received("tools/call", 3)
        rotate(bridge, known["id"])
        assert code(waiting.read_response()) == "outcome_unknown"
    # Whatever the server had been told of the calls before, it has read by now.
    assert others.echoes("bad")
    assert misbehaving.received("notifications/cancelled") == []
    revoke(bridge, known["id"])
    cancelled = misbehaving.wait_received("notifications/cancelled", 2)
    assert {each["params"]["requestId"] for each in cancelled} == {calls[0]["id"], calls[2]["id"]}

    def sent(method: str) -> list[str]:
        messages = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
        return [message["params"]["taskId"] for message in messages if message.get("method") == method]

    eventually(lambda: sent("tasks/cancel"), "the task is cancelled")
    assert others.request("tasks/get", {"taskId": tasks[1]}).result["status"] == "working" and others.echoes("bad")
    assert sent("tasks/cancel") == ["task-1"] and len(misbehaving.received("notifications/cancelled")) == 2
    assert code(mine.exchange("POST", {"jsonrpc": "2.0", "id": 9, "method": "tasks/get"})) == "invalid_token"


def test_a_stream_of_the_older_transport_ends_with_its_token(bridge: Bridge) -> None:
    secret, known = create_known(bridge, "mcp")
    with bridge.http() as connection:
        connection.send("GET", "/sse", {"Accept": "text/event-stream", **bearer(secret)})
        body = connection.read_body(connection.read_head())
        endpoint = next(body).decode().split("data: ")[1].split()[0]
        revoke(bridge, known["id"])
        for _ in body:
            pass
    with bridge.http() as connection:
        fields = {"Content-Type": "application/json", **bearer(secret)}
        assert connection.request("POST", endpoint, fields, b'{"jsonrpc":"2.0","id":1,"method":"ping"}').status == 401


def until_it_is_refused(ask: Callable[[], Response], end: float) -> None:
    """Asks until the answer is a refusal. Each answer is held against the clock of before it was asked, and of after:
    however slow the machine is, nothing is refused before the second in which it ends, and nothing granted from it on."""
    while True:
        before = time.time()
        response = ask()
        after = time.time()
        if response.status == 401:
            assert after >= end, f"refused {end - after:.3f} s early"
            return
        assert response.status == 200, response
        assert before < end, f"granted {before - end:.3f} s late"


def test_a_token_is_good_until_the_second_in_which_it_expires_and_not_in_it(bridge: Bridge) -> None:
    secret, known = create_known(bridge, "mcp", "--expires", "6s")
    mine = client(bridge, secret)
    until_it_is_refused(lambda: mine.exchange("POST", PING), second(known["expires"]))
    # Over the router, and on a connection that has never seen it.
    secret, known = create_known(bridge, "mcp", "--expires", "1s")
    until_it_is_refused(lambda: bridge.get("/tools", bearer(secret)), second(known["expires"]))


def test_an_old_secret_is_good_for_the_time_it_was_left_and_a_stream_of_it_ends_then(bridge: Bridge) -> None:
    old, known = create_known(bridge, "mcp")
    mine = client(bridge, old)
    with mine.open_stream() as stream:
        new, told = rotate_known(bridge, known["id"], "--keep-old", "2s")
        end = second(told["oldSecretUntil"])
        until_it_is_refused(lambda: mine.exchange("POST", PING), end)
        for _ in stream:
            pass
        assert time.time() >= end
    assert mine.exchange("POST", PING, bearer(new)).status == 200, "its session lives on"


def test_rotating_again_and_again_under_load_loses_no_call(bridge: Bridge) -> None:
    """Eight callers in one session; each uses the secret that is the newest when it asks."""
    first, known = create_known(bridge, "mcp")
    session = client(bridge, first)
    newest = [first]
    wrong: list[object] = []
    counts = [0] * 8
    over = threading.Event()

    def call(number: int) -> None:
        with session.beside() as own:
            while not over.is_set():
                add = {"name": "demo.add", "arguments": {"a": number, "b": 1}}
                response = own.exchange(
                    "POST", {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": add}, bearer(newest[0])
                )
                body = response.json()
                if response.status != 200 or not isinstance(body, dict) or "result" not in body:
                    wrong.append(response)
                counts[number] += 1

    callers = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for caller in callers:
        caller.start()
    try:
        for _ in range(5):
            newest[0] = rotate(bridge, known["id"], "--keep-old", "1h")
            reached = [count + 3 for count in counts]
            eventually(lambda: all(now >= then for now, then in zip(counts, reached, strict=True)), "calls go on")
    finally:
        over.set()
        for caller in callers:
            caller.join()
    assert wrong == [] and min(counts) >= 15
    # Of two old secrets only the last one was left any time.
    assert session.exchange("POST", PING, bearer(first)).status == 401
    last = newest[0]
    new = rotate(bridge, known["id"])
    assert session.exchange("POST", PING, bearer(last)).status == 401, "it ends now"
    assert session.exchange("POST", PING, bearer(new)).status == 200


def test_a_change_that_is_still_being_sent_when_its_token_is_revoked_is_not_made(bridge: Bridge) -> None:
    secret, known = create_known(bridge, "admin")
    body = json.dumps({"mcpServers": {"too-late": demo_upstream()}}).encode()
    with bridge.http() as connection:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **bearer(secret)}
        connection.send("POST", "/servers", fields)
        connection.send_bytes(body[:-1])
        # Another connection's answer says that the front has seen what was sent before.
        assert bridge.get("/servers", bearer(secret)).status == 200
        revoke(bridge, known["id"])
        connection.send_bytes(body[-1:])
        assert connection.read_response().status == 401
    assert "too-late" not in json.dumps(bridge.get("/servers").json())
