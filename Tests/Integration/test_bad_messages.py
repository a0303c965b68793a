"""Messages that are none, that say two things, or that look like each other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from harness import Bridge
from mcp_http import MCPClient
from replies import text_of
from rpc import request
from schema import NoID

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


def assert_refused(client: MCPClient, body: bytes, code: int, status: int = 400) -> None:
    response = client.exchange_bytes("POST", body)
    assert response.status == status, (response.status, response.body[:500])
    answer = response.json()
    client.check(answer, None, no_id=NoID.UNREADABLE)
    assert answer["error"]["code"] == code, answer
    assert answer["error"]["message"]


# What is no JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"pi',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b"nonsense",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}',
        b"{'jsonrpc':'2.0'}",
        b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping",}',
        b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"a\nb"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\\x"}',
        b"\x00",
        b"\xef\xbb\xbf{",
        b"// comment\n{}",
    ],
)
def test_what_is_no_json_is_a_parse_error(client: MCPClient, body: bytes) -> None:
    assert_refused(client, body, -32700)


@pytest.mark.parametrize(
    "raw", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xf4\x90\x80\x80"]
)
def test_invalid_utf8_is_a_parse_error(client: MCPClient, raw: bytes) -> None:
    assert_refused(client, ECHO % (b'"' + raw + b'"'), -32700)


@pytest.mark.parametrize("depth", [1_000, 100_000, 1_000_000])
def test_deep_nesting_is_refused(client: MCPClient, depth: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        inside = opening * depth + b"1" + closing * depth
        body = ECHO % inside
        if len(body) <= BODY_LIMIT:
            assert_refused(client, body, -32700)
        assert_refused(client, inside[: BODY_LIMIT // 2], -32700)


@pytest.mark.parametrize(
    "message",
    [
        1,
        "text",
        None,
        True,
        {},
        {"jsonrpc": "2.0"},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": 2.0, "id": 1, "method": "ping"},
        request(id=None),
        request(id={}),
        request(id=[1]),
        request(id=True),
        request(id=1.5),
        request(7),
        request(None),
        request(params=[1]),
        request(params="text"),
        request(params=7),
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1, "message": "both"}},
        request(result={}),
        {"jsonrpc": "2.0", "result": {}},
    ],
)
def test_what_is_no_message_is_an_invalid_request(client: MCPClient, message: object) -> None:
    assert_refused(client, json.dumps(message).encode(), -32600)


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","meth\\u006fd":"tools/call"}',
        b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo.echo"},"params":{"name":"demo.add"}}',
    ],
)
def test_a_member_given_twice_is_refused(client: MCPClient, body: bytes) -> None:
    """Two readers would take different ones: what is checked and what is done must be the same."""
    assert_refused(client, body, -32600)


@pytest.mark.parametrize("arguments", [[], "text", 7, True])
def test_arguments_that_are_no_object_are_answered_with_an_error(client: MCPClient, arguments: object) -> None:
    reply = client.request("tools/call", {"name": "demo.echo", "arguments": arguments})
    assert "error" in reply.message or reply.result["isError"] is True


# Duplicate ids


@pytest.mark.parametrize("in_flight", [1, "one"])
def test_two_requests_with_one_id_never_get_each_others_answers(demo_and_bad: Bridge, in_flight: str | int) -> None:
    client = demo_and_bad.client()
    with client.open_call("bad.never", progress_token="first", id=in_flight) as stream:
        stream.wait_for("notifications/progress")
        second = client.request("tools/call", {"name": "bad.echo", "arguments": {"text": "second"}}, id=in_flight)
        if "error" in second.message:
            assert second.failure.code == -32600
        else:
            assert text_of(second.result) == "second"
        client.notify("notifications/cancelled", {"requestId": in_flight})
        answers = [event.message for event in stream if event.message is not None]
    assert answers == []


def test_one_id_in_two_sessions_is_two_ids(demo_and_bad: Bridge) -> None:
    one, other = demo_and_bad.client(), demo_and_bad.client()
    with one.open_call("bad.never", progress_token="t", id=1) as stream:
        stream.wait_for("notifications/progress")
        reply = other.request("tools/call", {"name": "bad.echo", "arguments": {"text": "other"}}, id=1)
        assert text_of(reply.result) == "other"
        one.notify("notifications/cancelled", {"requestId": 1})
        list(stream)


def test_one_progress_token_in_two_sessions_is_two_tokens(demo_and_bad: Bridge) -> None:
    one, other = demo_and_bad.client(), demo_and_bad.client()
    with one.open_call("bad.never", progress_token="same", id=1) as stream:
        assert stream.wait_for("notifications/progress")["params"]["message"] == "never"
        reply = other.call("bad.progress", {"count": 3, "bytes": 2}, progress_token="same")
        assert [each["params"]["message"] for each in reply.notifications] == ["xx"] * 3
        one.notify("notifications/cancelled", {"requestId": 1})
        assert not [event for event in stream if event.message and "method" in event.message]
