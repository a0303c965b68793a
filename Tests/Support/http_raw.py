"""HTTP/1.1 by hand: one socket, exact bytes out, exact bytes in. Standard library only.

A library would hide what the tests are about: when a connection closes, what arrives on it, and in which order.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from waiting import PATIENCE

#: Where a server listens: `(host, port)`, or the path of a Unix socket.
Address = tuple[str, int] | str


class ConnectionEnded(Exception):
    """The peer closed or reset the connection before the message was whole. `received` are the bytes that came."""

    def __init__(self, reason: str, received: bytes = b"") -> None:
        super().__init__(reason)
        self.received = received


class Headers:
    """Header fields in the order they came; names in any case."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str | None = None) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else default

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __repr__(self) -> str:
        return repr(self.pairs)


@dataclass
class Head:
    status: int
    headers: Headers

    @property
    def content_type(self) -> str:
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @property
    def is_event_stream(self) -> bool:
        return self.content_type == "text/event-stream"


@dataclass
class Response(Head):
    body: bytes = b""

    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class ServerSentEvent:
    data: str = ""
    event: str = "message"
    id: str | None = None
    retry: int | None = None

    @property
    def message(self) -> dict | None:
        """The JSON-RPC message it carries; nothing for an event that only gives an id, or says where to post."""
        return json.loads(self.data) if self.data and self.event == "message" else None


@dataclass
class EventParser:
    """Server-sent events out of text that comes in pieces (WHATWG HTML, 9.2.6)."""

    comments: int = 0
    _rest: bytes = b""
    _event: ServerSentEvent = field(default_factory=ServerSentEvent)
    _lines: list[str] = field(default_factory=list)
    _seen: bool = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := self._line(line.removesuffix(b"\r").decode("utf-8"))) is not None]

    @property
    def is_between_events(self) -> bool:
        return not self._rest and not self._seen

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            event, self._event.data = self._event, "\n".join(self._lines)
            seen, self._event, self._lines, self._seen = self._seen, ServerSentEvent(), [], False
            return event if seen else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments += 1
                return None
            case "data":
                self._lines.append(value)
            case "id":
                self._event.id = value
            case "event":
                self._event.event = value
            case "retry":
                self._event.retry = int(value)
            case _:
                raise ValueError(f"unknown field {name!r} in an event stream")
        self._seen = True
        return None


class RawConnection:
    """One connection. Nothing is sent or read that the caller did not ask for."""

    def __init__(self, address: Address, timeout: float = PATIENCE) -> None:
        self.address = address
        self._buffer = b""
        self._method = "GET"
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        return "localhost" if isinstance(self.address, str) else f"{self.address[0]}:{self.address[1]}"

    def close(self) -> None:
        self.socket.close()

    # Out

    def send_bytes(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ConnectionEnded(f"while sending: {error}") from error

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str | None] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Sends one request. `Host` and `Content-Length` are filled in; a header given as None is left out."""
        fields: dict[str, str | None] = {"Host": self.host}
        if body is not None:
            fields["Content-Length"] = str(len(body))
        fields.update(headers or {})
        lines = [f"{method} {path} HTTP/1.1"] + [
            f"{key}: {value}" for key, value in fields.items() if value is not None
        ]
        self._method = method
        self.send_bytes("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str | None] | None = None,
        body: bytes | None = None,
    ) -> Response:
        self.send(method, path, headers, body)
        return self.read_response()

    # In

    def read_response(self) -> Response:
        head = self.read_head()
        return Response(head.status, head.headers, b"".join(self.read_body(head)))

    def read_head(self) -> Head:
        while True:
            while (end := self._buffer.find(b"\r\n\r\n")) < 0:
                self._receive()
            raw, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            status_line, *lines = raw.decode("latin-1").split("\r\n")
            version, status, *_ = status_line.split(" ", 2)
            assert version in ("HTTP/1.1", "HTTP/1.0"), status_line
            pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
            if int(status) >= 200:
                return Head(int(status), Headers(pairs))

    def read_body(self, head: Head) -> Iterator[bytes]:
        """The body as it comes, piece by piece, to its end."""
        if head.status in (204, 304) or self._method == "HEAD":
            return
        if (head.headers.get("transfer-encoding") or "").lower() == "chunked":
            yield from self._read_chunks()
        elif (length := head.headers.get("content-length")) is not None:
            yield from self._read_exactly(int(length))
        else:
            yield from self._read_to_end()

    def read_events(self, head: Head, parser: EventParser | None = None) -> Iterator[ServerSentEvent]:
        parser = parser or EventParser()
        for piece in self.read_body(head):
            yield from parser.feed(piece)

    def read_until_closed(self) -> bytes:
        """Whatever still comes, until the peer closes or resets. Raises TimeoutError when it does neither."""
        received, self._buffer = self._buffer, b""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return received
            if not data:
                return received
            received += data

    def has_unread(self) -> bool:
        """Whether bytes have come that belong to no response read so far."""
        if self._buffer:
            return True
        limit = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except (BlockingIOError, ConnectionResetError):
            return False
        finally:
            self.socket.settimeout(limit)

    def _receive(self) -> None:
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError as error:
            raise ConnectionEnded("reset", self._buffer) from error
        if not data:
            raise ConnectionEnded("closed", self._buffer)
        self._buffer += data

    def _read_exactly(self, count: int) -> Iterator[bytes]:
        while count > 0:
            if not self._buffer:
                self._receive()
            piece, self._buffer = self._buffer[:count], self._buffer[count:]
            count -= len(piece)
            yield piece

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._receive()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _read_chunks(self) -> Iterator[bytes]:
        while (size := int(self._read_line().partition(b";")[0], 16)) > 0:
            yield from self._read_exactly(size)
            if self._read_line():
                raise ValueError("a chunk is longer than it said")
        while self._read_line():
            pass

    def _read_to_end(self) -> Iterator[bytes]:
        while True:
            if self._buffer:
                piece, self._buffer = self._buffer, b""
                yield piece
            try:
                self._receive()
            except ConnectionEnded as ended:
                if str(ended) == "closed":
                    return
                raise
