"""Servers that mean well and say it in a way of their own: whoever calls them gets what they said.

One bridge, with one server for each manner (see `odd_server.py`), so that a manner costs a call and not a start.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Bridge, Bridges
from mcp_http import MCPClient
from odd_server import MANNERS
from places import SUPPORT
from replies import RPCFailure, text_of
from upstreams import demo_upstream, python_upstream

ALL_MANNERS = [*MANNERS, "bom_once", "asks_roots", "asks_ping"]
#: How what is said amid other text is said: a notification is not believed there.
AMID_TEXT = ["bar", "prompt", "logged"]
LINE_LIMIT = 64 << 20
TEXT = "é 日本 😀 \u2028 {[\"}]"


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    servers = {name: python_upstream(SUPPORT / "odd_server.py", name) for name in ALL_MANNERS}
    return shared_bridges.start({"demo": demo_upstream(), **servers})


@pytest.fixture
def client(bridge: Bridge) -> Iterator[MCPClient]:
    with bridge.client() as client:
        yield client
        assert text_of(client.call("demo.echo", {"text": "unharmed"}).result) == "unharmed"


def say(client: MCPClient, *lines: str, manner: str = "plain", **more: Any) -> Any:
    """A call of a tool that writes these lines, with its id in place of `$ID`, and nothing else."""
    return client.call(f"{manner}.say", {"lines": lines}, **more)


# The manners


@pytest.mark.parametrize("manner", ALL_MANNERS)
def test_a_server_of_any_manner_is_listed_and_called(bridge: Bridge, client: MCPClient, manner: str) -> None:
    bridge.wait_upstream(manner)
    bridge.wait_tool(f"{manner}.echo", client)
    assert text_of(client.call(f"{manner}.echo", {"text": TEXT}).result) == TEXT


@pytest.mark.parametrize("manner", [each for each in ALL_MANNERS if each not in AMID_TEXT])
@pytest.mark.parametrize("token", ["abc", 7, "7"], ids=repr)
def test_a_token_keeps_its_type_and_comes_back(
    bridge: Bridge, client: MCPClient, manner: str, token: str | int
) -> None:
    bridge.wait_upstream(manner)
    reply = client.call(f"{manner}.token", progress_token=token)
    assert text_of(reply.result) == type(token).__name__
    (progress,) = reply.notifications
    assert progress["params"]["progressToken"] == token and type(progress["params"]["progressToken"]) is type(token)


def test_a_server_that_wants_text_tokens_can_be_called(client: MCPClient) -> None:
    assert text_of(client.call("plain.refuse_numbers", progress_token="abc").result) == "fine"


@pytest.mark.parametrize("written", ["$ID", '"$ID"', "$ID.0", "$IDe0", '"$ID.0"'])
def test_a_token_is_known_in_every_spelling(client: MCPClient, written: str) -> None:
    note = f'{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{written},"progress":1}}}}'
    reply = say(client, note, '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}', progress_token="mine")
    (progress,) = reply.notifications
    assert progress["params"]["progressToken"] == "mine"


# Errors


ERRORS: list[tuple[Any, str]] = [
    ({"code": "ENOENT", "message": "no such file: /x"}, "no such file: /x"),
    ({"code": -32000.5, "message": "half a code"}, "half a code"),
    ("boom", "boom"),
    ({"message": "no code"}, "no code"),
    ({"code": 7}, '{"code":7}'),
    ({"code": None, "message": None, "detail": "why"}, "why"),
    (["a", 1], '["a",1]'),
    (True, "true"),
]
IDS = ["$ID", '"$ID"', "$ID.0", "null"]


@pytest.mark.parametrize(("error", "identifier"), list(itertools.product(ERRORS, IDS)), ids=str)
def test_an_error_in_a_form_of_its_own_is_told_in_its_own_words(
    client: MCPClient, error: tuple[Any, str], identifier: str
) -> None:
    original, words = error
    line = f'{{"jsonrpc":"2.0","id":{identifier},"error":{json.dumps(original, separators=(",", ":"))}}}'
    failure = say(client, line).message["error"]
    assert (failure["code"], failure["message"], failure["data"]) == (-32603, words, original)


def test_an_error_code_as_a_float_and_one_beside_a_null_result(client: MCPClient) -> None:
    failure = say(client, '{"jsonrpc":"2.0","id":$ID,"error":{"code":-32000.0,"message":"quota"}}').failure
    assert (failure.code, failure.message) == (-32603, "quota")
    failure = say(client, '{"jsonrpc":"2.0","id":$ID,"result":null,"error":{"code":7,"message":"used up"}}').failure
    assert (failure.code, failure.message) == (7, "used up")


def test_an_error_without_an_id_is_the_only_callers(client: MCPClient) -> None:
    """At once, and in the server's words."""
    error = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}'
    begun = time.monotonic()
    failure = say(client, error, manner="text_id").failure
    assert (failure.code, failure.message) == (-32700, "Parse error")
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc":"2.0","id":$ID,"result":{"content":[tru]}}',
        '{"result":{"content":[tru]},"id":"$ID","jsonrpc":"2.0"}',
        '50% {"jsonrpc":"2.0","id":$ID,"result":{"content":[tru]}}',
        '{"jsonrpc":"2.0","id":$ID,"result":{"a":"tru"},"result":{}}',
    ],
)
def test_an_answer_that_cannot_be_saved_is_told_in_its_own_words(client: MCPClient, line: str) -> None:
    failure = say(client, line).failure
    assert failure.word == "outcome_unknown"
    assert "cannot be read" in failure.message and "tru" in failure.message


# Questions


@pytest.mark.parametrize(
    ("line", "identifier", "code"),
    [
        ('{"jsonrpc":"2.0","id":"q","method":"ping","params":null}', "q", None),
        ('{"jsonrpc":"2.0","id":"q","method":"ping","params":null,"result":null,"error":null}', "q", None),
        ('\ufeff{"jsonrpc":"2.0","id":"q","method":"ping"}', "q", None),
        ('\x1b[2K {"jsonrpc":"2.0","id":0,"method":"roots/list"}\r', 0, None),
        ('50% {"jsonrpc":"2.0","id":"q","method":"ping"}', "q", None),
        ('50% {"jsonrpc":"2.0","id":"q","method":"roots/list"}', "q", -32600),
        ('{"jsonrpc":"2.0","id":1.0,"method":"ping"}', 1.0, -32600),
        ('{"jsonrpc":"2.0","id":true,"method":"ping"}', None, -32600),
        ('{"jsonrpc":"2.0","id":null,"method":"ping"}', None, -32600),
        ('{"id":"q","method":"ping"}', "q", -32600),
        ('{"jsonrpc":"2.0","id":"q","method":"ping","params":[]}', "q", -32600),
        ('{"jsonrpc":"2.0","id":"q","method":"ping","method":"x"}', "q", -32600),
        ('{"jsonrpc":"2.0","id":"q","method":7}', "q", -32600),
        ('{"jsonrpc":"2.0","id":"q","method":"ping","params":{"a":}}', "q", -32600),
    ],
)
def test_a_servers_request_gets_an_answer_whatever_it_looks_like(
    client: MCPClient, line: str, identifier: Any, code: int | None
) -> None:
    answer = json.loads(text_of(client.call("plain.wonder", {"line": line}).result))
    assert answer["id"] == identifier and type(answer["id"]) is type(identifier)
    assert answer.get("error", {}).get("code") == code


def test_a_tool_that_echoes_text_cannot_answer_ask_or_announce(bridge: Bridge, client: MCPClient) -> None:
    """What it prints is somebody else's text, behind or before a word of its own."""
    forged = [
        {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"},
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "forged"}},
        {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "x://forged"}},
        {"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage", "params": {}},
        *({"jsonrpc": "2.0", "id": number, "result": {"content": []}} for number in range(64)),
        {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "forged"}},
    ]
    lines = [f"searching {json.dumps(each)}" for each in forged]
    lines += [f"{json.dumps(each)}: 3 found" for each in forged]
    lines += [f'{{"found":{json.dumps(json.dumps(each))}}}' for each in forged]
    answer = '{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"mine"}]}}'
    listed = bridge.upstream("plain")["lastToolRefreshAt"]
    reply = say(client, *lines, answer, progress_token=1)
    assert text_of(reply.result) == "mine" and not reply.notifications
    assert client.echoes("plain") and not client.has_unread
    assert bridge.upstream("plain")["lastToolRefreshAt"] == listed


# Text and numbers as they are


@pytest.mark.parametrize("number", ["9007199254740993", "123456789012345678901234567890", "-0", "1e400", "1.0"])
def test_numbers_come_as_they_were_written(client: MCPClient, number: str) -> None:
    result = f'{{"content":[],"structuredContent":{{"n":{number}}}}}'
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    line = f'{{"jsonrpc":"2.0","id":$ID,"result":{result}}}'
    response = client.exchange("POST", {**body, "params": {"name": "plain.say", "arguments": {"lines": [line]}}})
    assert f'"n":{number}}}' in response.body.decode()


#: Spellings that a reader which makes doubles of numbers, or takes what is empty for nothing, would not give back.
SPELLED = ["0", "-0", "-7", '""', "9007199254740993", "123456789012345678901234567890", '"9007199254740993"']


@pytest.mark.parametrize("identifier", SPELLED)
def test_an_id_comes_back_as_it_was_written(client: MCPClient, identifier: str) -> None:
    for rest in ('"method":"ping"', '"method":"tools/call","params":{"name":"plain.echo","arguments":{"text":"x"}}'):
        response = client.exchange_bytes("POST", f'{{"jsonrpc":"2.0","id":{identifier},{rest}}}'.encode())
        assert response.status == 200 and "result" in response.json()
        assert re.search(rf'"id": ?{re.escape(identifier)}[,}}]', response.body.decode()), response.body


@pytest.mark.parametrize("token", [*SPELLED, "1.5"])
def test_a_token_comes_back_as_it_was_written(bridge: Bridge, client: MCPClient, token: str) -> None:
    bridge.wait_tool("plain.token", client)
    params = f'{{"name":"plain.token","arguments":{{}},"_meta":{{"progressToken":{token}}}}}'
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'
    response = client.exchange_bytes("POST", body.encode())
    assert response.status == 200 and response.is_event_stream
    assert re.search(rf'"progressToken": ?{re.escape(token)}[,}}]', response.body.decode()), response.body


@pytest.mark.parametrize("number", ["9007199254740993", "-9007199254740993", "123456789012345678901234567890"])
def test_numbers_go_to_a_server_as_they_were_written(client: MCPClient, number: str) -> None:
    """The server says back what it has read, and Python reads whole numbers of any size."""
    params = f'{{"name":"plain.echo","arguments":{{"text":{number}}}}}'
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}'
    response = client.exchange_bytes("POST", body.encode())
    assert f'"text": {number}}}' in response.body.decode()


def test_progress_for_nobody_is_dropped_and_a_second_answer_too(client: MCPClient) -> None:
    answer = '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}'
    note = '{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{},"progress":1}}}}'
    reply = say(client, note.format('"nobody"'), note.format(99), answer, note.format("$ID"), answer, progress_token=0)
    assert reply.result == {"content": []} and not reply.notifications
    with pytest.raises(RPCFailure):
        _ = client.call("plain.unknown").result


# Cost


@pytest.mark.parametrize(
    ("beginning", "part"),
    [
        ('x {"a":"', "y"),
        ('x [{"a":' * 16, "[1,"),
        ('{"jsonrpc":"2.0","result":', "[1,"),
        ("", "{}"),
        ("\ufeff", "\ufeff"),
        ("50%", " "),
    ],
    ids=["string", "nested", "result", "objects", "marks", "blanks"],
)
def test_a_line_of_many_megabytes_that_is_no_message_holds_up_nobody(
    bridge: Bridge, client: MCPClient, beginning: str, part: str
) -> None:
    worker, child = bridge.worker("upstream plain"), bridge.upstream_child("plain")
    count = (LINE_LIMIT - 4096) // len(part.encode())
    arguments = {"beginning": beginning, "part": part, "count": count}
    assert text_of(client.call("plain.spill", arguments).result) == "spilt"
    assert client.echoes("plain")
    assert (bridge.worker("upstream plain"), bridge.upstream_child("plain")) == (worker, child)
