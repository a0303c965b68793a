"""Servers whose lists are not as MCP has them: what has a meaning is shown, and spoils nothing that others list."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import strange_server
import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges
from mcp_http import MCPClient
from upstreams import OddUpstream
from waiting import eventually

#: Every mode that is about lists, and what is said of it in `status`, if anything.
NOTES: dict[str, str | None] = {
    "plain": None,
    "no_schema": "shown mended: 'bare' (inputSchema is missing)",
    "null_schema": "shown mended: 'bare' (inputSchema is missing)",
    "empty_schema": "shown mended: 'bare' (inputSchema.type is missing)",
    "schema_no_type": "shown mended: 'bare' (inputSchema.type is missing)",
    "null_members": "shown mended: 'bare' (title is null",
    "schema_array": "left out, since no client could read them: 'bad' (inputSchema is not an object)",
    "schema_string": "'bad' (inputSchema.type is not \"object\")",
    "schema_types": "'bad' (inputSchema.type is not \"object\")",
    "description_number": "'bad' (description is not a string)",
    "annotations_text": "'bad' (annotations is not an object)",
    "hint_text": "'bad' (annotations.readOnlyHint is neither true nor false)",
    "output_array": "'bad' (outputSchema is not an object)",
    "icons_number": "'bad' (icons is not an array)",
    "meta_array": "'bad' (_meta is not an object)",
    "required_text": "'bad' (inputSchema.required is not an array)",
    "no_name": "3 tools are left out",
    "no_objects": "5 tools are left out",
    "twice": "2 tools are listed more than once, and shown once: 't', 't'",
    "odd_names": "2 tools are named as not every client takes it",
    "surrogate": "'bare' (half of a surrogate pair was replaced)",
    "surrogate_name": "(name has half of a surrogate pair)",
    "stuck": "tools/list repeats a cursor; the list of tools ends there",
    "repeats_page": "tools/list repeats a cursor; the list of tools ends there",
    "empty_cursor": "tools/list gives an empty cursor, and does not take it",
    "number_cursor": None,
    "object_cursor": "tools/list gives a cursor that is no text",
    "late_error": "page 2 is missing (it answered with an error: no such page: 2)",
    "late_nonsense": "page 2 is missing (the result of tools/list has no list of tools)",
    "no_end": "tools/list has more than 1000 pages, a fixed limit",
    "null_tools": None,
    "loop": "it says after every list of tools that the list has changed, and it has not",
    "eager_loop": "it says after every list of tools that the list has changed, and it has not",
    "no_capabilities": None,
    "no_capabilities_tools": None,
    "no_tools": "it announces no tools, and has none",
}
#: Those that say of each list that it has changed: nothing is said of it before it has been seen several times.
LOOPS = ("loop", "eager_loop")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, OddUpstream]:
    folder = tmp_path_factory.mktemp("odd")
    return {mode: OddUpstream(folder, mode) for mode in NOTES}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, servers: dict[str, OddUpstream]) -> Bridge:
    """One bridge with every odd server."""
    bridge = shared_bridges.start({mode: server.entry for mode, server in servers.items()})
    for mode in servers:
        bridge.wait_upstream(mode)
    return bridge


@pytest.fixture(scope="module")
def client(bridge: Bridge) -> MCPClient:
    """A client, when every server has been listed."""
    looking = bridge.client(validate=False)
    for mode in NOTES:
        for name in strange_server.names(mode)[-1:]:
            bridge.wait_tool(f"{mode}.{name}", looking)
    return bridge.client()


@pytest.fixture(scope="module")
def listed(client: MCPClient) -> list[str]:
    """All tools, in a list that is as the schema has it."""
    return client.tool_names()


@pytest.fixture(scope="module")
def status(bridge: Bridge) -> Said:
    """`mcp-bridge status`, when all there is to be said is said."""
    for mode in LOOPS:
        eventually(lambda mode=mode: bridge.upstream(mode).get("notes"), f"a note about {mode}")
    return beside(bridge, "status")


@pytest.mark.parametrize("mode", NOTES)
def test_every_tool_that_has_a_meaning_is_listed_and_can_be_called(
    client: MCPClient, listed: list[str], mode: str
) -> None:
    wanted = [f"{mode}.{name}" for name in strange_server.names(mode)]
    assert sorted(name for name in listed if name.startswith(f"{mode}.")) == sorted(wanted)
    for name in wanted[:3]:
        (block,) = client.call(name).result["content"]
        assert block["text"].startswith("ok")


@pytest.mark.parametrize("mode", NOTES)
def test_status_says_what_is_odd_and_does_not_call_it_a_failure(bridge: Bridge, status: Said, mode: str) -> None:
    assert status.status == 0, status
    (row,) = [row for row in table(status.out.split("\n\n")[1].splitlines()) if row["UPSTREAM"] == mode]
    notes = bridge.upstream(mode).get("notes", [])
    assert row["STATE"] == "ready", row
    note = NOTES[mode]
    if note is None:
        assert (row["TROUBLE"], notes) == ("", [])
        return
    assert row["TROUBLE"] == "see the note below", (row, notes)
    assert [said for said in notes if note in said], notes
    assert [line for line in status.out.splitlines() if line.startswith(f"{mode}: ") and note in line], status.out


@pytest.mark.parametrize("mode", [mode for mode, note in NOTES.items() if note and mode not in (*LOOPS, "no_tools")])
def test_what_is_odd_is_logged_once(bridge: Bridge, client: MCPClient, mode: str) -> None:
    lines = [line for line in bridge.log if "used as far as it goes" in line and f"upstream={mode} " in line]
    assert len(lines) == 1, lines


@pytest.mark.parametrize("mode", LOOPS)
def test_a_server_that_announces_changes_that_are_none_is_asked_less_and_less_often(
    bridge: Bridge, servers: dict[str, OddUpstream], status: Said, mode: str
) -> None:
    warnings = [line for line in bridge.log if "changes that are none" in line and f"upstream={mode} " in line]
    assert len(warnings) == 1 and "refreshInterval" in warnings[0]
    asked = eventually(
        lambda: asked if len(asked := servers[mode].received("tools/list")) >= 6 else None, "it is asked again and again"
    )
    times = [message["at"] for message in asked]
    waits = [later - earlier for earlier, later in zip(times[1:], times[2:], strict=False)]
    # A timer goes off too late on a busy machine, never too early.
    assert all(wait >= 0.1 * 2**number - 0.01 for number, wait in enumerate(waits)), waits


def test_lists_of_both_spellings_are_valid_and_odd_names_are_hashed_in_the_safe_one(bridge: Bridge) -> None:
    client = bridge.new_client()
    client.path = "/mcp?names=safe"
    names = client.initialize().tool_names()
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names), names
    odd = [name for name in names if name.startswith("odd_names__")]
    assert len(odd) == 3, odd
    for name in odd:
        assert client.call(name).result["content"][0]["text"] == "ok"


def test_half_a_surrogate_pair_reaches_nobody(bridge: Bridge, client: MCPClient) -> None:
    reply = client.call("surrogate.t", progress_token="p")
    assert reply.result["content"][0]["text"] == "ok \ufffd"
    told = json.dumps([*reply.notifications, reply.result])
    assert "\\ufffd" in told and "\\ud83d" not in told and "\\udc00" not in told


def test_a_page_that_is_lost_keeps_what_it_had(bridges: Bridges, folder: Path) -> None:
    server = OddUpstream(folder, "second_page_dies")
    bridge = bridges.start({"u": server.entry}, bridge={"refreshInterval": 0.2})
    client = bridge.client()
    bridge.wait_tool("u.p2", client)
    eventually(lambda: "is missing" in str(bridge.upstream("u").get("notes")), "the second page is lost")
    assert client.tool_names() == ["u.p1", "u.p2"]


def test_what_an_older_version_kept_is_looked_at_too(bridges: Bridges) -> None:
    bridge = bridges.make({"down": {"command": "/nonexistent/server"}})
    bridge.state.mkdir(parents=True)
    kept: list[Any] = [{"name": "bare"}, {"name": "bad", "inputSchema": []}, {"name": "null", "description": None}]
    (bridge.state / "tools-cache.json").write_text(json.dumps({"toolsByUpstream": {"down": kept}}), encoding="utf-8")
    bridge.start("live")
    client = bridge.client()
    tools = client.request("tools/list").result["tools"]
    assert [tool["name"] for tool in tools] == ["down.bare", "down.null"]
    assert all(tool["inputSchema"] == {"type": "object"} and "description" not in tool for tool in tools)
