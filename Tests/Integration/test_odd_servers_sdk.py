"""Both generations of the official SDK, through a bridge whose servers are each odd in one way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import strange_server
import pytest
from harness import Bridge, Bridges
from places import SDK_1_PYTHON, SDK_2_PYTHON
from recorder import Recorder
from sdk_runner import SDKRunner
from upstreams import OddUpstream

#: What is listed, and how.
LISTS = (
    "no_schema",
    "null_schema",
    "empty_schema",
    "null_members",
    "schema_array",
    "schema_string",
    "description_number",
    "annotations_text",
    "icons_number",
    "no_name",
    "twice",
    "odd_names",
    "surrogate",
    "stuck",
    "empty_cursor",
    "late_error",
    "loop",
    "no_capabilities",
    "strict_named",
    "strict_oldest",
)
#: How it says what it says.
SAYING = (
    "refuses_notifications",
    "finds_notifications_invalid",
    "id_text",
    "id_float",
    "error_null",
    "code_text",
    "error_text",
    "result_null",
    "parse_error",
    "bom",
    "bom_first",
    "escapes",
    "blanks",
    "prompt",
    "two_in_a_line",
    "crlf",
)
MODES = LISTS + SAYING
#: What a call of `t` is answered with, where that is an error.
ERRORS = {
    "code_text": "no such file: /x",
    "error_text": "boom",
    "result_null": "quota used up",
    "parse_error": "Parse error",
}

GENERATIONS = [
    pytest.param(("1", "legacy"), id="mcp 1.30"),
    pytest.param(("2", "auto"), id="mcp 2.3 auto"),
    pytest.param(("2", "legacy"), id="mcp 2.3 legacy"),
]


@pytest.fixture(scope="module")
def runners() -> Iterator[dict[str, SDKRunner]]:
    runners = {"1": SDKRunner(SDK_1_PYTHON), "2": SDKRunner(SDK_2_PYTHON)}
    yield runners
    for runner in runners.values():
        runner.close()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Bridge:
    folder = tmp_path_factory.mktemp("odd")
    bridge = shared_bridges.start({mode: OddUpstream(folder, mode).entry for mode in MODES})
    client = bridge.client()
    for mode in MODES:
        bridge.wait_upstream(mode)
        bridge.wait_tool(f"{mode}.{strange_server.names(mode)[-1]}", client)
    return bridge


@pytest.fixture(params=GENERATIONS)
def sdk(request: pytest.FixtureRequest, runners: dict[str, SDKRunner], bridge: Bridge) -> Iterator[Any]:
    generation, mode = request.param
    with Recorder(bridge.address) as recorder:
        yield lambda scenario, **options: runners[generation].run(scenario, recorder.url, mode, **options)
        assert recorder.check() > 0, "the proxy heard nothing"


def test_every_tool_that_has_a_meaning_is_listed(sdk: Any) -> None:
    assert len(MODES) >= 20
    listed = {tool["name"] for tool in sdk("list_tools")["tools"]}
    assert listed == {f"{mode}.{name}" for mode in MODES for name in strange_server.names(mode)}


def test_every_server_answers_and_its_errors_are_its_own(sdk: Any) -> None:
    calls = [[f"{mode}.{strange_server.names(mode)[-1]}", {}] for mode in MODES]
    for mode, outcome in zip(MODES, sdk("errors", calls=calls)["outcomes"], strict=True):
        if mode in ERRORS:
            assert ERRORS[mode] in outcome["error"]["message"], (mode, outcome)
        else:
            assert outcome["result"]["content"][0]["text"].startswith("ok"), (mode, outcome)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in ERRORS])
def test_progress_comes_back(sdk: Any, mode: str) -> None:
    facts = sdk("progress", tool=f"{mode}.{strange_server.names(mode)[0]}", arguments={})
    assert [progress for progress, _, _ in facts["told"]] == [1]
