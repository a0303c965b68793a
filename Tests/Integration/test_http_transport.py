"""The Streamable HTTP transport of each legacy revision, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schema
from harness import Bridge
from http_raw import EventParser, Response
from mcp_http import JSON_AND_EVENTS, MCPClient
from replies import text_of
from rpc import PING

EVERY_REVISION = pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
NAMES_ITS_VERSION = pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
WITHOUT_BATCHES = pytest.mark.parametrize("revision", [each for each in schema.LEGACY_REVISIONS if each != "2025-03-26"])


def error_of(response: Response, client: MCPClient) -> dict[str, Any]:
    """The JSON-RPC error in the body of a refusal."""
    body = response.json()
    client.check(body, None, no_id=schema.NoID.REFUSED)
    return body["error"]


# Versions


@EVERY_REVISION
def test_initialize_gives_a_session_and_the_asked_version(demo: Bridge, revision: str) -> None:
    client = demo.client(revision)
    assert client.session_id is not None
    assert 0 < len(client.session_id) < 512
    # 2025-03-26, Streamable HTTP, session management: only visible ASCII.
    assert all(0x21 <= ord(character) <= 0x7E for character in client.session_id)


def test_sessions_have_different_ids(demo: Bridge) -> None:
    assert len({demo.client().session_id for _ in range(5)}) == 5


@pytest.mark.parametrize("asked", ["2023-01-01", "2099-01-01", "nonsense", "2026-07-28"])
def test_an_unknown_version_is_answered_with_the_newest_legacy_one(demo: Bridge, asked: str) -> None:
    client = demo.new_client()
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    reply = client.request("initialize", params)
    assert reply.result["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("params", [None, {}, {"protocolVersion": 7}])
def test_initialize_without_its_parameters_is_refused_and_gives_no_session(
    demo: Bridge, params: dict[str, Any] | None
) -> None:
    client = demo.new_client()
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    response = client.exchange("POST", message if params is None else {**message, "params": params})
    assert response.json()["error"]["code"] in (-32602, -32600)
    assert "mcp-session-id" not in response.headers


@NAMES_ITS_VERSION
@pytest.mark.parametrize("named", ["1999-12-31", "", "latest"])
def test_a_version_header_that_is_no_version_is_400(demo: Bridge, revision: str, named: str) -> None:
    client = demo.client(revision)
    response = client.exchange("POST", PING, {"MCP-Protocol-Version": named})
    assert response.status == 400
    error_of(response, client)


@EVERY_REVISION
def test_a_missing_version_header_is_forgiven(demo: Bridge, revision: str) -> None:
    """The session knows its version."""
    client = demo.client(revision)
    response = client.exchange("POST", PING, {"MCP-Protocol-Version": None})
    assert (response.status, response.json()) == (200, {"jsonrpc": "2.0", "id": 1, "result": {}})


# Methods and media types


@EVERY_REVISION
def test_notifications_and_responses_are_202_without_a_body(demo: Bridge, revision: str) -> None:
    client = demo.client(revision)
    for message in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "never sent"}},
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
        {"jsonrpc": "2.0", "method": "notifications/nobody/knows"},
        {"jsonrpc": "2.0", "id": 99, "result": {}},
        {"jsonrpc": "2.0", "id": "x", "error": {"code": -1, "message": "no"}},
    ):
        response = client.exchange("POST", message)
        assert (response.status, response.body) == (202, b""), message


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND"])
def test_other_methods_are_405_and_told_which_there_are(demo: Bridge, method: str) -> None:
    response = demo.client().exchange(method)
    assert response.status == 405
    allowed = {each.strip() for each in response.headers["allow"].split(",")}
    assert {"GET", "POST", "DELETE"} <= allowed


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml, text/plain;q=0.5"])
def test_an_accept_that_excludes_both_types_is_406(demo: Bridge, accept: str) -> None:
    client = demo.client()
    response = client.exchange("POST", PING, {"Accept": accept})
    assert response.status == 406
    error_of(response, client)


def test_a_get_that_does_not_accept_events_is_406(demo: Bridge) -> None:
    assert demo.client().exchange("GET", headers={"Accept": "application/json"}).status == 406


@pytest.mark.parametrize(
    "accept", [JSON_AND_EVENTS, "*/*", "text/event-stream,application/json", "Application/JSON, Text/Event-Stream"]
)
def test_these_accepts_are_good(demo: Bridge, accept: str) -> None:
    assert demo.client().exchange("POST", PING, {"Accept": accept}).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None, ""])
def test_a_body_of_another_type_is_415(demo: Bridge, kind: str | None) -> None:
    """Also what keeps a web page from posting here without asking first."""
    response = demo.client().exchange("POST", PING, {"Content-Type": kind})
    assert response.status == 415


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8", "application/vnd.x+json"],
)
def test_these_content_types_are_good(demo: Bridge, kind: str) -> None:
    assert demo.client().exchange("POST", PING, {"Content-Type": kind}).status == 200


def test_an_unknown_path_is_404(demo: Bridge) -> None:
    assert demo.get("/nothing/here").status == 404
    assert demo.get("/mcp/more").status == 404


def test_a_connection_is_kept_for_further_requests(demo: Bridge) -> None:
    client = demo.client()
    with demo.http() as connection:
        for number in range(20):
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}).encode()
            response = connection.request("POST", "/mcp", client.headers("POST"), body)
            assert response.json()["id"] == number


def test_requests_sent_ahead_are_answered_in_order(demo: Bridge) -> None:
    client = demo.client()
    with demo.http() as connection:
        for number in range(20):
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}).encode()
            connection.send("POST", "/mcp", client.headers("POST"), body)
        assert [connection.read_response().json()["id"] for _ in range(20)] == list(range(20))


def test_a_body_in_chunks_is_read_whole(demo: Bridge) -> None:
    client = demo.client()
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "demo.echo", "arguments": {"text": "y" * 100_000}},
        }
    ).encode()
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    with demo.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), "Transfer-Encoding": "chunked"})
        for piece in pieces:
            connection.send_bytes(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send_bytes(b"0\r\n\r\n")
        assert text_of(connection.read_response().json()["result"]) == "y" * 100_000


@pytest.mark.parametrize("size", [1_000, 65_536, 262_144, 300_000, 1 << 20, 3 << 20])
def test_arguments_and_results_of_any_size_come_whole(demo: Bridge, size: int) -> None:
    """Also those that are too big to share a connection inside the daemon."""
    text = "0123456789abcdef" * (size // 16)
    assert text_of(demo.client().call("demo.echo", {"text": text}).result) == text


def test_an_expected_continue_is_given(demo: Bridge) -> None:
    """curl asks for it before larger bodies."""
    client = demo.client()
    with demo.http() as connection:
        body = json.dumps(PING).encode()
        fields = {**client.headers("POST"), "Content-Length": str(len(body)), "Expect": "100-continue"}
        connection.send("POST", "/mcp", fields)
        connection.send_bytes(body)
        assert connection.read_response().status == 200


# Batches


def test_2025_03_26_takes_batches(demo: Bridge) -> None:
    client = demo.client("2025-03-26")
    batch = [
        {"jsonrpc": "2.0", "id": "a", "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/nobody/knows"},
        {
            "jsonrpc": "2.0",
            "id": "b",
            "method": "tools/call",
            "params": {"name": "demo.echo", "arguments": {"text": "in a batch"}},
        },
        {"jsonrpc": "2.0", "id": "c", "method": "no/such/method"},
    ]
    response = client.exchange("POST", batch)
    assert response.status == 200
    answers = {answer["id"]: answer for answer in answers_in(response)}
    assert answers.keys() == {"a", "b", "c"}
    client.check(answers["a"], "ping")
    client.check(answers["b"], "tools/call")
    assert text_of(answers["b"]["result"]) == "in a batch"
    assert answers["c"]["error"]["code"] == -32601


def answers_in(response: Response) -> list[dict[str, Any]]:
    """The responses to a batch: an array, or events of one each, or of arrays."""
    if response.content_type == "application/json":
        body = response.json()
        assert isinstance(body, list)
        return body
    found: list[dict[str, Any]] = []
    for event in EventParser().feed(response.body):
        if event.message is not None:
            found += event.message if isinstance(event.message, list) else [event.message]
    return found


def test_a_batch_of_notifications_is_202(demo: Bridge) -> None:
    batch = [{"jsonrpc": "2.0", "method": "notifications/nobody/knows"}] * 2
    response = demo.client("2025-03-26").exchange("POST", batch)
    assert (response.status, response.body) == (202, b"")


def test_an_empty_batch_is_refused(demo: Bridge) -> None:
    response = demo.client("2025-03-26").exchange("POST", [])
    assert (response.status, response.json()["error"]["code"]) == (400, -32600)


def test_a_bad_member_spoils_only_itself_or_the_batch_but_is_told(demo: Bridge) -> None:
    response = demo.client("2025-03-26").exchange("POST", [PING, 1])
    if response.status == 400:
        assert response.json()["error"]["code"] == -32600
    else:
        assert {answer.get("id") for answer in answers_in(response)} == {1, None}


@WITHOUT_BATCHES
def test_every_other_revision_refuses_batches(demo: Bridge, revision: str) -> None:
    client = demo.client(revision)
    response = client.exchange("POST", [PING, {**PING, "id": 2}])
    assert (response.status, error_of(response, client)["code"]) == (400, -32600)


def test_initialize_is_not_taken_in_a_batch(demo: Bridge) -> None:
    params = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    batch = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}, {**PING, "id": 2}]
    for client in (demo.new_client("2025-03-26"), demo.client("2025-03-26")):
        response = client.exchange("POST", batch)
        assert response.status == 400
        assert response.json()["error"]["code"] == (-32000 if client.session_id is None else -32600)
        assert response.json()["id"] == 1
        assert "mcp-session-id" not in response.headers
