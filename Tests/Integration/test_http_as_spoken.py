"""HTTP as clients, load balancers and proxies speak it: targets, versions, `Accept`, and what is refused by its head."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import Any

import pytest
import schema
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection, Response
from mcp_http import JSON_AND_EVENTS, MCPClient
from replies import text_of
from rpc import request
from upstreams import demo_upstream

ROUTES = ("/", "/health", "/health/live", "/health/ready", "/servers", "/tools", "/metrics", "/nothing")
HEALTH = ("/health", "/health/live", "/health/ready")
PING = request(id=7)


def initialize(revision: str = "2025-11-25", **members: Any) -> dict[str, Any]:
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    return request("initialize", id=0, params=params, **members)


def exchange(
    connection: RawConnection,
    line: str,
    fields: dict[str, str | None],
    body: bytes | None = None,
    version: str = "1.1",
) -> Response:
    """One request with exactly these fields, and its answer."""
    lines = [f"{line} HTTP/{version}"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    connection.send_bytes("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))
    return connection.read_response()


def get(bridge: Bridge, target: str, host: str | None, version: str = "1.1", *, local: bool = False) -> Response:
    with bridge.http(local=local) as connection:
        return exchange(connection, f"GET {target}", {"Host": host}, version=version)


# Whole URLs as targets


@pytest.mark.parametrize("local", [False, True], ids=["tcp", "unix"])
@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:{port}", "LocalHost:80", "[::1]:8769", "localhost."])
def test_a_url_is_served_as_its_path_is(demo: Bridge, host: str, path: str, local: bool) -> None:
    host = host.format(port=demo.port)
    plain = get(demo, path, host, local=local)
    for scheme in ("http", "HTTP", "hTTp"):
        whole = get(demo, f"{scheme}://{host}{path}", host, local=local)
        assert whole.status == plain.status
        if path in ("/", "/health/live", "/servers", "/tools", "/nothing"):
            assert whole.body == plain.body


@pytest.mark.parametrize("local", [False, True], ids=["tcp", "unix"])
@pytest.mark.parametrize("query", ["", "?names=safe", "?x=http://evil.example/&names=safe"])
def test_mcp_is_served_under_its_whole_url(demo: Bridge, query: str, local: bool) -> None:
    with demo.http(local=local) as connection:
        client = MCPClient(connection.address, path=f"http://{connection.host}/mcp{query}").initialize()
        names = client.tool_names()
        assert ("demo__echo" if "safe" in query else "demo.echo") in names
        assert text_of(client.call(names[0] if "echo" in names[0] else "demo.echo", {"text": "x"}).result) == "x"
        stream = client.open_stream()
        stream.close()
        assert client.delete().status == 204
        client.close()


def spellings(host: str, port: int) -> list[str]:
    names = [host, host.upper()] + ([] if host.startswith("[") else [f"{host}."])
    return [f"{name}{end}" for name in names for end in (["", ":", ":80"] if port == 80 else [f":{port}"])]


def test_host_and_the_targets_host_are_one_or_refused(demo: Bridge) -> None:
    """Two hosts in one request: whoever stands before us may have gone by the other one."""
    named = list(itertools.product(["localhost", "127.0.0.1", "[::1]", "evil.example"], [80, 8769]))
    with demo.http() as connection:
        for (mine, port), (other, other_port) in itertools.product(named, named):
            for target, host in itertools.product(spellings(mine, port), spellings(other, other_port)):
                status = exchange(connection, f"GET http://{target}/health/live", {"Host": host}).status
                if (mine, port) != (other, other_port):
                    assert status == 400, (target, host)
                else:
                    assert status == (403 if mine == "evil.example" else 200), (target, host)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("https://{host}/health", 400),
        ("ws://{host}/health", 400),
        ("http:/health", 400),
        ("http:{host}/health", 400),
        ("http:///health", 400),
        ("http://user@{host}/health", 400),
        ("http://user:word@{host}/health", 400),
        ("http://{host}@evil.example/health", 400),
        ("http://{host}:x/health", 400),
        ("health", 400),
        ("*", 400),
        ("//{host}/health", 404),
        ("//evil.example/health", 404),
        ("http://{host}/" + "x" * 70_000, 431),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_other_targets_are_refused(demo: Bridge, method: str, target: str, status: int) -> None:
    with demo.http() as connection:
        line = f"{method} {target.format(host=connection.host)}"
        answer = exchange(connection, line, {"Host": connection.host})
        if method == "OPTIONS" and (target == "*" or target.startswith("//")):
            assert answer.status == 204
        else:
            assert answer.status == status
            assert answer.json()["error"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    "lines",
    [
        ["Host: localhost", "Host: localhost"],
        ["Host: localhost", "Host: evil.example"],
        ["Host: user@localhost"],
        ["Host: localhost/"],
        ["Host: localhost evil.example"],
    ],
)
def test_a_host_that_is_none_or_two_is_refused_with_every_target(demo: Bridge, lines: list[str], version: str) -> None:
    for target in ("/health", "http://localhost/health", "http://evil.example/health"):
        with demo.http() as connection:
            connection.send_bytes("\r\n".join([f"GET {target} HTTP/{version}", *lines, "", ""]).encode())
            assert connection.read_response().status in (400, 403)


@pytest.mark.parametrize("path", ["/mcp", *ROUTES])
def test_a_url_of_another_host_is_refused_on_every_route(demo: Bridge, path: str) -> None:
    for version, host in (("1.1", "evil.example"), ("1.0", "evil.example"), ("1.0", None)):
        assert get(demo, f"http://evil.example{path}", host, version).status == 403


def test_a_tunnel_is_refused(demo: Bridge) -> None:
    with demo.http() as connection:
        answer = exchange(connection, f"CONNECT {connection.host}", {"Host": connection.host})
        assert (answer.status, answer.headers["connection"].lower()) == (400, "close")
        assert connection.read_until_closed() == b""


# HTTP/1.0


@pytest.mark.parametrize("path", [*HEALTH, "/health?full=1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_health_check_of_http_1_0_needs_no_host(demo: Bridge, method: str, path: str) -> None:
    """`option httpchk` of HAProxy, for one."""
    with demo.http() as connection:
        connection.send_bytes(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
        head = connection.read_head()
        assert head.status == 200
        assert "transfer-encoding" not in head.headers
        body = connection.read_until_closed()
        assert len(body) == (0 if method == "HEAD" else int(head.headers["content-length"]))


@pytest.mark.parametrize("path", ["/", "/mcp", "/servers", "/tools", "/metrics", "/health/../servers", "//health"])
def test_everything_else_of_http_1_0_needs_one(demo: Bridge, path: str) -> None:
    assert get(demo, path, None, "1.0").status == 400
    for path in HEALTH:
        assert get(demo, path, None).status == 400
        assert get(demo, path, "evil.example", "1.0").status == 403


@pytest.mark.parametrize("target", ["/mcp", "http://{host}/mcp"])
@pytest.mark.parametrize("steps", [0, 3])
def test_a_call_of_http_1_0_is_never_in_chunks(demo: Bridge, target: str, steps: int) -> None:
    client = demo.client()
    with demo.http() as connection:
        params: dict[str, Any] = {"name": "demo.sleep", "arguments": {"seconds": 0.1, "steps": steps or 1}}
        if steps:
            params["_meta"] = {"progressToken": 1}
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()
        line = f"POST {target.format(host=connection.host)}"
        fields = {**client.headers("POST"), "Host": connection.host if target == "/mcp" else None}
        answer = exchange(connection, line, fields, body, version="1.0")
    assert answer.status == 200 and "transfer-encoding" not in answer.headers
    assert answer.headers["connection"].lower() == "close"


# curl


def curl(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["curl", "-s", "--max-time", "60", "--noproxy", "", "-w", "\n%{http_code}", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_curl_takes_the_bridge_for_a_proxy(demo: Bridge) -> None:
    base = f"http://127.0.0.1:{demo.port}"
    for version in ("--http1.0", "--http1.1"):
        assert curl(version, "-x", base, f"{base}/health/live") == (200, '{"live":true}')
        assert curl(version, "--request-target", f"{base}/health/live", base) == (200, '{"live":true}')
        assert curl(version, "-x", base, "http://evil.example/health/live")[0] == 403
        assert curl(version, "--request-target", "http://evil.example/health/live", base)[0] == 400
    assert curl("--http1.0", "-H", "Host:", f"{base}/health/live") == (200, '{"live":true}')
    assert curl("--http1.1", "-H", "Host:", f"{base}/health/live")[0] == 400


def test_curl_calls_through_a_whole_url(demo: Bridge) -> None:
    client = demo.client()
    base = f"http://127.0.0.1:{demo.port}"
    fields = [f"-H{name}: {value}" for name, value in client.headers("POST").items()]
    body = json.dumps({**PING, "params": {"_meta": {"pad": "x" * 1_500_000}}})
    for version, more in itertools.product(("--http1.0", "--http1.1"), ([], ["-HExpect: 100-continue"])):
        status, text = curl(version, "-x", base, *fields, *more, "-d", json.dumps(PING), f"{base}/mcp")
        assert (status, json.loads(text)) == (200, {"jsonrpc": "2.0", "id": 7, "result": {}})
    done = subprocess.run(
        ["curl", "-s", "--max-time", "60", *fields, "-HExpect: 100-continue", "--data-binary", "@-", f"{base}/mcp"],
        input=body.encode(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"] == {}


def test_curl_that_waits_for_leave_hears_the_refusal(demo: Bridge) -> None:
    arguments = ["-HExpect: 100-continue", "-HContent-Type: text/plain", "-d", "x" * 1_000]
    status, body = curl(*arguments, f"http://127.0.0.1:{demo.port}/mcp")
    assert status in (406, 415) and json.loads(body)["error"]


# What is refused by its head


def refusals(connection: RawConnection) -> list[tuple[str, dict[str, str | None], int]]:
    good: dict[str, str | None] = {
        "Host": connection.host,
        "Accept": JSON_AND_EVENTS,
        "Content-Type": "application/json",
    }
    return [
        ("POST /mcp", {**good, "Host": "evil.example"}, 403),
        ("POST /mcp", {**good, "Origin": "https://evil.example"}, 403),
        ("POST /mcp", {**good, "Origin": "https://claude.ai"}, 401),
        ("POST /mcp", {**good, "X-Forwarded-For": "192.0.2.1"}, 401),
        ("POST /mcp", {**good, "Content-Type": "text/plain"}, 415),
        ("POST /mcp", {**good, "Content-Encoding": "gzip"}, 415),
        ("POST /mcp", {**good, "Accept": "text/html"}, 406),
        ("POST /mcp", {**good, "MCP-Protocol-Version": "2026-07-28"}, 400),
        ("PUT /mcp", good, 405),
        ("POST /mcp/nothing", good, 404),
        ("POST /servers", good, 403),
        ("POST /health", good, 405),
    ]


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("revision", [None, *schema.LEGACY_REVISIONS])
def test_it_is_refused_before_its_body_has_come_and_has_no_id(demo: Bridge, number: int, revision: str | None) -> None:
    body = json.dumps(PING).encode()
    with demo.http() as connection:
        line, fields, status = refusals(connection)[number]
        if revision is not None:
            client = demo.client(revision)
            fields = {**client.headers("POST"), **fields}
        lines = [f"{line} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n"
        connection.send_bytes(head)
        answer = connection.read_response()
        assert answer.status == status
        message = answer.json()
        assert isinstance(message, dict) and "id" not in message
        if "jsonrpc" in message:
            schema.check(message, revision or "2025-11-25", no_id=schema.NoID.REFUSED_BY_ITS_HEAD)
        # The rest of it may be as slow as it likes, within the time of a body; then the next request is served.
        connection.send_bytes(body[:5])
        connection.send_bytes(body[5:])
        assert exchange(connection, "GET /health/live", {"Host": connection.host}).status == 200


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize(
    "framing", ["Content-Length: 100000", "Transfer-Encoding: chunked", "Content-Length: 9\r\nExpect: 100-continue"]
)
def test_a_body_that_is_long_or_may_not_come_ends_its_connection(demo: Bridge, number: int, framing: str) -> None:
    with demo.http() as connection:
        line, fields, status = refusals(connection)[number]
        lines = [f"{line} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items()] + [framing]
        connection.send_bytes("\r\n".join(lines).encode() + b"\r\n\r\n")
        first = connection.read_response()  # read_head passes over a 100; there must be none, see the unit tests
        assert (first.status, first.headers["connection"].lower()) == (status, "close")
        try:
            connection.send_bytes(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        except ConnectionEnded:
            return
        assert connection.read_until_closed() == b""


# Ids


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
@pytest.mark.parametrize(
    ("body", "identifier"),
    [
        (b"{", None),
        (b"nonsense", None),
        (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', 7),
        (b'{"id":"seven","method":"ping"}', "seven"),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', None),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None),
    ],
)
def test_what_is_refused_after_its_body_carries_its_id(
    demo: Bridge, revision: str, body: bytes, identifier: object
) -> None:
    client = demo.client(revision)
    answer = client.exchange_bytes("POST", body)
    message = answer.json()
    assert answer.status == 400 and isinstance(message, dict)
    if identifier is None:
        client.check(message, None, no_id=schema.NoID.UNREADABLE)
    else:
        client.check(message, None)
        assert message["id"] == identifier


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_a_session_that_is_not_known_is_told_with_the_requests_id(demo: Bridge, revision: str) -> None:
    client = demo.client(revision)
    client.delete()
    answer = client.exchange("POST", PING)
    assert (answer.status, answer.json()["id"]) == (404, 7)
    for method in ("GET", "DELETE"):
        answer = client.exchange(method)
        assert answer.status == 404 and "id" not in answer.json()


# Streams begin well


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_a_stream_begins_with_an_id_and_a_wait_where_the_revision_has_that(demo: Bridge, revision: str) -> None:
    client = demo.client(revision)
    reply = client.call("demo.sleep", {"seconds": 0.1, "steps": 2}, progress_token=1)
    first = reply.events[0]
    if revision < "2025-11-25":
        assert all(event.message for event in reply.events)
    else:
        assert (first.data, bool(first.id), first.retry) == ("", True, 1000)
        assert all(event.message for event in reply.events[1:])
    with client.keep_stream_open() as stream:
        if revision >= "2025-11-25":
            first = next(iter(stream))
            assert (first.data, bool(first.id), first.retry) == ("", True, 1000)
            with client.open_stream(first.id) as again:
                second = next(iter(again))
                assert second.id and second.id != first.id


# Accept


def ranges(kind: str) -> list[str]:
    group = kind.partition("/")[0]
    return [kind, kind.title(), f"{group}/*", "*/*", f"{kind};q=0.1", f"{kind}; charset=utf-8"]


def test_whoever_takes_both_kinds_of_answer_is_served_and_nobody_else(demo: Bridge) -> None:
    both = ("application/json", "text/event-stream")
    good: list[str | None] = [None, "*/*", "application/*, text/*", "text/html, */*;q=0.1"]
    for one, two in itertools.product(ranges(both[0]), ranges(both[1])):
        good += [f"{one}, {two}", f"{two},{one}", f"text/html,{one} , {two}"]
    bad: list[str | None] = [f"{both[0]};q=0, {both[1]}", f"{both[0]}, {both[1]};q=0", "*/*;q=0", "text/html"]
    for kind in both:
        bad += [kind, kind.upper(), f"{kind.partition('/')[0]}/*", f"{kind}, text/html", f"{kind};q=1.0"]
    client = demo.client()
    for accept, status in [(each, 200) for each in good] + [(each, 406) for each in bad]:
        answer = client.exchange("POST", PING, {"Accept": accept})
        assert answer.status == status, accept
        if status == 406:
            assert "application/json" in answer.json()["error"]["message"]


# Probes


PROBES = [
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/.well-known/mcp.json",
    "/mcp/.well-known/openid-configuration",
    "/mcp/.well-known/oauth-authorization-server",
    "/register",
    "/authorize",
    "/token",
    "/revoke",
]


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_who_looks_for_a_way_to_sign_in_hears_that_there_is_none(demo: Bridge, method: str, path: str) -> None:
    with demo.http() as connection:
        body = b"{}" if method == "POST" else None
        connection.send(method, path, {"Content-Type": "application/json"}, body)
        answer = connection.read_response()
        assert (answer.status, answer.content_type) == (404, "application/json")
        if method != "HEAD":
            assert answer.json()["error"]["code"] == "not_found"
        assert "www-authenticate" not in answer.headers


# Versions


@pytest.mark.parametrize("named", ["2026-07-28", "1.0", "DRAFT-2026-v1", "", "2025-11-25, 2025-11-25", "2024-10-07"])
@pytest.mark.parametrize("asked", ["2025-06-18", "2026-07-28"])
def test_an_initialize_that_names_a_version_nobody_speaks_hears_which_there_are(
    demo: Bridge, named: str, asked: str
) -> None:
    client = demo.new_client()
    answer = client.exchange("POST", initialize(asked), {"MCP-Protocol-Version": named})
    assert answer.status == 400
    assert answer.json()["error"]["data"]["supported"] == list(schema.LEGACY_REVISIONS)


@pytest.mark.parametrize("named", [None, *schema.LEGACY_REVISIONS])
@pytest.mark.parametrize("asked", [*schema.LEGACY_REVISIONS, "1.0", "2026-07-28", ""])
def test_an_initialize_negotiates_by_its_body(demo: Bridge, named: str | None, asked: str) -> None:
    client = demo.new_client()
    answer = client.exchange("POST", initialize(asked), {"MCP-Protocol-Version": named})
    expected = asked if asked in schema.LEGACY_REVISIONS else "2025-11-25"
    assert (answer.status, answer.json()["result"]["protocolVersion"]) == (200, expected)


# Before `notifications/initialized`


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("logging/setLevel", {"level": "debug"}),
        ("ping", None),
        ("tools/list", None),
        ("tools/call", {"name": "demo.echo", "arguments": {"text": "early"}}),
    ],
)
def test_what_comes_before_initialized_is_answered(
    demo: Bridge, revision: str, method: str, params: dict[str, Any] | None
) -> None:
    client = demo.new_client(revision)
    answer = client.exchange("POST", initialize(revision))
    client.session_id = answer.headers["mcp-session-id"]
    assert "result" in client.request(method, params).message


# A page that is listed


def test_a_listed_page_is_told_what_token_it_needs(bridges: Bridges) -> None:
    origins = ["chrome-extension://abcdef", "app://obsidian.md", "https://claude.ai"]
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"origins": origins})
    for origin in origins:
        for method in ("POST", "GET", "DELETE"):
            answer = bridge.new_client().exchange(method, initialize() if method == "POST" else None, {"Origin": origin})
            assert answer.status == 401
            assert answer.headers["access-control-allow-origin"] == origin, "its page can read why"
            error = answer.json()["error"]
            assert error["data"]["code"] == "token_required"
            assert "mcp-bridge token create" in error["message"]


# Records


def test_a_call_that_is_recorded_has_an_id(bridges: Bridges, folder: Any) -> None:
    log = folder / "bridge.log"
    bridge = bridges.start({"demo": demo_upstream()}, environment={"MCP_BRIDGE_LOG_PATH": str(log)})
    client = bridge.client()
    for _ in range(3):
        assert client.call("demo.nothing").failure.word == "unknown_tool"
    assert client.call("demo.sleep", {"seconds": 1.2}).result
    bridge.stop()
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    calls = [each["meta"] for each in records if each["message"] == "Request finished"]
    recorded = [each for each in calls if each["mcp.method"] == "tools/call"]
    assert len(recorded) == 4
    assert len({each["mcp.request_id"] for each in calls}) == len(calls)
    assert all(len(each["mcp.request_id"]) == 36 for each in calls)
