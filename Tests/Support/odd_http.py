"""An MCP server over HTTP that does right by itself, and whatever a test wants of it where the test has a hook.

It runs in threads of the test. Sockets are written by hand, so that an answer can be as wrong as it must be.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import schema
from threaded_http import ThreadedHTTP
from waiting import eventually

Message = dict[str, Any]
EVENTS = "text/event-stream"


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    message: Any

    @property
    def what(self) -> str:
        """The MCP method that it is about, or HTTP's; `answer` for an answer."""
        if self.method != "POST" or not isinstance(self.message, dict):
            return self.method
        return str(self.message.get("method", "answer"))

    @property
    def tool(self) -> str | None:
        return self.message["params"]["name"] if self.what == "tools/call" else None


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, server: OddHTTP, handler: BaseHTTPRequestHandler, seen: Seen) -> None:
        self.server = server
        self.handler = handler
        self.seen = seen
        self.is_chunked = False

    @property
    def id(self) -> Any:
        return self.seen.message.get("id")

    def raw(self, data: bytes) -> None:
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def reply(self, status: int = 200, body: bytes | str | Any = b"", type: str | None = "application/json", **headers: str) -> None:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(data)}"]
        if type is not None:
            lines.append(f"Content-Type: {type}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def result(self, result: Any, **headers: str) -> None:
        self.reply(200, {"jsonrpc": "2.0", "id": self.id, "result": result}, **headers)

    def text(self, text: str) -> None:
        self.result(text_result(text))

    def stream(self, type: str = EVENTS) -> None:
        """Begins an answer of events; ``end`` or ``cut`` is the last word."""
        self.is_chunked = True
        self.raw(f"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    def bytes(self, data: bytes) -> None:
        self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def event(self, message: Any = None, *, id: str | None = None, name: str | None = None, retry: int | None = None) -> None:
        lines = []
        if name is not None:
            lines.append(f"event: {name}")
        if id is not None:
            lines.append(f"id: {id}")
        if retry is not None:
            lines.append(f"retry: {retry}")
        lines.append("data: " + ("" if message is None else message if isinstance(message, str) else json.dumps(message)))
        self.bytes(("\n".join(lines) + "\n\n").encode())

    def end(self) -> None:
        self.raw(b"0\r\n\r\n")

    def reply_and_wait(self, status: int, body: bytes) -> None:
        """The last answer of its connection; returns when the bridge has read it, and has closed that."""
        self.reply(status, body, Connection="close")
        self.handler.close_connection = True
        self.handler.rfile.read(1)

    def cut(self) -> None:
        """Closes the connection as it is."""
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)


def text_result(text: str) -> Message:
    return {"content": [{"type": "text", "text": text}]}


TOOLS = [
    {"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "count", "odd")
]


@dataclass
class OddHTTP:
    """Hooks go by what a request is (``Seen.what``), or by its tool: `tools/call:odd`. One that returns False passes."""

    hooks: dict[str, Callable[[Exchange], Any]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    sessions: set[str] = field(default_factory=set)
    has_sessions: bool = True
    has_stream: bool = True
    capabilities: Message = field(default_factory=lambda: {"tools": {"listChanged": True}, "logging": {}})
    #: What it answers to any other request, by the request's method.
    results: dict[str, Message] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0
    certificate: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._made = 0
        self._lock = threading.Lock()
        self._listeners: list[queue.Queue[Any]] = []
        self.start()

    # Life

    def start(self) -> None:
        def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            self._goes_on.wait()
            headers = {k.lower(): v for k, v in handler.headers.items()}
            self.take(Exchange(self, handler, Seen(handler.command, handler.path, headers, json.loads(body) if body else None)))

        self._http = ThreadedHTTP(answer, self.host, self.port, self.certificate)
        self.port = self._http.port

    def stop(self) -> None:
        """As when its process is killed: nobody listens, and every connection ends."""
        self._http.stop()
        with self._lock:
            self._listeners.clear()

    def drop_connections(self) -> None:
        with self._lock:
            self._listeners.clear()
        self._http.drop_connections()

    def hang(self) -> None:
        """Takes connections and requests, and does nothing about them until ``go_on``."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    def restart(self) -> None:
        """Another process at the same port: it knows no session."""
        self.stop()
        self.sessions.clear()
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}/mcp"

    def entry(self, **more: Any) -> Message:
        return {"type": "http", "url": self.url, **more}

    # What it was asked

    def requests(self, what: str) -> list[Seen]:
        return [seen for seen in list(self.seen) if seen.what == what]

    def check(self, revision: str = "2025-11-25") -> None:
        """Raises unless all that it was sent is what a client may send."""
        for seen in list(self.seen):
            if seen.method == "POST":
                schema.check_from_client(seen.message, revision)

    def wait_requests(self, what: str, count: int = 1) -> list[Seen]:
        return eventually(
            lambda: found if len(found := self.requests(what)) >= count else None, f"{count} × {what}"
        )

    # Doing right

    def take(self, exchange: Exchange) -> None:
        seen = exchange.seen
        self.seen.append(seen)
        for key in (f"{seen.what}:{seen.tool}", seen.what):
            if (hook := self.hooks.get(key)) is not None and hook(exchange) is not False:
                return
        self.serve(exchange)

    def is_known(self, exchange: Exchange) -> bool:
        if not self.has_sessions or exchange.seen.headers.get("mcp-session-id") in self.sessions:
            return True
        body = {"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "Session not found"}}
        exchange.reply(404, body)
        return False

    def serve(self, exchange: Exchange) -> None:
        seen = exchange.seen
        if seen.what == "initialize":
            return self.greet(exchange)
        if not self.is_known(exchange):
            return None
        if seen.method == "GET":
            return self.listen(exchange)
        if seen.method == "DELETE":
            self.sessions.discard(seen.headers.get("mcp-session-id", ""))
            return exchange.reply(200)
        match seen.what:
            case "tools/list":
                exchange.result({"tools": TOOLS})
            case "tools/call":
                self.call(exchange)
            case _ if "id" in seen.message and "method" in seen.message:
                exchange.result(self.results.get(seen.what, {}))
            case _:
                exchange.reply(202, b"", None)

    def greet(self, exchange: Exchange) -> None:
        headers = {}
        if self.has_sessions:
            with self._lock:
                self._made += 1
                headers["Mcp_Session_Id"] = f"session-{self._made}"
            self.sessions.add(headers["Mcp_Session_Id"])
        exchange.result(
            {
                "protocolVersion": exchange.seen.message["params"]["protocolVersion"],
                "capabilities": self.capabilities,
                "serverInfo": {"name": "odd", "version": "1"},
            },
            **headers,
        )

    def call(self, exchange: Exchange) -> None:
        params = exchange.seen.message["params"]
        arguments = params.get("arguments") or {}
        if params["name"] == "count":
            with self._lock:
                self.counted[arguments["tag"]] += 1
            exchange.text(arguments["tag"])
        else:
            exchange.text(arguments.get("text", "fine"))

    def count(self, exchange: Exchange) -> str:
        """What `count` would have counted, for a hook that answers in another way."""
        tag = str(exchange.seen.message["params"]["arguments"]["tag"])
        with self._lock:
            self.counted[tag] += 1
        return tag

    # What it says by itself

    def listen(self, exchange: Exchange) -> None:
        if not self.has_stream:
            return exchange.reply(405, b"", None, Allow="POST, DELETE")
        told: queue.Queue[Any] = queue.Queue()
        exchange.stream()
        # First: who has seen the stream begin may expect to hear of everything.
        with self._lock:
            self._listeners.append(told)
        exchange.bytes(b": here\n\n")
        while (item := told.get()) is not None:
            message, id = item
            exchange.event(message, id=id)
        exchange.end()

    def wait_listener(self) -> None:
        eventually(lambda: bool(self._listeners), "somebody listens")

    def say(self, message: Message, id: str | None = None) -> None:
        self.wait_listener()
        with self._lock:
            for told in self._listeners:
                told.put((message, id))

    def end_streams(self) -> None:
        with self._lock:
            listeners, self._listeners = self._listeners, []
        for told in listeners:
            told.put(None)


class OddSSE(OddHTTP):
    """The same by HTTP+SSE (2024-11-05). `endpoint` is what the first event says, with `{id}` for the stream's number."""

    endpoint: str = "/messages?id={id}"
    #: What the stream says before that.
    early: tuple[Message, ...] = ()
    #: Where an answer goes: `stream`, `body` or `both`.
    place: str = "stream"
    accepted: tuple[int, bytes] = (202, b"Accepted")

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/sse"

    def entry(self, **more: Any) -> Message:
        return {"type": "sse", "url": self.url, **more}

    def serve(self, exchange: Exchange) -> None:
        seen = exchange.seen
        if seen.method == "GET" and seen.path.startswith("/sse"):
            return self.listen(exchange)
        if seen.method != "POST" or seen.path.split("?")[0] != self.posted_at:
            return exchange.reply(405 if seen.method == "POST" else 404, b"")
        return self.answer(exchange)

    posted_at: str = "/messages"

    def listen(self, exchange: Exchange) -> None:
        with self._lock:
            self._made += 1
            number = str(self._made)
        self.sessions.add(number)
        told: queue.Queue[Any] = queue.Queue()
        exchange.stream()
        for message in self.early:
            exchange.event(message)
        # First: who has been told where to post may have an answer at once.
        with self._lock:
            self._listeners.append(told)
        exchange.event(self.endpoint.format(id=number, host=self.host, port=self.port), name="endpoint")
        while (item := told.get()) is not None:
            exchange.event(item[0], name="message")
        exchange.end()

    def answer(self, exchange: Exchange) -> None:
        number = exchange.seen.path.rpartition("=")[2]
        if number not in self.sessions:
            return exchange.reply(404, b"no such session")
        collected: list[Any] = []
        inner = Exchange(self, exchange.handler, exchange.seen)
        inner.reply = lambda status=200, body=b"", type=None, **_: collected.append(body)  # type: ignore[method-assign]
        match exchange.seen.what:
            case "initialize":
                self.has_sessions = False
                self.greet(inner)
            case "tools/list":
                inner.result({"tools": TOOLS})
            case "tools/call":
                self.call(inner)
            case _ if "id" in exchange.seen.message and "method" in exchange.seen.message:
                inner.result(self.results.get(exchange.seen.what, {}))
        answers = [each for each in collected if isinstance(each, dict)]
        if self.place in ("stream", "both"):
            for each in answers:
                self.say(each)
        if self.place in ("body", "both") and answers:
            return exchange.reply(200, answers[0])
        exchange.reply(self.accepted[0], self.accepted[1], "text/plain" if self.accepted[1] else None)
