"""Sessions: what an id opens, for whom, and for how long."""

from __future__ import annotations

import base64

import pytest
import schema
from harness import Bridge, Bridges
from http_raw import Response
from mcp_http import MCPClient
from rpc import PING
from upstreams import demo_upstream

NEWS = "notifications/tools/list_changed"
EVERY_REVISION = pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)


def assert_unknown(client: MCPClient) -> None:
    """Each method says 404, which tells a client to begin anew."""
    for method, message in (("POST", PING), ("GET", None), ("DELETE", None)):
        response = client.exchange(method, message)
        assert response.status == 404, (method, response.status, response.body)
    error = client.exchange("POST", PING).json()["error"]
    assert (error["code"], error["message"]) == (-32000, "Unknown MCP session ID")


@EVERY_REVISION
def test_a_request_without_a_session_is_400(demo: Bridge, revision: str) -> None:
    response = demo.new_client(revision).exchange("POST", PING)
    assert response.status == 400
    error = response.json()["error"]
    assert error["code"] == -32000
    assert error["message"] == "Bad Request: initialize request or MCP-Session-Id is required"


def test_a_stream_or_an_end_without_a_session_is_400(demo: Bridge) -> None:
    client = demo.new_client()
    assert client.exchange("GET").status == 400
    assert client.exchange("DELETE").status == 400


@pytest.mark.parametrize("identifier", ["nonsense", "x" * 600, "a.b.c", "00000000-0000-0000-0000-000000000000", "%00"])
def test_an_unknown_session_is_404(demo: Bridge, identifier: str) -> None:
    client = demo.new_client()
    client.session_id = identifier
    assert_unknown(client)


def test_a_forged_session_is_404(demo: Bridge) -> None:
    """Any single changed character, anywhere."""
    real = demo.client().session_id
    assert real is not None
    client = demo.new_client()
    for index in range(0, len(real), max(1, len(real) // 24)):
        other = "A" if real[index] != "A" else "B"
        client.session_id = real[:index] + other + real[index + 1 :]
        if _same_bytes(client.session_id, real):
            continue
        assert client.exchange("POST", PING).status == 404, f"character {index} is not protected"
    client.session_id = real[:-4]
    assert_unknown(client)
    client.session_id = real + real
    assert_unknown(client)


def _same_bytes(one: str, other: str) -> bool:
    """The last character of base64 can have bits that mean nothing."""
    try:
        return base64.urlsafe_b64decode(one + "==") == base64.urlsafe_b64decode(other + "==")
    except ValueError:
        return False


@EVERY_REVISION
def test_an_ended_session_is_404(demo: Bridge, revision: str) -> None:
    client, bystander = demo.client(revision), demo.client(revision)
    assert client.delete().status in (200, 204)
    assert_unknown(client)
    assert bystander.request("ping").result == {}


def test_ending_a_session_ends_its_stream(demo: Bridge) -> None:
    client = demo.client()
    with client.keep_stream_open() as stream:
        assert client.delete().status in (200, 204)
        assert {event.message["method"] for event in stream if event.message} <= {NEWS}


def test_a_session_of_another_principal_is_404(demo: Bridge) -> None:
    """TCP and the Unix socket are different principals."""
    over_tcp, over_socket = demo.client(), demo.client(local=True)
    stranger = demo.new_client()
    stranger.session_id = over_socket.session_id
    assert_unknown(stranger)
    stranger = demo.new_client(local=True)
    stranger.session_id = over_tcp.session_id
    assert_unknown(stranger)
    assert over_tcp.request("ping").result == over_socket.request("ping").result == {}


def test_a_session_of_another_bridge_is_404(demo: Bridge, bridges: Bridges) -> None:
    other = bridges.start({"demo": demo_upstream()})
    client = demo.new_client()
    client.session_id = other.client().session_id
    assert_unknown(client)


def initialize(client: MCPClient) -> Response:
    params = {"protocolVersion": client.revision, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    return client.exchange("POST", {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})


@EVERY_REVISION
@pytest.mark.parametrize("kind", ["ended", "forged", "another's", "nonsense", "of another bridge"])
def test_a_client_with_the_id_of_a_session_that_is_no_more_gets_a_new_one(
    demo: Bridge, bridges: Bridges, revision: str, kind: str
) -> None:
    """The same for all of them: an id tells nobody whose it is, or was."""
    client = demo.new_client(revision)
    usual = initialize(client)
    match kind:
        case "ended":
            ended = demo.client(revision)
            assert ended.delete().status == 204
            client.session_id = ended.session_id
        case "forged":
            client.session_id = f"{demo.client(revision).session_id}A"
        case "another's":
            client.session_id = demo.client(revision, local=True).session_id
        case "nonsense":
            client.session_id = "0b5fd6f5-5c3b-4f3a-9d5a-1c9d8b0f7a11"
        case "of another bridge":
            client.session_id = bridges.start({"demo": demo_upstream()}).client(revision).session_id
    dead = client.session_id
    assert_unknown(client)
    response = initialize(client)
    assert (response.status, response.json()) == (200, usual.json())
    assert response.headers["mcp-session-id"] not in (dead, None)
    assert_unknown(client)
    client.session_id = response.headers["mcp-session-id"]
    assert client.request("ping").result == {}


def test_initialize_in_a_session_that_lives_is_refused_and_leaves_it_as_it_is(demo: Bridge) -> None:
    client = demo.client()
    response = initialize(client)
    assert response.status == 400 and "mcp-session-id" not in response.headers
    assert client.request("ping").result == {}


@EVERY_REVISION
def test_a_level_may_be_set_before_the_client_says_that_it_is_initialized(demo: Bridge, revision: str) -> None:
    client = demo.new_client(revision)
    client.session_id = initialize(client).headers["mcp-session-id"]
    for level in ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"):
        assert client.request("logging/setLevel", {"level": level}).result == {}
    assert "demo.echo" in client.tool_names()
    client.notify("notifications/initialized")
    assert client.request("logging/setLevel", {"level": "info"}).result == {}


def test_the_unix_socket_serves_mcp_too(demo: Bridge) -> None:
    client = demo.client(local=True)
    assert "demo.echo" in client.tool_names()


def test_sessions_outlive_a_restart_and_ended_ones_stay_ended(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    kept, ended = bridge.client("2025-06-18"), bridge.client()
    assert ended.delete().status in (200, 204)
    assert bridge.stop() == 0
    bridge.start()
    kept.close()
    ended.close()
    assert "demo.echo" in kept.tool_names()
    assert_unknown(ended)


def test_the_key_of_the_sessions_is_for_the_service_alone(demo: Bridge) -> None:
    for path in demo.state.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
