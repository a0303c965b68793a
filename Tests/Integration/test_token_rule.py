"""Who needs a token: what makes it everybody, and what each kind of origin is told without one."""

from __future__ import annotations

import json
import socket

import pytest
from command_line import beside
from harness import Bridge, Bridges
from http_raw import RawConnection, Response
from tokens import bearer, create, create_known, revoke
from upstreams import demo_upstream

FORWARDED = {"X-Forwarded-For": "203.0.113.7"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def statuses(bridge: Bridge, headers: dict[str, str | None] | None = None) -> set[int]:
    """What `GET /tools` and a first `POST` of MCP are told, on TCP and on the Unix socket."""
    found = set()
    for local in (False, True):
        found.add(bridge.get("/tools", headers, local=local).status)
        with bridge.http(local=local) as connection:
            fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            body = json.dumps(INITIALIZE).encode()
            found.add(connection.request("POST", "/mcp", {**fields, **(headers or {})}, body).status)
    return found


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        pytest.param({"publicURL": "https://bridge.example.org"}, {}, id="publicURL"),
        pytest.param({"hosts": ["bridge.example.org"]}, {}, id="hosts"),
        pytest.param({"trustedProxies": ["127.0.0.1"]}, {}, id="trustedProxies"),
        pytest.param({}, {"MCP_BRIDGE_HOST": "0.0.0.0"}, id="an address beyond loopback"),
        pytest.param({"requireToken": "always"}, {}, id="requireToken"),
    ],
)
def test_whatever_makes_it_public_makes_everybody_need_a_token(
    settings: dict, environment: dict[str, str], bridges: Bridges
) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge=settings, environment=environment, ready="live")
    assert statuses(bridge) == {401}, "before there is any token"
    assert bridge.get("/health", local=True).json() in ({"ok": True}, {"ok": False})
    secret, known = create_known(bridge, "mcp")
    assert statuses(bridge) == {401} and statuses(bridge, bearer(secret)) == {200}
    said = beside(bridge, "token", "create", "--name", "told", "--scope", "mcp,chat")
    assert "Every request needs a token here" in said.err, said
    assert beside(bridge, "status").status == 0, "the control socket is the service's own user's"
    refused = beside(bridge, "tools")
    assert refused.status != 0 and "token" in refused.err, refused
    if "publicURL" in settings:
        assert "claude mcp add --transport http mcp-bridge https://bridge.example.org/mcp --header" in said.err
        assert "base URL https://bridge.example.org/v1," in said.err, said
        made = beside(bridge, "token", "create", "--name", "json", "--scope", "mcp", "--json")
        assert json.loads(made.out)["url"] == "https://bridge.example.org/mcp"
        assert json.loads(made.out)["requireToken"] == "always"
    if environment:
        with RawConnection((own_address(), bridge.port)) as connection:
            assert connection.request("GET", "/tools").status == 401
            assert connection.request("GET", "/tools", bearer(secret)).status == 200
    for name in (known["id"], "told"):
        revoke(bridge, name)
    assert statuses(bridge) == {401}, "also after the last one"
    assert statuses(bridge, bearer(secret)) == {401}


def own_address() -> str:
    """An address of this machine that others see, or loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # nothing is sent
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def test_it_is_everybody_from_the_reload_on_that_makes_it_public(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    client = bridge.client()
    kept = create(bridge, "mcp")
    with client.open_stream():
        assert bridge.config is not None
        bridge.config["bridge"] = {"publicURL": "https://bridge.example.org"}
        bridge.write_config()
        assert beside(bridge, "reload").status == 0
        assert client.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 401
    assert statuses(bridge) == {401} and statuses(bridge, bearer(kept)) == {200}
    bridge.config["bridge"] = {}
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    assert client.exchange("POST", {"jsonrpc": "2.0", "id": 2, "method": "ping"}).status == 200


def test_the_number_of_tokens_decides_nothing(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    client = bridge.client()
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert statuses(bridge) == {200} and statuses(bridge, FORWARDED) == {401}
    secret, known = create_known(bridge, "mcp")
    assert client.exchange("POST", ping).status == 200, "the first one locks nobody out"
    assert statuses(bridge) == {200} and statuses(bridge, FORWARDED) == {401}
    assert statuses(bridge, bearer(secret, **FORWARDED)) == {200}
    revoke(bridge, known["id"])
    assert statuses(bridge) == {200} and statuses(bridge, FORWARDED) == {401}, "the last one's end lets nobody in"
    said = beside(bridge, "token", "create", "--name", "told", "--scope", "mcp")
    assert "Requests of this machine need no token" in said.err


# Origins

LISTED = ["https://claude.ai", "chrome-extension://abcdefgh", "moz-extension://0123-4567", "app://obsidian.md"]
UNLISTED = ["https://claude.ai.evil.example", "chrome-extension://other", "app://other", "null", "https://evil.example"]
ROUTES = [
    ("GET", "/"), ("GET", "/health/ready"), ("GET", "/tools"), ("GET", "/servers"), ("POST", "/servers"),
    ("DELETE", "/servers/demo"), ("GET", "/metrics"), ("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"),
    ("POST", "/messages/?session_id=1"), ("GET", "/nothing"), ("PUT", "/tools"),
]  # fmt: skip
#: What says the least to whoever asks.
FREE = [("GET", "/health"), ("GET", "/health/live")]


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"demo": demo_upstream()}, bridge={"origins": LISTED})
    bridge.wait_upstream("demo")
    return bridge


def ask(bridge: Bridge, method: str, path: str, headers: dict[str, str | None], local: bool) -> Response:
    body = json.dumps(INITIALIZE).encode() if method == "POST" else None
    fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json", **headers}
    with bridge.http(local=local) as connection:
        return connection.request(method, path, fields, body)


@pytest.mark.parametrize("local", [False, True], ids=["TCP", "Unix socket"])
def test_a_listed_origin_is_told_401_and_an_unlisted_one_403_on_every_route(bridge: Bridge, local: bool) -> None:
    secret = create(bridge, "mcp")
    for method, path in ROUTES + FREE:
        is_free = (method, path) in FREE
        for origin in LISTED:
            told = ask(bridge, method, path, {"Origin": origin}, local)
            assert told.status == (200 if is_free else 401), (method, path, origin, told)
            assert told.headers["Access-Control-Allow-Origin"] == origin, (method, path, origin)
        for origin in UNLISTED:
            for more in ({}, bearer(secret)):
                told = ask(bridge, method, path, {"Origin": origin, **more}, local)
                assert told.status == 403, (method, path, origin, told)
                assert "Access-Control-Allow-Origin" not in told.headers, (method, path, origin)


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_may_do_with_a_token_what_the_token_may(bridge: Bridge, origin: str) -> None:
    part, admin = create(bridge, "server:nobody"), create(bridge, "admin")
    for method, path, partly, wholly in [
        ("GET", "/tools", 200, 200),
        ("POST", "/mcp", 200, 200),
        ("GET", "/servers", 403, 200),
        ("POST", "/servers", 403, 422),
        ("DELETE", "/servers/nobody", 403, 404),
        ("GET", "/nothing", 404, 404),
    ]:
        for secret, status in ((part, partly), (admin, wholly)):
            told = ask(bridge, method, path, bearer(secret, Origin=origin), False)
            assert told.status == status, (method, path, told)
            assert told.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", LISTED)
def test_a_page_may_ask_beforehand_whether_it_may_send_its_token(bridge: Bridge, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    with bridge.http() as connection:
        told = connection.request("OPTIONS", "/mcp", asked)
    assert told.status == 204 and told.headers["Access-Control-Allow-Origin"] == origin
    assert "authorization" in told.headers["Access-Control-Allow-Headers"].lower()
    with bridge.http() as connection:
        assert connection.request("OPTIONS", "/mcp", {**asked, "Origin": origin + "x"}).status == 403

