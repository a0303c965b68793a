"""Programs that ask a model over HTTP, each request on a connection and a thread of its own."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from typing import Any

from http_raw import Address, RawConnection, Response
from waiting import PATIENCE, eventually

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


def body(text: str, dialect: str = "chat", **more: Any) -> dict[str, Any]:
    """A request for one answer to one text."""
    if dialect == "responses":
        return {"model": "auto", "input": text, **more}
    whole = {"model": "auto", "messages": [{"role": "user", "content": text}], **more}
    return {"max_tokens": 1_000, **whole} if dialect == "messages" else whole


def ask(address: Address, text: str, dialect: str = "chat", token: str | None = None, **more: Any) -> Response:
    """One request, and its answer whatever it is."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    with RawConnection(address, PATIENCE) as connection:
        return connection.request("POST", PATHS[dialect], headers, json.dumps(body(text, dialect, **more)).encode())


def begin(address: Address, text: str, dialect: str = "chat", **more: Any) -> Future[Response]:
    """The same, while the test goes on; the future also has what became of a connection that broke."""
    answer: Future[Response] = Future()

    def run() -> None:
        try:
            answer.set_result(ask(address, text, dialect, **more))
        except BaseException as error:  # noqa: BLE001 (it is the test's to look at)
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer


def text_of(response: Response, dialect: str = "chat") -> str:
    """What the model has said; the test fails where it has said nothing."""
    assert response.status == 200, response
    answer: Any = response.json()
    match dialect:
        case "chat":
            return answer["choices"][0]["message"]["content"]
        case "messages":
            return "".join(block["text"] for block in answer["content"])
        case _:
            return "".join(part["text"] for item in answer["output"] for part in item["content"])


def code_of(response: Response) -> str:
    """The stable word of an OpenAI error."""
    error: Any = response.json()
    return error["error"]["code"]


def is_ready(address: Address, token: str | None = None) -> bool:
    """Whether `GET /v1/models` says that a source would be asked now."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with RawConnection(address, PATIENCE) as connection:
        return connection.request("GET", "/v1/models", headers).headers.get("X-MCP-Session-Ready") == "true"


def wait_ready(address: Address, token: str | None = None) -> None:
    eventually(lambda: is_ready(address, token), "a source is ready")
