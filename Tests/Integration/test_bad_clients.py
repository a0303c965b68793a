"""What bad clients send, and that each gets a clear answer while everybody else is served as before."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection
from mcp_http import MCPClient
from replies import text_of
from rpc import request
from upstreams import MisbehavingUpstream, demo_upstream

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


# Too much, too little, too slow


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_over_the_limit_is_413(demo: Bridge, client: MCPClient, chunked: bool) -> None:
    body = b'"' + b"x" * (BODY_LIMIT + 1) + b'"'
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    fields = {**client.headers("POST"), **framing}
    with demo.http() as connection:
        connection.send("POST", "/mcp", fields)
        # It may stop listening; what it said has to be readable all the same.
        with contextlib.suppress(ConnectionEnded):
            connection.send_bytes(b"%x\r\n" % len(body) if chunked else b"")
            connection.send_bytes(body + (b"\r\n0\r\n\r\n" if chunked else b""))
        assert connection.read_head().status == 413


def test_a_body_over_the_limit_is_refused_before_it_is_sent(demo: Bridge, client: MCPClient) -> None:
    with demo.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), "Content-Length": str(1 << 40)})
        assert connection.read_head().status == 413


def test_a_body_at_the_limit_is_taken(client: MCPClient) -> None:
    shell = json.dumps(request("tools/call", params={"name": "demo.echo", "arguments": {"text": ""}})).encode()
    text = "x" * (BODY_LIMIT - len(shell))
    body = shell.replace(b'"text": ""', b'"text": "%s"' % text.encode())
    assert len(body) == BODY_LIMIT
    response = client.exchange_bytes("POST", body)
    assert response.status == 200
    assert text_of(response.json()["result"]) == text


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: x\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["one", "many", "path"],
)
def test_headers_over_the_limit_are_refused(demo: Bridge, bystander: MCPClient, request_bytes: bytes) -> None:
    with demo.http() as connection:
        with contextlib.suppress(ConnectionEnded):
            connection.send_bytes(request_bytes)
        with contextlib.suppress(ConnectionEnded):  # a parser that gives up closes
            assert connection.read_head().status in (400, 413, 414, 431)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_or_closed(demo: Bridge, bystander: MCPClient, request_bytes: bytes) -> None:
    with demo.http() as connection:
        connection.send_bytes(request_bytes)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read_until_closed()
    assert answer == b"" or 400 <= int(answer.split(b" ")[1]) <= 505, answer[:200]
    assert len(re.findall(rb"HTTP/1\.1 \d", answer)) <= 1, "one bad request, two answers"


def test_a_body_cut_short_runs_nothing(demo: Bridge, client: MCPClient) -> None:
    body = json.dumps(request("tools/call", params={"name": "demo.echo", "arguments": {"text": "x"}})).encode()
    with demo.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), "Content-Length": str(len(body) + 10)})
        connection.send_bytes(body)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read_until_closed()
    assert answer == b"" or int(answer.split(b" ")[1]) == 400, answer[:200]


@pytest.fixture(scope="module")
def impatient(shared_bridges: Bridges, misbehaving: MisbehavingUpstream) -> Bridge:
    """A bridge with short limits on time."""
    limits = {"headerTimeout": 2, "bodyTimeout": 2, "idleTimeout": 5}
    bridge = shared_bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry}, bridge={"limits": limits})
    bridge.wait_upstream("bad")
    return bridge


def dribble(connection: RawConnection, data: bytes, ended: threading.Event) -> None:
    """One byte at a time, each in good time for a limit on silence; only one on the whole helps."""
    try:
        for index in range(len(data)):
            connection.send_bytes(data[index : index + 1])
            if ended.wait(0.2):
                return
    except (ConnectionEnded, OSError):
        return


def assert_given_up(connection: RawConnection, data: bytes) -> None:
    """The peer answers 408 or just closes, while bytes still dribble in. The socket's own time limit fails the test."""
    ended = threading.Event()
    thread = threading.Thread(target=dribble, args=(connection, data, ended))
    thread.start()
    try:
        answer = connection.read_until_closed()
    finally:
        ended.set()
        thread.join()
    assert answer == b"" or answer.split(b" ")[1] == b"408", answer[:200]


def test_a_chunk_extension_without_end_is_given_up(impatient: Bridge) -> None:
    client = impatient.client()
    with impatient.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), "Transfer-Encoding": "chunked"})
        assert_given_up(connection, b"5;" + b"x" * 100)
    assert impatient.health()["ok"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("Content-Encoding", "gzip", 415),
        ("Content-Encoding", "br", 415),
        ("Content-Encoding", "identity", 200),
        ("Transfer-Encoding", "gzip, chunked", 501),
        ("Transfer-Encoding", "Chunked", 200),
    ],
)
def test_a_body_in_a_coding_is_refused_by_name(
    client: MCPClient, demo: Bridge, field: str, value: str, status: int
) -> None:
    body = json.dumps(request("ping")).encode()
    if field == "Transfer-Encoding":
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        framing = {}
    else:
        framing = {"Content-Length": str(len(body))}
    with demo.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), field: value, **framing})
        connection.send_bytes(body)
        assert connection.read_head().status == status


def test_slow_headers_are_given_up(impatient: Bridge) -> None:
    with impatient.http() as connection:
        assert_given_up(connection, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X-Slow: yes\r\n" * 20)
    assert impatient.health()["ok"]


def test_a_slow_body_is_given_up(impatient: Bridge) -> None:
    client = impatient.client()
    with impatient.http() as connection:
        connection.send("POST", "/mcp", {**client.headers("POST"), "Content-Length": "1000"})
        assert_given_up(connection, b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{' + b" " * 200)
    client.close()
    assert client.request("ping").result == {}


def test_an_idle_connection_is_closed(impatient: Bridge) -> None:
    with impatient.http() as connection:
        assert connection.read_until_closed() == b""
    with impatient.http() as connection:
        assert connection.request("GET", "/health/live").status == 200
        assert connection.read_until_closed() == b""


def test_a_quiet_stream_is_not_an_idle_connection(impatient: Bridge) -> None:
    """A client that listens says nothing for hours."""
    client = impatient.client()
    with client.keep_stream_open() as stream:
        stream.connection.socket.settimeout(8)
        with pytest.raises(TimeoutError):
            stream.next_message()
