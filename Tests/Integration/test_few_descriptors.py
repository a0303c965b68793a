"""More clients than the bridge may have descriptors for: each is answered or refused, and then it serves again."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import time
from pathlib import Path

import pytest
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection
from mcp_http import call_params
from replies import text_of
from upstreams import demo_upstream
from waiting import eventually

CROWD = 300
#: How long each call takes: a connection is busy meanwhile. A busy machine has to get the crowd in by then (seconds).
NAP = 20.0
#: Of processor time for all of them. One that tried to accept without pause would use most of a processor (seconds).
WORK = 3.0


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def outcome(connection: RawConnection) -> str:
    try:
        response = connection.read_response()
    except (ConnectionEnded, ConnectionError):
        return "closed"
    if response.status == 503:
        assert json.loads(response.body)["error"]["code"] == "too_many_connections", response
        return "refused"
    assert response.status == 200, response
    # After some seconds an answer becomes a stream of events: its last one.
    events = [line[5:] for line in response.body.splitlines() if line.startswith(b"data:") and line[5:].strip()]
    assert "result" in json.loads(events[-1] if events else response.body), response
    return "answered"


@pytest.mark.parametrize("limit", [96, 128, 256])
def test_a_crowd_beyond_the_limit_is_answered_or_refused(bridges: Bridges, limit: int) -> None:
    bridge: Bridge = bridges.start({"demo": demo_upstream()}, prefix=("prlimit", f"--nofile={limit}:{limit}"))
    bridge.wait_upstream("demo")
    client = bridge.client()
    front = bridge.worker("http")
    before, begun = cpu_seconds(front.pid), time.monotonic()
    found: list[str] = []
    with contextlib.ExitStack() as stack:
        crowd: list[RawConnection] = []

        def come(patience: float = 0.0) -> str | None:
            """One more caller; what became of it, unless it has to wait for longer."""
            try:
                call = client.open_request("tools/call", call_params("demo.sleep", {"seconds": NAP}, None))
            except (ConnectionEnded, ConnectionError):
                found.append("closed")
                return "closed"
            stack.enter_context(call)
            if not select.select([call.socket], [], [], patience)[0]:
                crowd.append(call)
                return None
            found.append(outcome(call))
            return found[-1]

        for _ in range(limit):
            come()
        # One that was taken in and has not asked yet gives way to the next; soon all are busy.
        eventually(lambda: come(0.1) == "refused", "the next one is told that there is no room", within=NAP)
        for _ in range(CROWD):
            come()
        found += [outcome(connection) for connection in crowd]
    assert time.monotonic() - begun < 3 * NAP, "nobody waits until somebody else has been served"
    used = cpu_seconds(front.pid) - before
    assert used < WORK, f"the front used {used:.1f} s of CPU"
    assert found.count("answered") >= (limit - 48) * 3 // 4, found
    assert bridge.worker("http") == front
    assert text_of(client.beside().call("demo.echo", {"text": "on"}).result) == "on"


def test_a_front_that_has_no_descriptor_left_waits_for_one(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    client = bridge.client()
    front = bridge.worker("http")
    soft, hard = resource.prlimit(front.pid, resource.RLIMIT_NOFILE)
    # What is open stays open; nothing more can be.
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (3, hard))
    with client.open_request("tools/call", call_params("demo.echo", {"text": "late"}, None)) as call:
        before = cpu_seconds(front.pid)
        assert not select.select([call.socket], [], [], 2.0)[0]
        used = cpu_seconds(front.pid) - before
        assert used < 0.3, f"the front used {used:.1f} s of CPU in two seconds"
        resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert outcome(call) == "answered"
    assert bridge.worker("http") == front
