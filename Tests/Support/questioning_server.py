#!/usr/bin/env python3
"""An MCP server on stdio that asks its client what a call tells it to ask.

Usage: questioning_server.py [JOURNAL]

Tools: `ask` asks (`method`, `params`) and answers with what came back; `ask_all` asks all its `questions` at once, and answers
with what came back, in their order; `ask_and_leave` asks and answers at once; `ask_and_withdraw` takes its question back, then
answers; `ask_later` asks when `go` is called, which is answered at once then, and its beginning is written to the journal;
`pid` says which process this is; `ask_as_task` asks, and sends the requests `steps` about the task that it is given, one after another; it answers with
all that came back, and with the notifications that came meanwhile; `stubborn` asks when it has been cancelled, and its
beginning is written to the journal; `need_page` refuses with -32042; `done` says that a page is done; `count`
says how often anything was asked. What comes back to a question that no call waits for is written to the journal, a line
each, and so is that a call which waits was cancelled. Its prompt `ask` asks by elicitation, and is written to the journal, too.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

TOOLS = (
    "ask", "ask_all", "ask_and_leave", "ask_and_withdraw", "ask_later", "go", "ask_as_task", "stubborn", "need_page", "done",
    "pid", "count",
)


class Asking:
    def __init__(self, journal: str | None) -> None:
        self._journal = journal
        self._asked = 0
        #: The call that waits for the answer to a question.
        self._waiting: dict[str, Any] = {}
        #: Of calls that have asked several: what has come back, by question.
        self._several: dict[Any, dict[str, Any]] = {}
        self._stubborn: dict[Any, dict[str, Any]] = {}
        self._later: list[tuple[Any, dict[str, Any]]] = []
        #: Of calls that have asked for a task: the requests to come, what has come back, and the task's id.
        self._steps: dict[Any, list[str]] = {}
        self._heard: dict[Any, list[Any]] = {}
        self._task: dict[Any, Any] = {}
        self._notes: list[Any] = []

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
                    "capabilities": {"tools": {}, "prompts": {}},
                    "serverInfo": {"name": "asking", "version": "1"},
                },
            )
        if method == "tools/list":
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
            return self.say(id=message["id"], result={"tools": tools})
        if method == "prompts/list":
            return self.say(id=message["id"], result={"prompts": [{"name": "ask"}]})
        if method == "prompts/get":
            self.note("prompt")
            params = {"message": "?", "requestedSchema": {"type": "object", "properties": {}}}
            self._waiting[self.ask({"method": "elicitation/create", "params": params})] = message["id"]
            return None
        if method == "tools/call":
            return self.call(message["id"], message["params"]["name"], message["params"].get("arguments", {}))
        if method == "notifications/cancelled":
            return self.cancelled(message["params"]["requestId"])
        if "id" in message:
            return self.say(id=message["id"], result={})
        self._notes.append({"method": method, "params": message.get("params")})
        return None

    def answered(self, message: dict[str, Any]) -> None:
        said = {key: message[key] for key in ("result", "error") if key in message}
        call = self._waiting.pop(message["id"], None)
        if call is None:
            return self.note(said)
        if call in self._steps:
            return self.go_on(call, said)
        if call not in self._several:
            return self.answer(call, said)
        self._several[call][message["id"]] = said
        if call not in self._waiting.values():
            self.answer(call, [said for _, said in sorted(self._several.pop(call).items())])
        return None

    def go_on(self, call: Any, said: dict[str, Any]) -> None:
        """A call that has asked for a task has heard something, and sends its next request about it."""
        self._heard[call].append(said)
        if len(self._heard[call]) == 1:
            self._task[call] = said.get("result", {}).get("task", {}).get("taskId")
        if self._task[call] is None or not self._steps[call]:
            del self._steps[call]
            return self.answer(call, {"said": self._heard.pop(call), "notes": self._notes})
        params = {"taskId": self._task[call]}
        self._waiting[self.ask({"method": self._steps[call].pop(0), "params": params})] = call
        return None

    def cancelled(self, call: Any) -> None:
        arguments = self._stubborn.pop(call, None)
        if arguments is not None:
            self.ask(arguments)
        elif call in self._waiting.values():
            self._waiting = {number: each for number, each in self._waiting.items() if each != call}
            self.note("cancelled")

    def note(self, what: Any) -> None:
        if self._journal is not None:
            with open(self._journal, "a") as journal:
                journal.write(json.dumps(what) + "\n")

    def call(self, call: Any, tool: str, arguments: dict[str, Any]) -> None:
        if tool == "ask":
            self._waiting[self.ask(arguments)] = call
        elif tool == "ask_all":
            self._several[call] = {}
            for question in arguments["questions"]:
                self._waiting[self.ask(question)] = call
        elif tool == "ask_and_leave":
            self.ask(arguments)
            self.answer(call, "left")
        elif tool == "ask_and_withdraw":
            number = self.ask(arguments)
            self.say(method="notifications/cancelled", params={"requestId": number, "reason": "no need"})
            self.answer(call, "withdrawn")
        elif tool == "ask_later":
            self._later.append((call, arguments))
            self.note("later")
        elif tool == "go":
            for other, kept in self._later:
                self._waiting[self.ask(kept)] = other
            self._later = []
            self.answer(call, "gone")
        elif tool == "pid":
            self.answer(call, str(os.getpid()))
        elif tool == "ask_as_task":
            self._steps[call], self._heard[call], self._notes = list(arguments.get("steps", [])), [], []
            self._waiting[self.ask(arguments)] = call
        elif tool == "stubborn":
            self._stubborn[call] = arguments
            self.note("stubborn")
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
