"""What a server's answers mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from http_raw import Head, ServerSentEvent


class RPCFailure(Exception):
    """A JSON-RPC error. `word` is the stable word of `data.code`, where there is one."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']} {error['message']} {error.get('data')}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        data = error.get("data")
        self.word: str | None = data.get("code") if isinstance(data, dict) else None


@dataclass
class Reply:
    """What one POST brought: the response, and what came on its stream before it."""

    head: Head
    message: dict[str, Any]
    notifications: list[dict[str, Any]] = field(default_factory=list)
    events: list[ServerSentEvent] = field(default_factory=list)

    @property
    def result(self) -> dict[str, Any]:
        if "error" in self.message:
            raise RPCFailure(self.message["error"])
        return self.message["result"]

    @property
    def failure(self) -> RPCFailure:
        return RPCFailure(self.message["error"])


def text_of(result: dict[str, Any]) -> str:
    """The text of a tool's result."""
    return "".join(block["text"] for block in result["content"] if block["type"] == "text")
