"""The official Python SDK, both generations, against the daemon over TCP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import demo_tools
import pytest
from harness import Bridge, Bridges
from places import SDK_1_PYTHON, SUPPORT
from recorder import Recorder
from sdk_runner import GENERATIONS, SDKRunner
from upstreams import MisbehavingUpstream, demo_upstream, python_upstream

@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with two commits."""
    path = tmp_path_factory.mktemp("repository")

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", path, *who, *arguments], check=True, capture_output=True)

    git("init", "--initial-branch=main")
    for number in (1, 2):
        (path / "notes.txt").write_text(f"note {number}\n", encoding="utf-8")
        git("add", "notes.txt")
        git("commit", "-m", f"Commit number {number}")
    return path


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, misbehaving: MisbehavingUpstream, repository: Path) -> Bridge:
    python = SDK_1_PYTHON
    bridge = shared_bridges.start(
        {
            "demo": demo_upstream(),
            "time": {"command": str(python), "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"]},
            "git": {"command": str(python), "args": ["-m", "mcp_server_git", "--repository", str(repository)]},
            "bad": misbehaving.entry,
        }
    )
    for name in ("demo", "time", "git", "bad"):
        bridge.wait_upstream(name)
    return bridge


class Scenarios:
    """Runs scenarios through a recording proxy, and holds everything the daemon said against the schema."""

    def __init__(self, runner: SDKRunner, mode: str, url: str) -> None:
        self._runner, self.mode, self._url = runner, mode, url

    def __call__(self, scenario: str, **options: Any) -> dict[str, Any]:
        return self._runner.run(scenario, self._url, self.mode, **options)


@pytest.fixture(params=["streamable", "sse"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=GENERATIONS)
def sdk(
    request: pytest.FixtureRequest, runners: dict[str, SDKRunner], bridge: Bridge, transport: str
) -> Iterator[Scenarios]:
    generation, mode = request.param
    with Recorder(bridge.address) as recorder:
        yield Scenarios(runners[generation], mode, recorder.sse_url if transport == "sse" else recorder.url)
        assert recorder.check() > 0, "the proxy heard nothing"


def texts(result: dict[str, Any]) -> str:
    return "".join(block["text"] for block in result["content"])


def test_connecting_negotiates_the_newest_legacy_revision(sdk: Scenarios) -> None:
    facts = sdk("connect")
    assert facts["version"] == "2025-11-25"
    assert facts["hello"]["serverInfo"]["name"] == "mcp-bridge"
    assert facts["hello"]["capabilities"]["tools"] == {"listChanged": True}
    assert facts["hello"]["instructions"]


def test_the_list_has_the_tools_of_all_upstreams_sorted_by_name(sdk: Scenarios) -> None:
    names = [tool["name"] for tool in sdk("list_tools")["tools"]]
    assert names == sorted(names)
    assert {f"demo.{name}" for name in demo_tools.NAMES} <= set(names)
    assert {"time.get_current_time", "git.git_log", "bad.echo"} <= set(names)


def test_tools_of_the_demo_answer(sdk: Scenarios) -> None:
    calls = [["demo.echo", {"text": "héllo \u2028 𝄞"}], ["demo.add", {"a": 2, "b": 40}], ["demo.clock", {}]]
    echoed, added, clock = sdk("call", calls=calls)["results"]
    assert texts(echoed) == "héllo \u2028 𝄞"
    assert "42" in texts(added)
    assert texts(clock)
    assert not any(result.get("isError") for result in (echoed, added, clock))


def test_tools_of_the_time_server_answer(sdk: Scenarios) -> None:
    arguments = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
    (converted,) = sdk("call", calls=[["time.convert_time", arguments]])["results"]
    assert "21:00" in texts(converted)


def test_tools_of_the_git_server_answer(sdk: Scenarios, repository: Path) -> None:
    calls = [
        ["git.git_log", {"repo_path": str(repository), "max_count": 5}],
        ["git.git_status", {"repo_path": str(repository)}],
    ]
    log, status = sdk("call", calls=calls)["results"]
    assert "Commit number 1" in texts(log) and "Commit number 2" in texts(log)
    assert "main" in texts(status)


def test_every_tool_answers_to_its_safe_name_too(sdk: Scenarios) -> None:
    (result,) = sdk("call", calls=[["demo__echo", {"text": "safe"}]])["results"]
    assert texts(result) == "safe"


def test_progress_of_the_demo_reaches_the_caller(sdk: Scenarios) -> None:
    facts = sdk("progress", tool="demo.sleep", arguments=demo_tools.sleep(100, steps=4))
    told = [progress for progress, _, _ in facts["told"]]
    assert len(told) >= 2 and told == sorted(told), facts["told"]


def test_progress_arrives_whole_and_in_order(sdk: Scenarios) -> None:
    facts = sdk("progress", tool="bad.progress", arguments={"count": 50, "bytes": 10})
    assert facts["told"] == [[number, 50, "x" * 10] for number in range(1, 51)]
    assert texts(facts["result"]) == "50"


def test_a_cancelled_call_is_cancelled_upstream_and_the_session_goes_on(
    sdk: Scenarios, misbehaving: MisbehavingUpstream
) -> None:
    before = len(misbehaving.received("notifications/cancelled"))
    facts = sdk("cancel", tool="bad.never", then="bad.echo")
    assert texts(facts["after"]) == "after"
    cancelled = misbehaving.wait_received("notifications/cancelled", before + 1)[-1]
    hanging = [call for call in misbehaving.received("tools/call") if call["params"]["name"] == "never"][-1]
    assert cancelled["params"]["requestId"] == hanging["id"]


def test_a_failing_tool_is_a_result_and_an_unknown_tool_is_an_error(sdk: Scenarios) -> None:
    calls = [
        ["demo.fail", demo_tools.fail("on purpose")],
        ["demo.nothing", {}],
        ["nobody.echo", {}],
        ["", {}],
        ["bad.error", {"code": -32099, "message": "as it came"}],
        ["demo.echo", {"text": "still here"}],
    ]
    failed, *unknown, relayed, last = sdk("errors", calls=calls)["outcomes"]
    assert failed["result"]["isError"] is True
    assert "on purpose" in texts(failed["result"])
    for name, outcome in zip(("demo.nothing", "nobody.echo", ""), unknown, strict=True):
        assert outcome["error"]["code"] == -32602
        assert outcome["error"]["message"] == f"Unknown tool '{name}'."
        assert outcome["error"]["data"]["code"] == "unknown_tool"
    assert (relayed["error"]["code"], relayed["error"]["message"]) == (-32099, "as it came")
    assert texts(last["result"]) == "still here"


def test_ping_is_answered(sdk: Scenarios) -> None:
    assert sdk("ping")["pong"] == {}


def test_log_messages_at_the_chosen_level_reach_the_caller(sdk: Scenarios) -> None:
    calls = [
        ["bad.log", {"level": "debug", "data": "quiet"}],
        ["bad.log", {"level": "error", "data": "loud"}],
    ]
    heard = sdk("log", level="warning", calls=calls, expected=1)["heard"]
    assert [(each["level"], each["data"]) for each in heard] == [("error", "loud")]


def test_a_changed_list_is_told_and_listed(sdk: Scenarios) -> None:
    facts = sdk("list_changed", provoke=["bad.set_tools", {"names": ["brand_new"]}], expected="bad.brand_new")
    try:
        assert "bad.brand_new" in facts["after"]
    finally:
        sdk("call", calls=[["bad.set_tools", {"names": []}]])


def test_twenty_sessions_side_by_side_get_their_own_answers(sdk: Scenarios) -> None:
    answers = sdk("side_by_side", tool="demo.echo", sessions=20, calls=10)["answers"]
    assert answers == {f"{session}/{call}": f"{session}/{call}" for session in range(20) for call in range(10)}


def test_the_modern_probe_is_answered_so_that_clients_fall_back(bridge: Bridge) -> None:
    """What `Client(url)` of mcp 2.3 sends first; any other answer than an error makes it give up or hang."""
    client = bridge.new_client()
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "mcp", "version": "0.1.0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    probe = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}}
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "server/discover"}
    response = client.exchange("POST", probe, headers)
    answer = response.json()
    assert 400 <= response.status < 500
    assert answer["error"]["code"] < 0
    assert "mcp-session-id" not in response.headers
    # An empty list of versions would tell the client that there is nothing to fall back to.
    assert answer["error"].get("data", {}).get("supported") != []


def test_the_default_configuration_serves_the_demo(bridges: Bridges, runners: dict[str, SDKRunner]) -> None:
    bridge = bridges.start(None)
    names = runners["1"].run("list_tools", bridge.url, "legacy")["tools"]
    echo = next(tool["name"] for tool in names if tool["name"].endswith(".echo"))
    facts = runners["1"].run("call", bridge.url, "legacy", calls=[[echo, {"text": "hello"}]])
    assert texts(facts["results"][0]) == "hello"


def test_a_relative_path_is_taken_from_the_folder_of_the_configuration(bridges: Bridges) -> None:
    bridge = bridges.make({"near": python_upstream("./near.py")})
    (bridge.folder / "near.py").write_text((SUPPORT / "misbehaving_server.py").read_text(encoding="utf-8"))
    bridge.start().wait_upstream("near")
    with bridge.client() as client:
        assert "near.echo" in client.tool_names()
