"""A client that starts `mcp-bridge stdio`, or a gateway, and speaks to it in lines."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

from places import BINARY
from waiting import PATIENCE

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "test", "version": "1"}}


class StdioClient:
    """A client at the other end of the pipes; what comes is kept as it came."""

    def __init__(
        self, *arguments: str, environment: dict[str, str], folder: Path, program: tuple[str | Path, ...] = (BINARY, "stdio")
    ) -> None:
        self.process = subprocess.Popen(
            [*program, *arguments], env=environment, cwd=folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.said: list[str] = []
        self.unclaimed: list[dict[str, Any]] = []
        self._id = 0
        threading.Thread(target=self._read, daemon=True).start()
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._errors.start()

    def __enter__(self) -> StdioClient:
        return self

    def __exit__(self, *arguments: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def send(self, message: dict[str, Any] | list[Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def answer_line(self) -> bytes:
        """The next line that answers something. A list may change at any time, and a new session may be told of it."""
        while "method" in (message := json.loads(line := self.line())):
            self.unclaimed.append(message)
        return line

    def begin(self, method: str, params: dict[str, Any] | None = None) -> int:
        self._id += 1
        self.send({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}})
        return self._id

    def line(self) -> bytes:
        line = self.lines.get(timeout=PATIENCE)
        assert line is not None, self.said
        return line

    def answer(self, identifier: int) -> dict[str, Any]:
        """The answer to a request; what else comes is kept."""
        while True:
            message = json.loads(self.line())
            if message.get("id") == identifier and "method" not in message:
                return message
            self.unclaimed.append(message)

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.answer(self.begin(method, params))

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        return self.ask("tools/call", {"name": name, "arguments": arguments})

    def open(self, revision: str = "2025-11-25") -> StdioClient:
        hello = self.ask("initialize", {**HELLO, "protocolVersion": revision})
        assert "result" in hello, hello
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def hear(self, method: str) -> dict[str, Any]:
        """The next message with this method."""
        for message in self.unclaimed:
            if message.get("method") == method:
                self.unclaimed.remove(message)
                return message
        while True:
            message = json.loads(self.line())
            if message.get("method") == method:
                return message
            self.unclaimed.append(message)

    def close(self) -> list[dict[str, Any]]:
        """Closes our end, and returns the answers that came then; the command has ended well."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        rest = []
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            message = json.loads(line)
            # A list may change at any time.
            if "method" not in message:
                rest.append(message)
        assert self.process.wait(PATIENCE) == 0, self.said
        # All that it has said is there to be looked at.
        self._errors.join(PATIENCE)
        return rest

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.decode().rstrip("\n"))
