"""The routes of MCPTokenBridge, line by line. Answers are those of the sandbox, an echo."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_raw import Response
from tokens import bearer, create

ASKED = [{"role": "user", "content": "hello there"}]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return shared_bridges.start({}, bridge={"keepAlive": 0.2})


@pytest.fixture(scope="module")
def secret(bridge: Bridge) -> str:
    return create(bridge, "chat", "--sandbox")


def post(bridge: Bridge, secret: str, path: str, body: Any) -> Response:
    with bridge.http() as connection:
        fields = {**bearer(secret), "Content-Type": "application/json"}
        return connection.request("POST", path, fields, json.dumps(body).encode())


def completions(bridge: Bridge, secret: str, **body: Any) -> Response:
    return post(bridge, secret, "/v1/chat/completions", {"model": "m", "messages": ASKED, **body})


def messages(bridge: Bridge, secret: str, **body: Any) -> Response:
    return post(bridge, secret, "/v1/messages", {"model": "m", "messages": ASKED, **body})


def data(response: Response) -> list[str]:
    """What each event of a stream holds."""
    assert response.headers["content-type"].startswith("text/event-stream")
    return [line.removeprefix("data: ") for line in response.body.decode().split("\n") if line.startswith("data: ")]


def test_C11_a_request_needs_a_model_and_messages_and_all_members_count(bridge: Bridge, secret: str) -> None:
    assert completions(bridge, secret).status == 200
    missing = post(bridge, secret, "/v1/chat/completions", {"messages": ASKED})
    # Better: the dialect's own error, which clients can show, in place of FastAPI's 422.
    assert missing.status == 400 and missing.json()["error"]["param"] == "model"
    assert completions(bridge, secret, max_tokens=1).json()["choices"][0]["finish_reason"] == "length"
    parts = [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]
    answer = completions(bridge, secret, messages=[{"role": "user", "content": parts}])
    assert answer.status == 200, "content may be a list"
    ignored = completions(bridge, secret, top_p=0.5, seed=1)
    assert ignored.headers["X-MCP-Bridge-Ignored"] == "top_p, seed", "what has no effect is named"


@pytest.mark.parametrize(("asked", "told"), [("", "mcp-external-sampling"), ("auto", "mcp-external-sampling"), ("x", "x")])
def test_C12_the_name_of_the_model(bridge: Bridge, secret: str, asked: str, told: str) -> None:
    answer = completions(bridge, secret, model=asked)
    assert answer.json()["model"] == told and answer.headers["X-MCP-Model"] == told


#: What is told while no client lends a model.
NO_HOOK = "Hook not initialized - MCP context missing"


def test_C13_there_is_nobody_to_ask(bridge: Bridge) -> None:
    for stream in (False, True):
        answer = completions(bridge, create(bridge, "chat"), stream=stream)
        assert answer.status == 503 and answer.json()["detail"] == NO_HOOK
        assert answer.json()["error"]["message"] == NO_HOOK, "where SDKs look for it"
        assert 2 <= int(answer.headers["Retry-After"]) <= 5


def test_C14_a_whole_answer(bridge: Bridge, secret: str) -> None:
    answer = completions(bridge, secret)
    body = answer.json()
    assert answer.status == 200 and body["object"] == "chat.completion"
    choice = body["choices"][0]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert (choice["message"]["role"], choice["message"]["content"]) == ("assistant", "hello there")
    assert body["text"] == "hello there" and UUID.fullmatch(body["request_id"])
    assert answer.headers["X-MCP-Bridge"] == "hook" and answer.headers["X-MCP-Model"] == "m"
    assert body["created"] > 1_700_000_000 and body["usage"]["estimated"] is True, "which were not there"
    assert answer.headers["x-request-id"] == body["request_id"]


def test_C15_a_failure_is_told_as_one(bridge: Bridge, secret: str) -> None:
    answer = completions(bridge, secret, model="fault/bad_answer")
    assert answer.status == 502 and answer.json()["error"]["code"] == "bad_answer"


def test_C16_a_stream_of_chunks(bridge: Bridge, secret: str) -> None:
    text = "some words, one after the other " * 20
    *chunks, last = data(completions(bridge, secret, stream=True, messages=[{"role": "user", "content": text}]))
    assert last == "[DONE]"
    chunks = [json.loads(chunk) for chunk in chunks]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    pieces = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]
    assert "".join(pieces) == text and 5 < len(pieces) < len(text) / 5, "in pieces, not in characters"
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk["id"] for chunk in chunks}) == 1, "one id for all, as clients expect"
    failed = data(completions(bridge, secret, stream=True, model="fault/source_lost/0.7"))
    assert not any("DONE" in each for each in failed)


def test_C17_models(bridge: Bridge, secret: str) -> None:
    for fields in ({}, bearer(secret)):
        answer = bridge.get("/v1/models", fields)
        entry = answer.json()["data"][0]
        assert answer.json()["object"] == "list" and (entry["id"], entry["object"]) == ("mcp-external-sampling", "model")
        assert answer.headers["X-MCP-Bridge"] == "hook" and answer.headers["X-MCP-Models-Count"] == "1"
        assert answer.headers["X-MCP-Session-Ready"] == ("true" if fields else "false"), "before any client lends a model"


def test_C18_messages_take_texts_and_blocks_and_what_else_they_have(bridge: Bridge, secret: str) -> None:
    assert messages(bridge, secret).json()["content"] == [{"type": "text", "text": "hello there"}]
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    answer = messages(bridge, secret, messages=[{"role": "user", "content": blocks}])
    assert answer.json()["content"][0]["text"] == "ab"
    assert messages(bridge, secret, model="auto").json()["model"] == "auto", "no name of ours for it here"
    assert messages(bridge, secret, max_tokens=1).json()["stop_reason"] == "max_tokens"
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    called = messages(bridge, secret, tools=tools, tool_choice={"type": "any"}).json()
    assert called["stop_reason"] == "tool_use" and called["content"][0]["name"] == "look"


def test_C19_there_is_nobody_to_ask_in_the_other_dialect(bridge: Bridge) -> None:
    answer = messages(bridge, create(bridge, "chat"))
    assert answer.status == 503 and answer.json()["detail"] == NO_HOOK
    assert answer.json()["error"]["type"] == "api_error" and answer.json()["error"]["message"] == NO_HOOK


def test_C20_a_whole_message(bridge: Bridge, secret: str) -> None:
    answer = messages(bridge, secret)
    body = answer.json()
    assert body["id"].startswith("msg_") and UUID.fullmatch(body["request_id"])
    assert answer.headers["request-id"] == body["request_id"] and answer.headers["X-MCP-Bridge"] == "hook"
    found = {name: body[name] for name in ("type", "role", "model", "stop_reason", "stop_sequence")}
    assert found == {"type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": None}
    assert body["usage"]["input_tokens"] > 0 < body["usage"]["output_tokens"]
    failed = messages(bridge, secret, model="fault/bad_answer")
    assert failed.status == 502 and failed.json()["type"] == "error", "and no text that begins with [Error]"


def test_C21_a_stream_of_events(bridge: Bridge, secret: str) -> None:
    events = [json.loads(each) for each in data(messages(bridge, secret, stream=True))]
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert events[0]["message"]["content"] == [] and events[0]["message"]["usage"]["input_tokens"] > 0
    assert events[-2]["delta"]["stop_reason"] == "end_turn" and events[-2]["usage"]["output_tokens"] > 0
    # Without `data: [DONE]` behind it, which belongs to the other dialect.
    assert b"[DONE]" not in messages(bridge, secret, stream=True).body
