"""A client with one server's scope never sees a byte of another: not in a list, a result, a log message, news or a question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from harness import Bridge, Bridges
from mcp_http import MCPClient
from places import SDK_1_PYTHON
from recorder import Recorder
from sdk_runner import SDKRunner
from tokens import bearer, create
from upstreams import SDKUpstream
from waiting import eventually

#: In every list, result, message and question of this server stands its name, and nowhere else.
HIDDEN = "hiddenserver"
EVERYTHING = {"sampling": {}, "elicitation": {}, "roots": {"listChanged": True}}
ANSWERS = {
    "sampling/createMessage": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "4"}},
    "elicitation/create": {"action": "accept", "content": {"text": "x"}},
    "roots/list": {"roots": []},
}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Bridge:
    folder = tmp_path_factory.mktemp("servers")
    bridge = shared_bridges.start({name: SDKUpstream(folder, name, SDK_1_PYTHON).entry for name in ("open", HIDDEN)})
    client = bridge.client()
    for name in ("open", HIDDEN):
        bridge.wait_upstream(name)
        for kind in ("tools", "prompts", "resources"):
            # Whatever a server lists only now would be news later.
            eventually(lambda: name in json.dumps(client.request(f"{kind}/list").result), f"{kind} of {name}")  # noqa: B023
    return bridge


@dataclass
class Whole:
    """The official SDK with all of MCP: its client does to the hidden server whatever makes it say something."""

    runner: SDKRunner
    url: str
    secret: str

    def run(self, scenario: str, **options: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self.runner.run(scenario, self.url, "legacy", headers=headers, **options)

    def touch(self, server: str) -> None:
        """Has a server tell of a resource; this client has heard of it by then."""
        uri = f"{server}://notes/1"
        steps = [["subscribe", uri], ["call", f"{server}.touch", {"uri": uri}]]
        self.run("heard", steps=steps, expected=["notifications/resources/updated"])

    def _are_others(self, before: dict[str, Any]) -> bool:
        now = self.run("lists")
        return all(now[kind] != before[kind] for kind in ("tools", "prompts", "resources"))

    def make_it_speak(self, server: str) -> None:
        lists = self.run("lists")
        assert all(server in json.dumps(lists[kind]) for kind in ("tools", "prompts", "resources", "templates"))
        self.touch(server)
        steps: list[list[Any]] = [["set_level", "debug"]]
        steps += [["call", f"{server}.log", {"level": level, "data": server}] for level in ("debug", "error", "emergency")]
        steps += [["call", f"{server}.change", {"list": kind}] for kind in ("tools", "prompts", "resources")]
        news = [f"notifications/{kind}/list_changed" for kind in ("tools", "prompts", "resources")]
        self.run("heard", steps=steps, expected=["notifications/message", *news])
        # What was heard may have been news of the lists before, which are this session's too when it begins in the same
        # second: who changed them back now, before they are read, would have changed nothing.
        eventually(lambda: self._are_others(lists), "the lists are read as they are now")
        asks = ("ask_model", "ask_person", "ask_roots", "ask_several")
        asked = self.run("asked", calls=[[f"{server}.{name}", {}] for name in asks], answers=ANSWERS)
        assert len(asked["questions"]) == 6, asked


@pytest.fixture
def whole(bridge: Bridge, runners: dict[str, SDKRunner]) -> Whole:
    return Whole(runners["1"], bridge.url, create(bridge, "mcp"))


@pytest.fixture
def recorder(bridge: Bridge) -> Iterator[Recorder]:
    with Recorder(bridge.address) as recorder:
        yield recorder


def partly(bridge: Bridge, recorder: Recorder, scope: str, revision: str) -> MCPClient:
    """A client with part of MCP that can be asked anything, and hears every log message."""
    client = MCPClient(recorder.address, revision, headers=bearer(create(bridge, scope)))
    client.initialize(EVERYTHING)
    client.request("logging/setLevel", {"level": "debug"})
    return client


@pytest.mark.parametrize("revision", ["2025-11-25", "2025-06-18"])
@pytest.mark.parametrize("scope", ["server:open", "tool:open.*"])
def test_nothing_that_another_server_says_is_heard(
    bridge: Bridge, whole: Whole, recorder: Recorder, scope: str, revision: str
) -> None:
    with partly(bridge, recorder, scope, revision) as mine, mine.open_stream() as stream:
        for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
            mine.request(method)
        assert mine.tool_names()
        hears_of_resources = scope.startswith("server:")
        if hears_of_resources:
            mine.request("resources/subscribe", {"uri": "open://notes/1"})
            whole.touch("open")
            stream.wait_for("notifications/resources/updated")
        whole.make_it_speak(HIDDEN)
        if hears_of_resources:
            whole.touch("open")
            # Nothing came in between: no news of a list, no log message, no question.
            assert stream.next_message()["method"] == "notifications/resources/updated"
        assert mine.call("open.progress", progress_token="p").result
    for path in ("/", "/tools", "/health", "/health/ready", "/metrics", "/servers"):
        token = mine.headers("GET")["Authorization"]
        assert HIDDEN.encode() not in bridge.get(path, {"Authorization": token}).body, path
    heard = recorder.heard()
    assert b"open.content" in heard, "the recorder hears what there is"
    assert HIDDEN.encode() not in heard


def test_what_another_holds_of_a_server_is_refused_by_its_id_too(bridge: Bridge, whole: Whole) -> None:
    """A task, a resource that was handed out, and a template's: whoever guesses or overhears their names has nothing."""
    mine = bridge.new_client(headers=bearer(create(bridge, "server:open"))).initialize()
    whole.run("call", calls=[[f"{HIDDEN}.content", {}]])
    for uri in (f"{HIDDEN}://handed-out", f"{HIDDEN}://notes/1", f"{HIDDEN}://squares/3"):
        for method in ("resources/read", "resources/subscribe"):
            error = mine.request(method, {"uri": uri}).message["error"]
            assert error["data"]["code"] == "not_granted", (method, uri, error)
    made_up = f"{HIDDEN}://nothing-there"
    leaving = [mine.request("resources/unsubscribe", {"uri": uri}).message for uri in (f"{HIDDEN}://notes/1", made_up)]
    assert leaving[0].get("result") == leaving[1].get("result") == {}, "whoever has not subscribed is told nothing"
    there = mine.request("resources/read", {"uri": f"{HIDDEN}://notes/1"}).message["error"]
    not_there = mine.request("resources/read", {"uri": made_up}).message["error"]
    assert there["code"] == not_there["code"] and there["data"]["code"] == not_there["data"]["code"]
    assert there["message"].replace(f"{HIDDEN}://notes/1", made_up) == not_there["message"], "alike in words"


def test_a_question_goes_to_its_asker_whatever_others_may(bridge: Bridge, whole: Whole, recorder: Recorder) -> None:
    """Two clients with the same server's scope, and the one that called alone is asked."""
    with partly(bridge, recorder, "server:open", "2025-11-25") as mine, mine.open_stream():
        asked = whole.run("asked", calls=[["open.ask_person", {}]], answers=ANSWERS)
        assert [method for method, _ in asked["questions"]] == ["elicitation/create"]
    assert b"elicitation/create" not in recorder.heard()
