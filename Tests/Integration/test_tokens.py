"""Tokens at the door: who needs one, what each lets through, and what is told of it to nobody else."""

from __future__ import annotations

import datetime
import json
import time

import pytest
from command_line import beside
from harness import Bridge, Bridges
from http_raw import Response
from mcp_http import MCPClient
from tokens import bearer, create, create_known
from upstreams import demo_upstream
from waiting import eventually

FORWARDED = {"X-Forwarded-For": "203.0.113.7"}
UNKNOWN = "mcpb_" + "A" * 43


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start(
        {"one": demo_upstream(), "two": demo_upstream()},
        bridge={"origins": ["https://claude.ai", "chrome-extension://abcdef", "http://localhost:*"]},
    )
    bridge.wait_upstream("one")
    bridge.wait_upstream("two")
    return bridge


@pytest.fixture(scope="module")
def whole(bridge: Bridge) -> str:
    return create(bridge, "mcp")


@pytest.fixture(scope="module")
def only_one(bridge: Bridge) -> str:
    return create(bridge, "server:one")


def client(bridge: Bridge, secret: str, **more: str) -> MCPClient:
    return bridge.new_client(headers=bearer(secret, **more)).initialize()


def word(response: Response) -> str:
    body = response.json()
    assert isinstance(body, dict)
    error = body["error"]
    return body["code"] if isinstance(error, str) else error.get("data", error)["code"]


@pytest.mark.parametrize("how", ["Authorization", "x-api-key"])
def test_a_token_lets_in_what_comes_through_a_proxy(how: str, bridge: Bridge, whole: str) -> None:
    value = f"Bearer {whole}" if how == "Authorization" else whole
    forwarded = bridge.new_client(headers={how: value, **FORWARDED}).initialize()
    assert forwarded.call("one.add", {"a": 1, "b": 2}).result
    assert bridge.get("/tools", {how: value, **FORWARDED}).status == 200


def test_without_a_token_a_local_request_goes_on_and_any_other_is_told_401(bridge: Bridge) -> None:
    assert bridge.client().tool_names()
    refused = bridge.get("/tools", FORWARDED)
    assert (refused.status, word(refused)) == (401, "token_required")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="mcp-bridge"'
    mcp = bridge.new_client(headers=dict(FORWARDED)).exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (mcp.status, word(mcp)) == (401, "token_required") and mcp.json()["jsonrpc"] == "2.0"


def test_what_is_wrong_with_a_token_is_told_to_nobody(bridge: Bridge, whole: str) -> None:
    revoked, known = create_known(bridge, "mcp")
    assert beside(bridge, "token", "revoke", known["id"]).status == 0
    expired, ends = create_known(bridge, "mcp", "--expires", "1s")
    over = datetime.datetime.fromisoformat(ends["expires"]).timestamp()
    eventually(lambda: time.time() >= over, "the token's own second")
    told = set()
    for secret in (UNKNOWN, whole[:-1], revoked, expired, "mcpb_x"):
        response = bridge.get("/tools", bearer(secret))
        told.add((response.status, response.body, response.headers["WWW-Authenticate"]))
    assert len(told) == 1, told
    assert next(iter(told))[0] == 401
    assert bridge.get("/tools", bearer("sk-made-up")).status == 200, "some key of a local program is none of ours"
    assert bridge.get("/tools", {**bearer("sk-made-up"), **FORWARDED}).status == 401


@pytest.mark.parametrize(
    ("method", "path", "stranger", "partly", "wholly", "admin"),
    [
        ("GET", "/health/live", 200, 200, 200, 200),
        ("GET", "/health", 200, 200, 200, 200),
        ("GET", "/health/ready", 401, 200, 200, 200),
        ("GET", "/", 401, 200, 200, 200),
        ("GET", "/tools", 401, 200, 200, 200),
        ("GET", "/servers", 401, 403, 200, 200),
        ("GET", "/metrics", 401, 403, 200, 200),
        ("POST", "/servers", 401, 403, 403, 415),
        ("DELETE", "/servers/nobody", 401, 403, 403, 404),
        ("GET", "/nothing", 401, 404, 404, 404),
        ("GET", "/mcp", 401, 400, 400, 400),
    ],
)
def test_each_route_asks_for_its_scope(
    method: str, path: str, stranger: int, partly: int, wholly: int, admin: int, bridge: Bridge, whole: str, only_one: str
) -> None:
    secrets = {"stranger": None, "partly": only_one, "wholly": whole, "admin": create(bridge, "admin")}
    got = []
    for secret in secrets.values():
        with bridge.http() as connection:
            fields = {**FORWARDED, "Accept": "text/event-stream", **(bearer(secret) if secret else {})}
            got.append(connection.request(method, path, fields).status)
    assert got == [stranger, partly, wholly, admin]


def test_health_says_no_more_than_ok_to_whoever_may_not_hear_of_servers(bridge: Bridge, only_one: str) -> None:
    for fields in (FORWARDED, bearer(only_one)):
        assert bridge.get("/health", fields).json() == {"ok": True}
    assert "upstreams" in bridge.get("/health").json()


def test_a_scope_of_one_server_shows_and_calls_nothing_of_another(bridge: Bridge, only_one: str) -> None:
    one = client(bridge, only_one)
    assert one.tool_names() and all(name.startswith("one.") for name in one.tool_names())
    assert "two" not in json.dumps(one.server)
    assert one.call("one.add", {"a": 1, "b": 2}).result
    for method, params in [
        ("tools/call", {"name": "two.add", "arguments": {"a": 1, "b": 2}}),
        ("tools/call", {"name": "two__add", "arguments": {"a": 1, "b": 2}}),
        ("prompts/get", {"name": "two.greeting"}),
        ("resources/read", {"uri": "two://nothing"}),
        ("resources/subscribe", {"uri": "two://nothing"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "two.x"}, "argument": {"name": "a", "value": ""}}),
    ]:
        error = one.request(method, params).message["error"]
        assert error["data"]["code"] == "not_granted", (method, error)
    tools = bridge.get("/tools", bearer(only_one)).json()
    assert isinstance(tools, dict) and list(tools["tools"]) == ["one"]


def test_a_scope_of_one_tool_has_that_tool_and_nothing_else(bridge: Bridge) -> None:
    adder = client(bridge, create(bridge, "tool:one.add"))
    assert adder.tool_names() == ["one.add"]
    assert adder.call("one.add", {"a": 1, "b": 2}).result
    refused = adder.request("tools/call", {"name": "one.echo", "arguments": {"text": "x"}}).message["error"]
    assert refused["data"]["code"] == "not_granted"
    assert adder.request("resources/list").result["resources"] == []


def test_a_session_belongs_to_the_token_that_opened_it(bridge: Bridge, whole: str) -> None:
    mine, local, other = client(bridge, whole), bridge.client(), client(bridge, create(bridge, "mcp"))
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for session, asker in [(mine, local), (local, mine), (mine, other)]:
        response = asker.exchange("POST", ping, {"Mcp-Session-Id": session.session_id})
        assert (response.status, word(response)) == (404, "unknown_session")


def test_a_stream_ends_when_its_token_is_revoked_and_others_go_on(bridge: Bridge, whole: str) -> None:
    secret, known = create_known(bridge, "mcp")
    mine, others = client(bridge, secret), client(bridge, whole)
    with mine.open_stream() as ending, others.open_stream():
        assert beside(bridge, "token", "revoke", known["id"]).status == 0
        for event in ending:
            assert "id" not in (event.message or {}), event
    refused = mine.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (refused.status, word(refused)) == (401, "invalid_token")
    assert others.tool_names()


def test_a_token_is_good_until_its_second_and_its_stream_ends_with_it(bridge: Bridge) -> None:
    secret, known = create_known(bridge, "mcp", "--expires", "8s")
    mine = client(bridge, secret)
    told = mine.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert told.headers["X-MCP-Token-Expires"].endswith("Z")
    with mine.open_stream() as stream:
        for _ in stream:
            pass
        ended = time.time()
    end = datetime.datetime.fromisoformat(known["expires"]).timestamp()
    # At once; on a busy machine that is heard of a little later.
    assert end <= ended < end + 20
    assert mine.exchange("POST", {"jsonrpc": "2.0", "id": 2, "method": "ping"}).status == 401


def test_rotating_under_load_loses_no_call(bridge: Bridge) -> None:
    secret, known = create_known(bridge, "mcp")
    mine = client(bridge, secret)
    said = beside(bridge, "token", "rotate", known["id"], "--json")
    assert said.status == 0, said
    new = json.loads(said.out)["secret"]
    for headers in (bearer(new), bearer(secret)) * 10:
        answer = mine.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers)
        assert answer.status in (200, 401), answer
        assert answer.status == 200 or headers == bearer(secret)


@pytest.mark.parametrize("origin", ["https://claude.ai", "chrome-extension://abcdef"])
@pytest.mark.parametrize("path", ["/mcp", "/tools", "/", "/health/ready"])
def test_a_listed_origin_acts_once_it_has_a_token(origin: str, path: str, bridge: Bridge, whole: str) -> None:
    without = bridge.get(path, {"Origin": origin})
    assert without.status == 401 and without.headers["Access-Control-Allow-Origin"] == origin
    if path != "/mcp":
        assert bridge.get(path, bearer(whole, Origin=origin)).status == 200
    else:
        assert client(bridge, whole, Origin=origin).tool_names()
    unlisted = bridge.get(path, bearer(whole, Origin=origin + "x"))
    assert unlisted.status == 403 and "Access-Control-Allow-Origin" not in unlisted.headers


def test_where_everybody_needs_a_token_nobody_is_local(bridges: Bridges) -> None:
    bridge = bridges.start({"one": demo_upstream()}, bridge={"requireToken": "always"}, ready="live")
    for local in (False, True):
        assert bridge.get("/tools", local=local).status == 401
        assert bridge.get("/health/live", local=local).status == 200
    secret = create(bridge, "mcp")
    assert bridge.get("/tools", bearer(secret)).status == 200
    assert bridge.get("/tools", bearer(secret), local=True).status == 200
