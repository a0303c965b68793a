"""An MCP server over HTTP whose calls ask the client, by a script of the test."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from waiting import PATIENCE


class Asking:
    """One call, and what the test's script can do in the middle of it."""

    def __init__(self, server: AskingServer, write: Callable[[bytes], None]) -> None:
        self.server = server
        self._write = write
        self.sent = 0

    def say(self, message: dict[str, Any], event_id: str | None = None) -> None:
        head = f"id: {event_id}\n" if event_id is not None else ""
        self._write(f"{head}data: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode())

    def begin(self, method: str, params: dict[str, Any], *, by_get: bool = False) -> str:
        """Asks, and does not wait for the answer. Returns the question's id."""
        identifier = self.server.new_id()
        message = {"id": identifier, "method": method, "params": params}
        if by_get:
            self.server.listening.get(timeout=PATIENCE).say(message)
        else:
            self.say(message)
        return identifier

    def answer(self, identifier: str) -> dict[str, Any]:
        """The client's response to a question."""
        return self.server.answers[identifier].get(timeout=PATIENCE)

    def ask(self, params: dict[str, Any], method: str = "elicitation/create", *, by_get: bool = False) -> dict[str, Any]:
        return self.answer(self.begin(method, params, by_get=by_get))

    def drop(self) -> dict[str, Any]:
        """Closes the connection without an answer."""
        self.server.broken.set()
        self.server.stopped.wait()
        return {}

    def break_off(self, event_id: str) -> Asking:
        """Ends the stream behind an event with this id, and goes on on the one that is fetched from there."""
        self._write(f"id: {event_id}\nretry: 10\ndata: \n\n".encode())
        self.server.broken.set()
        return self.server.resumed.get(timeout=PATIENCE)


class AskingServer(ThreadingHTTPServer):
    """Answers `tools/call` and `prompts/get` by what the script returns."""

    daemon_threads = True

    def __init__(self, script: Callable[[Asking], dict[str, Any]], revision: str = "2025-11-25") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.revision = revision
        self.messages: list[dict[str, Any]] = []
        self.hello: dict[str, Any] = {}
        self.answers: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self.cancelled: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.listening: queue.SimpleQueue[Asking] = queue.SimpleQueue()
        self.resumed: queue.SimpleQueue[Asking] = queue.SimpleQueue()
        self.broken = threading.Event()
        self.stopped = threading.Event()
        self._ids = iter(range(1, 1_000))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/mcp"

    def received(self, method: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("method") == method]

    def new_id(self) -> str:
        identifier = f"question-{next(self._ids)}"
        self.answers[identifier] = queue.SimpleQueue()
        return identifier

    def __exit__(self, *arguments: object) -> None:
        self.stopped.set()
        self.shutdown()
        super().__exit__(*arguments)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AskingServer

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages.append(message)
        method = message.get("method")
        if method == "initialize":
            self.server.hello = message["params"]
            info = {"name": "asking", "version": "1"}
            result = {"protocolVersion": self.server.revision, "capabilities": {"tools": {}}, "serverInfo": info}
            self._json({"jsonrpc": "2.0", "id": message["id"], "result": result})
        elif method in ("tools/call", "prompts/get"):
            self._call(message["id"])
        elif method is None:
            self.server.answers[message["id"]].put(message)
            self._head(202, 0)
        else:
            if method == "notifications/cancelled":
                self.server.cancelled.put(message["params"])
            self._head(202, 0)

    def do_GET(self) -> None:
        self._stream()
        asking = Asking(self.server, self._write)
        waiting = self.server.resumed if self.headers["Last-Event-ID"] else self.server.listening
        waiting.put(asking)
        self.server.stopped.wait()
        self.close_connection = True

    def do_DELETE(self) -> None:
        self._head(200, 0)

    def _call(self, identifier: int) -> None:
        self._stream()
        self.server.broken.clear()
        asking = Asking(self.server, self._write)
        done = threading.Event()
        last: list[Asking] = [asking]

        def run() -> None:
            result = self.server.script(asking)
            last[0] = result.pop("_on", asking)
            with suppress(OSError):  # whoever gave it up is gone
                last[0].say({"id": identifier, "result": result})
            done.set()

        threading.Thread(target=run, daemon=True).start()
        while not done.wait(0.01):
            if self.server.broken.is_set() or self.server.stopped.is_set():
                break
        self.close_connection = True

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except (OSError, ValueError):
            pass

    def _head(self, status: int, length: int, kind: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Mcp-Session-Id", "one")
        if kind is not None:
            self.send_header("Content-Type", kind)
        self.end_headers()

    def _json(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        self._head(200, len(body), "application/json")
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
