"""A client over stdio that lends a model: it answers `sampling/createMessage`, well or badly, and keeps what it was asked."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from places import BINARY
from stdio_client import HELLO, StdioClient
from waiting import PATIENCE

#: What becomes of a question: a result, an error, or nothing (the test answers it itself, or nobody does).
Answer = Callable[["Question"], dict[str, Any] | None]


@dataclass(frozen=True)
class Question:
    """One `sampling/createMessage`."""

    id: Any
    params: dict[str, Any]

    @property
    def is_warm_up(self) -> bool:
        return self.params["maxTokens"] == 1 and self.text == "warmup"

    @property
    def text(self) -> str:
        """The last block of text that it has."""
        content = self.params["messages"][-1]["content"]
        blocks = content if isinstance(content, list) else [content]
        return next((block["text"] for block in reversed(blocks) if block["type"] == "text"), "")


def said(text: str, **more: Any) -> dict[str, Any]:
    content = {"type": "text", "text": text}
    return {"result": {"role": "assistant", "model": "lent", "content": content, "stopReason": "endTurn", **more}}


def failed(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def echo(question: Question) -> dict[str, Any]:
    return said(f"echo: {question.text}")


class Lender(StdioClient):
    """One that lends. Warming up always succeeds, unless `warms_up` says otherwise."""

    def __init__(
        self, *arguments: str, environment: dict[str, str], folder: Path, answer: Answer = echo, warms_up: Answer | None = None,
        name: str = "lender", program: tuple[str | Path, ...] = (BINARY, "token-bridge"),
    ) -> None:
        self.answer_with = answer
        self.warms_up = warms_up or (lambda _: said("."))
        self.name = name
        self.asked: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self.warmed: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self.withdrawn: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._writing = threading.Lock()
        #: While a question is answered, and put where it can be found.
        self._taking = threading.Lock()
        super().__init__(*arguments, environment=environment, folder=folder, program=program)

    def open(self, revision: str = "2025-11-25", **sampling: Any) -> Lender:
        hello = {**HELLO, "protocolVersion": revision, "capabilities": {"sampling": sampling}}
        answer = self.ask("initialize", {**hello, "clientInfo": {"name": self.name, "version": "1"}})
        assert "result" in answer, answer
        self.server = answer["result"]
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def hook(self, **arguments: Any) -> int:
        """Begins a call of `hook`, inside which it is asked from then on."""
        return self.begin("tools/call", {"name": "hook", "arguments": arguments})

    def warm(self) -> Question:
        """Waits until it has been asked for its one word."""
        return self.warmed.get(timeout=PATIENCE)

    def next_question(self) -> Question:
        return self.asked.get(timeout=PATIENCE)

    def was_asked(self) -> list[Question]:
        """All that it has been asked for since it was looked at last."""
        found = []
        with self._taking:
            while not self.asked.empty():
                found.append(self.asked.get())
        return found

    def reply(self, question: Question, answer: dict[str, Any]) -> None:
        self.send({"jsonrpc": "2.0", "id": question.id, **answer})

    def send(self, message: dict[str, Any] | list[Any]) -> None:
        with self._writing:
            super().send(message)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            match message.get("method"):
                case "sampling/createMessage":
                    self._take(Question(message["id"], message["params"]))
                case "notifications/cancelled":
                    self.withdrawn.put(message["params"])
                case _:
                    self.lines.put(line)
        self.lines.put(None)

    def _take(self, question: Question) -> None:
        warms_up = question.is_warm_up
        # Answered before it is told of: whoever has waited for the question may count on the answer being on its way.
        answer = (self.warms_up if warms_up else self.answer_with)(question)
        with self._taking:
            if answer is not None:
                try:
                    self.reply(question, answer)
                except (BrokenPipeError, ValueError):
                    return
            (self.warmed if warms_up else self.asked).put(question)
