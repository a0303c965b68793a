"""An MCP client on raw HTTP that checks everything it is sent against the schema of the negotiated revision."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import schema
from http_raw import Address, ConnectionEnded, EventParser, Head, RawConnection, Response, ServerSentEvent
from replies import Reply, text_of
from waiting import PATIENCE

JSON_AND_EVENTS = "application/json, text/event-stream"


class EventStream:
    """An open SSE response. Closing it closes its connection."""

    def __init__(self, client: MCPClient, connection: RawConnection, head: Head, method: str | None) -> None:
        self.head = head
        self.connection = connection
        self.parser = EventParser()
        self.last_event_id: str | None = None
        self._client = client
        self._method = method
        self._events = connection.read_events(head, self.parser)

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[ServerSentEvent]:
        for event in self._events:
            if event.id is not None:
                self.last_event_id = event.id
            if event.message is not None:
                self._client.check(event.message, self._method)
            yield event

    def close(self) -> None:
        self.connection.close()

    def next_message(self) -> dict[str, Any]:
        """The next JSON-RPC message; events that only carry an id are passed over."""
        for event in self:
            if event.message is not None:
                return event.message
        raise ConnectionEnded("the stream ended")

    def wait_for_list(self, condition: Callable[[list[str]], bool]) -> None:
        """Waits for news of the list, and lists, until the names meet a condition.

        News can be older than the change that is waited for: a session that may have missed some is told once more.
        """
        self.wait_for("notifications/tools/list_changed")
        while not condition(self._client.tool_names()):
            self.wait_for("notifications/tools/list_changed")

    def wait_for(self, method: str) -> dict[str, Any]:
        """The next notification or request with this method."""
        while (message := self.next_message()).get("method") != method:
            pass
        return message


class MCPClient:
    """One session. Each call uses the client's own connection, or one of its own where several run side by side."""

    def __init__(
        self,
        address: Address,
        revision: str = "2025-11-25",
        *,
        path: str = "/mcp",
        headers: dict[str, str | None] | None = None,
        timeout: float = PATIENCE,
        name: str = "integration-tests",
        validate: bool = True,
    ) -> None:
        self.address = address
        self.revision = revision
        self.path = path
        self.session_id: str | None = None
        self.server: dict[str, Any] = {}
        self._headers = headers or {}
        self._timeout = timeout
        self._name = name
        self._validate = validate
        self._ids = itertools.count(1)
        self._connection: RawConnection | None = None

    def __enter__(self) -> MCPClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def beside(self) -> MCPClient:
        """The same session on a connection of its own."""
        other = MCPClient(
            self.address,
            self.revision,
            path=self.path,
            headers=self._headers,
            timeout=self._timeout,
            name=self._name,
            validate=self._validate,
        )
        other.session_id, other._ids = self.session_id, self._ids
        return other

    def check(self, message: object, method: str | None, *, no_id: schema.NoID | None = None) -> None:
        if self._validate:
            schema.check(message, self.revision, method, no_id=no_id)

    # The session

    def initialize(self, capabilities: dict[str, Any] | None = None) -> MCPClient:
        reply = self.request(
            "initialize",
            {
                "protocolVersion": self.revision,
                "capabilities": capabilities or {},
                "clientInfo": {"name": self._name, "version": "1"},
            },
        )
        self.server = reply.result
        assert self.server["protocolVersion"] == self.revision, self.server
        self.session_id = reply.head.headers["mcp-session-id"]
        self.notify("notifications/initialized")
        return self

    def delete(self) -> Response:
        return self.exchange("DELETE")

    @property
    def has_unread(self) -> bool:
        """Whether something came on the connection that nobody asked for."""
        return self._connection is not None and self._connection.has_unread()

    # Requests

    def next_id(self) -> int:
        return next(self._ids)

    def request(self, method: str, params: dict[str, Any] | None = None, *, id: Any = None) -> Reply:
        """Sends a request and reads its answer, plain or streamed. Fails unless there is exactly one."""
        identifier = self.next_id() if id is None else id
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": identifier, "method": method}
        if params is not None:
            message["params"] = params
        connection = self._send("POST", message)
        head = connection.read_head()
        if head.is_event_stream:
            reply = self._read_streamed(connection, head, method)
        else:
            body = b"".join(connection.read_body(head))
            assert head.content_type == "application/json", (head.status, head.headers, body)
            reply = Reply(head, json.loads(body))
            self.check(reply.message, method, no_id=schema.no_id_of(head.status))
        if "id" in reply.message and reply.message["id"] is not None:
            assert reply.message["id"] == identifier and type(reply.message["id"]) is type(identifier), reply.message
        return reply

    def call(
        self,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        progress_token: str | int | None = None,
    ) -> Reply:
        return self.request("tools/call", call_params(tool, arguments, progress_token))

    def echoes(self, upstream: str) -> bool:
        """Whether the upstream's `echo` does."""
        return text_of(self.call(f"{upstream}.echo", {"text": "back"}).result) == "back"

    def tool_names(self) -> list[str]:
        return [tool["name"] for tool in self.request("tools/list").result["tools"]]

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        response = self.exchange("POST", message)
        assert (response.status, response.body) == (202, b""), (response.status, response.body)

    def open_request(self, method: str, params: dict[str, Any]) -> RawConnection:
        """Sends a request on a connection of its own, and leaves reading the answer to the caller."""
        message = {"jsonrpc": "2.0", "id": self.next_id(), "method": method, "params": params}
        connection = self._connect()
        connection.send("POST", self.path, self.headers("POST"), json.dumps(message).encode())
        return connection

    def open_call(
        self,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        progress_token: str | int | None = None,
        id: Any = None,
    ) -> EventStream:
        """Starts a call and gives its stream as soon as the server begins one."""
        identifier = self.next_id() if id is None else id
        params = call_params(tool, arguments, progress_token)
        connection = self._connect()
        connection.send(
            "POST",
            self.path,
            self.headers("POST"),
            json.dumps({"jsonrpc": "2.0", "id": identifier, "method": "tools/call", "params": params}).encode(),
        )
        head = connection.read_head()
        assert head.status == 200 and head.is_event_stream, (head.status, head.headers)
        return EventStream(self, connection, head, "tools/call")

    def open_stream(self, last_event_id: str | None = None, *, answers: str | None = None) -> EventStream:
        """The session's GET stream, or the rest of an earlier one; `answers` is the method whose response may come."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        connection = self._connect()
        connection.send("GET", self.path, {**self.headers("GET"), **headers})
        head = connection.read_head()
        if head.status != 200:
            raise AssertionError(f"GET stream: {head.status} {b''.join(connection.read_body(head))!r}")
        assert head.is_event_stream, head.headers
        return EventStream(self, connection, head, answers)

    @contextmanager
    def keep_stream_open(self) -> Iterator[EventStream]:
        stream = self.open_stream()
        try:
            yield stream
        finally:
            stream.close()

    # One HTTP exchange

    def headers(self, method: str) -> dict[str, str | None]:
        fields: dict[str, str | None] = {"Accept": "text/event-stream" if method == "GET" else JSON_AND_EVENTS}
        if method == "POST":
            fields["Content-Type"] = "application/json"
        if self.session_id is not None:
            fields["Mcp-Session-Id"] = self.session_id
            if self.revision >= "2025-06-18":
                fields["MCP-Protocol-Version"] = self.revision
        return {**fields, **self._headers}

    def exchange(self, method: str, message: object = None, headers: dict[str, str | None] | None = None) -> Response:
        """One HTTP request with this session's headers, and its whole response, unchecked."""
        body = None if message is None else json.dumps(message).encode()
        return self.exchange_bytes(method, body, headers)

    def exchange_bytes(self, method: str, body: bytes | None, headers: dict[str, str | None] | None = None) -> Response:
        fields = {**self.headers(method), **(headers or {})}
        connection = self._ready()
        response = connection.request(method, self.path, fields, body)
        self._settle(connection, response)
        return response

    def _send(self, method: str, message: object) -> RawConnection:
        connection = self._ready()
        connection.send(method, self.path, self.headers(method), json.dumps(message).encode())
        return connection

    def _read_streamed(self, connection: RawConnection, head: Head, method: str) -> Reply:
        stream = EventStream(self, connection, head, method)
        events = list(stream)
        assert stream.parser.is_between_events, "the stream ends in the middle of an event"
        messages = [message for event in events if (message := event.message) is not None]
        responses = [message for message in messages if "result" in message or "error" in message]
        assert len(responses) == 1 and messages[-1] is responses[0], messages
        self._settle(connection, head)
        return Reply(head, responses[0], messages[:-1], events)

    def _connect(self) -> RawConnection:
        return RawConnection(self.address, self._timeout)

    def _ready(self) -> RawConnection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _settle(self, connection: RawConnection, head: Head) -> None:
        """Drops a connection that the server said it closes."""
        if (head.headers.get("connection") or "").lower() == "close" and connection is self._connection:
            self.close()


def call_params(tool: str, arguments: dict[str, Any] | None, progress_token: str | int | None) -> dict[str, Any]:
    params: dict[str, Any] = {"name": tool, "arguments": arguments or {}}
    if progress_token is not None:
        params["_meta"] = {"progressToken": progress_token}
    return params
