"""JSON-RPC messages, for tests that send them as they are."""

from __future__ import annotations

from typing import Any


def request(method: str = "ping", *, id: Any = 1, **members: Any) -> dict[str, Any]:
    """A request; `members` come in place of, or beside, what it has."""
    return {"jsonrpc": "2.0", "id": id, "method": method, **members}


def response(request: dict[str, Any], **outcome: Any) -> dict[str, Any]:
    """The answer to a request: its `result`, or an `error`."""
    return {"jsonrpc": "2.0", "id": request["id"], **outcome}


def notification(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})}


PING = request()
