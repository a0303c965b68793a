"""HTTP/1.0: clients that know no chunks, and take the end of the connection for the end of the answer."""

from __future__ import annotations

import json

import pytest
from harness import Bridge
from http_raw import EventParser, RawConnection, Response
from mcp_http import MCPClient
from replies import text_of


def exchange(connection: RawConnection, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Response:
    """One request of HTTP/1.0; the whole of the answer, to the end of the connection."""
    fields = {"Host": connection.host, "Content-Length": str(len(body)), **headers}
    head = [f"{method} {path} HTTP/1.0"] + [f"{name}: {value}" for name, value in fields.items()]
    connection.send_bytes("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    answer = connection.read_head()
    assert "transfer-encoding" not in answer.headers
    assert answer.headers["connection"].lower() == "close"
    return Response(answer.status, answer.headers, connection.read_until_closed())


def call(client: MCPClient, name: str, arguments: dict[str, object], meta: dict[str, object] | None = None) -> bytes:
    params: dict[str, object] = {"name": name, "arguments": arguments}
    if meta:
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()


@pytest.mark.parametrize("persistence", [{}, {"Connection": "keep-alive"}], ids=["default", "keep-alive"])
def test_a_call_is_answered_and_the_connection_closed(demo: Bridge, persistence: dict[str, str]) -> None:
    client = demo.client()
    with demo.http() as connection:
        body = call(client, "demo.echo", {"text": "old"})
        response = exchange(connection, "POST", "/mcp", {**client.headers("POST"), **persistence}, body)
    assert response.status == 200
    assert int(response.headers["content-length"]) == len(response.body)
    assert text_of(response.json()["result"]) == "old"


def test_a_stream_ends_with_the_connection(demo: Bridge) -> None:
    client = demo.client()
    with demo.http() as connection:
        body = call(client, "demo.sleep", {"seconds": 0.3, "steps": 2}, {"progressToken": "p"})
        response = exchange(connection, "POST", "/mcp", client.headers("POST"), body)
    assert response.status == 200
    if response.is_event_stream:
        messages = [event.message for event in EventParser().feed(response.body) if event.message]
        assert messages[-1]["id"] == 7
        assert [message.get("method") for message in messages[:-1]] == ["notifications/progress"] * (len(messages) - 1)
    else:
        assert response.json()["id"] == 7


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics", "/tools", "/nothing"])
def test_other_routes_do_the_same(demo: Bridge, path: str) -> None:
    with demo.http() as connection:
        response = exchange(connection, "GET", path, {})
    assert response.status in (200, 404)
    assert int(response.headers["content-length"]) == len(response.body)


def test_a_refusal_closes_too(demo: Bridge) -> None:
    with demo.http() as connection:
        response = exchange(connection, "POST", "/mcp", {"Content-Type": "text/plain", "Accept": "*/*"}, b"{}")
    assert response.status == 415
    assert response.json()["error"]["data"]["code"] == "unsupported_media_type"
