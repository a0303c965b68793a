"""A reverse proxy that passes bytes on unchanged and remembers them, to see what a client and the daemon said."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any

import schema
from http_raw import EventParser, Headers, ServerSentEvent
from waiting import PATIENCE

HANDSHAKE_METHODS = ("initialize", "server/discover")


@dataclass
class Recorded:
    """One request and what answered it."""

    method: str
    path: str
    headers: Headers
    sent: Any
    status: int
    response_headers: Headers
    received: list[Any]
    #: Of a stream of HTTP+SSE: where its session's messages go.
    endpoint: str | None = None


class _Tape:
    """The bytes of one connection, both ways."""

    def __init__(self) -> None:
        self.to_server = bytearray()
        self.to_client = bytearray()


class Recorder:
    """Listens on a port of its own for as long as it is entered."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._tapes: list[_Tape] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Recorder:
        self._thread.start()
        serve = asyncio.start_server(self._relay, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serve, self._loop).result(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{self._base}/mcp"

    @property
    def sse_url(self) -> str:
        return f"{self._base}/sse"

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        return ("127.0.0.1", self._server.sockets[0].getsockname()[1])

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self.address[1]}"

    def heard(self) -> bytes:
        """Every byte that the server has sent, one connection after the other."""
        return b"".join(bytes(tape.to_client) for tape in list(self._tapes))

    def exchanges(self) -> list[Recorded]:
        return [exchange for tape in list(self._tapes) for exchange in _exchanges(tape)]

    def check(self) -> int:
        """Checks every JSON-RPC message that the server sent, and says how many there were."""
        exchanges = self.exchanges()
        versions = _negotiated_versions(exchanges)
        checked = 0
        for exchange in exchanges:
            if exchange.endpoint is not None:
                checked += _check_stream(exchange, exchanges)
                continue
            methods = _methods_by_id(exchange.sent)
            handshake = any(method in HANDSHAKE_METHODS for method in methods.values())
            named = exchange.headers.get("mcp-protocol-version")
            version = versions.get(exchange.headers.get("mcp-session-id") or "", named)
            for message in exchange.received:
                if handshake and isinstance(message, dict) and "result" in message:
                    version = message["result"].get("protocolVersion", version)
                if version not in schema.LEGACY_REVISIONS:
                    version = schema.LEGACY_REVISIONS[-1]
                for one in message if isinstance(message, list) else [message]:
                    method = methods.get(json.dumps(one.get("id")))
                    if method is None and exchange.method == "GET" and "id" in one:
                        method = _method_of_id(exchanges, exchange, one["id"])
                    schema.check(one, version, method, no_id=schema.no_id_of(exchange.status))
                    checked += 1
        return checked

    def check_client(self) -> int:
        """Checks every JSON-RPC message that the client sent, and says how many there were."""
        exchanges = self.exchanges()
        versions = _negotiated_versions(exchanges)
        asked: dict[tuple[str, str], str] = {}
        for exchange in exchanges:
            for message in exchange.received:
                if isinstance(message, dict) and "method" in message and "id" in message:
                    asked[_conversation(exchange), json.dumps(message["id"])] = message["method"]
        checked = 0
        for exchange in exchanges:
            messages = exchange.sent if isinstance(exchange.sent, list) else [exchange.sent]
            for message in messages if exchange.method == "POST" else []:
                named = exchange.headers.get("mcp-protocol-version") or message.get("params", {}).get("protocolVersion")
                version = versions.get(exchange.headers.get("mcp-session-id") or "", named)
                if version not in schema.LEGACY_REVISIONS:
                    version = schema.LEGACY_REVISIONS[-1]
                method = asked.get((_conversation(exchange), json.dumps(message.get("id"))))
                schema.check(message, version, None if "method" in message else method, sender="Client")
                checked += 1
        return checked

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tape = _Tape()
        self._tapes.append(tape)
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_copy(reader, server_writer, tape.to_server), _copy(server_reader, writer, tape.to_client))

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tape: bytearray) -> None:
    try:
        while data := await reader.read(65536):
            tape += data
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
    except asyncio.CancelledError:
        writer.transport.abort()
        raise


def _check_stream(stream: Recorded, exchanges: list[Recorded]) -> int:
    """Checks what came on a stream of HTTP+SSE, where all that was posted for its session is answered."""
    methods: dict[str, str] = {}
    for exchange in exchanges:
        if exchange.path == stream.endpoint:
            methods |= _methods_by_id(exchange.sent)
    version = "2024-11-05"
    for message in stream.received:
        method = None if "method" in message else methods.get(json.dumps(message.get("id")))
        if method == "initialize" and "result" in message:
            version = message["result"]["protocolVersion"]
        schema.check(message, version, method)
    return len(stream.received)


def _negotiated_versions(exchanges: list[Recorded]) -> dict[str, str]:
    """The version of each session, by its id."""
    found: dict[str, str] = {}
    for exchange in exchanges:
        session = exchange.response_headers.get("mcp-session-id")
        for message in exchange.received:
            if session and isinstance(message, dict) and "protocolVersion" in message.get("result", {}):
                found[session] = message["result"]["protocolVersion"]
    return found


def _conversation(exchange: Recorded) -> str:
    """What the exchanges of one session have in common: their session's id, or where a stream of HTTP+SSE is posted to."""
    return exchange.headers.get("mcp-session-id") or exchange.endpoint or exchange.path


def _methods_by_id(sent: Any) -> dict[str, str]:
    messages = sent if isinstance(sent, list) else [sent]
    return {
        json.dumps(message["id"]): message["method"]
        for message in messages
        if isinstance(message, dict) and "id" in message and "method" in message
    }


def _method_of_id(exchanges: list[Recorded], resumed: Recorded, identifier: Any) -> str | None:
    """The request of the same session that a response on a resumed stream answers."""
    session = resumed.headers.get("mcp-session-id")
    for exchange in exchanges:
        if exchange.headers.get("mcp-session-id") == session:
            method = _methods_by_id(exchange.sent).get(json.dumps(identifier))
            if method is not None:
                return method
    return None


def _exchanges(tape: _Tape) -> list[Recorded]:
    requests, responses = _messages(bytes(tape.to_server), True), _messages(bytes(tape.to_client), False)
    found: list[Recorded] = []
    for (line, headers, body), (status_line, response_headers, response_body) in zip(requests, responses, strict=False):
        method, path, _ = line.split(" ", 2)
        events = _events(response_headers, response_body)
        found.append(
            Recorded(
                method,
                path,
                headers,
                json.loads(body) if body else None,
                int(status_line.split(" ")[1]),
                response_headers,
                _received(response_headers, response_body),
                next((event.data for event in events if event.event == "endpoint"), None),
            )
        )
    return found


def _events(headers: Headers, body: bytes) -> list[ServerSentEvent]:
    is_stream = (headers.get("content-type") or "").startswith("text/event-stream")
    return EventParser().feed(body) if is_stream else []


def _received(headers: Headers, body: bytes) -> list[Any]:
    kind = headers.get("content-type") or ""
    if kind.startswith("text/event-stream"):
        return [event.message for event in _events(headers, body) if event.message is not None]
    return [json.loads(body)] if kind.startswith("application/json") and body else []


def _messages(data: bytes, requests: bool) -> list[tuple[str, Headers, bytes]]:
    """Start lines, headers and bodies of one direction; the last body may be cut short."""
    found: list[tuple[str, Headers, bytes]] = []
    while (end := data.find(b"\r\n\r\n")) >= 0:
        line, *fields = data[:end].decode("latin-1").split("\r\n")
        headers = Headers([(name, value.strip()) for name, _, value in (each.partition(":") for each in fields)])
        data = data[end + 4 :]
        if (headers.get("transfer-encoding") or "").lower() == "chunked":
            body, data = _unchunk(data)
        elif (length := headers.get("content-length")) is not None:
            body, data = data[: int(length)], data[int(length) :]
        elif requests or line.split(" ")[1] in ("202", "204", "304"):
            body = b""
        else:
            body, data = data, b""
        found.append((line, headers, body))
    return found


def _unchunk(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while (end := data.find(b"\r\n")) >= 0:
        size = int(data[:end].partition(b";")[0], 16)
        body += data[end + 2 : end + 2 + size]
        data = data[end + 4 + size :]
        if size == 0:
            break
    return body, data
