"""What servers ask as tasks (2025-11-25), and what clients say while they are asked: kept by a client that keeps tasks, and in
the place of any other by the bridge. Every message is held against the schema."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from harness import Bridge, Bridges
from mcp_http import EventStream, MCPClient
from places import SDK_1_PYTHON, SUPPORT
from replies import text_of
from rpc import notification, response
from upstreams import python_upstream

RELATION = "io.modelcontextprotocol/related-task"
TASKS = {"cancel": {}, "requests": {"elicitation": {"create": {}}, "sampling": {"createMessage": {}}}}
FORM = {"message": "Which?", "requestedSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}
SAMPLE = {"messages": [{"role": "user", "content": {"type": "text", "text": "?"}}], "maxTokens": 1}
ACCEPTED = {"action": "accept", "content": {"text": "this"}}
TIME = "2025-11-25T10:30:00Z"


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    asking = {"command": sys.executable, "args": [str(SUPPORT / "questioning_server.py")], "asks": True}
    sdk = python_upstream(SUPPORT / "task_server.py", python=SDK_1_PYTHON, env={"COUNT_FILE": "/dev/null"})
    bridge = shared_bridges.start({"u": asking, "v": asking, "sdk": sdk})
    for name in ("u", "v", "sdk"):
        bridge.wait_upstream(name)
    return bridge


def client_of(bridge: Bridge, revision: str = "2025-11-25", **capabilities: Any) -> MCPClient:
    return bridge.new_client(revision).initialize({"elicitation": {}, "sampling": {}, **capabilities})


def asked(
    client: MCPClient, *steps: str, method: str = "elicitation/create", server: str = "u", **more: Any
) -> tuple[EventStream, dict[str, Any]]:
    """A call whose question has come, and what it asks about the task afterwards."""
    params = {**(FORM if method == "elicitation/create" else SAMPLE), "task": {"ttl": 60_000}, **more}
    stream = client.open_call(f"{server}.ask_as_task", {"method": method, "params": params, "steps": steps})
    return stream, stream.wait_for(method)


def answer(client: MCPClient, question: dict[str, Any], result: dict[str, Any]) -> None:
    message = response(question, result=result)
    assert client.beside().exchange("POST", message).status == 202


def tell(client: MCPClient, method: str, params: dict[str, Any]) -> None:
    message = notification(f"notifications/{method}", params)
    assert client.beside().exchange("POST", message).status == 202


def end_of(stream: EventStream) -> dict[str, Any]:
    """What the server has heard; what its client is told of questions that end with the call is passed over."""
    while "result" not in (message := stream.next_message()):
        assert message["method"] in ("notifications/cancelled", "tasks/cancel"), message
    heard: dict[str, Any] = json.loads(text_of(message["result"]))
    return heard


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_a_client_without_tasks_is_asked_plainly_and_the_bridge_keeps_the_task(bridge: Bridge, revision: str) -> None:
    client = client_of(bridge, revision)
    steps = ("tasks/get", "tasks/list", "tasks/result", "tasks/get", "tasks/result", "tasks/cancel")
    stream, question = asked(client, *steps)
    assert "task" not in question["params"] and question["params"]["message"] == "Which?"
    answer(client, question, ACCEPTED)
    heard = end_of(stream)
    made, got, all_of_them, result, over, again, refused = heard["said"]
    task = made["result"]["task"]
    assert task["status"] == "working" and task["ttl"] == 600_000
    assert got["result"]["taskId"] == task["taskId"] and all_of_them["result"]["tasks"][0]["taskId"] == task["taskId"]
    assert result == again == {"result": {"_meta": {RELATION: {"taskId": task["taskId"]}}, **ACCEPTED}}
    assert (over["result"]["taskId"], over["result"]["status"]) == (task["taskId"], "completed")
    assert refused["error"]["code"] == -32602
    assert [note["params"]["status"] for note in heard["notes"]] == ["completed"]


def test_a_task_that_the_bridge_keeps_is_cancelled_and_so_is_its_question(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream, question = asked(client, "tasks/cancel", "tasks/result")
    withdrawn = stream.wait_for("notifications/cancelled")
    assert withdrawn["params"]["requestId"] == question["id"]
    _, cancelled, result = end_of(stream)["said"]
    assert cancelled["result"]["status"] == "cancelled" and result["error"]["message"] == "The task was cancelled."


def test_a_client_that_says_no_has_its_error_in_the_tasks_result(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream, question = asked(client, "tasks/result", "tasks/get", method="sampling/createMessage")
    error = {"code": -1, "message": "User rejected sampling request"}
    client.beside().exchange("POST", response(question, error=error))
    _, result, got = end_of(stream)["said"]
    assert result == {"error": error} and got["result"]["status"] == "failed"


def test_who_cannot_be_asked_is_told_in_an_error_where_a_task_is_wanted(bridge: Bridge) -> None:
    client = bridge.new_client().initialize({})
    params = {**FORM, "task": {"ttl": 60_000}}
    reply = client.call("u.ask_as_task", {"method": "elicitation/create", "params": params})
    assert json.loads(text_of(reply.result))["said"][0]["error"]["code"] == -32601


@pytest.mark.parametrize(("method", "result"), [("elicitation/create", ACCEPTED), ("sampling/createMessage", None)])
def test_a_client_that_keeps_tasks_is_asked_about_them_under_its_own_ids(
    bridge: Bridge, method: str, result: dict[str, Any] | None
) -> None:
    client = client_of(bridge, tasks=TASKS)
    result = result or {"role": "assistant", "content": {"type": "text", "text": "hi"}, "model": "m"}
    stream, question = asked(client, "tasks/get", "tasks/result", "tasks/cancel", method=method)
    assert question["params"]["task"] == {"ttl": 60_000}
    task = {"taskId": "mine-1", "createdAt": TIME, "lastUpdatedAt": TIME, "ttl": 5_000, "pollInterval": 7}
    answer(client, question, {"task": {**task, "status": "working", "statusMessage": "thinking"}})
    get = stream.wait_for("tasks/get")
    assert get["params"] == {"taskId": "mine-1"}
    tell(client, "tasks/status", {**task, "status": "working", "statusMessage": "still thinking"})
    tell(client, "tasks/status", {**task, "taskId": "mine-2", "status": "working"})
    answer(client, get, {**task, "status": "completed"})
    fetched = stream.wait_for("tasks/result")
    assert fetched["params"] == {"taskId": "mine-1"}
    answer(client, fetched, {**result, "_meta": {RELATION: {"taskId": "mine-1"}}})
    cancel = stream.wait_for("tasks/cancel")
    refusal = {"code": -32602, "message": "It is over."}
    client.beside().exchange("POST", response(cancel, error=refusal))
    heard = end_of(stream)
    made, got, final, refused = heard["said"]
    own = made["result"]["task"]["taskId"]
    assert own != "mine-1" and made["result"]["task"]["statusMessage"] == "thinking"
    assert got["result"] == {**task, "taskId": own, "status": "completed"}
    assert final["result"] == {**result, "_meta": {RELATION: {"taskId": own}}} and refused == {"error": refusal}
    assert [note["params"] for note in heard["notes"]] == [
        {**task, "taskId": own, "status": "working", "statusMessage": "still thinking"}
    ]


def test_a_clients_task_ends_with_the_call_that_has_asked(bridge: Bridge) -> None:
    client = client_of(bridge, tasks=TASKS)
    stream, question = asked(client)
    task = {"taskId": "left", "status": "working", "createdAt": TIME, "lastUpdatedAt": TIME, "ttl": None}
    answer(client, question, {"task": task})
    assert stream.wait_for("tasks/cancel")["params"] == {"taskId": "left"}
    own = end_of(stream)["said"][0]["result"]["task"]["taskId"]
    # Another call's server asks about it, and about what nobody ever made.
    for task_id in (own, "left", "none"):
        reply = client.call("u.ask", {"method": "tasks/get", "params": {"taskId": task_id}})
        assert json.loads(text_of(reply.result))["error"]["code"] == -32602
    reply = client.call("u.ask", {"method": "tasks/list", "params": {}})
    assert json.loads(text_of(reply.result)) == {"result": {"tasks": []}}


@pytest.mark.parametrize("token", ["s", 7])
def test_a_clients_progress_reaches_the_server_that_has_asked_and_no_other(bridge: Bridge, token: str | int) -> None:
    client, other = client_of(bridge), client_of(bridge)
    meta = {"_meta": {"progressToken": token}}
    of_u, question = asked(client, "tasks/result", **meta)
    of_v, twin = asked(client, "tasks/result", server="v", **meta)
    given = [each["params"]["_meta"]["progressToken"] for each in (question, twin)]
    assert len({*given, token}) == 3 and {type(each) for each in given} == {type(token)}
    tell(other, "progress", {"progressToken": given[0], "progress": 1})
    tell(client, "progress", {"progressToken": token, "progress": 2})
    tell(client, "progress", {"progressToken": given[0], "progress": 3, "total": 4, "message": "half"})
    answer(client, question, ACCEPTED)
    tell(client, "progress", {"progressToken": given[0], "progress": 5})
    answer(client, twin, ACCEPTED)
    heard = [note for note in end_of(of_u)["notes"] if note["method"] == "notifications/progress"]
    params = {"progressToken": token, "progress": 3, "total": 4, "message": "half"}
    assert heard == [{"method": "notifications/progress", "params": params}]
    assert not [note for note in end_of(of_v)["notes"] if note["method"] == "notifications/progress"]


def test_the_official_sdk_asks_as_a_task(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream = client.open_call("sdk.wish", {})
    question = stream.wait_for("elicitation/create")
    answer(client, question, ACCEPTED)
    assert text_of(stream.next_message()["result"]) == "accept {'text': 'this'}"
