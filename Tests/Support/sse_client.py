"""An MCP client of HTTP+SSE (2024-11-05) on raw sockets that checks everything it is sent against the schema."""

from __future__ import annotations

import itertools
import json
from typing import Any

import schema
from http_raw import Address, ConnectionEnded, EventParser, Head, RawConnection, Response, ServerSentEvent
from mcp_http import call_params
from outcomes import Outcome, word_of
from replies import Reply, RPCFailure, text_of
from waiting import PATIENCE

JSON = {"Content-Type": "application/json"}


class SSEClient:
    """One stream, and one connection for what is posted."""

    def __init__(
        self, address: Address, *, path: str = "/sse", headers: dict[str, str] | None = None, timeout: float = PATIENCE
    ) -> None:
        self.address = address
        self.revision = "2024-11-05"
        self.parser = EventParser()
        #: What came that answers nothing.
        self.notifications: list[dict[str, Any]] = []
        self._timeout = timeout
        self._ids = itertools.count(1)
        self._methods: dict[str, str] = {}
        self._poster: RawConnection | None = None
        self.stream = RawConnection(address, timeout)
        self.stream.send("GET", path, {"Accept": "text/event-stream", **(headers or {})})
        self.head: Head = self.stream.read_head()
        assert self.head.status == 200 and self.head.is_event_stream, (self.head, b"".join(self.stream.read_body(self.head)))
        self._events = self.stream.read_events(self.head, self.parser)
        first = next(self._events)
        assert first.event == "endpoint", first
        self.endpoint = first.data

    def __enter__(self) -> SSEClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()
        if self._poster is not None:
            self._poster.close()
            self._poster = None

    @property
    def posts(self) -> RawConnection:
        if self._poster is None:
            self._poster = RawConnection(self.address, self._timeout)
        return self._poster

    # Out

    def post_bytes(self, body: bytes, headers: dict[str, str | None] | None = None) -> Response:
        response = self.posts.request("POST", self.endpoint, {**JSON, **(headers or {})}, body)
        if (response.headers.get("connection") or "").lower() == "close":
            self.posts.close()
            self._poster = None
        return response

    def post(self, message: Any) -> None:
        """Sends a message, or several, and sees it accepted."""
        for one in message if isinstance(message, list) else [message]:
            if "id" in one and "method" in one:
                self._methods[json.dumps(one["id"])] = one["method"]
        response = self.post_bytes(json.dumps(message).encode())
        assert (response.status, response.body) == (202, b""), response
        assert "content-type" not in response.headers, response.headers

    def send(self, method: str, params: dict[str, Any] | None = None, *, id: Any = None) -> Any:
        """Posts a request, and says its id."""
        identifier = next(self._ids) if id is None else id
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": identifier, "method": method}
        if params is not None:
            message["params"] = params
        self.post(message)
        return identifier

    def send_call(self, tool: str, arguments: dict[str, Any] | None = None, *, progress_token: Any = None) -> Any:
        return self.send("tools/call", call_params(tool, arguments, progress_token))

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        self.post({"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})})

    # In

    def next_event(self) -> ServerSentEvent:
        for event in self._events:
            return event
        raise ConnectionEnded("the stream ended")

    def next_message(self) -> dict[str, Any]:
        event = self.next_event()
        assert (event.event, event.id) == ("message", None), event
        message = event.message
        assert message is not None
        method = self._methods.get(json.dumps(message.get("id"))) if "method" not in message else None
        if method == "initialize" and "result" in message:
            self.revision = message["result"]["protocolVersion"]
        schema.check(message, self.revision, method)
        return message

    def next_answer(self) -> dict[str, Any]:
        """The next message that answers something. A list may change at any time, and a new session may be told of it."""
        while "method" in (message := self.next_message()):
            self.notifications.append(message)
        return message

    def answer_to(self, identifier: Any) -> Reply:
        """Reads on to the answer to a request; answers to others must not come before it."""
        told: list[dict[str, Any]] = []
        while "method" in (message := self.next_message()):
            told.append(message)
        self.notifications += told
        assert message["id"] == identifier and type(message["id"]) is type(identifier), message
        return Reply(self.head, message, told)

    def wait_for(self, method: str) -> dict[str, Any]:
        while (message := self.next_message()).get("method") != method:
            self.notifications.append(message)
        return message

    def request(self, method: str, params: dict[str, Any] | None = None, *, id: Any = None) -> Reply:
        return self.answer_to(self.send(method, params, id=id))

    def call(self, tool: str, arguments: dict[str, Any] | None = None, *, progress_token: Any = None) -> Reply:
        return self.answer_to(self.send_call(tool, arguments, progress_token=progress_token))

    def initialize(self, revision: str = "2024-11-05", name: str = "integration-tests") -> SSEClient:
        params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": name, "version": "1"}}
        assert self.request("initialize", params).result["protocolVersion"] == revision
        self.notify("notifications/initialized")
        return self

    def echoes(self, upstream: str) -> bool:
        return text_of(self.call(f"{upstream}.echo", {"text": "back"}).result) == "back"

    def tool_names(self) -> list[str]:
        return [tool["name"] for tool in self.request("tools/list").result["tools"]]

    def outcome(self, tool: str, tag: str, milliseconds: int = 0) -> Outcome:
        """How a call of the counting server ended."""
        try:
            reply = self.call(tool, {"tag": tag, "ms": milliseconds})
            reply.result
            return Outcome(tag, "result")
        except RPCFailure as failure:
            return Outcome(tag, "error", word_of(failure), str(failure))
        except ConnectionEnded as ended:
            return Outcome(tag, "closed", None, str(ended))
        except ConnectionRefusedError:
            return Outcome(tag, "refused")
