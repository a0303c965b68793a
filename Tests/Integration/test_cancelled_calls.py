"""Calls that their client cancels: nobody gets an answer that it does not want, and nobody comes back for one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schema
from harness import Bridge
from http_raw import EventParser, RawConnection, Response
from mcp_http import MCPClient, call_params
from replies import text_of
from upstreams import MisbehavingUpstream
from waiting import eventually

EVERY_REVISION = pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
CANCELLED = "notifications/cancelled"


@pytest.fixture(scope="module")
def bridge(demo_and_bad: Bridge) -> Bridge:
    return demo_and_bad


def request(id: Any, tool: str = "bad.never", progress_token: str | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call_params(tool, {}, progress_token)}


def cancellation(id: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": CANCELLED, "params": {"requestId": id, **more}}


class Hanging:
    """A POST whose calls have reached the server, which says no more about them."""

    def __init__(self, client: MCPClient, upstream: MisbehavingUpstream, message: Any, calls: int = 1) -> None:
        before = len(upstream.received("tools/call"))
        self._upstream = upstream
        self.connection = RawConnection(client.address)
        self.connection.send("POST", "/mcp", client.headers("POST"), json.dumps(message).encode())
        self.calls = upstream.wait_received("tools/call", before + calls)[before:]
        # What was cancelled by an earlier test has come to the server before these calls.
        self.cancelled_before = len(upstream.received(CANCELLED))

    def told(self, count: int = 1) -> list[dict[str, Any]]:
        """What the server has been told of calls that were cancelled since."""
        return self._upstream.wait_received(CANCELLED, self.cancelled_before + count)[self.cancelled_before :]

    def assert_ends_without_a_word(self) -> None:
        response = self.connection.read_response()
        assert (response.status, response.content_type, response.body) == (200, "text/event-stream", b"")
        # All of it is there, so that the connection goes on, even one of HTTP/1.0.
        assert response.headers["content-length"] == "0"
        assert "transfer-encoding" not in response.headers and "mcp-session-id" not in response.headers
        assert self.connection.request("GET", "/health/live").status == 200
        self.connection.close()


def assert_gone(client: MCPClient, event_id: str) -> None:
    """A `Last-Event-ID` is refused at once."""
    response = client.exchange("GET", None, {"Last-Event-ID": event_id, "Accept": "text/event-stream"})
    assert response.status == 400, response
    error = response.json()["error"]
    assert error["data"]["code"] == "unknown_event", error


# One that has said nothing


@EVERY_REVISION
def test_a_call_that_has_said_nothing_ends_as_a_stream_without_events(
    bridge: Bridge, misbehaving: MisbehavingUpstream, revision: str
) -> None:
    client = bridge.client(revision)
    hanging = Hanging(client, misbehaving, request(1))
    client.notify(CANCELLED, {"requestId": 1, "reason": "enough of it"})
    hanging.assert_ends_without_a_word()
    (told,) = hanging.told()
    assert told["params"] == {"requestId": hanging.calls[0]["id"], "reason": "enough of it"}
    assert text_of(client.call("bad.echo", {"text": "after"}).result) == "after"


@pytest.mark.parametrize("reason", ["", "ü😀 \"quoted\"\n", "cancelled", "no memory", "overloaded"])
def test_the_reason_is_the_clients(bridge: Bridge, misbehaving: MisbehavingUpstream, reason: str) -> None:
    client = bridge.client()
    hanging = Hanging(client, misbehaving, request("r"))
    client.notify(CANCELLED, {"requestId": "r", "reason": reason})
    hanging.assert_ends_without_a_word()
    assert hanging.told()[0]["params"]["reason"] == reason


def test_the_answer_of_a_server_that_goes_on_all_the_same_reaches_nobody(
    bridge: Bridge, misbehaving: MisbehavingUpstream, folder: Path
) -> None:
    client = bridge.client()
    gate = folder / "gate"
    os.mkfifo(gate)
    hold = {**request(1), "params": {"name": "bad.hold", "arguments": {"gate": str(gate)}}}
    hanging = Hanging(client, misbehaving, hold)
    client.notify(CANCELLED, {"requestId": 1})
    hanging.assert_ends_without_a_word()
    # The id is free, and the late answer is no answer to who has it now.
    with client.open_call("bad.never", progress_token="p", id=1) as stream:
        stream.wait_for("notifications/progress")
        gate.write_text("late", encoding="utf-8")
        assert text_of(client.call("bad.echo", {"text": "mine"}).result) == "mine"
        client.notify(CANCELLED, {"requestId": 1})
        assert list(stream) == []


# One whose stream has begun


@EVERY_REVISION
def test_a_stream_that_has_begun_is_closed_and_cannot_be_resumed(
    bridge: Bridge, misbehaving: MisbehavingUpstream, revision: str
) -> None:
    client = bridge.client(revision)
    with client.open_call("bad.never", progress_token="p", id="begun") as stream:
        stream.wait_for("notifications/progress")
        client.notify(CANCELLED, {"requestId": "begun"})
        rest = list(stream)
    assert rest == [], "nothing comes after the cancellation"
    assert stream.parser.is_between_events
    assert stream.last_event_id is not None
    assert_gone(client, stream.last_event_id)
    assert_gone(client, stream.last_event_id)


def test_a_primed_stream_is_closed_and_cannot_be_resumed(bridge: Bridge, misbehaving: MisbehavingUpstream) -> None:
    client = bridge.client()
    with client.open_call("bad.never", id=0) as stream:
        primed = next(iter(stream))
        assert primed.id and not primed.data
        client.notify(CANCELLED, {"requestId": 0})
        assert list(stream) == []
    assert_gone(client, primed.id)


def test_a_stream_that_its_client_has_left_is_as_gone(bridge: Bridge) -> None:
    client = bridge.client()
    with client.open_call("bad.never", progress_token="p", id=1) as stream:
        stream.wait_for("notifications/progress")
    client.notify(CANCELLED, {"requestId": 1})
    assert stream.last_event_id is not None
    assert_gone(client, stream.last_event_id)


def test_a_stream_that_its_client_has_come_back_to_ends_too(bridge: Bridge) -> None:
    client = bridge.client()
    with client.open_call("bad.never", progress_token="p", id=1) as stream:
        stream.wait_for("notifications/progress")
    assert stream.last_event_id is not None
    with client.open_stream(stream.last_event_id) as again:
        client.notify(CANCELLED, {"requestId": 1})
        # Every stream begins with an event that only has an id; nobody may come back by that one either.
        assert [event for event in again if event.data] == []
    assert_gone(client, stream.last_event_id)
    assert again.last_event_id is not None
    assert_gone(client, again.last_event_id)


# HTTP/1.0


@pytest.mark.parametrize("progress_token", [None, "p"], ids=["nothing said", "begun"])
def test_a_client_of_http_1_0_sees_the_end_too(
    bridge: Bridge, misbehaving: MisbehavingUpstream, progress_token: str | None
) -> None:
    client = bridge.client()
    before = len(misbehaving.received("tools/call"))
    body = json.dumps(request(1, progress_token=progress_token)).encode()
    with bridge.http() as connection:
        fields = {"Host": connection.host, "Content-Length": str(len(body)), **client.headers("POST")}
        head = ["POST /mcp HTTP/1.0"] + [f"{name}: {value}" for name, value in fields.items()]
        connection.send_bytes("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        misbehaving.wait_received("tools/call", before + 1)
        answer = connection.read_head() if progress_token else None
        client.notify(CANCELLED, {"requestId": 1})
        answer = answer or connection.read_head()
        response = Response(answer.status, answer.headers, connection.read_until_closed())
    assert response.status == 200 and response.is_event_stream
    assert "transfer-encoding" not in response.headers
    parser = EventParser()
    messages = [event.message for event in parser.feed(response.body) if event.message]
    assert parser.is_between_events
    assert [message["method"] for message in messages] == (["notifications/progress"] if progress_token else [])


# Which are meant


IDS: list[Any] = [7, "7", 0, "0", -1, "", "a", 2**53 + 1, 10**29]
SPELLINGS = [*map(json.dumps, IDS), "7.0", "7e0", "-0", "null", "true", "[7]", "{}", str(2**53)]


def test_only_a_call_of_just_that_id_is_cancelled(bridge: Bridge, misbehaving: MisbehavingUpstream) -> None:
    client = bridge.client()
    hanging = {json.dumps(id): Hanging(client, misbehaving, request(id)) for id in IDS}
    meant = {"-0": "0"}
    for spelling in [each for each in SPELLINGS if each not in hanging] + list(hanging):
        body = f'{{"jsonrpc":"2.0","method":"{CANCELLED}","params":{{"requestId":{spelling}}}}}'
        response = client.exchange_bytes("POST", body.encode())
        assert (response.status, response.body) == (202, b""), (spelling, response)
        ended = hanging.pop(meant.get(spelling, spelling), None)
        if ended is not None:
            ended.assert_ends_without_a_word()
        assert not [id for id, each in hanging.items() if each.connection.has_unread()], spelling


def test_what_is_unknown_finished_or_another_sessions_is_ignored(
    bridge: Bridge, misbehaving: MisbehavingUpstream
) -> None:
    client, other = bridge.client(), bridge.client()
    reply = client.request("tools/call", {"name": "bad.echo", "arguments": {"text": "done"}}, id="finished")
    assert text_of(reply.result) == "done"
    hanging = Hanging(client, misbehaving, request("mine"))
    other.notify(CANCELLED, {"requestId": "mine"})
    # The first id of a client is that of its initialize.
    for id in ("finished", "unknown", 1):
        client.notify(CANCELLED, {"requestId": id, "reason": "too late"})
    client.notify(CANCELLED)
    client.notify(CANCELLED, {})
    assert text_of(client.call("bad.echo", {"text": "here"}).result) == "here"
    assert not hanging.connection.has_unread()
    client.notify(CANCELLED, {"requestId": "mine"})
    hanging.assert_ends_without_a_word()
    assert len(hanging.told()) == 1


# Batches, which 2025-03-26 has


@pytest.mark.parametrize("cancelled", [[1], [2], [3], [3, 1], [2, 3]])
def test_each_other_request_of_a_batch_has_its_answer(
    bridge: Bridge, misbehaving: MisbehavingUpstream, cancelled: list[int]
) -> None:
    client = bridge.client("2025-03-26")
    ping = {"jsonrpc": "2.0", "id": "ping", "method": "ping"}
    batch = [request(1), ping, request(2), request(3)]
    hanging = Hanging(client, misbehaving, batch, calls=3)
    head = hanging.connection.read_head()
    assert head.status == 200 and head.is_event_stream
    events = hanging.connection.read_events(head)
    assert next(events).message == {"jsonrpc": "2.0", "id": "ping", "result": {}}
    for id in cancelled:
        client.notify(CANCELLED, {"requestId": id})
    assert len(hanging.told(len(cancelled))) == len(cancelled)
    # The others end with the session, which says so.
    assert client.beside().delete().status == 204
    rest = [event.message for event in events if event.message]
    assert sorted(message["id"] for message in rest) == [id for id in (1, 2, 3) if id not in cancelled]
    assert {message["error"]["data"]["code"] for message in rest} == {"cancelled"}
    # Of the others the server hears now: not in the middle of the next test.
    assert len(hanging.told(3)) == 3


def test_a_batch_of_which_all_is_cancelled_ends_without_a_word(
    bridge: Bridge, misbehaving: MisbehavingUpstream
) -> None:
    client = bridge.client("2025-03-26")
    hanging = Hanging(client, misbehaving, [request(1), request(2)], calls=2)
    for id in (2, 1):
        client.notify(CANCELLED, {"requestId": id})
    hanging.assert_ends_without_a_word()


def test_a_batch_may_cancel_what_it_asks_for(bridge: Bridge, misbehaving: MisbehavingUpstream) -> None:
    client = bridge.client("2025-03-26")
    echo = request("echo", "bad.echo")
    with bridge.http() as connection:
        batch = [cancellation("echo"), request(1), echo, cancellation(1, reason="changed my mind")]
        connection.send("POST", "/mcp", client.headers("POST"), json.dumps(batch).encode())
        response = connection.read_response()
    if response.is_event_stream:
        answers = [event.message for event in EventParser().feed(response.body) if event.message]
    else:
        answers = [response.json()]
    assert [answer["id"] for answer in answers] == ["echo"]


def test_nothing_is_left_of_cancelled_calls(bridge: Bridge, misbehaving: MisbehavingUpstream) -> None:
    client = bridge.client()
    for number in range(20):
        hanging = Hanging(client, misbehaving, request(number))
        client.notify(CANCELLED, {"requestId": number})
        hanging.assert_ends_without_a_word()
    eventually(lambda: bridge.health()["ok"], "all is well")
    assert client.delete().status == 204
