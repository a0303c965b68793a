"""What servers ask their clients in the middle of calls: through the bridge as without it, and nobody else is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness import Bridge, Bridges
from places import BINARY, SDK_1_PYTHON, SDK_2_PYTHON
from recorder import Recorder
from sdk_runner import SDKRunner
from upstreams import demo_upstream

EVERYTHING = {"command": str(BINARY), "args": ["demo-server", "--everything"], "asks": True}
SAID = {"role": "assistant", "model": "m1", "content": {"type": "text", "text": "four"}, "stopReason": "endTurn"}
ANSWERS: dict[str, Any] = {
    "sampling/createMessage": SAID,
    "elicitation/create": {"action": "accept", "content": {"text": "yes"}},
    "roots/list": {"roots": [{"uri": "file:///work", "name": "work"}]},
}
SHAPES = ("text", "number", "integer", "boolean", "choice", "titled", "several", "titledSeveral", "defaults", "all")


@pytest.fixture(scope="module")
def runners() -> Iterator[dict[str, SDKRunner]]:
    runners = {"1": SDKRunner(SDK_1_PYTHON), "2": SDKRunner(SDK_2_PYTHON)}
    yield runners
    for runner in runners.values():
        runner.close()


def started(bridges: Bridges, **entry: Any) -> Bridge:
    bridge = bridges.start({"e": {**EVERYTHING, **entry}, "demo": demo_upstream()})
    for name in ("e", "demo"):
        bridge.wait_upstream(name)
    return bridge


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return started(shared_bridges)


class Asked:
    """One SDK's scenarios, each through a proxy that holds every message against the schema."""

    def __init__(self, runner: SDKRunner) -> None:
        self._runner = runner

    def __call__(self, bridge: Bridge, *calls: list[Any], **answers: Any) -> dict[str, Any]:
        with Recorder(bridge.address) as recorder:
            facts = self._runner.run(
                "asked", recorder.url, "legacy", calls=list(calls), answers={**ANSWERS, **answers}
            )
            assert recorder.check() > 0, "the proxy heard nothing"
        return facts

    def text(self, bridge: Bridge, name: str, arguments: dict[str, Any], **answers: Any) -> str:
        return self(bridge, [name, arguments], **answers)["outcomes"][0]["content"][0]["text"]


@pytest.fixture(params=["1", "2"], ids=["mcp 1.30", "mcp 2.3"])
def sdk(request: pytest.FixtureRequest, runners: dict[str, SDKRunner]) -> Asked:
    return Asked(runners[request.param])


def test_a_model_is_asked(sdk: Asked, bridge: Bridge) -> None:
    facts = sdk(bridge, ["e.ask_model", {"prompt": "2 + 2?"}])
    [[method, params]] = facts["questions"]
    assert method == "sampling/createMessage"
    assert params["messages"][0]["content"]["text"] == "2 + 2?"
    assert params["systemPrompt"] == "Answer in one sentence."
    assert facts["outcomes"][0]["content"][0]["text"] == "The model m1 said: four"


def test_a_model_is_asked_with_tools(sdk: Asked, bridge: Bridge) -> None:
    use = {"type": "tool_use", "id": "1", "name": "look_up", "input": {"word": "four"}}
    answer = {"role": "assistant", "model": "m1", "content": use, "stopReason": "toolUse"}
    facts = sdk(bridge, ["e.ask_model", {"prompt": "2 + 2?", "tools": True}], **{"sampling/createMessage": answer})
    assert facts["questions"][0][1]["tools"][0]["name"] == "look_up"
    assert "look_up" in facts["outcomes"][0]["content"][0]["text"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_person_is_asked(sdk: Asked, bridge: Bridge, shape: str) -> None:
    facts = sdk(bridge, ["e.ask_person", {"shape": shape}])
    [[method, params]] = facts["questions"]
    assert method == "elicitation/create"
    assert params["requestedSchema"]["properties"]
    assert "accept" in facts["outcomes"][0]["content"][0]["text"]


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_person_does_not_want_to(sdk: Asked, bridge: Bridge, action: str) -> None:
    text = sdk.text(bridge, "e.ask_person", {}, **{"elicitation/create": {"action": action}})
    assert text == f"The person answered: {action}"


def test_a_page_is_shown(sdk: Asked, bridge: Bridge) -> None:
    facts = sdk(bridge, ["e.ask_page", {}], **{"elicitation/create": {"action": "accept"}})
    params = facts["questions"][0][1]
    assert params["mode"] == "url"
    assert params["url"].startswith("https://example.com/confirm?id=")
    assert facts["outcomes"][0]["content"][0]["text"] == "The person answered: accept"


def test_roots_are_told(sdk: Asked, bridge: Bridge) -> None:
    assert sdk.text(bridge, "e.ask_roots", {}) == "The roots are: file:///work"


def test_two_questions_of_one_call(sdk: Asked, bridge: Bridge) -> None:
    facts = sdk(bridge, ["e.ask_twice", {}])
    assert len(facts["questions"]) == 2
    assert not facts["outcomes"][0].get("isError")


def test_every_answer_reaches_its_asker(runners: dict[str, SDKRunner], bridge: Bridge) -> None:
    options = {"tool": "e.ask_model", "sessions": 64, "calls": 3}
    facts = runners["1"].run("asked_side_by_side", bridge.url, "legacy", **options)
    assert facts["wrong"] == []
    # Nobody was asked twice.
    assert facts["asked"] == sorted(f"{number}/{index}" for number in range(64) for index in range(3))
