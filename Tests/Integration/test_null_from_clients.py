"""Clients that write null where they have nothing to say: it counts as absent. A request's id is never null."""

from __future__ import annotations

import json

import pytest
import schema
from harness import Bridge
from upstreams import MisbehavingUpstream

EVERY_REVISION = pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)


def rpc(members: str) -> bytes:
    return f'{{"jsonrpc":"2.0",{members}}}'.encode()


@EVERY_REVISION
@pytest.mark.parametrize(
    "members",
    [
        '"id":1,"method":"ping","params":null',
        '"id":1,"method":"ping","params":{"_meta":null}',
        '"id":1,"method":"tools/list","params":null',
        '"id":1,"method":"tools/list","params":{"cursor":null,"_meta":null}',
        '"params":null,"method":"tools/list","id":"x"',
        '"id":1,"method":"tools/call","params":{"name":"demo.echo","arguments":{"text":"t"},"_meta":null}',
        '"id":1,"method":"tools/call","params":{"name":"demo.echo","arguments":{"text":"t"}},"error":null',
    ],
)
def test_requests_are_answered(demo: Bridge, revision: str, members: str) -> None:
    response = demo.client(revision).exchange_bytes("POST", rpc(members))
    assert response.status == 200, response
    message = response.json()
    assert "result" in message and message["id"] in (1, "x"), message


@EVERY_REVISION
@pytest.mark.parametrize(
    "members",
    [
        '"method":"notifications/initialized","params":null',
        '"method":"notifications/cancelled","params":null',
        '"method":"notifications/cancelled","params":{"requestId":null,"reason":null}',
        '"method":"notifications/roots/list_changed","params":{"_meta":null}',
        '"id":5,"result":{},"error":null',
        '"id":5,"result":null,"error":{"code":-1,"message":"no"}',
        '"id":5,"result":null',
    ],
)
def test_notifications_and_answers_are_accepted(demo: Bridge, revision: str, members: str) -> None:
    client = demo.client(revision)
    response = client.exchange_bytes("POST", rpc(members))
    assert (response.status, response.body) == (202, b""), response
    assert client.request("ping").result == {}


@pytest.mark.parametrize(
    "members",
    [
        '"id":null,"method":"ping"',
        '"id":null,"method":"ping","params":null',
        '"id":null,"method":"tools/call","params":{"name":"bad.echo"}',
        '"id":null,"method":"notifications/initialized"',
        '"id":null,"result":{}',
        '"id":7.0,"method":"ping"',
        '"id":1,"method":"ping","params":[]',
        '"id":1,"method":null',
    ],
)
def test_an_id_is_never_null_and_what_cannot_be_read_is_refused(
    demo_and_bad: Bridge, misbehaving: MisbehavingUpstream, members: str
) -> None:
    client = demo_and_bad.client()
    before = len(misbehaving.received("tools/call"))
    response = client.exchange_bytes("POST", rpc(members))
    assert response.status == 400
    assert response.json()["error"]["code"] == -32600
    assert client.request("ping").result == {}
    assert len(misbehaving.received("tools/call")) == before


def test_an_initialize_of_nulls_opens_a_session(demo: Bridge) -> None:
    params = {"protocolVersion": "2025-11-25", "capabilities": {"roots": None, "sampling": None}, "clientInfo": None}
    client = demo.new_client()
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).encode()
    response = client.exchange_bytes("POST", body)
    assert response.status == 200 and response.headers["mcp-session-id"]
    schema.check(response.json(), "2025-11-25", "initialize")
