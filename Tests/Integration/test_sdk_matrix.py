"""The official SDKs at both ends: clients of both generations over HTTP, servers of both generations on stdio.

The servers page their lists, and so does the bridge, in another size. Every message to a client is held against the
schema, and every message between the bridge and a server, in either direction; clients of the oldest revision to the
newest, without an SDK, go through the same rows.

What is done step by step in one session is a row of `ROWS`. A question of a server's is one more tool in `everything.py`,
a callback for `sdk_v1.connect` and `sdk_v2.connect`, and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import everything
import pytest
import schema
from harness import Bridge, Bridges
from mcp_http import MCPClient
from places import SDK_1_PYTHON, SDK_2_PYTHON
from recorder import Recorder
from replies import text_of
from sdk_runner import SDKRunner
from upstreams import SDKUpstream
from waiting import eventually

Facts = dict[str, Any]
SERVERS = {"one": SDK_1_PYTHON, "two": SDK_2_PYTHON}
CLIENTS = [pytest.param("1", id="client 1.30"), pytest.param("2", id="client 2.3")]
#: Where the bridge counts the time of a call, not the client.
SLOW = {"timeouts": {"tools": {"slow": "1s"}}}


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SDKUpstream]]:
    folder = tmp_path_factory.mktemp("matrix")
    upstreams = {name: SDKUpstream(folder, name, python, **SLOW) for name, python in SERVERS.items()}
    yield upstreams
    assert all(upstream.checked > 0 for upstream in upstreams.values()), "the taps heard nothing"


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, upstreams: dict[str, SDKUpstream]) -> Bridge:
    bridge = shared_bridges.start({name: upstream.entry for name, upstream in upstreams.items()}, bridge={"pageSize": 3})
    client = bridge.client()
    for name in SERVERS:
        bridge.wait_upstream(name)
        eventually(lambda: name in {each.split(".")[0] for each in every(client, "prompts/list", "name")}, "prompts")
        eventually(lambda: f"{name}://picture" in every(client, "resources/list", "uri"), "resources")
    return bridge


@pytest.fixture(autouse=True)
def _every_message_is_valid(bridge: Bridge, upstreams: dict[str, SDKUpstream]) -> Iterator[None]:
    yield
    for upstream in upstreams.values():
        upstream.check()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return request.param


class Scenarios:
    def __init__(self, runner: SDKRunner, bridge: Bridge) -> None:
        self._runner, self._bridge = runner, bridge

    def __call__(self, scenario: str, **options: Any) -> Facts:
        with Recorder(self._bridge.address) as recorder:
            facts = self._runner.run(scenario, recorder.url, "legacy", **options)
            assert recorder.check() > 0, "the proxy heard nothing"
        return facts


@pytest.fixture(params=CLIENTS)
def sdk(request: pytest.FixtureRequest, runners: dict[str, SDKRunner], bridge: Bridge) -> Scenarios:
    return Scenarios(runners[request.param], bridge)


def every(client: MCPClient, method: str, identity: str) -> list[str]:
    """The entries of a list, page by page."""
    found: list[str] = []
    params: Facts = {}
    while True:
        result = client.request(method, params).result
        key = next(key for key in result if key not in ("nextCursor", "_meta"))
        assert len(result[key]) <= 3
        found += [entry[identity] for entry in result[key]]
        if "nextCursor" not in result:
            return found
        params = {"cursor": result["nextCursor"]}


# What is done step by step


@dataclass
class Row:
    name: str
    #: Verbs of `sdk_scenarios`, with their arguments; `{s}` is the server.
    steps: list[list[Any]]
    #: Is given what came of each, the server, and the client's revision.
    check: Callable[[list[Facts], str, str], None]


def is_content(outcomes: list[Facts], server: str, revision: str) -> None:
    called, got, read = outcomes
    wanted = everything.content(server)
    for came in (called["result"]["content"], [each["content"] for each in got["result"]["messages"]]):
        assert len(came) == len(wanted)
        for one, other in zip(came, wanted, strict=True):
            known = {"2024-11-05": {"text", "image", "resource"}, "2025-03-26": {"text", "image", "resource", "audio"}}
            if other["type"] in known.get(revision, {other["type"]}):
                assert one == other
            else:
                assert one["type"] == "text" and other.get("uri", other.get("mimeType")) in one["text"]
    assert called["result"]["_meta"] == {"example.org/page": "1"}
    # Named by the result alone.
    assert read["result"]["contents"][0]["text"] == "No list has this."


def is_structured(outcomes: list[Facts], server: str, revision: str) -> None:
    assert outcomes[0]["result"]["content"][0]["text"] == '{"sum": 2.5}'
    assert outcomes[0]["result"].get("structuredContent", {"sum": 2.5}) == {"sum": 2.5}
    assert "structuredContent" in outcomes[0]["result"] or revision < "2025-06-18"


def are_errors(outcomes: list[Facts], server: str, revision: str) -> None:
    failed, error, tool, argument, prompt, resource, template = outcomes
    assert failed["result"]["isError"] is True and failed["result"]["content"][0]["text"] == "on purpose"
    assert error["error"] == {"code": -32099, "message": "as it came", "data": {"kept": [None, 1.5]}}
    assert tool["error"]["code"] == prompt["error"]["code"] == -32602
    assert argument["error"] == {"code": -32602, "message": "Missing argument: who", "data": {"argument": "who"}}
    assert resource["error"]["code"] == -32002 and resource["error"]["data"] == {"uri": f"{server}://squares/x"}
    assert template["error"]["code"] == -32002


def are_prompts(outcomes: list[Facts], server: str, revision: str) -> None:
    assert outcomes[0]["result"]["description"] == "Greets."
    assert outcomes[0]["result"]["messages"] == [
        {"role": "assistant", "content": {"type": "text", "text": "Write a formal greeting for Ada."}}
    ]
    assert outcomes[1]["result"]["messages"][0]["content"]["text"] == "The prompt plain."


def are_completions(outcomes: list[Facts], server: str, revision: str) -> None:
    style, names, numbers, path = (each["result"] for each in outcomes)
    assert style["values"] == ["formal", "friendly"]
    assert names["values"] == ["Dr. Ada", "Dr. Alan"]
    assert numbers["values"] == ["99", *(str(number) for number in range(990, 1000))] and numbers["total"] == 11
    assert numbers["hasMore"] is False
    assert path["values"] == ["1", *(str(number) for number in range(10, 20)), *(str(n) for n in range(100, 189))]


def are_resources(outcomes: list[Facts], server: str, revision: str) -> None:
    note, picture, square, path = (each["result"]["contents"] for each in outcomes)
    assert note == [{"uri": f"{server}://notes/3", "mimeType": "text/plain", "text": "This is notes/3."}]
    assert picture == [{"uri": f"{server}://picture", "mimeType": "image/png", "blob": everything.PIXEL}]
    assert square[0]["text"] == "144"
    assert path[0]["text"] == "The path is a/b%20c."


def are_subscriptions(outcomes: list[Facts], server: str, revision: str) -> None:
    none, _, touched, _, gone, refused = outcomes
    assert none["result"]["content"][0]["text"] == gone["result"]["content"][0]["text"] == "nobody has subscribed"
    assert touched["result"]["content"][0]["text"] == "touched"
    assert refused["error"]["code"] == -32002


def are_late(outcomes: list[Facts], server: str, revision: str) -> None:
    # The bridge runs it as a task where its server has tasks, and nobody sees.
    assert outcomes[0]["result"]["content"] == [{"type": "text", "text": "at last"}]
    assert not (outcomes[0]["result"].get("_meta") or {})


TOUCH = ["call", "{s}.touch", {"uri": "{s}://notes/4"}]
PROMPT = {"type": "ref/prompt", "name": "{s}.greeting"}
SQUARES = {"type": "ref/resource", "uri": "{s}://squares/{number}"}

ROWS = [
    Row(
        "content",
        [["call", "{s}.content", {}], ["get_prompt", "{s}.content", {}], ["read", "{s}://handed-out"]],
        is_content,
    ),
    Row("structured output", [["call", "{s}.structured", {"a": 1, "b": 1.5}]], is_structured),
    Row(
        "errors",
        [
            ["call", "{s}.fail", {}],
            ["call", "{s}.error", {}],
            ["call", "{s}.nothing", {}],
            ["get_prompt", "{s}.greeting", {}],
            ["get_prompt", "{s}.nothing", {}],
            ["read", "{s}://squares/x"],
            ["read", "{s}://nothing"],
        ],
        are_errors,
    ),
    Row(
        "prompts",
        [["get_prompt", "{s}.greeting", {"who": "Ada", "style": "formal"}], ["get_prompt", "{s}.plain", {}]],
        are_prompts,
    ),
    Row(
        "completions",
        [
            ["complete", PROMPT, {"name": "style", "value": "f"}, {}],
            ["complete", PROMPT, {"name": "who", "value": ""}, {"style": "formal"}],
            ["complete", SQUARES, {"name": "number", "value": "99"}, {}],
            ["complete", SQUARES, {"name": "number", "value": "1"}, {}],
        ],
        are_completions,
    ),
    Row(
        "resources",
        [
            ["read", "{s}://notes/3"],
            ["read", "{s}://picture"],
            ["read", "{s}://squares/12"],
            ["read", "{s}://paths/a/b%20c"],
        ],
        are_resources,
    ),
    Row(
        "subscriptions",
        [
            TOUCH,
            ["subscribe", "{s}://notes/4"],
            TOUCH,
            ["unsubscribe", "{s}://notes/4"],
            TOUCH,
            ["subscribe", "{s}://squares/x"],
        ],
        are_subscriptions,
    ),
    Row("what only runs as a task", [["call", "{s}.later", {"seconds": 0}]], are_late),
]
EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def named(value: Any, server: str) -> Any:
    """The same with the server's name in its place."""
    if isinstance(value, str):
        return value.replace("{s}", server)
    if isinstance(value, list):
        return [named(each, server) for each in value]
    return {key: named(each, server) for key, each in value.items()} if isinstance(value, dict) else value


@EACH_ROW
def test_what_is_done_step_by_step(sdk: Scenarios, server: str, row: Row) -> None:
    outcomes = sdk("verbs", steps=named(row.steps, server))["outcomes"]
    row.check(outcomes, server, "2025-11-25")


class Plain:
    """The verbs of the SDK scenarios, in a session without an SDK."""

    def __init__(self, client: MCPClient) -> None:
        self._client = client

    def __call__(self, verb: str, *arguments: Any) -> Facts:
        method, params = getattr(self, verb)(*arguments)
        message = self._client.request(method, params).message
        if "error" in message:
            return {"error": {"data": None, **message["error"]}}
        return {"result": message["result"]["completion"] if verb == "complete" else message["result"]}

    def call(self, name: str, arguments: Facts) -> tuple[str, Facts]:
        return "tools/call", {"name": name, "arguments": arguments}

    def get_prompt(self, name: str, arguments: Facts) -> tuple[str, Facts]:
        return "prompts/get", {"name": name, "arguments": arguments}

    def read(self, uri: str) -> tuple[str, Facts]:
        return "resources/read", {"uri": uri}

    def subscribe(self, uri: str) -> tuple[str, Facts]:
        return "resources/subscribe", {"uri": uri}

    def unsubscribe(self, uri: str) -> tuple[str, Facts]:
        return "resources/unsubscribe", {"uri": uri}

    def complete(self, reference: Facts, argument: Facts, context: Facts) -> tuple[str, Facts]:
        more = {"context": {"arguments": context}} if context else {}
        return "completion/complete", {"ref": reference, "argument": argument, **more}


@EACH_ROW
@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_clients_of_every_revision_do_the_same(bridge: Bridge, revision: str, server: str, row: Row) -> None:
    with bridge.client(revision) as client:
        row.check([Plain(client)(*step) for step in named(row.steps, server)], server, revision)


# Lists


def test_every_list_is_whole_and_its_entries_are_as_they_were(sdk: Scenarios) -> None:
    lists = sdk("lists")
    names = {kind: [entry["name"] for entry in lists[kind]] for kind in ("tools", "prompts")}
    assert names["tools"] == sorted(f"{server}.{tool}" for server in SERVERS for tool in everything.Everything.TOOLS)
    prompts = ("content", "greeting", "plain", "third")
    assert names["prompts"] == [f"{server}.{prompt}" for server in SERVERS for prompt in prompts]
    uris = [entry["uri"] for entry in lists["resources"]]
    notes = [f"notes/{number}" for number in range(1, everything.NOTES + 1)]
    assert uris == [f"{server}://{name}" for server in SERVERS for name in [*notes, "picture"]]
    assert len(lists["templates"]) == 6
    for server in SERVERS:
        (shown,) = [tool for tool in lists["tools"] if tool["name"] == f"{server}.structured"]
        assert shown["outputSchema"] == everything.SUM
        assert {key: shown[key] for key in everything.SHOWN} == everything.SHOWN


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_every_page_is_valid_for_clients_of_every_revision(bridge: Bridge, revision: str) -> None:
    with bridge.client(revision) as client:
        assert len(every(client, "tools/list", "name")) == 2 * len(everything.Everything.TOOLS)
        assert len(every(client, "prompts/list", "name")) == 8
        assert len(every(client, "resources/list", "uri")) == 2 * (everything.NOTES + 1)
        assert len(every(client, "resources/templates/list", "uriTemplate")) == 6


def test_what_servers_say_of_themselves_is_passed_on(sdk: Scenarios) -> None:
    hello = sdk("connect")["hello"]
    assert hello["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
    assert {"completions", "logging", "prompts", "tools"} <= hello["capabilities"].keys()
    for server in SERVERS:
        assert f"## {server}" in hello["instructions"]


# Tasks, which the second generation has on neither side


def test_a_call_runs_as_a_task(runners: dict[str, SDKRunner], bridge: Bridge) -> None:
    with Recorder(bridge.address) as recorder:
        facts = runners["1"].run(
            "tasks", recorder.url, "legacy", tool="one.later", arguments={"seconds": 0.2}, endless={"seconds": 86_400}
        )
        assert recorder.check() > 0
    assert facts["states"][-1] == "completed" and facts["id"] in facts["listed"]
    assert facts["result"]["content"][0]["text"] == "at last" and facts["cancelled"] == "cancelled"


def test_a_server_without_tasks_runs_none(runners: dict[str, SDKRunner], bridge: Bridge) -> None:
    with Recorder(bridge.address) as recorder:
        steps = [["make_task", "two.later", {"seconds": 0}]]
        (outcome,) = runners["1"].run("verbs", recorder.url, "legacy", steps=steps)["outcomes"]
        assert recorder.check() > 0
    assert outcome["error"]["code"] == -32601 and "declares no tasks" in outcome["error"]["message"]


def test_what_only_runs_as_a_task_is_said_of_servers_that_have_tasks(sdk: Scenarios) -> None:
    tools = {tool["name"]: tool for tool in sdk("lists")["tools"]}
    assert tools["one.later"]["execution"] == {"taskSupport": "required"}
    assert "execution" not in tools["two.later"]


# What comes in the middle of a request, and besides


def test_progress_is_told_as_the_server_tells_it(sdk: Scenarios, server: str) -> None:
    facts = sdk("progress", tool=f"{server}.progress", arguments={})
    assert facts["told"] == [[step / 2, 2, f"step {step}"] for step in (1, 2, 3)]
    assert facts["result"]["content"][0]["text"] == "done"


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
@pytest.mark.parametrize("token", [7, "seven"])
def test_progress_of_any_request_has_the_clients_token(
    bridge: Bridge, revision: str, server: str, token: str | int
) -> None:
    with bridge.client(revision) as client:
        for method, params, count in (
            ("tools/call", {"name": f"{server}.progress", "arguments": {}}, 3),
            ("resources/read", {"uri": f"{server}://notes/1"}, 1),
            ("prompts/get", {"name": f"{server}.plain"}, 1),
            ("completion/complete", {"ref": named(SQUARES, server), "argument": {"name": "number", "value": "9"}}, 1),
        ):
            reply = client.request(method, {**params, "_meta": {"progressToken": token}})
            assert "result" in reply.message
            assert [each["params"]["progressToken"] for each in reply.notifications] == [token] * count


def test_log_messages_come_from_the_chosen_level_on(sdk: Scenarios, server: str) -> None:
    calls = [[f"{server}.log", {"level": level, "data": level}] for level in ("debug", "warning", "error")]
    heard = sdk("log", level="warning", calls=calls, expected=2)["heard"]
    assert [(each["level"], each["data"], each["logger"]) for each in heard] == [
        (level, {"said": level}, "everything") for level in ("warning", "error")
    ]


def cancelled(client: MCPClient, server: str) -> int:
    """How many of its calls the server was told to stop."""
    return int(text_of(client.call(f"{server}.cancelled").result))


def test_a_call_that_the_client_cancels_is_cancelled_at_the_server(
    sdk: Scenarios, bridge: Bridge, server: str
) -> None:
    client = bridge.client()
    before = cancelled(client, server)
    facts = sdk("cancel", tool=f"{server}.hang", then=f"{server}.cancelled")
    assert "content" in facts["after"]
    eventually(lambda: cancelled(client, server) == before + 1, "the server has heard of it")


def test_a_call_that_the_bridge_gives_up_is_cancelled_at_the_server(
    sdk: Scenarios, bridge: Bridge, server: str
) -> None:
    client = bridge.client()
    before = cancelled(client, server)
    (outcome, after) = sdk("verbs", steps=[["call", f"{server}.slow", {}], ["call", f"{server}.progress", {}]])["outcomes"]
    assert outcome["error"]["data"]["code"] == "timeout"
    assert "result" in after
    eventually(lambda: cancelled(client, server) == before + 1, "the server has heard of it")


def test_an_update_reaches_who_has_subscribed(sdk: Scenarios, server: str) -> None:
    steps = named([["subscribe", "{s}://notes/2"], ["call", "{s}.touch", {"uri": "{s}://notes/2"}]], server)
    facts = sdk("heard", steps=steps, expected=["notifications/resources/updated"])
    assert facts["methods"].count("notifications/resources/updated") == 1


LISTED = {"tools": ("tools/list", "name"), "prompts": ("prompts/list", "name"), "resources": ("resources/list", "uri")}


@pytest.mark.parametrize("kind", LISTED)
def test_each_change_of_a_list_is_told(sdk: Scenarios, bridge: Bridge, server: str, kind: str) -> None:
    method = f"notifications/{kind}/list_changed"
    client = bridge.client()
    # Each change has been listed before the next is made: two that follow at once undo each other.
    for is_there in (True, False):
        facts = sdk("heard", steps=[["call", f"{server}.change", {"list": kind}]], expected=[method])
        assert method in facts["methods"]
        eventually(lambda: any(e.endswith("extra") for e in every(client, *LISTED[kind])) == is_there, "a changed list")


@pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)
def test_clients_of_every_revision_hear_of_updates_and_lists(bridge: Bridge, revision: str, server: str) -> None:
    with bridge.client(revision) as client, client.open_stream() as events:
        uri = f"{server}://notes/5"
        client.request("resources/subscribe", {"uri": uri})
        client.call(f"{server}.touch", {"uri": uri})
        assert events.wait_for("notifications/resources/updated")["params"] == {"uri": uri}
        for is_there in (True, False):
            client.call(f"{server}.change", {"list": "prompts"})
            events.wait_for("notifications/prompts/list_changed")
            eventually(lambda: (f"{server}.extra" in every(client, "prompts/list", "name")) == is_there, "a change")


def test_that_roots_have_changed_is_no_business_of_a_server_that_all_share(
    bridge: Bridge, upstreams: dict[str, SDKUpstream], server: str
) -> None:
    with bridge.client() as client:
        client.notify("notifications/roots/list_changed")
        client.call(f"{server}.progress")
        client.notify("notifications/roots/list_changed")
        client.call(f"{server}.progress")
    assert "roots/list_changed" not in upstreams[server].journal.read_text(encoding="utf-8")
