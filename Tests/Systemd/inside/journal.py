"""The journal tells one upstream's story and one request's; and nobody waits for it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from waiting import eventually
from mcp_http import MCPClient
from systemd_service import TCP, Counting, Service, bridge


@pytest.fixture
def second() -> Counting:
    return Counting("second")


def test_one_upstreams_story(service: Service, counting: Counting, second: Counting) -> None:
    service.configure(counting, second)
    service.start()
    service.client().call(second.tool, {"tag": "x"})
    story = service.journal("MCP_UPSTREAM=counting")
    assert story and {record["MCP_UPSTREAM"] for record in story} == {"counting"}
    assert {record["SYSLOG_IDENTIFIER"] for record in story} == {"mcp-bridge"}
    told = [str(record["MESSAGE"]) for record in story]
    assert any("counting server" in message for message in told), told  # its child's stderr
    assert any("upstream connected" in message for message in told), told
    assert not any("second" in message for message in told), told


def request_ids(service: Service) -> set[str]:
    return {record["MCP_REQUEST_ID"] for record in service.journal("MCP_METHOD=tools/call")}


def test_at_debug_one_requests_way_through_every_process(service: Service, counting: Counting) -> None:
    service.configure(counting, log={"level": "debug"})
    service.start()
    client = service.client()
    workers = {service.worker(label).pid for label in ("http", "session", "upstream counting")}
    client.call(counting.tool, {"tag": "one"})
    client.call(counting.tool, {"tag": "two"})
    # The upstream's worker names the tool as the server calls it, the others as clients do.
    # What a process has told is in the journal a little later.
    ids = eventually(
        lambda: found if len(found := request_ids(service)) == 2 else None, "both requests are in the journal"
    )
    for request_id in ids:
        uuid.UUID(request_id)

        def way_through_all() -> list[dict[str, Any]] | None:
            found = service.journal(f"MCP_REQUEST_ID={request_id}")
            is_whole = {int(record["_PID"]) for record in found} == workers
            return found if is_whole and any("MCP_DURATION_US" in record for record in found) else None

        way = eventually(way_through_all, "every process has told of it")
        assert {record["MCP_WORKER"].partition("@")[0] for record in way} == {"http", "session", "upstream"}
        assert any(int(record.get("MCP_DURATION_US", -1)) >= 0 for record in way), way
        assert any(record.get("MCP_UPSTREAM") == "counting" for record in way), way


def test_a_finished_call_is_no_record_at_info(service: Service, counting: Counting) -> None:
    """Of what else is told at that time nothing is said here; and a call of more than a second is worth a record."""
    service.start()
    client = service.client()
    for number in range(20):
        client.call(counting.tool, {"tag": f"n{number}"})
    invocation = service.show("InvocationID")
    calls = service.journal("MCP_METHOD=tools/call", f"_SYSTEMD_INVOCATION_ID={invocation}")
    assert service.journal(f"_SYSTEMD_INVOCATION_ID={invocation}")
    assert not [record for record in calls if int(record.get("MCP_DURATION_US", 0)) <= 1_000_000], calls


def test_a_stopped_journald_delays_nobody(service: Service, counting: Counting) -> None:
    service.configure(counting, log={"level": "debug"})
    service.start()
    client = MCPClient(TCP, validate=False).initialize()
    journald = int(service.show("MainPID", "systemd-journald.service"))

    def slowest(calls: int) -> float:
        durations = []
        for number in range(calls):
            begun = time.monotonic()
            client.call(counting.tool, {"tag": f"t{number}"})
            durations.append(time.monotonic() - begun)
        return max(durations)

    slowest(50)
    with stopped(journald, limit=120):
        # A record for each call from each process: more than its queue and the socket hold.
        worst = slowest(10_000)
        assert service.state == "active"
    # Whoever waits for journald waits until it goes on, which is much later.
    assert worst < 10, f"a call took {worst:.3f} s while journald was stopped"
    assert service.show("NRestarts") == "0"
    # Further records carry the counts of those that were lost, and each process knows its own.
    client.call(counting.tool, {"tag": "after"})

    def told_of_all() -> bool:
        own = {str(process.pid) for process in service.tree()}
        told = [each for each in service.journal("MCP_LOGGER=mcp-bridge.log") if each["_PID"] in own and "MCP_COUNT" in each]
        status = json.loads(bridge("status", "--json").stdout)
        counted = sum(use["droppedLogRecords"] for use in status["memory"].values())
        return 0 < sum(int(each["MCP_COUNT"]) for each in told) == counted

    eventually(told_of_all, "all that was dropped is told, and counted")


@contextmanager
def stopped(pid: int, limit: float) -> Iterator[None]:
    """Stops a process; it goes on at the end, and after `limit` seconds in any case."""
    rescue = threading.Timer(limit, os.kill, (pid, signal.SIGCONT))
    rescue.daemon = True
    rescue.start()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        rescue.cancel()
        os.kill(pid, signal.SIGCONT)


def test_the_end_of_a_worker_is_told(service: Service) -> None:
    service.start()
    killed = service.worker("session")
    os.kill(killed.pid, signal.SIGKILL)
    eventually(lambda: service.worker("session").pid != killed.pid, "another session worker")
    service.wait_ready()

    def told_of_it() -> list[dict[str, Any]]:
        return [
            record
            for record in service.journal()
            if any(str(killed.pid) in str(value) for name, value in record.items() if not name.startswith("_"))
            and record["_PID"] == str(service.supervisor.pid)
        ]

    told = eventually(lambda: told_of_it() or None, "the supervisor tells of it")
    assert {record["PRIORITY"] for record in told} & {"3", "4"}, told
