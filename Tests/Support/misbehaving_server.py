"""An MCP server on stdio that does what no server should, when it is told to. Standard library only.

Some of it happens at the start, by option; the rest is a tool each, so that a test says when. Every message that comes
in is added to the journal as one JSON line before anything is done about it. Gates are FIFOs: the server waits in
open(2) until the test opens the other end, so nothing has to be timed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Arguments = dict[str, Any]
OPEN_SCHEMA = {"type": "object"}


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.extra_tools: list[str] = []
        self.level = "debug"
        self._out = threading.Lock()
        self._journal = open(options.journal, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open for life
        self.tools: dict[str, Callable[[Any, Any, Arguments], None]] = {
            name.removeprefix("tool_"): getattr(self, name) for name in dir(self) if name.startswith("tool_")
        }

    def run(self) -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            self._journal.write(json.dumps({**message, "pid": os.getpid(), "at": time.monotonic()}) + "\n")
            self.take(message)

    def take(self, message: dict[str, Any]) -> None:
        identifier, params = message.get("id"), message.get("params") or {}
        match message.get("method"):
            case "initialize" if not self.options.silent:
                self.answer(identifier, self.hello(params["protocolVersion"]))
            case "ping":
                self.answer(identifier, {})
            case "logging/setLevel":
                self.level = params["level"]
                self.answer(identifier, {})
            case "tools/list" if self.options.fail_list:
                self.fail(identifier, -32603, "no list today")
            case "tools/list":
                self.answer(identifier, self.page(params.get("cursor")))
                if self.options.exit_after_list is not None:
                    threading.Timer(self.options.exit_after_list / 1000, os._exit, (0,)).start()
            case "tools/call":
                threading.Thread(target=self.call, args=(identifier, params), daemon=True).start()
            case method if method is not None and identifier is not None:
                self.fail(identifier, -32601, f"Method not found: {method}")

    def hello(self, asked: str) -> dict[str, Any]:
        return {
            "protocolVersion": self.options.protocol or asked,
            "capabilities": {"tools": {"listChanged": True}, "logging": {}},
            "serverInfo": {"name": self.options.name, "version": "1"},
        }

    def page(self, cursor: str | None) -> dict[str, Any]:
        """The first page has the real tools; the further ones `page<n>_<i>`. Ends with the last page, or never."""
        number = int(cursor or 0)
        if number == 0:
            names = sorted([*self.tools, *self.extra_tools])
        else:
            names = [f"page{number}_{index}" for index in range(self.options.page_size)]
        tools = [{"name": name, "description": f"The tool {name}.", "inputSchema": OPEN_SCHEMA} for name in names]
        more = number + 1 < self.options.pages
        return {"tools": tools, **({"nextCursor": str(number + 1)} if more else {})}

    def call(self, identifier: Any, params: dict[str, Any]) -> None:
        name = params["name"]
        token = (params.get("_meta") or {}).get("progressToken")
        if name in self.tools:
            self.tools[name](identifier, token, params.get("arguments") or {})
        elif name in self.extra_tools or name.startswith("page"):
            self.text(identifier, name)
        else:
            self.fail(identifier, -32602, f"Unknown tool: {name}")

    # Good tools

    def tool_echo(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, arguments.get("text", ""))

    def tool_content(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """A result with just this content."""
        self.answer(identifier, {"content": arguments["content"]})

    def tool_ping(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, f"{self.options.name}:{arguments['message']}")

    def tool_server_name(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, self.options.name)

    def tool_pid(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, str(os.getpid()))

    def tool_environment(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, json.dumps(dict(os.environ)))

    def tool_hold(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """One progress notification at once, the answer when somebody has written it to the FIFO `gate`."""
        self.progress(token, 1, "held")
        with open(arguments["gate"], encoding="utf-8") as gate:
            self.text(identifier, gate.read())

    def tool_progress(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """`count` notifications, each `ms` after the one before: the pace is the server's, and what the test is about."""
        count, filler = arguments["count"], "x" * arguments.get("bytes", 0)
        for number in range(1, count + 1):
            time.sleep(arguments.get("ms", 0) / 1000)
            self.progress(token, number, filler, total=count)
        self.text(identifier, str(count))

    def tool_log(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        for number in range(arguments.get("count", 1)):
            self.notify(
                "notifications/message",
                {
                    "level": arguments["level"],
                    "logger": "misbehaving",
                    "data": arguments.get("data", number),
                },
            )
        self.text(identifier, self.level)

    def tool_set_tools(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.extra_tools = arguments["names"]
        self.notify("notifications/tools/list_changed")
        self.text(identifier, "changed")

    def tool_big(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, "x" * arguments["bytes"])

    def tool_error(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.fail(identifier, arguments["code"], arguments["message"])

    # Bad tools

    def tool_garbage(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """Lines that are not JSON, not UTF-8, not JSON-RPC, and the answer."""
        lines = [
            b"npm WARN deprecated",
            b"",
            b"\xff\xfe\x00",
            b"{",
            b"[]",
            b"[1,2]",
            b"null",
            b"{}",
            b'"text"',
            b'{"jsonrpc":"1.0","id":1,"result":{}}',
            b'{"jsonrpc":"2.0","id":{},"result":{}}',
            b'{"jsonrpc":"2.0","method":7}',
            b"[" * 100_000,
        ]
        for line in lines:
            self.raw(line + b"\n")
        self.text(identifier, "after the garbage")

    def tool_flood_stderr(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        line = b"e" * 99 + b"\n"
        for _ in range(arguments["bytes"] // len(line)):
            os.write(2, line)
        os.write(2, b"f" * 1_000_000 + b"\n")
        os.write(2, b"\xff\x00no utf-8\n")
        self.text(identifier, "flooded")

    def tool_never(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.progress(token, 1, "never")

    def tool_hang(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """From here on it says nothing more, and after the next message it reads nothing more either."""
        self._out.acquire()

    def tool_twice(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        self.text(identifier, "first")
        self.text(identifier, "second")

    def tool_unknown_id(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        for wrong in (987_654_321, "nobody", -1, 1.5):
            self.text(wrong, "not yours")
        self.progress("nobody", 1)
        self.text(identifier, "yours")

    def tool_wrong_shape(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """A response with both a result and an error, then the answer."""
        self.send({"jsonrpc": "2.0", "id": identifier, "result": {}, "error": {"code": 1, "message": "both"}})
        self.text(identifier, "after both")

    def tool_shapeless(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """A response with the members that the test wants, whatever they hold."""
        self.send({"jsonrpc": "2.0", "id": identifier, **arguments})

    def tool_die(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        os._exit(3)

    def tool_die_mid_line(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        whole = json.dumps({"jsonrpc": "2.0", "id": identifier, "result": {"content": []}}).encode()
        self.raw(whole[: len(whole) // 2])
        os._exit(3)

    def tool_close_stdout(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        os.close(1)

    def tool_fork_and_exit(self, identifier: Any, token: Any, arguments: Arguments) -> None:
        """A child with both pipes goes on; the process that was started ends."""
        fork_grandchild(arguments["pid_file"])
        os._exit(0)

    # Out

    def text(self, identifier: Any, text: str) -> None:
        self.answer(identifier, {"content": [{"type": "text", "text": text}]})

    def answer(self, identifier: Any, result: dict[str, Any]) -> None:
        self.send({"jsonrpc": "2.0", "id": identifier, "result": result})

    def fail(self, identifier: Any, code: int, message: str) -> None:
        self.send({"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}})

    def progress(self, token: Any, progress: float, message: str = "", total: float | None = None) -> None:
        if token is not None:
            params = {"progressToken": token, "progress": progress, "message": message}
            self.notify("notifications/progress", params if total is None else {**params, "total": total})

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})})

    def send(self, message: dict[str, Any]) -> None:
        self.raw(json.dumps(message).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        with self._out:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


def fork_grandchild(pid_file: str) -> None:
    """A grandchild in a session of its own, deaf to SIGTERM and SIGHUP, that keeps the pipes and never ends."""
    if os.fork() != 0:
        os.wait()
        return
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(pid_file + ".new", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    os.rename(pid_file + ".new", pid_file)
    while True:
        time.sleep(3600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journal", default=os.devnull)
    parser.add_argument("--name", default="misbehaving")
    parser.add_argument("--protocol", help="answer initialize with this version, whatever was asked")
    parser.add_argument("--pages", type=int, default=1)
    parser.add_argument("--page-size", type=int, default=10)
    parser.add_argument("--fail-list", action="store_true")
    parser.add_argument("--silent", action="store_true", help="never answer initialize")
    parser.add_argument("--start-gate", metavar="FIFO", help="do nothing until this can be opened")
    parser.add_argument("--garbage-at-start", action="store_true")
    parser.add_argument("--exit-at-start", type=int, metavar="STATUS")
    parser.add_argument("--exit-after-list", type=int, metavar="MS", help="so long after each answer to tools/list")
    parser.add_argument("--grandchild", metavar="PID_FILE", help="leave a double-forked grandchild behind")
    options = parser.parse_args()
    if options.grandchild:
        fork_grandchild(options.grandchild)
    if options.exit_at_start is not None:
        os.write(2, b"cannot start\n")
        sys.exit(options.exit_at_start)
    if options.start_gate:
        with open(options.start_gate, encoding="utf-8") as gate:
            gate.read()
    if options.garbage_at_start:
        os.write(1, b'Welcome!\n\x00\xff\n{"jsonrpc":"2.0"}\n')
    Server(options).run()


if __name__ == "__main__":
    main()
