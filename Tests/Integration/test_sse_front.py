"""HTTP+SSE (2024-11-05) as the bridge serves it: what its clients rely on, and what they may not do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schema
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, EventParser, Response
from mcp_http import call_params
from places import BINARY
from replies import Reply
from sse_client import JSON, SSEClient
from tokens import bearer, create
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually

CANCELLED = "notifications/cancelled"
PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()


@pytest.fixture(scope="module")
def bridge(demo_and_bad: Bridge) -> Bridge:
    return demo_and_bad


@pytest.fixture
def client(bridge: Bridge) -> Iterator[SSEClient]:
    with SSEClient(bridge.address) as client:
        yield client


def assert_refused(response: Response, status: int, word: str) -> None:
    """With a JSON-RPC error, whatever the way."""
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    schema.check(response.json(), "2024-11-05", no_id=schema.NoID.REFUSED)
    assert response.json()["error"]["data"]["code"] == word, response.body


def notes(reply: Reply, method: str) -> list[dict[str, Any]]:
    """What came before an answer with this method. A list may change at any time, and a new session may be told of it."""
    return [note["params"] for note in reply.notifications if note["method"] == method]


# What clients rely on


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_every_revision_of_the_handshake_is_served(client: SSEClient, revision: str) -> None:
    client.initialize(revision)
    assert "demo.echo" in client.tool_names()
    assert client.echoes("demo")
    reply = client.call("bad.progress", {"count": 3, "bytes": 1}, progress_token="p")
    told = notes(reply, "notifications/progress")
    assert [each["progress"] for each in told] == [1, 2, 3]
    assert [each["progressToken"] for each in told] == ["p"] * 3


def test_the_stream_says_where_to_post_and_has_no_session_header(client: SSEClient) -> None:
    path, _, query = client.endpoint.partition("?")
    name, _, session = query.partition("=")
    assert (path, name, len(session)) == ("/messages/", "session_id", 32)
    assert "mcp-session-id" not in client.head.headers
    assert client.head.headers["cache-control"] == "no-cache, no-transform"
    assert client.head.headers["x-accel-buffering"] == "no"


def test_a_client_that_opens_its_stream_again_may_go_on_without_a_handshake(client: SSEClient) -> None:
    """The TypeScript SDK does."""
    assert client.echoes("demo")
    assert "demo.echo" in client.tool_names()


def test_a_session_is_initialized_once(client: SSEClient) -> None:
    client.initialize()
    params = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    assert client.request("initialize", params).failure.word == "invalid_request"
    assert client.echoes("demo")


def test_answers_come_as_they_are_ready(client: SSEClient) -> None:
    client.initialize()
    slow = client.send_call("bad.never")
    assert client.echoes("demo")
    client.notify(CANCELLED, {"requestId": slow})
    assert client.echoes("bad")


def test_a_batch_is_answered_one_by_one_where_the_revision_has_batches(bridge: Bridge) -> None:
    batch = [{"jsonrpc": "2.0", "id": f"b{number}", "method": "ping"} for number in range(3)]
    for revision in schema.LEGACY_REVISIONS:
        with SSEClient(bridge.address) as client:
            client.initialize(revision)
            client.post(batch)
            answers = [client.next_answer() for _ in batch]
            assert sorted(answer["id"] for answer in answers) == ["b0", "b1", "b2"]
            refused = revision != "2025-03-26"
            assert all(("error" in answer) is refused for answer in answers), answers
            assert client.echoes("demo")


def test_an_answer_to_nothing_and_a_notification_are_accepted(client: SSEClient) -> None:
    client.initialize("2025-11-25")
    client.post({"jsonrpc": "2.0", "id": 77, "result": {}})
    client.post({"jsonrpc": "2.0", "id": 78, "error": {"code": -1, "message": "no"}})
    client.notify("notifications/roots/list_changed")
    assert client.echoes("demo")


def test_changes_and_log_messages_come_on_the_stream(bridge: Bridge, client: SSEClient) -> None:
    client.initialize("2025-11-25")
    assert client.request("logging/setLevel", {"level": "warning"}).result == {}
    reply = client.call("bad.log", {"level": "error", "data": "loud"})
    assert [each["data"] for each in notes(reply, "notifications/message")] == ["loud"]
    client.send_call("bad.set_tools", {"names": ["streamed"]})
    try:
        client.wait_for("notifications/tools/list_changed")
    finally:
        bridge.client().call("bad.set_tools", {"names": []})


def test_the_end_of_the_stream_cancels_what_is_under_way(bridge: Bridge, misbehaving: MisbehavingUpstream) -> None:
    before = len(misbehaving.received(CANCELLED))
    calls = len(misbehaving.received("tools/call"))
    with SSEClient(bridge.address) as client:
        client.initialize()
        client.send_call("bad.never")
        call = misbehaving.wait_received("tools/call", calls + 1)[-1]
        client.stream.close()
        cancelled = misbehaving.wait_received(CANCELLED, before + 1)[-1]
        assert cancelled["params"]["requestId"] == call["id"]
        assert_refused(client.post_bytes(PING), 404, "unknown_session")


def _journal(bridge: Bridge) -> str:
    """What is written down of sessions, which happens beside the answers: empty before anything is."""
    path = bridge.state / "sessions.journal"
    return path.read_text() if path.exists() else ""


def test_a_subscription_ends_with_its_stream(bridges: Bridges) -> None:
    bridge = bridges.start({"e": {"command": str(BINARY), "args": ["demo-server", "--everything"]}})
    bridge.wait_upstream("e")
    with SSEClient(bridge.address) as client:
        client.initialize("2025-06-18")
        assert client.request("resources/subscribe", {"uri": "demo://notes/1"}).result == {}
        assert client.request("logging/setLevel", {"level": "error"}).result == {}
        eventually(lambda: "demo://notes/1" in _journal(bridge), "the subscription is written down")
    eventually(lambda: '"x":0' in _journal(bridge).splitlines()[-1], "its session is forgotten")
    assert bridge.stop() == 0


def test_a_silent_stream_says_that_it_is_alive(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"keepAlive": 0.2})
    with bridge.http() as connection:
        connection.send("GET", "/sse")
        pieces, parser = connection.read_body(connection.read_head()), EventParser()
        while parser.comments < 3:
            parser.feed(next(pieces))
    assert bridge.stop() == 0


def test_it_is_found_below_the_public_path(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"publicURL": "http://localhost:1/base/"})
    for path in ("/sse", "/base/sse"):
        with SSEClient(bridge.address, path=path) as client:
            assert client.endpoint.startswith("/base/messages/?session_id=")
            assert client.echoes("demo")
            client.endpoint = client.endpoint.removeprefix("/base")
            assert client.echoes("demo")


@pytest.mark.parametrize(("trusted", "told"), [(["127.0.0.1"], "/apps/bridge/messages/"), (["192.0.2.0/24"], "/messages/")])
def test_where_it_stands_is_a_trusted_proxys_word(bridges: Bridges, trusted: list[str], told: str) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"trustedProxies": trusted}, ready="live")
    headers = bearer(create(bridge, "mcp"), **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Prefix": "/apps/bridge/"})
    with SSEClient(bridge.address, headers=headers) as client:
        assert client.endpoint.startswith(f"{told}?session_id=")


def test_safe_names_can_be_asked_for_in_the_address(bridge: Bridge) -> None:
    with SSEClient(bridge.address, path="/sse?names=safe") as client:
        assert "demo__echo" in client.tool_names()


def test_http_1_0_ends_its_stream_with_the_connection(bridge: Bridge) -> None:
    with bridge.http() as connection:
        connection.send_bytes(f"GET /sse HTTP/1.0\r\nHost: {connection.host}\r\n\r\n".encode())
        head = connection.read_head()
        assert head.status == 200 and "transfer-encoding" not in head.headers
        assert next(connection.read_events(head)).event == "endpoint"


# What they may not do


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "word"),
    [
        ("GET", "/sse", {"Accept": "application/json"}, None, 406, "not_acceptable"),
        ("GET", "/sse", {"Accept": "text/event-stream;q=0"}, None, 406, "not_acceptable"),
        ("GET", "/sse", {}, b"{}", 400, "bad_request"),
        ("POST", "/sse", JSON, PING, 405, "method_not_allowed"),
        ("DELETE", "/sse", {}, None, 405, "method_not_allowed"),
        ("GET", "/messages/", {}, None, 405, "method_not_allowed"),
        ("POST", "/messages/", JSON, PING, 400, "bad_request"),
        ("POST", "/messages/?session_id=1&session_id=2", JSON, PING, 400, "bad_request"),
        ("POST", "/messages/?session_id=", JSON, PING, 404, "unknown_session"),
        ("POST", "/messages/?session_id=" + "0" * 32, JSON, PING, 404, "unknown_session"),
        ("POST", "/messages/?session_id=" + "0" * 32, JSON, b"not JSON", 404, "unknown_session"),
        ("POST", "/messages/?session_id=0", {}, PING, 415, "unsupported_media_type"),
        ("GET", "/sse", {"Host": "evil.example"}, None, 403, "host_not_allowed"),
        ("GET", "/sse", {"Origin": "http://evil.example"}, None, 403, "origin_not_allowed"),
        ("GET", "/sse", {"Origin": "https://claude.ai"}, None, 401, "token_required"),
        ("GET", "/sse", {"X-Forwarded-For": "192.0.2.1"}, None, 401, "token_required"),
        ("POST", "/messages/?session_id=0", {**JSON, "Origin": "null"}, PING, 403, "origin_not_allowed"),
        ("POST", "/messages/?session_id=0", {**JSON, "Via": "1.1 x"}, PING, 401, "token_required"),
    ],
)
def test_what_is_wrong_is_refused_with_a_code(
    bridge: Bridge, method: str, path: str, headers: dict[str, str], body: bytes | None, status: int, word: str
) -> None:
    with bridge.http() as connection:
        assert_refused(connection.request(method, path, headers, body), status, word)


def test_messages_without_the_slash_are_another_path(bridge: Bridge, client: SSEClient) -> None:
    with bridge.http() as connection:
        path = client.endpoint.replace("/messages/", "/messages")
        response = connection.request("POST", path, JSON, PING)
        # It is one of the model APIs.
        assert response.status == 400 and response.json()["type"] == "error"


def test_a_session_of_the_other_door_is_unknown(bridge: Bridge, client: SSEClient) -> None:
    with bridge.http(local=True) as connection:
        assert_refused(connection.request("POST", client.endpoint, JSON, PING), 404, "unknown_session")
    with SSEClient(bridge.local_socket) as local, bridge.http() as connection:
        assert_refused(connection.request("POST", local.endpoint, JSON, PING), 404, "unknown_session")
        assert local.echoes("demo")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"7", b'"x"', b'{"jsonrpc":"2.0"}'])
def test_what_is_no_message_is_refused_and_the_session_goes_on(client: SSEClient, body: bytes) -> None:
    client.initialize()
    response = client.post_bytes(body)
    assert response.status == 400, response
    schema.check(response.json(), "2024-11-05", no_id=schema.NoID.REFUSED)
    assert client.echoes("demo")


def test_a_request_that_is_wrong_is_told_so_on_the_stream(client: SSEClient) -> None:
    """The Python SDK posts nothing any more after one answer that is not 2xx."""
    client.post({"jsonrpc": "1.0", "id": "w", "method": "ping"})
    answer = client.next_answer()
    assert (answer["id"], answer["error"]["data"]["code"]) == ("w", "invalid_request")
    assert client.request("nothing/such").failure.code in (-32601, -32602)
    assert client.call("demo.nothing").failure.word == "unknown_tool"
    assert client.echoes("demo")


def test_an_id_in_use_is_refused(client: SSEClient, misbehaving: MisbehavingUpstream) -> None:
    client.send("tools/call", call_params("bad.never", {}, None), id="same")
    assert client.request("tools/call", call_params("demo.echo", {"text": "x"}, None), id="same").failure.word == (
        "duplicate_id"
    )


def test_a_body_that_is_too_long_is_refused(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"limits": {"bodyBytes": 2048}})
    with SSEClient(bridge.address) as client:
        assert_refused(client.post_bytes(b" " * 2049), 413, "payload_too_large")
        assert client.echoes("demo")


def test_the_stop_of_the_service_ends_each_stream(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    with SSEClient(bridge.address) as client:
        client.initialize()
        bridge.process.terminate()
        while (event := client.next_event()).message is not None:
            assert "method" in event.message
        assert (event.retry, event.data) == (1000, "")
        with pytest.raises(ConnectionEnded):
            while True:
                client.next_event()
    assert bridge.process.wait(PATIENCE) == 0
