"""Who is let in: `Host`, `Origin`, CORS and forwarded requests."""

from __future__ import annotations

import json

import pytest
from harness import Bridge
from http_raw import ConnectionEnded, Response
from mcp_http import JSON_AND_EVENTS

INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    }
).encode()

REFUSED = (401, 403)
GOOD_WEB_ORIGINS = [
    "https://claude.ai",
    "https://chatgpt.com",
    "https://chat.openai.com",
    "https://x.claudeusercontent.com",
    "https://a.b.openai.com",
]
LOOPBACK_ORIGINS = ["http://127.0.0.1:6274", "http://localhost:3000", "http://localhost:80"]
BAD_ORIGINS = [
    "https://evil.example",
    "https://claude.ai.evil.example",
    "https://evilclaude.ai",
    "http://127.0.0.1.evil.example:80",
    "http://localhost.evil.example",
    "http://127.0.0.1:80@evil.example",
    "http://localhost:80.evil.example",
    "null",
    "file://",
    "https://openai.com.evil.example",
    "https://fakeopenai.com",
    "nonsense",
    "https://claude.ai:8443",
]


def initialize(bridge: Bridge, headers: dict[str, str | None], *, local: bool = False) -> Response:
    with bridge.http(local=local) as connection:
        fields = {"Accept": JSON_AND_EVENTS, "Content-Type": "application/json", **headers}
        return connection.request("POST", "/mcp", fields, INITIALIZE)


def assert_refused(response: Response, *statuses: int) -> None:
    assert response.status in (statuses or REFUSED), (response.status, response.body)
    assert "mcp-session-id" not in response.headers
    body = response.json()
    assert isinstance(body, dict) and body["error"], "a refusal says why"


# Host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8769", "localhost", "LOCALHOST:1", "[::1]:8769", "[::1]"])
def test_names_of_this_machine_are_let_in(demo: Bridge, host: str) -> None:
    assert initialize(demo, {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8769",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "8.8.8.8",
        "203.0.113.9:80",
        "[2001:db8::1]",
        "localhost@evil.example",
        "evil.example#localhost",
        "127.1.evil",
        "0",
        "",
    ],
)
def test_other_names_are_refused(demo: Bridge, host: str) -> None:
    """A page whose name an attacker points at 127.0.0.1 still sends its own name."""
    response = initialize(demo, {"Host": host})
    assert_refused(response, 400, 403)


@pytest.mark.parametrize("path", ["/", "/health", "/servers", "/tools", "/metrics", "/mcp"])
def test_other_names_are_refused_on_every_route(demo: Bridge, path: str) -> None:
    assert demo.get(path, {"Host": "evil.example"}).status == 403


def test_a_missing_host_is_refused(demo: Bridge) -> None:
    assert initialize(demo, {"Host": None}).status in (400, 403)


def test_two_hosts_are_refused(demo: Bridge) -> None:
    with demo.http() as connection:
        connection.send_bytes(b"GET /servers HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        try:
            assert connection.read_response().status in (400, 403)
        except ConnectionEnded as ended:
            assert not ended.received


@pytest.mark.parametrize("host", ["anything.example", "localhost", "x"])
def test_the_unix_socket_takes_any_host(demo: Bridge, host: str) -> None:
    assert initialize(demo, {"Host": host}, local=True).status == 200


# Origin


@pytest.mark.parametrize("origin", LOOPBACK_ORIGINS)
def test_pages_of_this_machine_are_let_in(demo: Bridge, origin: str) -> None:
    response = initialize(demo, {"Origin": origin})
    assert response.status == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert "origin" in response.headers["vary"].lower()
    assert "mcp-session-id" in response.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize("origin", GOOD_WEB_ORIGINS)
def test_listed_web_origins_may_ask_but_need_a_token_to_act(demo: Bridge, origin: str) -> None:
    response = initialize(demo, {"Origin": origin})
    assert_refused(response)
    assert response.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("path", ["/health/ready", "/servers", "/tools", "/metrics"])
def test_listed_web_origins_need_a_token_on_every_route(demo: Bridge, path: str) -> None:
    assert demo.get(path, {"Origin": "https://claude.ai"}).status in REFUSED


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_other_origins_are_refused_and_told_nothing(demo: Bridge, origin: str) -> None:
    for local in (False, True):
        response = initialize(demo, {"Origin": origin}, local=local)
        assert_refused(response, 403)
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/", "/health", "/servers", "/tools", "/metrics"])
def test_other_origins_are_refused_on_every_route(demo: Bridge, path: str) -> None:
    assert demo.get(path, {"Origin": "https://evil.example"}).status == 403


@pytest.mark.parametrize("origin", ["https://claude.ai", "http://localhost:3000", "https://evil.example"])
def test_servers_cannot_be_changed_from_a_web_origin(demo: Bridge, origin: str) -> None:
    """Not even on the Unix socket by root: a browser's word is not its user's."""
    body = {"mcpServers": {"x": {"command": "/bin/true"}}}
    if "localhost" not in origin:
        assert demo.manage("POST", "/servers", body, Origin=origin).status in REFUSED
        assert demo.manage("DELETE", "/servers/demo", Origin=origin).status in REFUSED
    with demo.http() as connection:
        fields = {"Content-Type": "application/json", "Origin": origin}
        assert connection.request("POST", "/servers", fields, json.dumps(body).encode()).status in REFUSED
    assert demo.get("/servers").json() == {"servers": ["demo"]}


# CORS


@pytest.mark.parametrize("path", ["/mcp", "/servers", "/health"])
@pytest.mark.parametrize("origin", [*GOOD_WEB_ORIGINS[:2], *LOOPBACK_ORIGINS[:1]])
def test_a_preflight_of_a_listed_origin_is_granted(demo: Bridge, origin: str, path: str) -> None:
    with demo.http() as connection:
        response = connection.request("OPTIONS", path, {"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert (response.status, response.body) == (204, b"")
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers.get("access-control-allow-credentials", "false") == "false"
    assert _words(response, "access-control-allow-methods") == {"get", "post", "delete", "options"}
    assert _words(response, "access-control-allow-headers") >= {
        "authorization",
        "content-type",
        "accept",
        "mcp-protocol-version",
        "mcp-session-id",
        "last-event-id",
        "mcp-method",
        "mcp-name",
    }
    assert _words(response, "vary") >= {"origin"}


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_a_preflight_of_another_origin_is_granted_nothing(demo: Bridge, origin: str) -> None:
    with demo.http() as connection:
        response = connection.request("OPTIONS", "/mcp", {"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert response.status in (204, 403)
    assert not [name for name, _ in response.headers.pairs if name.lower().startswith("access-control-allow")]


def test_without_an_origin_there_is_no_cors(demo: Bridge) -> None:
    response = initialize(demo, {})
    assert response.status == 200
    assert not [name for name, _ in response.headers.pairs if name.lower().startswith("access-control")]


def _words(response: Response, header: str) -> set[str]:
    return {word.strip().lower() for word in response.headers[header].split(",")}


# Forwarded


@pytest.mark.parametrize("local", [False, True], ids=["tcp", "unix"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Forwarded", "for=127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("x-forwarded-anything", ""),
        ("Via", "1.1 nginx"),
        ("X-Real-IP", "127.0.0.1"),
        ("x-client-ip", "::1"),
        ("CF-Connecting-IP", "192.0.2.1"),
        ("TRUE-CLIENT-IP", ""),
    ],
)
def test_a_forwarded_request_is_never_local(demo: Bridge, name: str, value: str, local: bool) -> None:
    """A reverse proxy on this machine would otherwise make the whole world a local client."""
    assert_refused(initialize(demo, {name: value}, local=local))


def test_a_forwarded_request_cannot_use_a_local_session(demo: Bridge) -> None:
    client = demo.client()
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert client.exchange("POST", ping, {"X-Forwarded-For": "192.0.2.1"}).status in REFUSED
    assert client.exchange("GET", headers={"Via": "1.1 x"}).status in REFUSED
    assert client.exchange("DELETE", headers={"Forwarded": "for=x"}).status in REFUSED
    assert client.request("ping").result == {}


def test_an_unknown_token_is_401_everywhere(demo: Bridge) -> None:
    """A credential that means nothing is a mistake to be told, not to be looked past."""
    response = initialize(demo, {"Authorization": "Bearer mcpb_nonsense", "X-Forwarded-For": "192.0.2.1"})
    assert response.status == 401
    assert "bearer" in response.headers["www-authenticate"].lower()
