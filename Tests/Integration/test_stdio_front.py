"""`mcp-bridge stdio`: a client that only starts programs, at a running bridge."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asking_server import Asking, AskingServer
from harness import Bridge, Bridges
from places import BINARY
from ports import free_port
from sdk_runner import GENERATIONS, SDKRunner
from stdio_client import HELLO, StdioClient
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually


#: What counts for a call counts for the handshake, for which a busy machine has to have time (milliseconds).
SILENCE = "4000"


def beside(bridge: Bridge, *arguments: str) -> StdioClient:
    return StdioClient(*arguments, environment=bridge.whole_environment(), folder=bridge.folder)


def at(server: AskingServer, folder: Path) -> StdioClient:
    return StdioClient("--url", server.url, environment={}, folder=folder)


def not_there(answer: dict[str, Any]) -> bool:
    """On a busy machine a bridge may take longer to start than a request waits for it."""
    return answer.get("error", {}).get("data", {}).get("code") == "bridge_unavailable"


def has_extra(client: StdioClient) -> bool:
    return any(tool["name"] == "every.extra" for tool in client.ask("tools/list")["result"]["tools"])


def text(answer: dict[str, Any]) -> str:
    return answer["result"]["content"][0]["text"]


@pytest.fixture(scope="module")
def every(shared_bridges: Bridges, misbehaving: MisbehavingUpstream) -> Bridge:
    every = {"command": str(BINARY), "args": ["demo-server", "--everything"]}
    bridge = shared_bridges.start({"demo": demo_upstream(), "every": every, "bad": misbehaving.entry})
    for name in ("demo", "every", "bad"):
        bridge.wait_upstream(name)
    return bridge


@pytest.mark.parametrize("way", ["socket", "flag", "variable"])
def test_a_client_is_served_until_it_closes_its_end(every: Bridge, way: str) -> None:
    arguments = ("--url", every.url) if way == "flag" else ()
    environment = {} if way == "flag" else every.whole_environment()
    if way == "variable":
        environment = {"MCP_BRIDGE_PROXY_URL": every.url}
    with StdioClient(*arguments, environment=environment, folder=every.folder) as client:
        client.open()
        assert text(client.call("demo.echo", text="hello")) == "hello"
        assert client.close() == []


def test_payloads_pass_as_they_came(every: Bridge) -> None:
    """The same bytes as over HTTP, the id aside, and no line breaks in them."""
    arguments = {"name": "every.content", "arguments": {}}
    over_http = every.client().exchange(
        "POST", {"jsonrpc": "2.0", "id": "the-same", "method": "tools/call", "params": arguments}
    )
    with beside(every) as client:
        client.open()
        client.send({"jsonrpc": "2.0", "id": "the-same", "method": "tools/call", "params": arguments})
        assert client.answer_line() == over_http.body + b"\n"


def test_names_are_spelled_as_asked_for(every: Bridge) -> None:
    for names, expected in (("safe", "demo__echo"), ("dot", "demo.echo")):
        with beside(every, "--names", names) as client:
            tools = client.open().ask("tools/list")["result"]["tools"]
            assert expected in [tool["name"] for tool in tools]


def test_what_the_bridge_says_by_itself_arrives(every: Bridge) -> None:
    with beside(every) as client:
        client.open()
        # Each change has been listed before the next is made: two that follow at once undo each other, and a session that
        # is made within the second of a change is told of that one.
        for is_there in (True, False):
            client.call("every.change", list="tools")
            client.hear("notifications/tools/list_changed")
            eventually(lambda: has_extra(client) == is_there, "a list that is changed")


def test_progress_arrives_before_the_answer(every: Bridge) -> None:
    with beside(every) as client:
        client.open()
        params = {"name": "demo.sleep", "arguments": {"seconds": 0.1, "steps": 4}, "_meta": {"progressToken": "p"}}
        assert "result" in client.ask("tools/call", params)
        told = [message["params"] for message in client.unclaimed if message["method"] == "notifications/progress"]
        assert told and all(each["progressToken"] == "p" for each in told)


@pytest.mark.parametrize("by_get", [False, True], ids=["on the call's stream", "on the session's stream"])
def test_questions_and_their_answers_are_carried(folder: Path, by_get: bool) -> None:
    def script(call: Asking) -> dict[str, Any]:
        answer = call.ask({"message": "?", "requestedSchema": {"type": "object", "properties": {}}}, by_get=by_get)
        return {"content": [{"type": "text", "text": answer["result"]["action"]}]}

    with AskingServer(script) as server, at(server, folder) as client:
        call = client.open().begin("tools/call", {"name": "x"})
        question = client.hear("elicitation/create")
        client.send({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}})
        assert text(client.answer(call)) == "decline"


def test_without_a_bridge_each_request_is_told_what_to_do(folder: Path) -> None:
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    with StdioClient(environment=environment, folder=folder) as client:
        asked = [client.begin("initialize", HELLO), client.begin("tools/list")]
        for identifier in asked:
            error = client.answer(identifier)["error"]
            assert error["code"] == -32003 and error["data"]["code"] == "bridge_unavailable"
            assert "systemctl --user start mcp-bridge.service" in error["message"]
        assert client.close() == []
        away = next(line for line in client.said if "no bridge answers" in line)
    assert re.fullmatch(r"\[mcp-bridge-stdio\] [^{]+ \{.*\}", away)
    assert "systemctl --user start" in json.loads(away[away.index("{") :])["do"]


def test_without_a_bridge_lists_come_from_its_file(bridges: Bridges) -> None:
    """As the bridge showed them; when it comes and shows others, the client is told so."""
    kept_back = {**demo_upstream(), "prefix": "other", "tools": {"allow": ["echo", "add"]}}
    bridge = bridges.start({"demo": demo_upstream(), "more": kept_back})
    for name in ("demo", "more"):
        bridge.wait_upstream(name)
    client_names = bridge.client().tool_names
    names = eventually(lambda: found if "other.echo" in (found := client_names()) else None, "all are listed")
    assert "other.sleep" not in names
    bridge.stop()
    with beside(bridge) as client:
        assert client.open().unclaimed == []
        assert [tool["name"] for tool in client.ask("tools/list")["result"]["tools"]] == names
        refused = client.call("demo.echo", text="nobody")["error"]
        assert refused["data"]["code"] == "bridge_unavailable" and "systemctl --user start" in refused["message"]
        assert bridge.config is not None
        bridge.config["mcpServers"]["more"]["tools"]["allow"] = ["echo"]
        bridge.start()
        client.hear("notifications/tools/list_changed")
        assert "other.add" not in [tool["name"] for tool in client.ask("tools/list")["result"]["tools"]]
        assert text(client.call("demo.echo", text="served")) == "served"
        assert client.close() == []


def test_the_file_of_the_older_proxy_is_flattened(folder: Path) -> None:
    tool = {"name": "search", "inputSchema": {"type": "object"}}
    lists = {"overseer": [tool], "sentinel": [{**tool, "name": "watch"}]}
    file = folder / "cache.json"
    file.write_text(json.dumps({"updatedAt": "2026-01-01T00:00:00.000Z", "toolsByUpstream": lists}), encoding="utf-8")
    port = free_port()
    environment = {"MCP_BRIDGE_TOOL_CACHE_PATH": str(file), "MCP_BRIDGE_PROXY_URL": f"http://127.0.0.1:{port}/mcp"}
    with StdioClient(environment=environment, folder=folder) as client:
        client.open("2025-03-26")
        assert [each["name"] for each in client.ask("tools/list")["result"]["tools"]] == ["search", "watch"]
        for method, key in (("prompts/list", "prompts"), ("resources/list", "resources")):
            assert client.ask(method)["result"] == {key: []}
        assert client.close() == []


@contextmanager
def early(bridges: Bridges) -> Iterator[tuple[Bridge, StdioClient, int]]:
    """A bridge that has not been started, a client that has missed it, and the id of its `initialize`."""
    bridge = bridges.make({"demo": demo_upstream()})
    for name in ("home", "run", "state", "tmp"):
        (bridge.folder / name).mkdir(mode=0o700, exist_ok=True)
    with beside(bridge) as client:
        identifier = client.begin("initialize", HELLO)
        eventually(lambda: any("no bridge answers" in line for line in client.said), "it is missed")
        yield bridge, client, identifier


def test_a_bridge_that_comes_late_is_waited_for(bridges: Bridges) -> None:
    with early(bridges) as (bridge, client, identifier):
        bridge.start()
        assert not not_there(client.answer(identifier)) or client.open()


def test_an_initialize_that_its_client_gives_up_is_answered_all_the_same(bridges: Bridges) -> None:
    """As one does after a minute, though no client may cancel this."""
    with early(bridges) as (bridge, client, identifier):
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": identifier}})
        bridge.start()
        assert not not_there(client.answer(identifier)) or client.open()


def test_the_session_outlives_a_restart_of_the_bridge(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    with beside(bridge) as client:
        client.open()
        names = [tool["name"] for tool in client.ask("tools/list")["result"]["tools"]]
        bridge.stop()
        # The lists are remembered, a call waits.
        while_away = client.ask("tools/list")
        assert [tool["name"] for tool in while_away["result"]["tools"]] == names
        call = client.begin("tools/call", {"name": "demo.echo", "arguments": {"text": "later"}})
        bridge.start()
        answer = client.answer(call)
        assert text(client.call("demo.echo", text="later") if not_there(answer) else answer) == "later"
        assert client.close() == []
        assert not any("session is gone" in line for line in client.said)


def test_a_session_that_the_bridge_has_forgotten_is_opened_anew(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    with beside(bridge) as client:
        client.open()
        bridge.stop()
        (bridge.state / "sealing.key").unlink()
        bridge.start()
        assert text(client.call("demo.echo", text="again")) == "again"
        eventually(lambda: any("session is gone" in line for line in client.said), "it is said")
        assert text(client.call("demo.echo", text="and again")) == "and again"


def test_a_call_whose_connection_is_lost_is_told_so_and_not_sent_again(bridges: Bridges, folder: Path) -> None:
    counting = CountingUpstream(folder, "alpha")
    bridge = bridges.start({"alpha": counting.entry})
    bridge.wait_upstream("alpha")
    with beside(bridge) as client:
        client.open()
        call = client.begin("tools/call", {"name": counting.tool, "arguments": {"tag": "once", "ms": 600_000}})
        eventually(lambda: counting.counts().get("once"), "it runs")
        bridge.kill()
        # A stream that had begun is asked for at the next bridge, which does not know it.
        bridge.start()
        error = client.answer(call)["error"]
        assert error["data"]["code"] == "outcome_unknown"
        bridge.wait_upstream("alpha")
        assert "result" in client.ask("tools/list")
        assert client.close() == []
    assert counting.counts() == {"once": 1}


def test_what_is_under_way_is_answered_before_the_end(every: Bridge) -> None:
    with beside(every) as client:
        call = client.open().begin("tools/call", {"name": "demo.sleep", "arguments": {"seconds": 1}})
        rest = client.close()
        assert [message["id"] for message in rest] == [call] and "result" in rest[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(every: Bridge, number: int) -> None:
    with beside(every) as client:
        client.open().begin("tools/call", {"name": "demo.sleep", "arguments": {"seconds": 60}})
        client.process.send_signal(number)
        assert client.process.wait(PATIENCE) == 0


def test_a_client_that_is_gone_ends_it_and_its_session(every: Bridge) -> None:
    """Nobody reads its output any more: there is nobody to wait for, and nobody who would come back."""
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [BINARY, "stdio"], env=every.whole_environment(), stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    try:
        assert process.stdin is not None
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {**HELLO, "protocolVersion": "2025-11-25"}}
        process.stdin.write(json.dumps(hello).encode() + b"\n")
        process.stdin.flush()
        assert b"serverInfo" in os.read(ours, 1 << 16)
        ended = _ended_sessions(every)
        os.close(ours)
        assert process.wait(PATIENCE) == 0
        # Others may be written down, too: those of clients that have just gone.
        eventually(lambda: _ended_sessions(every) > ended, "the bridge is told")
    finally:
        process.kill()


def _ended_sessions(bridge: Bridge) -> int:
    """Of those that were ended by their clients; a session that did nothing else has no line."""
    path = bridge.state / "sessions.journal"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def test_what_is_no_message_is_refused_where_it_asks(every: Bridge) -> None:
    with beside(every) as client:
        client.open()
        assert client.process.stdin is not None
        client.process.stdin.write(b'{"jsonrpc": "2.0", "id": 77, "method": "ping", "params": {]}\nnonsense\n')
        client.process.stdin.flush()
        assert json.loads(client.answer_line())["error"]["code"] == -32700
        assert text(client.call("demo.echo", text="still there")) == "still there"


def test_silence_has_a_limit_that_is_named(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        call.server.stopped.wait()
        return {}

    with AskingServer(script) as server:
        environment = {"MCP_BRIDGE_PROXY_URL": server.url, "MCP_BRIDGE_PROXY_TIMEOUT_MS": SILENCE}
        with StdioClient(environment=environment, folder=folder) as client:
            error = client.open().call("x")["error"]
            assert error["data"]["code"] == "timeout" and "MCP_BRIDGE_PROXY_TIMEOUT_MS" in error["message"]
            assert server.cancelled.get(timeout=PATIENCE)["requestId"] == 2


def test_no_time_counts_while_the_client_is_asked(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        if call.server.received("prompts/get"):
            call.server.stopped.wait()
            return {}
        call.ask({"message": "?", "requestedSchema": {"type": "object", "properties": {}}})
        call.server.stopped.wait()
        return {}

    with AskingServer(script) as server:
        environment = {"MCP_BRIDGE_PROXY_URL": server.url, "MCP_BRIDGE_PROXY_TIMEOUT_MS": SILENCE}
        with StdioClient(environment=environment, folder=folder) as client:
            asking = client.open().begin("tools/call", {"name": "x"})
            question = client.hear("elicitation/create")
            # What is begun later is late, and what waits for the client is not.
            assert client.ask("prompts/get", {"name": "x"})["error"]["data"]["code"] == "timeout"
            assert not [message for message in client.unclaimed if message.get("id") == asking]
            client.send({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}})
            assert client.answer(asking)["error"]["data"]["code"] == "timeout"


def test_a_call_that_may_have_run_is_not_sent_again_and_what_reads_is_once(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        return call.drop() if len(call.server.received("prompts/get")) < 2 else {"messages": []}

    with AskingServer(script) as server, at(server, folder) as client:
        assert client.open().call("x")["error"]["data"]["code"] == "outcome_unknown"
        assert client.ask("prompts/get", {"name": "x"})["result"] == {"messages": []}
        assert len(server.received("tools/call")) == 1 and len(server.received("prompts/get")) == 2


# The official SDKs


@pytest.fixture(params=GENERATIONS)
def run(request: pytest.FixtureRequest, runners: dict[str, SDKRunner], every: Bridge) -> Iterator[Any]:
    generation, mode = request.param
    yield lambda scenario, **options: runners[generation].run(
        scenario, f"stdio:{BINARY} stdio --url {every.url}", mode, **options
    )


def test_the_sdk_lists_and_calls(run: Any) -> None:
    assert run("connect")["hello"]["serverInfo"]["name"] == "mcp-bridge"
    assert "demo.echo" in [tool["name"] for tool in run("list_tools")["tools"]]
    (result,) = run("call", calls=[["demo.echo", {"text": "héllo \u2028 𝄞"}]])["results"]
    assert result["content"][0]["text"] == "héllo \u2028 𝄞"
    assert run("ping")["pong"] == {}


def test_the_sdk_hears_progress_and_errors(run: Any) -> None:
    facts = run("progress", tool="demo.sleep", arguments={"seconds": 0.1, "steps": 4})
    assert len(facts["told"]) >= 2
    failed, unknown = run("errors", calls=[["demo.fail", {"message": "x"}], ["demo.nothing", {}]])["outcomes"]
    assert failed["result"]["isError"] and unknown["error"]["data"]["code"] == "unknown_tool"


def test_the_sdk_cancels(run: Any, misbehaving: MisbehavingUpstream) -> None:
    before = len(misbehaving.received("notifications/cancelled"))
    assert run("cancel", tool="bad.never", then="bad.echo")["after"]["content"][0]["text"] == "after"
    misbehaving.wait_received("notifications/cancelled", before + 1)


def test_sessions_side_by_side(run: Any) -> None:
    answers = run("side_by_side", tool="demo.echo", sessions=4, calls=10)["answers"]
    assert len(answers) == 40 and all(key == value for key, value in answers.items())
