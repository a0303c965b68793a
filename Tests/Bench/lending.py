"""A client that lends a model which answers at once, and what that takes of it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any, Self

from rig import PATIENCE, Bridge, Unmeasurable

NAME = "bench-lender"
#: The model by which programs ask for it.
MODEL = "lent"
#: What the bridge is configured with.
SETTINGS: dict[str, Any] = {"chat": {"sources": [NAME], "models": {MODEL: NAME}, "warmup": False}}


class Lender:
    """One session with its GET stream. Answers are posted on a connection of their own."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._posts = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=PATIENCE)
        self._stream = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=PATIENCE)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        self._taken: list[float] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        client = {"protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}, "clientInfo": {"name": NAME, "version": "1"}}
        reply = self._post({"id": 1, "method": "initialize", "params": client})
        self._headers |= {"Mcp-Session-Id": reply.getheader("Mcp-Session-Id", ""), "MCP-Protocol-Version": "2025-11-25"}
        self._post({"method": "notifications/initialized"})
        self._stream.request("GET", "/mcp", headers={**self._headers, "Accept": "text/event-stream"})
        self._events = self._stream.getresponse()
        self._reader.start()
        deadline = time.monotonic() + PATIENCE
        while not any(source["state"] == "ready" for source in self._bridge.status().get("sources", [])):
            if time.monotonic() > deadline:
                raise Unmeasurable("the bridge does not count on the client that lends")
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (self._posts, self._stream):
            connection.close()

    def taken(self) -> list[float]:
        """Microseconds from each question's arrival here until its answer was written; since this was last asked."""
        taken, self._taken = self._taken, []
        return taken

    def _read(self) -> None:
        try:
            while line := self._events.readline():
                begun = time.perf_counter()
                if line.startswith(b"data: {"):
                    self._answer(json.loads(line[6:]), begun)
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed; whoever still waits for an answer is told by the load

    def _answer(self, message: dict[str, Any], begun: float) -> None:
        if message.get("method") != "sampling/createMessage":
            return
        content = {"type": "text", "text": "The quick brown fox jumps over the lazy dog, and then rests a while."}
        result = {"role": "assistant", "content": content, "model": "bench", "stopReason": "endTurn"}
        self._send({"id": message["id"], "result": result})
        self._taken.append((time.perf_counter() - begun) * 1e6)
        self._posts.getresponse().read()

    def _send(self, message: dict[str, Any]) -> None:
        self._posts.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", **message}), self._headers)

    def _post(self, message: dict[str, Any]) -> http.client.HTTPResponse:
        self._send(message)
        response = self._posts.getresponse()
        if response.status not in (200, 202):
            raise Unmeasurable(f"a client that lends was told {response.status}: {response.read()[:200]!r}")
        response.read()
        return response
