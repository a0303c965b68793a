"""Upstreams that start badly, or list badly, and that it hurts nobody else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from callers import DID_NOT_RUN
from harness import Bridges
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE


def test_an_upstream_that_never_introduces_itself_harms_nobody(bridges: Bridges, folder: Path) -> None:
    silent = MisbehavingUpstream(folder, "bad", "--silent")
    entry = {**silent.entry, "timeouts": {"connect": 1}}
    bridge = bridges.start({"demo": demo_upstream(), "bad": entry}, ready="live", bridge={"listWait": 1})
    bridge.wait_upstream("demo")
    client = bridge.client()
    bridge.wait_tool("demo.echo", client)
    assert client.echoes("demo")
    row = bridge.wait_error("bad")
    assert row["connected"] is False
    assert row["reconnectAttempts"] >= 1


def test_a_slow_start_delays_only_lists_that_never_had_it(bridges: Bridges, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = MisbehavingUpstream(folder, "bad", "--start-gate", str(gate))
    bridge = bridges.start({"demo": demo_upstream(), "bad": slow.entry}, ready="live", bridge={"listWait": 600})
    bridge.wait_upstream("demo")
    client = bridge.client()
    assert client.echoes("demo")
    listed: list[list[str]] = []
    with client.beside() as other:
        listing = threading.Thread(target=lambda: listed.append(other.tool_names()))
        listing.start()
        gate.write_text("go", encoding="utf-8")
        listing.join(PATIENCE)
    assert listed and "bad.echo" in listed[0] and "demo.echo" in listed[0]


def test_a_call_waits_for_an_upstream_that_never_had_a_list(bridges: Bridges, folder: Path) -> None:
    """Its tools are not unknown, only not known yet."""
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = MisbehavingUpstream(folder, "bad", "--start-gate", str(gate))
    bridge = bridges.start({"demo": demo_upstream(), "bad": slow.entry}, ready="live", bridge={"listWait": 600})
    bridge.wait_upstream("demo")
    client = bridge.client()
    with client.open_request("tools/call", {"name": "bad.echo", "arguments": {"text": "early"}}) as waiting:
        assert client.echoes("demo")
        gate.write_text("go", encoding="utf-8")
        assert text_of(waiting.read_response().json()["result"]) == "early"


@pytest.mark.parametrize("wait", [0, 0.2])
def test_a_list_waits_no_longer_than_it_may(bridges: Bridges, folder: Path, wait: float) -> None:
    """And what it missed is told when it comes."""
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = MisbehavingUpstream(folder, "bad", "--start-gate", str(gate))
    bridge = bridges.start({"demo": demo_upstream(), "bad": slow.entry}, ready="live", bridge={"listWait": wait})
    bridge.wait_upstream("demo")
    client = bridge.client()
    with client.keep_stream_open() as stream:
        assert "bad.echo" not in bridge.wait_tool("demo.echo", client)
        gate.write_text("go", encoding="utf-8")
        stream.wait_for_list(lambda names: "bad.echo" in names)


def test_an_upstream_that_cannot_start_is_told_and_tried_again(bridges: Bridges, folder: Path) -> None:
    broken = MisbehavingUpstream(folder, "bad", "--exit-at-start", "3")
    missing = {"command": "/no/such/program", "args": []}
    servers = {"demo": demo_upstream(), "bad": broken.entry, "none": missing}
    bridge = bridges.start(servers, ready="live", bridge={"listWait": 1})
    bridge.wait_upstream("demo")
    client = bridge.client()
    assert {name.partition(".")[0] for name in bridge.wait_tool("demo.echo", client)} == {"demo"}
    for name in ("bad", "none"):
        row = bridge.wait_error(name)
        assert row["connected"] is False and row["reconnectAttempts"] >= 1
        assert client.call(f"{name}.echo").failure.word in (DID_NOT_RUN, "unknown_tool")
    assert bridge.health()["status"] == "ok"
    assert bridge.get("/health").status == 200


def test_all_pages_of_a_list_are_read(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--pages", "30", "--page-size", "50")
    bridge = bridges.start({"bad": upstream.entry})
    bridge.wait_upstream("bad")
    names = bridge.client().tool_names()
    expected = {f"bad.page{page}_{index}" for page in range(1, 30) for index in range(50)}
    assert expected <= set(names) and names == sorted(names)


def test_a_list_without_an_end_is_given_up(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--pages", "1000000", "--page-size", "1")
    entry = {**upstream.entry, "timeouts": {"list": 2, "connect": 2}}
    bridge = bridges.start({"demo": demo_upstream(), "bad": entry}, ready="live", bridge={"listWait": 1})
    bridge.wait_upstream("demo")
    client = bridge.client()
    bridge.wait_tool("demo.echo", client)
    assert client.echoes("demo")


def test_a_list_that_fails_leaves_the_others_whole(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--fail-list")
    bridge = bridges.start({"demo": demo_upstream(), "bad": upstream.entry}, ready="live", bridge={"listWait": 1})
    bridge.wait_upstream("demo")
    upstream.wait_received("tools/list")
    bridge.wait_tool("demo.echo", bridge.client())
    row = bridge.wait_error("bad")
    assert "no list today" in row["lastError"]


def test_garbage_before_the_introduction_is_skipped(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--garbage-at-start")
    bridge = bridges.start({"bad": upstream.entry})
    bridge.wait_upstream("bad")
    assert bridge.client().echoes("bad")


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18"])
def test_an_older_upstream_serves_newer_clients(bridges: Bridges, folder: Path, version: str) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--protocol", version)
    bridge = bridges.start({"bad": upstream.entry})
    bridge.wait_upstream("bad")
    assert bridge.client("2025-11-25").echoes("bad")


def test_an_upstream_of_no_known_version_is_refused(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--protocol", "1999-12-31")
    bridge = bridges.start({"demo": demo_upstream(), "bad": upstream.entry}, ready="live")
    row = bridge.wait_error("bad")
    assert "1999-12-31" in row["lastError"]
