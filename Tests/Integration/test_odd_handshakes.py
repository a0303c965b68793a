"""Servers that begin otherwise than the specification has it, and calls of those that never come up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from upstreams import OddUpstream
from waiting import eventually

NEWEST = "2025-11-25"
#: What a server is asked with, in this order, in one start.
PROPOSALS = {
    "plain": [NEWEST],
    "draft": [NEWEST],
    "strict_named": [NEWEST, "2025-06-18"],
    "strict_named_many": [NEWEST, "2025-03-26"],
    "strict": [NEWEST, "2025-06-18", "2025-03-26"],
    "strict_oldest": [NEWEST, "2025-06-18", "2025-03-26", "2024-11-05"],
}
NEVER = {
    "strict_never": [NEWEST, "2025-06-18", "2025-03-26", "2024-11-05"],
    "strict_named_never": [NEWEST],
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, OddUpstream]:
    folder = tmp_path_factory.mktemp("handshakes")
    return {mode: OddUpstream(folder, mode) for mode in (*PROPOSALS, *NEVER, "strict_exits")}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, servers: dict[str, OddUpstream]) -> Bridge:
    entries = {mode: server.entry for mode, server in servers.items()}
    down = {"command": "/nonexistent/server"}
    return shared_bridges.start(
        {**entries, "down": down, "renamed": {**down, "prefix": "other"}}, ready="live", bridge={"listWait": 2}
    )


def proposed(server: OddUpstream, life: int = 0) -> list[str]:
    """What one of its processes was asked with."""
    hellos = server.received("initialize")
    pids = list(dict.fromkeys(hello["pid"] for hello in hellos))
    return [hello["params"]["protocolVersion"] for hello in hellos if hello["pid"] == pids[life]]


@pytest.mark.parametrize("mode", PROPOSALS)
def test_a_server_that_refuses_a_revision_is_asked_with_another_in_the_same_start(
    bridge: Bridge, servers: dict[str, OddUpstream], mode: str
) -> None:
    bridge.wait_upstream(mode)
    assert proposed(servers[mode]) == PROPOSALS[mode]
    assert len({hello["pid"] for hello in servers[mode].received("initialize")}) == 1
    client = bridge.client()
    bridge.wait_tool(f"{mode}.t", client)
    assert client.call(f"{mode}.t").result["content"][0]["text"] == "ok"


def test_a_server_that_ends_after_its_refusal_is_started_with_the_next(
    bridge: Bridge, servers: dict[str, OddUpstream]
) -> None:
    bridge.wait_upstream("strict_exits")
    assert [proposed(servers["strict_exits"], life) for life in (0, 1)] == [[NEWEST], ["2025-06-18"]]


@pytest.mark.parametrize("mode", NEVER)
def test_a_server_that_takes_none_says_so(bridge: Bridge, servers: dict[str, OddUpstream], mode: str) -> None:
    assert "Unsupported protocol version" in bridge.wait_error(mode)["lastError"]
    assert proposed(servers[mode]) == NEVER[mode]


@pytest.mark.parametrize("name", ["strict_never.t", "strict_never__t", "down.some", "down__some", "other.some"])
def test_a_call_of_a_server_that_was_never_listed_says_what_is_wrong_with_it(bridge: Bridge, name: str) -> None:
    upstream = {"strict": "strict_never", "down": "down", "other": "renamed"}[name.split(".")[0].split("_")[0]]
    error = bridge.wait_error(upstream)["lastError"]
    failure = bridge.client().call(name).failure
    assert failure.word == "upstream_unavailable"
    words = "Unsupported protocol version" if upstream == "strict_never" else error
    assert f"'{upstream}'" in failure.message and words in failure.message, failure


@pytest.mark.parametrize("name", ["nobody.t", "plain.nothing", "strict_neve.t", "t", "renamed.some"])
def test_a_name_that_no_such_server_can_have_is_unknown(bridge: Bridge, name: str) -> None:
    bridge.wait_upstream("plain")
    assert bridge.client().call(name).failure.word == "unknown_tool"


def test_what_a_server_took_is_proposed_first_after_a_restart_and_for_a_week(bridges: Bridges, folder: Path) -> None:
    server = OddUpstream(folder, "strict", start="lazy")
    bridge = bridges.start({"u": server.entry})
    kept = bridge.state / "tools-cache.json"

    def call_once() -> None:
        client = bridge.client()
        bridge.wait_tool("u.t", client)
        assert client.call("u.t").result["content"][0]["text"] == "ok"

    call_once()

    def read() -> dict[str, Any]:
        return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}

    proposal = eventually(lambda: read().get("revisionsByUpstream"), "the proposal is kept")["u"]
    assert proposal["propose"] == "2025-03-26"
    bridge.stop()
    bridge.start()
    call_once()
    assert proposed(server, 1) == ["2025-03-26"]
    bridge.stop()
    text = read()
    assert text["revisionsByUpstream"]["u"] == proposal, "taking it again does not prolong that"
    text["revisionsByUpstream"]["u"]["until"] = 1
    kept.write_text(json.dumps(text), encoding="utf-8")
    bridge.start()
    call_once()
    assert proposed(server, 2) == PROPOSALS["strict"]


def test_a_start_that_was_too_slow_is_followed_by_one_with_more_time(bridges: Bridges, folder: Path) -> None:
    entry = OddUpstream(folder, "slow").entry
    fixed = {**entry, "timeouts": {"connect": 0.4}}
    bridge = bridges.start(
        {"patient": entry, "fixed": fixed},
        ready="live",
        bridge={"timeouts": {"connect": 0.5}, "reconnect": {"maximum": 1}},
    )
    bridge.wait_logged("it did not answer initialize within 0.5 s (timeouts.connect); the next start gets 1 s")
    bridge.wait_upstream("patient")
    assert bridge.wait_error("fixed")["lastError"] == "it did not answer initialize within 0.4 s (timeouts.connect)"
    eventually(lambda: bridge.upstream("fixed")["reconnectAttempts"] >= 2, "another start is too slow")
    assert not bridge.upstream("fixed")["connected"]
