"""Prompts, resources, templates, subscriptions and completion, through the bridge as without it: the official SDK, both
generations, against the demo server that has everything. Every message is held against the schema."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Bridge, Bridges
from places import BINARY, SDK_1_PYTHON, SDK_2_PYTHON
from recorder import Recorder
from sdk_runner import SDKRunner
from upstreams import demo_upstream
from waiting import eventually

GENERATIONS = [
    pytest.param(("1", "legacy"), id="mcp 1.30"),
    pytest.param(("2", "legacy"), id="mcp 2.3"),
]

EVERYTHING = {"command": str(BINARY), "args": ["demo-server", "--everything"]}


@pytest.fixture(scope="module")
def runners() -> Iterator[dict[str, SDKRunner]]:
    runners = {"1": SDKRunner(SDK_1_PYTHON), "2": SDKRunner(SDK_2_PYTHON)}
    yield runners
    for runner in runners.values():
        runner.close()


def started(bridges: Bridges, **settings: Any) -> Bridge:
    bridge = bridges.start({"e": EVERYTHING, "demo": demo_upstream()}, bridge=settings)
    for name in ("e", "demo"):
        bridge.wait_upstream(name)
    return bridge


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return started(shared_bridges)


@pytest.fixture(scope="module")
def paging(shared_bridges: Bridges) -> Bridge:
    return started(shared_bridges, pageSize=3)


class Scenarios:
    def __init__(self, runner: SDKRunner, mode: str, transport: str) -> None:
        self._runner, self._mode, self._transport = runner, mode, transport

    def __call__(self, bridge: Bridge, scenario: str, **options: Any) -> dict[str, Any]:
        with Recorder(bridge.address) as recorder:
            url = recorder.sse_url if self._transport == "sse" else recorder.url
            facts = self._runner.run(scenario, url, self._mode, **options)
            assert recorder.check() > 0, "the proxy heard nothing"
        return facts

    def steps(self, bridge: Bridge, *steps: list[Any]) -> list[dict[str, Any]]:
        return self(bridge, "verbs", steps=list(steps))["outcomes"]


@pytest.fixture(params=["streamable", "sse"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=GENERATIONS)
def sdk(request: pytest.FixtureRequest, runners: dict[str, SDKRunner], transport: str) -> Scenarios:
    generation, mode = request.param
    return Scenarios(runners[generation], mode, transport)


def test_what_is_served_is_declared(sdk: Scenarios, bridge: Bridge) -> None:
    hello = sdk(bridge, "connect")["hello"]
    for name in ("tools", "prompts", "resources"):
        assert hello["capabilities"][name]["listChanged"] is True
    assert hello["capabilities"]["resources"]["subscribe"] is True
    assert "completions" in hello["capabilities"]
    assert "e., demo." in hello["instructions"] and "## e" in hello["instructions"]


@pytest.mark.parametrize("which", ["bridge", "paging"])
def test_every_list_is_whole(sdk: Scenarios, which: str, request: pytest.FixtureRequest) -> None:
    lists = sdk(request.getfixturevalue(which), "lists")
    prompts = [prompt["name"] for prompt in lists["prompts"]]
    assert prompts == ["e.content", "e.greeting", "e.plain"]
    uris = [resource["uri"] for resource in lists["resources"]]
    assert uris == sorted(uris) and len(uris) == 26 and "demo://notes/25" in uris
    assert [template["uriTemplate"] for template in lists["templates"]] == [
        "demo://numbers/{number}",
        "demo://paths/{+path}",
    ]
    assert {"e.ask_model", "demo.echo"} <= {tool["name"] for tool in lists["tools"]}


def test_prompts_are_got(sdk: Scenarios, bridge: Bridge) -> None:
    greeting, contents, missing, unknown = sdk.steps(
        bridge,
        ["get_prompt", "e.greeting", {"name": "Ada", "style": "formal"}],
        ["get_prompt", "e.content", {}],
        ["get_prompt", "e.greeting", {}],
        ["get_prompt", "e.nothing", {}],
    )
    assert greeting["result"]["messages"][0]["content"]["text"] == "Write a formal greeting for Ada."
    kinds = [message["content"]["type"] for message in contents["result"]["messages"]]
    assert kinds == ["text", "image", "audio", "resource", "resource_link"]
    assert missing["error"]["code"] == -32602 and "'name' is missing" in missing["error"]["message"]
    assert unknown["error"] == {
        "code": -32602,
        "message": "Unknown prompt 'e.nothing'.",
        "data": {"code": "unknown_prompt"},
    }


def test_resources_are_read_under_their_own_uris(sdk: Scenarios, bridge: Bridge) -> None:
    note, picture, number, path, unknown, nobody = sdk.steps(
        bridge,
        ["read", "demo://notes/3"],
        ["read", "demo://picture"],
        ["read", "demo://numbers/7"],
        ["read", "demo://paths/a/b"],
        ["read", "demo://nothing"],
        ["read", "elsewhere://nothing"],
    )
    assert note["result"]["contents"][0]["text"].startswith("This is demo://notes/3.")
    assert picture["result"]["contents"][0]["blob"]
    assert number["result"]["contents"][0]["text"] == "7 squared is 49."
    assert path["result"]["contents"][0]["text"] == "The path is a/b."
    # The only server with resources is asked, and says so itself.
    assert [each["error"]["code"] for each in (unknown, nobody)] == [-32002, -32002]


def test_what_a_result_names_can_be_read(sdk: Scenarios, bridge: Bridge) -> None:
    called, read = sdk.steps(bridge, ["call", "e.content", {}], ["read", "demo://handed-out"])
    assert [block["type"] for block in called["result"]["content"]] == [
        "text",
        "image",
        "audio",
        "resource",
        "resource_link",
    ]
    assert read["result"]["contents"][0]["text"] == "No list has this."


def test_completion_goes_by_reference_and_context(sdk: Scenarios, bridge: Bridge) -> None:
    prompt, context, template, unknown = sdk.steps(
        bridge,
        ["complete", {"type": "ref/prompt", "name": "e.greeting"}, {"name": "style", "value": "f"}, {}],
        [
            "complete",
            {"type": "ref/prompt", "name": "e.greeting"},
            {"name": "name", "value": ""},
            {"style": "formal"},
        ],
        ["complete", {"type": "ref/resource", "uri": "demo://numbers/{number}"}, {"name": "number", "value": "1"}, {}],
        ["complete", {"type": "ref/prompt", "name": "e.nothing"}, {"name": "x", "value": ""}, {}],
    )
    assert prompt["result"]["values"] == ["formal", "friendly"]
    assert context["result"]["values"] == ["Dr. Ada", "Dr. Alan"]
    assert len(template["result"]["values"]) == 100 and template["result"]["hasMore"] is True
    assert unknown["error"]["code"] == -32602


def test_an_update_reaches_who_has_subscribed(sdk: Scenarios, bridge: Bridge) -> None:
    steps = [["subscribe", "demo://notes/4"], ["call", "e.touch", {"uri": "demo://notes/4"}]]
    facts = sdk(bridge, "heard", steps=steps, expected=["notifications/resources/updated"])
    assert facts["methods"].count("notifications/resources/updated") == 1


def test_who_has_left_is_told_nothing(sdk: Scenarios, bridge: Bridge) -> None:
    *_, touched, refused = sdk.steps(
        bridge,
        ["subscribe", "demo://notes/5"],
        ["unsubscribe", "demo://notes/5"],
        ["call", "e.touch", {"uri": "demo://notes/5"}],
        ["subscribe", "demo://nothing"],
    )
    assert touched["result"]["content"][0]["text"] == "Nobody has subscribed to it."
    assert refused["error"]["code"] == -32002


def test_a_server_that_dies_is_subscribed_to_again(bridges: Bridges) -> None:
    bridge = started(bridges)
    client = bridge.client()
    client.request("resources/subscribe", {"uri": "demo://notes/6"})
    events = client.open_stream()
    os.kill(bridge.upstream_child("e").pid, signal.SIGKILL)
    # Something may have been missed meanwhile.
    assert events.wait_for("notifications/resources/updated")["params"] == {"uri": "demo://notes/6"}
    touched = client.request("tools/call", {"name": "e.touch", "arguments": {"uri": "demo://notes/6"}})
    assert touched.result["content"][0]["text"] == "You are told."
    assert events.wait_for("notifications/resources/updated")["params"] == {"uri": "demo://notes/6"}


@pytest.mark.parametrize("kind", ["tools", "prompts", "resources"])
def test_each_change_of_a_list_is_told(sdk: Scenarios, bridge: Bridge, kind: str) -> None:
    method = f"notifications/{kind}/list_changed"
    client = bridge.client()

    def has_extra() -> bool:
        return any(entry["name"].endswith("extra") for entry in client.request(f"{kind}/list").result[kind])

    # Each change has been listed before the next is made: two that follow at once undo each other, and a session that is
    # made within the second of a change is told of that one.
    for is_there in (True, False):
        facts = sdk(bridge, "heard", steps=[["call", "e.change", {"list": kind}]], expected=[method])
        assert method in facts["methods"]
        eventually(lambda: has_extra() == is_there, f"{kind} that are changed")


def test_what_is_kept_back_cannot_be_reached(sdk: Scenarios, bridges: Bridges) -> None:
    entry = {
        **EVERYTHING,
        "prompts": {"deny": ["plain"], "rename": {"greeting": "hello"}},
        "resources": {"deny": ["demo://notes/1*", "demo://numbers/*"]},
    }
    bridge = bridges.start({"e": entry})
    bridge.wait_upstream("e")
    lists = sdk(bridge, "lists")
    assert [prompt["name"] for prompt in lists["prompts"]] == ["e.content", "e.hello"]
    assert "demo://notes/12" not in [resource["uri"] for resource in lists["resources"]]
    assert [template["uriTemplate"] for template in lists["templates"]] == ["demo://paths/{+path}"]
    hello, *refused = sdk.steps(
        bridge,
        ["get_prompt", "e.hello", {"name": "Ada"}],
        ["get_prompt", "e.plain", {}],
        ["get_prompt", "e.greeting", {"name": "Ada"}],
        ["read", "demo://notes/12"],
        ["read", "demo://notes/%312"],
        ["read", "demo://numbers/7"],
        ["subscribe", "demo://notes/12"],
        ["complete", {"type": "ref/resource", "uri": "demo://numbers/{number}"}, {"name": "number", "value": ""}, {}],
        ["complete", {"type": "ref/prompt", "name": "e.plain"}, {"name": "x", "value": ""}, {}],
    )
    assert hello["result"]["messages"]
    assert [outcome["error"]["code"] for outcome in refused] == [
        *(-32602, -32602),
        *(-32002, -32002, -32002, -32002, -32002),
        -32602,
    ]
