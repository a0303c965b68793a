"""An MCP server on stdio that is odd in one way, as servers of real people are. Standard library only.

`strange_server.py MODE [JOURNAL]`. Most modes have the tool `t`, which answers `ok`; what else they list is in `LISTS` and
`NAMES`. Every message that comes in is added to the journal, if there is one, as a JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

Message = dict[str, Any]
OPEN = {"type": "object"}
FINE: Message = {"name": "t", "description": "Fine.", "inputSchema": OPEN}

#: Lists that are not as MCP has them: what is listed, and the names that have a meaning.
LISTS: dict[str, tuple[list[Any], list[str]]] = {
    "no_schema": ([FINE, {"name": "bare"}], ["t", "bare"]),
    "null_schema": ([FINE, {"name": "bare", "inputSchema": None}], ["t", "bare"]),
    "empty_schema": ([FINE, {"name": "bare", "inputSchema": {}}], ["t", "bare"]),
    "schema_no_type": ([FINE, {"name": "bare", "inputSchema": {"properties": {"a": {}}}}], ["t", "bare"]),
    "null_members": (
        [
            FINE,
            {
                "name": "bare",
                "title": None,
                "description": None,
                "outputSchema": None,
                "annotations": {"title": None, "readOnlyHint": None},
                "icons": None,
                "execution": None,
                "_meta": None,
                "inputSchema": {"type": "object", "properties": None, "required": None},
            },
        ],
        ["t", "bare"],
    ),
    "schema_array": ([FINE, {"name": "bad", "inputSchema": []}], ["t"]),
    "schema_string": ([FINE, {"name": "bad", "inputSchema": {"type": "string"}}], ["t"]),
    "schema_types": ([FINE, {"name": "bad", "inputSchema": {"type": ["object"]}}], ["t"]),
    "description_number": ([FINE, {"name": "bad", "description": 5, "inputSchema": OPEN}], ["t"]),
    "annotations_text": ([FINE, {"name": "bad", "annotations": "x", "inputSchema": OPEN}], ["t"]),
    "hint_text": ([FINE, {"name": "bad", "annotations": {"readOnlyHint": "yes"}, "inputSchema": OPEN}], ["t"]),
    "output_array": ([FINE, {"name": "bad", "outputSchema": [], "inputSchema": OPEN}], ["t"]),
    "icons_number": ([FINE, {"name": "bad", "icons": 7, "inputSchema": OPEN}], ["t"]),
    "meta_array": ([FINE, {"name": "bad", "_meta": [], "inputSchema": OPEN}], ["t"]),
    "required_text": ([FINE, {"name": "bad", "inputSchema": {"type": "object", "required": "a"}}], ["t"]),
    "no_name": ([FINE, {"inputSchema": OPEN}, {"name": "", "inputSchema": OPEN}, {"name": 7}], ["t"]),
    "no_objects": ([FINE, None, "tool", 5, [], True], ["t"]),
    "twice": ([FINE, FINE, {**FINE, "description": "Another."}], ["t"]),
    "odd_names": ([FINE, {**FINE, "name": "a b/ü"}, {**FINE, "name": "n" * 200}], ["t", "a b/ü", "n" * 200]),
    "surrogate": ([FINE, {**FINE, "name": "bare", "description": "cut \ud83d"}], ["t", "bare"]),
    "surrogate_name": ([FINE, {**FINE, "name": "cut\ud83d"}], ["t"]),
}

#: What the other modes list.
NAMES: dict[str, list[str]] = {
    "stuck": ["p1", "p2"],
    "repeats_page": ["p1"],
    "empty_cursor": ["p1"],
    "number_cursor": ["p1", "p2"],
    "object_cursor": ["p1"],
    "late_error": ["p1"],
    "late_nonsense": ["p1"],
    "no_end": [f"n{page}" for page in range(1, 1001)],
    "null_tools": [],
    "loop": ["t"],
    "eager_loop": ["t"],
    "no_tools": [],
}

#: Messages that are not as JSON-RPC has them, or do not stand alone.
MESSAGES = (
    "bom",
    "bom_first",
    "escapes",
    "blanks",
    "crlf",
    "prompt",
    "two_in_a_line",
    "refuses_notifications",
    "finds_notifications_invalid",
    "id_text",
    "id_float",
    "string_token",
    "null_ask",
    "null_ping",
    "error_null",
    "result_null",
    "code_text",
    "error_text",
    "parse_error",
)

#: Revisions that a server takes, and how it refuses others.
STRICT: dict[str, list[str]] = {
    "strict_named": ["2025-06-18"],
    "strict_named_many": ["2024-11-05", "2025-03-26", "2199-01-01"],
    "strict": ["2025-03-26"],
    "strict_oldest": ["2024-11-05"],
    "strict_exits": ["2025-06-18"],
    "strict_never": ["1999-01-01"],
    "strict_named_never": ["1999-01-01"],
}


#: What a server answers to every notification, though nothing is expected.
REFUSING_NOTIFICATIONS = {"refuses_notifications": -32601, "finds_notifications_invalid": -32600}


def names(mode: str) -> list[str]:
    """The tools of a mode that have a meaning."""
    return LISTS[mode][1] if mode in LISTS else NAMES.get(mode, ["t"])


class Server:
    def __init__(self, mode: str, journal: str | None) -> None:
        self.mode = mode
        self.journal = open(journal, "a", encoding="utf-8", buffering=1) if journal else None  # noqa: SIM115 - for life
        self.is_first = True
        self.lists = 0
        self.first: Any = None

    def run(self) -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if self.journal:
                self.journal.write(json.dumps({**message, "pid": os.getpid(), "at": time.monotonic()}) + "\n")
            self.take(message)

    def take(self, message: Message) -> None:
        identifier, params = message.get("id"), message.get("params") or {}
        match message.get("method"):
            case "initialize":
                self.hello(identifier, params["protocolVersion"])
            case "tools/list" if self.mode == "no_tools":
                self.fail(identifier, -32601, "Method not found")
            case "tools/list":
                self.list(identifier, params.get("cursor"))
            case "tools/call":
                self.call(identifier, params)
            case None if identifier == "q1" and self.first is not None:
                asked, self.first = self.first, None
                self.answer(asked[0], self.introduction(asked[1]))
            case method if method and identifier is not None:
                self.answer(identifier, {})
            case method if method and self.mode in REFUSING_NOTIFICATIONS:
                self.fail(None, REFUSING_NOTIFICATIONS[self.mode], "What is this?")

    # The handshake

    def introduction(self, asked: str) -> Message:
        capabilities: Message = {"capabilities": {"tools": {}}}
        if self.mode in ("no_capabilities_tools", "no_tools"):
            capabilities = {"capabilities": {}}
        elif self.mode == "no_capabilities":
            capabilities = {}
        version = "2024-10-07" if self.mode == "draft" else asked
        return {"protocolVersion": version, "serverInfo": {"name": self.mode, "version": "1"}, **capabilities}

    def hello(self, identifier: Any, asked: str) -> None:
        if self.mode == "slow":
            time.sleep(1.5)
        taken = STRICT.get(self.mode)
        if taken is not None and asked not in taken:
            data = {"data": {"supported": taken, "requested": asked}} if "named" in self.mode else {}
            self.send({"id": identifier, "error": {"code": -32602, "message": "Unsupported protocol version", **data}})
            if self.mode == "strict_exits":
                sys.exit(1)
        elif self.mode in ("null_ask", "null_ping"):
            self.first = (identifier, asked)
            method = "ping" if self.mode == "null_ping" else "roots/list"
            self.send({"id": "q1", "method": method, "params": None})
        else:
            self.answer(identifier, self.introduction(asked))

    # Lists

    def list(self, identifier: Any, cursor: Any) -> None:
        def page(*listed: str, **more: Any) -> None:
            self.answer(identifier, {"tools": [{"name": name, "inputSchema": OPEN} for name in listed], **more})

        match self.mode, cursor:
            case "second_page_dies", None:
                self.lists += 1
                page("p1", nextCursor="2")
            case "second_page_dies", _ if self.lists == 1:
                page("p2")
            case "second_page_dies", _:
                self.fail(identifier, -32603, "the disk is full")
            case "stuck", _:
                page("p1" if cursor is None else "p2", nextCursor="8")
            case "repeats_page", _:
                page("p1", nextCursor="8")
            case "empty_cursor", None:
                page("p1", nextCursor="")
            case "number_cursor", None:
                page("p1", nextCursor=2)
            case "number_cursor", 2:
                page("p2")
            case "object_cursor", None:
                page("p1", nextCursor={"page": 2})
            case "late_error" | "late_nonsense", None:
                page("p1", nextCursor="2")
            case "late_nonsense", _:
                self.answer(identifier, {"items": []})
            case "empty_cursor" | "late_error", _:
                self.fail(identifier, -32602, f"no such page: {cursor}")
            case "no_end", _:
                number = int(cursor or 0) + 1
                page(f"n{number}", nextCursor=str(number))
            case "null_tools", _:
                self.answer(identifier, {"tools": None})
            case mode, _ if mode in LISTS:
                self.answer(identifier, {"tools": LISTS[mode][0]})
            case mode, _:
                if mode == "eager_loop":
                    self.send({"method": "notifications/tools/list_changed"})
                page("t")
                if mode == "loop":
                    self.send({"method": "notifications/tools/list_changed"})

    # Calls

    def call(self, identifier: Any, params: Message) -> None:
        token = (params.get("_meta") or {}).get("progressToken")
        text = "ok"
        if self.mode == "surrogate":
            text = "ok \ud83d"
            self.send({"method": "notifications/message", "params": {"level": "info", "data": "cut \udc00"}})
        match self.mode:
            case "string_token" if token is not None and not isinstance(token, str):
                return self.fail(identifier, -32000, "progressToken must be a string")
            case "code_text":
                return self.send({"id": identifier, "error": {"code": "ENOENT", "message": "no such file: /x"}})
            case "error_text":
                return self.send({"id": identifier, "error": "boom"})
            case "result_null":
                return self.send({"id": identifier, "result": None, "error": {"code": 7, "message": "quota used up"}})
            case "parse_error":
                return self.send({"id": None, "error": {"code": -32700, "message": "Parse error"}})
        if token is not None:
            message = text if self.mode == "surrogate" else "on"
            self.send(
                {
                    "method": "notifications/progress",
                    "params": {"progressToken": token, "progress": 1, "message": message},
                }
            )
        return self.answer(identifier, {"content": [{"type": "text", "text": text}]})

    # Saying

    def answer(self, identifier: Any, result: Message) -> None:
        shown = {"id_text": str(identifier), "id_float": float(identifier or 0)}.get(self.mode, identifier)
        more = {"error": None} if self.mode == "error_null" else {}
        self.send({"id": shown, "result": result, **more})

    def fail(self, identifier: Any, code: int, message: str) -> None:
        self.send({"id": identifier, "error": {"code": code, "message": message}})

    def send(self, message: Message) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode()
        before = {
            "bom": b"\xef\xbb\xbf",
            "bom_first": b"\xef\xbb\xbf" if self.is_first else b"",
            "escapes": b"\x1b[2K\x1b[0m",
            "blanks": b" \t\r",
            "prompt": b"> 42 % done: [####] " if "result" in message else b"",
            "two_in_a_line": b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":1}} ',
        }.get(self.mode, b"")
        self.is_first = False
        sys.stdout.buffer.write(before + line + (b"\r\n" if self.mode == "crlf" else b"\n"))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    Server(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).run()
