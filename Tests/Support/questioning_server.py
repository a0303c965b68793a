#!/usr/bin/env python3
"""An MCP server on stdio that asks its client what a call tells it to ask.

Usage: questioning_server.py [JOURNAL]

Tools: `ask` asks (`method`, `params`) and answers with what came back; `ask_and_leave` asks and answers at once;
`ask_and_withdraw` takes its question back, then answers; `stubborn` asks when it has been cancelled; `need_page` refuses with
-32042; `done` says that a page is done; `count` says how often anything was asked. What comes back to a question that no
call waits for is written to the journal, a line each.
"""

from __future__ import annotations

import json
import sys
from typing import Any

TOOLS = ("ask", "ask_and_leave", "ask_and_withdraw", "stubborn", "need_page", "done", "count")


class Asking:
    def __init__(self, journal: str | None) -> None:
        self._journal = journal
        self._asked = 0
        #: The call that waits for the answer to a question.
        self._waiting: dict[str, Any] = {}
        self._stubborn: dict[Any, dict[str, Any]] = {}

    def say(self, **message: Any) -> None:
        print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

    def ask(self, arguments: dict[str, Any]) -> str:
        self._asked += 1
        number = f"s{self._asked}"
        self.say(id=number, method=arguments["method"], params=arguments.get("params", {}))
        return number

    def answer(self, call: Any, said: Any) -> None:
        text = said if isinstance(said, str) else json.dumps(said)
        self.say(id=call, result={"content": [{"type": "text", "text": text}]})

    def hear(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            return self.answered(message)
        if method == "initialize":
            version = message["params"]["protocolVersion"]
            return self.say(
                id=message["id"],
                result={
                    "protocolVersion": version,
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "asking", "version": "1"},
                },
            )
        if method == "tools/list":
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
            return self.say(id=message["id"], result={"tools": tools})
        if method == "tools/call":
            return self.call(message["id"], message["params"]["name"], message["params"].get("arguments", {}))
        if method == "notifications/cancelled":
            arguments = self._stubborn.pop(message["params"]["requestId"], None)
            if arguments is not None:
                self.ask(arguments)
            return None
        if "id" in message:
            return self.say(id=message["id"], result={})
        return None

    def answered(self, message: dict[str, Any]) -> None:
        said = {key: message[key] for key in ("result", "error") if key in message}
        call = self._waiting.pop(message["id"], None)
        if call is not None:
            self.answer(call, said)
        elif self._journal is not None:
            with open(self._journal, "a") as journal:
                journal.write(json.dumps(said) + "\n")

    def call(self, call: Any, tool: str, arguments: dict[str, Any]) -> None:
        if tool == "ask":
            self._waiting[self.ask(arguments)] = call
        elif tool == "ask_and_leave":
            self.ask(arguments)
            self.answer(call, "left")
        elif tool == "ask_and_withdraw":
            number = self.ask(arguments)
            self.say(method="notifications/cancelled", params={"requestId": number, "reason": "no need"})
            self.answer(call, "withdrawn")
        elif tool == "stubborn":
            self._stubborn[call] = arguments
        elif tool == "need_page":
            page = {"mode": "url", "message": "Sign in.", "url": "https://example.com/in", "elicitationId": arguments["id"]}
            self.say(id=call, error={"code": -32042, "message": "Sign in first", "data": {"elicitations": [page]}})
        elif tool == "done":
            self.say(method="notifications/elicitation/complete", params={"elicitationId": arguments["id"]})
            self.answer(call, "done")
        else:
            self.answer(call, str(self._asked))


def main() -> None:
    server = Asking(sys.argv[1] if len(sys.argv) > 1 else None)
    for line in sys.stdin:
        server.hear(json.loads(line))


if __name__ == "__main__":
    main()
