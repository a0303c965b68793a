"""A service that was stopped (SIGSTOP) for less than its watchdog's time: nobody is taken for dead."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
from http_raw import ConnectionEnded, RawConnection
from mcp_http import MCPClient
from outcomes import NOTHING, assert_nothing_twice
from processes import Process
from systemd_service import BINARY, Caller, Counting, Service, run, systemctl
from waiting import eventually

#: Side by side, each at another moment between two signs of life: this many are as many times.
TIMES = 10
FIRST_PORT = 8900
#: `WatchdogSec` is 10. Time is the subject: the test waits it out (seconds).
STOPPED = 7
#: The supervisor looks at its workers every second (seconds).
TICKS = 2.5


class Transient:
    """A bridge as a service of its own, with the watchdog of the installed one."""

    def __init__(self, folder: Path, number: int) -> None:
        self.unit = f"stopped{number}.service"
        self.address = ("127.0.0.1", FIRST_PORT + number)
        self.counting = Counting(f"count{number}")
        self.counting.file = folder / "counted"
        config = folder / "config.json"
        servers = {self.counting.name: self.counting.entry}
        config.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
        variables = {
            "XDG_RUNTIME_DIR": folder,
            "MCP_BRIDGE_CONFIG": config,
            "MCP_BRIDGE_CONFIG_DIR": folder / "state",
            "MCP_BRIDGE_PORT": self.address[1],
        }
        run(
            *("systemd-run", f"--unit={self.unit}", "--property=Type=notify", "--property=WatchdogSec=10"),
            *(f"--setenv={name}={value}" for name, value in variables.items()),
            *(BINARY, "serve"),
        )

    def is_ready(self) -> bool:
        try:
            with RawConnection(self.address) as connection:
                return connection.request("GET", "/health/ready").status == 200
        except (OSError, ConnectionEnded):
            return False

    def tree(self) -> list[Process]:
        supervisor = processes.look_up(int(systemctl("show", "-P", "MainPID", self.unit)))
        assert supervisor is not None, f"{self.unit} does not run"
        return [supervisor, *processes.descendants(supervisor.pid)]

    def caller(self) -> Caller:
        client = MCPClient(self.address).initialize()
        return Caller(self.counting.name, client, self.counting, keep_alive=True, ms=100)


@pytest.fixture
def fleet(installed: Service, tmp_path: Path) -> Iterator[list[Transient]]:
    made: list[Transient] = []
    try:
        for number in range(TIMES):
            folder = tmp_path / str(number)
            folder.mkdir()
            made.append(Transient(folder, number))
        for each in made:
            eventually(each.is_ready, f"{each.unit} is ready")
        yield made
    finally:
        systemctl("stop", *(each.unit for each in made), check=False)


def test_services_that_were_stopped_for_seven_seconds_lose_nothing(fleet: list[Transient]) -> None:
    callers = [each.caller() for each in fleet]
    for caller in callers:
        caller.start()
        caller.wait_for_answers(1)
    trees = [each.tree() for each in fleet]
    assert {len(tree) for tree in trees} == {5}, trees
    # Each goes on in time, however long its callers take to be answered on a busy machine.
    resuming = []
    for tree in trees:
        os.kill(tree[0].pid, signal.SIGSTOP)
        resuming.append(threading.Timer(STOPPED, os.kill, (tree[0].pid, signal.SIGCONT)))
        resuming[-1].start()
        time.sleep(0.34)
    try:
        for caller in callers:
            caller.wait_for_answers(3)
    finally:
        for timer in resuming:
            timer.join()
    time.sleep(TICKS)
    for caller in callers:
        caller.wait_for_answers(3)
        caller.stop()
        caller.finish()
    assert [each.tree() for each in fleet] == trees
    for caller, each in zip(callers, fleet, strict=True):
        assert not NOTHING.forbidden(caller.outcomes), caller.outcomes
        assert_nothing_twice(caller.outcomes, [each.counting])
        assert systemctl("show", "-P", "NRestarts", each.unit) == "0"
