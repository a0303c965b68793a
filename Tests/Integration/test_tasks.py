"""Tasks of 2025-11-25, through the bridge: whose they are, what they are called, who hears of them, and what becomes of them
when processes die. Every message is held against the schema."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_upstreams import SDKServer
from mcp_http import EventStream, MCPClient
from outcomes import MAY_HAVE_RUN
from places import BINARY, SDK_1_PYTHON, SUPPORT
from processes import children
from recorder import Recorder
from replies import Reply, text_of
from rpc import response
from sdk_runner import SDKRunner
from upstreams import demo_upstream, python_upstream, read_journal
from waiting import eventually

RELATION = "io.modelcontextprotocol/related-task"


class Servers:
    """A bridge over each kind of server that has tasks, and one that has none."""

    def __init__(self, bridges: Bridges, folder: Path) -> None:
        self.counted, self.journal = folder / "counted", folder / "journal"
        for file in (self.counted, self.journal):
            file.touch()
        self.bridge: Bridge = bridges.start(
            {
                "sdk": python_upstream(
                    SUPPORT / "task_server.py", python=SDK_1_PYTHON, env={"COUNT_FILE": str(self.counted)}
                ),
                "odd": python_upstream(SUPPORT / "odd_tasks.py", env={"JOURNAL": str(self.journal)}),
                "none": python_upstream(SUPPORT / "odd_tasks.py", "undeclared"),
                "every": {"command": str(BINARY), "args": ["demo-server", "--everything"]},
                "demo": demo_upstream(),
            }
        )
        for name in ("sdk", "odd", "none", "every", "demo"):
            self.bridge.wait_upstream(name)

    def client(self, **options: Any) -> MCPClient:
        return self.bridge.client(**options)

    def counts(self, tag: str) -> int:
        return self.counted.read_text(encoding="utf-8").splitlines().count(tag)

    def sent(self, method: str) -> list[dict[str, Any]]:
        """What the odd server has been sent with this method."""
        return [message for message in read_journal(self.journal) if message.get("method") == method]

    def wait_sent(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        return eventually(
            lambda: found if len(found := self.sent(method)) >= count else None, f"the odd server is sent {method}"
        )


@pytest.fixture
def servers(bridges: Bridges, tmp_path: Path) -> Servers:
    return Servers(bridges, tmp_path)


@pytest.fixture(scope="module")
def shared(shared_bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Servers:
    return Servers(shared_bridges, tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def runner() -> Iterator[SDKRunner]:
    runner = SDKRunner(SDK_1_PYTHON)
    yield runner
    runner.close()


def make(client: MCPClient, tool: str, arguments: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments or {}, "task": {"ttl": 60_000}, **more}
    task: dict[str, Any] = client.request("tools/call", params).result["task"]
    server = tool.partition(".")[0]
    assert task["taskId"].startswith(f"{server}:") and "task-" not in task["taskId"], task
    return task


def ask(client: MCPClient, method: str, task: dict[str, Any] | str) -> Reply:
    return client.request(f"tasks/{method}", {"taskId": task if isinstance(task, str) else task["taskId"]})


def listed(client: MCPClient) -> list[str]:
    return [task["taskId"] for task in client.request("tasks/list").result["tasks"]]


def error_of(reply: Reply) -> dict[str, Any]:
    error: dict[str, Any] = reply.message["error"]
    return error


def waiting(client: MCPClient, task: dict[str, Any]) -> tuple[threading.Thread, list[Reply]]:
    """Asks for the result beside whatever else the session does."""
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(ask(client.beside(), "result", task)))
    thread.start()
    return thread, replies


SLOW = [("every.sleep", {"seconds": 0.5, "steps": 2}), ("sdk.run", {"tag": "slow", "seconds": 0.5})]
#: The SDK's server dies when the work of a cancelled task ends.
ENDLESS = [("every.sleep", {"seconds": 60}), ("sdk.run", {"tag": "x", "seconds": 86_400})]


@pytest.mark.parametrize(("tool", "arguments"), SLOW)
def test_a_task_is_made_asked_about_and_fetched(shared: Servers, tool: str, arguments: dict[str, Any]) -> None:
    client = shared.client()
    tasks = client.server["capabilities"]["tasks"]
    assert tasks == {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
    task = make(client, tool, arguments)
    assert task["status"] == "working"
    assert ask(client, "get", task).result["taskId"] == task["taskId"]
    assert task["taskId"] in listed(client)
    result = ask(client, "result", task).result
    assert result["_meta"][RELATION] == {"taskId": task["taskId"]} and text_of(result)
    over = ask(client, "get", task).result
    assert (over["taskId"], over["status"]) == (task["taskId"], "completed")
    # Fetched once more, it is the same.
    assert ask(client, "result", task).result == result
    refused = error_of(ask(client, "cancel", task))
    assert refused["code"] == -32602


@pytest.mark.parametrize(("tool", "arguments"), ENDLESS)
def test_a_task_is_cancelled_as_a_task(shared: Servers, tool: str, arguments: dict[str, Any]) -> None:
    client = shared.client()
    task = make(client, tool, arguments)
    assert ask(client, "cancel", task).result["status"] == "cancelled"
    assert ask(client, "get", task).result["status"] == "cancelled"


def test_a_task_is_nobody_elses(shared: Servers) -> None:
    """Over TCP a caller is `local`, over the Unix socket it is its user."""
    over_tcp, over_unix = shared.client(), shared.client(local=True)
    for own, other in ((over_tcp, over_unix), (over_unix, over_tcp)):
        task = make(own, "odd.t")
        for method in ("get", "result", "cancel"):
            error = error_of(ask(other, method, task))
            assert (error["code"], error["data"]["code"]) == (-32602, "unknown_task")
        assert task["taskId"] not in listed(other) and task["taskId"] in listed(own)
        assert ask(own, "cancel", task).result["status"] == "cancelled"


def test_an_id_that_is_forged_or_the_servers_own_is_unknown(shared: Servers) -> None:
    client = shared.client()
    task = make(client, "odd.t")["taskId"]
    middle = len(task) // 2
    other = "A" if task[middle] != "A" else "B"
    forged = [task[:middle] + other + task[middle + 1 :], task[:-4], task + "A", "every" + task[3:], "none" + task[3:]]
    for id in [*forged, "task-1", "odd:task-1", "odd:", ":", ""]:
        for method in ("get", "result", "cancel"):
            assert error_of(ask(client, method, id))["code"] == -32602
    assert error_of(client.request("tasks/get", {"taskId": 7}))["code"] == -32602
    assert error_of(client.request("tasks/list", {"cursor": task[:-4]}))["code"] == -32602
    sent = len(shared.sent("tasks/get"))
    twice = f'{{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{{"taskId":"{task}","taskId":"task-1"}}}}'
    assert client.exchange_bytes("POST", twice.encode()).status == 400
    assert len(shared.sent("tasks/get")) == sent


def news(stream: EventStream, last: str, besides: str = "") -> list[dict[str, Any]]:
    """What a stream tells of tasks, up to a status; not of one that may end meanwhile."""
    heard: list[dict[str, Any]] = []
    while True:
        message = stream.next_message()
        if "list_changed" in message["method"] or message["params"].get("taskId") == besides:
            continue
        heard.append(message)
        if message["method"] == "notifications/tasks/status" and message["params"]["status"] == last:
            return heard


def test_news_of_a_task_goes_to_its_principal(servers: Servers) -> None:
    maker, twin, stranger = servers.client(), servers.client(), servers.client(local=True)
    task = make(maker, "odd.t", _meta={"progressToken": "mine"})["taskId"]
    other = make(stranger, "odd.t")["taskId"]
    with maker.open_stream() as of_maker, twin.open_stream() as of_twin, stranger.open_stream() as of_stranger:
        # Somebody else's call is the only one under way, and has nothing to do with it.
        stranger.call("odd.say")
        stranger.call("odd.end")
        stranger.call("odd.end")
        heard = news(of_maker, "completed")
        assert [message["method"].rpartition("/")[2] for message in heard] == ["message", "progress", "status", "status"]
        assert heard[1]["params"]["progressToken"] == "mine"
        for message in heard[:2]:
            assert message["params"]["_meta"][RELATION] == {"taskId": task}
        assert {message["params"]["taskId"] for message in heard[2:]} == {task}
        assert [message["params"]["taskId"] for message in news(of_twin, "completed")] == [task, task]
        assert [message["params"]["taskId"] for message in news(of_stranger, "completed")] == [other]


def test_progress_of_a_task_goes_to_whoever_waits_for_it(servers: Servers) -> None:
    client = servers.client()
    task = make(client, "odd.t", _meta={"progressToken": 7})
    thread, replies = waiting(client, task)
    servers.wait_sent("tasks/result")
    client.call("odd.say")
    client.call("odd.end")
    thread.join()
    (reply,) = replies
    told = [message for message in reply.notifications if message["method"] == "notifications/progress"]
    assert [message["params"]["progressToken"] for message in told] == [7]
    assert reply.result["_meta"][RELATION] == {"taskId": task["taskId"]}


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("tool", ["odd.must", "sdk.must"])
def test_a_tool_that_only_runs_as_a_task_can_be_called_plainly(shared: Servers, tool: str, revision: str) -> None:
    client = shared.client(revision=revision)
    tag = f"{tool} {revision}"
    reply = client.call(tool, {"tag": tag, "seconds": 0.3})
    assert "task" not in reply.result and RELATION not in reply.result.get("_meta", {})
    if tool == "sdk.must":
        assert text_of(reply.result) == f"ran {tag}" and shared.counts(tag) == 1
    elif revision == "2025-11-25":
        assert not [id for id in listed(client) if ask(client, "get", id).result.get("statusMessage") == "must"]


def test_a_plain_call_that_runs_as_a_task_is_cancelled_as_one(servers: Servers) -> None:
    client = servers.client()
    connection = client.open_request("tools/call", {"name": "odd.must", "arguments": {"never": True}})
    servers.wait_sent("tasks/get", 3)
    client.notify("notifications/cancelled", {"requestId": client.next_id() - 1})
    connection.close()
    (cancel,) = servers.wait_sent("tasks/cancel")
    assert cancel["params"] == {"taskId": "task-1"} and not servers.sent("notifications/cancelled")
    assert listed(client) == []


def test_a_task_that_is_made_after_its_call_was_cancelled_is_cancelled(servers: Servers) -> None:
    client = servers.client()
    connection = client.open_request("tools/call", {"name": "odd.held", "arguments": {"never": True}})
    servers.wait_sent("tools/call")
    client.notify("notifications/cancelled", {"requestId": client.next_id() - 1})
    connection.close()
    servers.wait_sent("notifications/cancelled")
    client.call("odd.release")
    (cancel,) = servers.wait_sent("tasks/cancel")
    assert cancel["params"] == {"taskId": "task-1"} and listed(client) == []


def asking_client(bridge: Bridge) -> MCPClient:
    return bridge.new_client().initialize({"elicitation": {"form": {}}})


def open_result(client: MCPClient, task: dict[str, Any]) -> EventStream:
    connection = client.open_request("tasks/result", {"taskId": task["taskId"]})
    head = connection.read_head()
    assert head.status == 200 and head.is_event_stream, (head.status, head.headers)
    return EventStream(client, connection, head, "tasks/result")


def answer(client: MCPClient, question: dict[str, Any], text: str, **more: Any) -> None:
    result = {"action": "accept", "content": {"text": text}, **more}
    message = response(question, result=result)
    assert client.beside().exchange("POST", message).status == 202


def end_of(stream: EventStream) -> dict[str, Any]:
    """The result of what was asked; what is told of the task before it, its client knows already."""
    while "result" not in (message := stream.next_message()):
        assert message["method"] == "notifications/tasks/status", message
    result: dict[str, Any] = message["result"]
    return result


@pytest.mark.parametrize("share", ["all", "session"])
def test_a_question_of_a_task_goes_to_who_waits_for_it(bridges: Bridges, share: str) -> None:
    bridge = bridges.start({"odd": {**python_upstream(SUPPORT / "odd_tasks.py"), "asks": True, "share": share}})
    bridge.wait_upstream("odd")
    first, second = asking_client(bridge), asking_client(bridge)
    task, other = make(first, "odd.asker"), make(second, "odd.asker")
    # Somebody is being asked something else meanwhile, and takes their time.
    call = second.open_call("odd.ask", {})
    plain = call.wait_for("elicitation/create")
    # The server is to have a task for it; this client keeps none, and is asked plainly.
    assert plain["params"]["message"] == "plainly" and not plain["params"].keys() & {"_meta", "task"}
    for client, own in ((first, task), (second, other)):
        stream = open_result(client, own)
        question = stream.wait_for("elicitation/create")
        relation = {RELATION: {"taskId": own["taskId"]}}
        assert question["params"]["_meta"] == relation
        answer(client, question, own["taskId"], _meta=relation)
        text = text_of(end_of(stream))
        assert f'"text": "{own["taskId"]}"' in text and f'"{RELATION}": {{"taskId": "task-' in text
    answer(second, plain, "at last")
    assert "at last" in text_of(call.next_message()["result"])


def test_a_task_asks_nobody_before_its_result_is_waited_for(shared: Servers) -> None:
    client = asking_client(shared.bridge)
    task = make(client, "odd.asker", {"early": True})
    # Whoever waits for the result before it has been declined is asked again.
    eventually(lambda: ask(client, "get", task).result["status"] == "completed", "it is declined")
    assert '{"action": "decline"}' in text_of(ask(client, "result", task).result)


def test_a_plain_call_is_asked_what_its_task_asks(shared: Servers) -> None:
    client = asking_client(shared.bridge)
    stream = client.open_call("odd.asker", {})
    question = stream.wait_for("elicitation/create")
    assert RELATION not in question["params"].get("_meta", {})
    answer(client, question, "here")
    assert "here" in text_of(stream.next_message()["result"])


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_a_result_is_not_asked_for_again_where_somebody_has_been_asked(servers: Servers, victim: str) -> None:
    client = asking_client(servers.bridge)
    stream = open_result(client, make(client, "odd.asker"))
    stream.wait_for("elicitation/create")
    process = servers.bridge.worker("upstream odd") if victim == "worker" else servers.bridge.upstream_child("odd")
    os.kill(process.pid, signal.SIGKILL)
    while "error" not in (message := stream.next_message()):
        assert "method" in message, message
    assert message["error"]["data"]["code"] == MAY_HAVE_RUN, message
    assert len(servers.sent("tasks/result")) == 1


@pytest.mark.parametrize("kind", ["stdio", "http"])
def test_a_task_of_the_official_sdk_asks_who_waits_for_its_result(
    shared: Servers, shared_bridges: Bridges, tmp_path: Path, kind: str
) -> None:
    web = SDKServer("1", "tasks", tmp_path / "counted") if kind == "http" else None
    try:
        bridge = shared_bridges.start({"web": {**web.entry, "url": f"{web.entry['url']}/"}}) if web else shared.bridge
        name = "web" if web else "sdk"
        bridge.wait_upstream(name)
        client = asking_client(bridge)
        task = make(client, f"{name}.ask")
        stream = open_result(client, task)
        question = stream.wait_for("elicitation/create")
        assert question["params"]["_meta"] == {RELATION: {"taskId": task["taskId"]}}
        answer(client, question, "in time")
        assert "in time" in text_of(end_of(stream))
        # Of somebody who knows of no tasks, it asks the same.
        plainly = client.open_call(f"{name}.ask", {})
        question = plainly.wait_for("elicitation/create")
        assert RELATION not in question["params"].get("_meta", {})
        answer(client, question, "again")
        assert "again" in text_of(end_of(plainly))
    finally:
        if web:
            web.kill()


def test_what_a_server_without_tasks_says_of_them_means_nothing(shared: Servers) -> None:
    client = shared.client()
    tools = {tool["name"]: tool.get("execution") for tool in client.request("tools/list").result["tools"]}
    assert tools["odd.must"] == {"taskSupport": "required"} and tools["sdk.run"] == {"taskSupport": "optional"}
    assert tools["none.must"] is None and tools["none.t"] is None and tools["none.say"] is None
    assert text_of(client.call("none.must").result) == "ok"
    refused = error_of(client.request("tools/call", {"name": "none.t", "arguments": {}, "task": {}}))
    assert refused["code"] == -32601 and "declares no tasks" in refused["message"]


def test_tasks_outlive_the_session_worker(servers: Servers) -> None:
    client = servers.client()
    task = make(client, "odd.t", _meta={"progressToken": "t"})
    quick = make(client, "sdk.run", {"tag": "once", "seconds": 0.2})
    thread, replies = waiting(client, task)
    servers.wait_sent("tasks/result")
    os.kill(servers.bridge.worker("session").pid, signal.SIGKILL)
    # Whoever has heard of a task finds it in the list.
    assert sorted(listed(client)) == sorted([task["taskId"], quick["taskId"]])
    servers.wait_sent("tasks/result", 2)
    with client.open_stream() as stream:
        client.call("odd.say")
        client.call("odd.end")
        assert {message["params"]["taskId"] for message in news(stream, "completed", quick["taskId"])} == {task["taskId"]}
    thread.join()
    told = {message["method"]: message["params"] for message in replies[0].notifications}
    assert told["notifications/progress"]["progressToken"] == "t"
    assert replies[0].result["_meta"][RELATION] == {"taskId": task["taskId"]}
    assert ask(client, "result", task).result["_meta"][RELATION] == {"taskId": task["taskId"]}
    assert text_of(ask(client, "result", quick).result) == "ran once" and servers.counts("once") == 1


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_tasks_end_with_their_server_and_that_is_said(servers: Servers, victim: str) -> None:
    client, other = servers.client(), servers.client(local=True)
    task = make(client, "odd.t")
    thread, replies = waiting(client, task)
    servers.wait_sent("tasks/result")
    bridge = servers.bridge
    process = bridge.worker("upstream odd") if victim == "worker" else bridge.upstream_child("odd")
    os.kill(process.pid, signal.SIGKILL)
    thread.join()
    error = error_of(replies[0])
    assert (error["code"], error["data"]["code"]) == (-32602, "unknown_task") and "has ended since" in error["message"]
    # The next life of the server counts from one again, for somebody else.
    again = make(other, "odd.t")
    for method in ("get", "result", "cancel"):
        assert error_of(ask(client, method, task))["data"]["code"] == "unknown_task"
    assert listed(client) == [] and listed(other) == [again["taskId"]]
    assert ask(other, "get", again).result["status"] == "working"


def test_a_result_is_waited_for_longer_than_a_call_may_take(bridges: Bridges, tmp_path: Path) -> None:
    entry = python_upstream(SUPPORT / "odd_tasks.py", env={"JOURNAL": str(tmp_path / "journal")})
    bridge = bridges.start({"odd": {**entry, "timeouts": {"call": 2}}})
    bridge.wait_upstream("odd")
    client = bridge.client()
    task = make(client, "odd.t")
    thread, replies = waiting(client, task)
    journal = tmp_path / "journal"
    eventually(lambda: '"tasks/result"' in journal.read_text(encoding="utf-8") or None, "the result is asked for")
    # The limit of a call, and what the session worker adds to it, are over meanwhile.
    for _ in range(4):
        assert error_of(client.call("odd.hang"))["data"]["code"] == "timeout"
    assert thread.is_alive()
    client.call("odd.end")
    thread.join()
    assert "error" not in replies[0].message


def test_a_server_with_a_task_is_not_unused(bridges: Bridges) -> None:
    entry = python_upstream(SUPPORT / "odd_tasks.py", idleStop=1)
    bridge = bridges.start({"busy": entry, "idle": entry})
    client = bridge.client()
    for name in ("busy", "idle"):
        bridge.wait_tool(f"{name}.t", client)
    task = make(client, "busy.t")
    child = bridge.upstream_child("busy").pid
    client.call("idle.ok")
    # It was called later, and has no task.
    worker = bridge.worker("upstream idle").pid
    eventually(lambda: not children(worker), "the idle one has been let go")
    assert bridge.upstream_child("busy").pid == child
    assert ask(client, "cancel", task).result["status"] == "cancelled"
    bridge.wait_upstream("busy", connected=False)


def test_the_official_sdk_has_tasks(runner: SDKRunner, shared: Servers) -> None:
    with Recorder(shared.bridge.address) as recorder:
        for (tool, arguments), (_, endless) in zip(SLOW, ENDLESS, strict=True):
            facts = runner.run("tasks", recorder.url, "legacy", tool=tool, arguments=arguments, endless=endless)
            assert facts["states"][-1] == "completed" and facts["id"] in facts["listed"]
            assert facts["result"]["_meta"][RELATION] == {"taskId": facts["id"]}
            assert facts["cancelled"] == "cancelled" and facts["unknown"]["code"] == -32602
        assert recorder.check() > 0
