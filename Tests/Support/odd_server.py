"""An MCP server on stdio that means well and says it in a way of its own: in every message, or when a call asks for it.

The manner is the first argument; see `MANNERS`. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]

BOM = b"\xef\xbb\xbf"
BANNER = (
    "\x1b[1;36m┌──────────────┐\x1b[0m\r\n",
    "│ A fine server │\r\n\r\n",
    '{"level":30,"msg":"listening"}\n',
    "[INFO] 12:00:00 ready\n   \n",
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"early"}}\n',
    '{\n  "pretty": [\n    1\n  ]\n}\n',
)


def plain(message: Message) -> bytes:
    return json.dumps(message).encode()


def is_answer(message: Message) -> bool:
    return "method" not in message


def with_id(message: Message, change: Callable[[Any], Any]) -> bytes:
    return plain({**message, "id": change(message["id"])} if is_answer(message) else message)


def unquoted_id(message: Message, ending: str) -> bytes:
    """The id as a number that is spelled with this ending."""
    if not is_answer(message):
        return plain(message)
    return plain({**message, "id": "ID"}).replace(b'"ID"', f"{message['id']}{ending}".encode())


def amid(before: str, behind: str = "") -> Callable[[Message], bytes]:
    return lambda message: before.encode() + plain(message) + behind.encode()


def every_member(message: Message) -> bytes:
    """As programs write it that have one class for all messages."""
    return plain({"jsonrpc": "2.0", "id": None, "method": None, "params": None, "result": None, "error": None} | message)


#: How each message is written, without its line end.
MANNERS: dict[str, Callable[[Message], bytes]] = {
    "plain": plain,
    "bom": lambda message: BOM + plain(message),
    "boms": lambda message: BOM + BOM + b" " + plain(message),
    "carriage": lambda message: b"\t " + plain(message) + b" \r",
    "coloured": lambda message: b"\x1b[2K\r\x1b[32m" + plain(message) + b"\x1b[0m",
    "titled": lambda message: b"\x1b]0;npx\x07\x1b[?25l" + plain(message),
    "bar": amid("Resolving [====>     ] 42%\r"),
    "prompt": amid("Press {enter} to go on> "),
    "logged": amid("[INFO] sent: ", " (ok)"),
    "crowded": lambda message: plain({"jsonrpc": "2.0", "method": "notifications/x"}) + plain(message),
    "bytewise": plain,
    "banner": plain,
    "text_id": lambda message: with_id(message, str),
    "float_id": lambda message: with_id(message, float),
    "power_id": lambda message: unquoted_id(message, "e0"),
    "null_error": lambda message: plain({**message, "error": None} if "result" in message else message),
    "every_member": lambda message: every_member(message) if is_answer(message) else plain(message),
    "versionless": lambda message: plain({name: message[name] for name in message if name != "jsonrpc" or "method" in message}),
    "batches": lambda message: plain(message) if "method" in message else b"[" + plain(message) + b"]",
}


class Server:
    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.first: Any = None
        self.wondering: Any = None

    def run(self) -> None:
        if self.manner == "banner":
            self.raw("".join(BANNER).encode())
        if self.manner == "bom_once":
            self.raw(BOM)
        for line in sys.stdin.buffer:
            self.take(json.loads(line))

    def take(self, message: Message) -> None:
        identifier, params = message.get("id"), message.get("params") or {}
        match message.get("method"):
            case "initialize" if self.manner in ("asks_roots", "asks_ping"):
                # It wants to know something first, and has no parameters to speak of.
                self.first = message
                method = "roots/list" if self.manner == "asks_roots" else "ping"
                self.say(plain({"jsonrpc": "2.0", "id": "r1", "method": method, "params": None}))
            case "initialize":
                self.hello(message)
            case "tools/list":
                names = ["echo", "token", "say", "wonder", "spill", "refuse_numbers"]
                tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
                self.answer(identifier, {"tools": tools})
            case "tools/call":
                self.call(identifier, params)
            case None if self.first is not None:
                first, self.first = self.first, None
                self.hello(first)
            case None if self.wondering is not None:
                identifier, self.wondering = self.wondering, None
                self.text(identifier, json.dumps(message))
            case method if method is not None and identifier is not None:
                self.answer(identifier, {})

    def hello(self, message: Message) -> None:
        self.answer(
            message["id"],
            {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": self.manner, "version": "1"},
            },
        )

    def call(self, identifier: Any, params: Message) -> None:
        arguments = params.get("arguments") or {}
        token = (params.get("_meta") or {}).get("progressToken")
        match params["name"]:
            case "echo":
                self.text(identifier, arguments["text"])
            case "token":
                if token is not None:
                    note = {"progressToken": arguments.get("back", token), "progress": 1}
                    self.send({"jsonrpc": "2.0", "method": "notifications/progress", "params": note})
                self.text(identifier, type(token).__name__)
            case "say":
                for line in arguments["lines"]:
                    self.say(line.replace("$ID", str(identifier)).replace("$TOKEN", json.dumps(token)).encode())
            case "wonder":
                self.wondering = identifier
                self.say(arguments["line"].encode())
            case "spill":
                self.say(arguments["beginning"].encode() + arguments["part"].encode() * arguments["count"])
                self.text(identifier, "spilt")
            case "refuse_numbers" if not isinstance(token, str):
                self.send({"jsonrpc": "2.0", "id": identifier, "error": {"code": -1, "message": "token must be text"}})
            case _:
                self.text(identifier, "fine")

    def text(self, identifier: Any, text: str) -> None:
        self.answer(identifier, {"content": [{"type": "text", "text": text}]})

    def answer(self, identifier: Any, result: Message) -> None:
        self.send({"jsonrpc": "2.0", "id": identifier, "result": result})

    def send(self, message: Message) -> None:
        self.say(MANNERS.get(self.manner, plain)(message))

    def say(self, line: bytes) -> None:
        if self.manner == "bytewise":
            for byte in line + b"\n":
                self.raw(bytes([byte]))
        else:
            self.raw(line + b"\n")

    def raw(self, data: bytes) -> None:
        while data:
            data = data[os.write(1, data) :]


if __name__ == "__main__":
    Server(sys.argv[1]).run()
