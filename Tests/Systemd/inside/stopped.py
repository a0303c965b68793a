"""A service that was stopped (SIGSTOP) for less than its watchdog's time: nobody is taken for dead."""

from __future__ import annotations

import contextlib
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
#: A busy machine lets one go on late. One that was stopped for longer than this proves nothing: systemd may be right (seconds).
LONGEST = 7.5
#: So often are those begun again that were stopped for too long.
ROUNDS = 4


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

    def times_late(self) -> int:
        """How often its supervisor has said that it stood still. It says so when it next judges its workers."""
        run("journalctl", "--sync")
        lines = run("journalctl", "--unit", self.unit, "--output", "cat", check=False).stdout.splitlines()
        return sum("The supervisor stood still" in line for line in lines)

    def caller(self) -> Caller:
        client = MCPClient(self.address).initialize()
        return Caller(self.counting.name, client, self.counting, keep_alive=True, ms=100)


class Fleet:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Transient] = []

    def begin(self, count: int) -> list[Transient]:
        """So many new services, side by side."""
        first = len(self.made)
        for number in range(first, first + count):
            folder = self._folder / str(number)
            folder.mkdir()
            self.made.append(Transient(folder, number))
        for each in self.made[first:]:
            eventually(each.is_ready, f"{each.unit} is ready")
        return self.made[first:]


class Attempt(threading.Thread):
    """A service under calls whose supervisor is stopped for a while, and goes on in time whatever else is waited for."""

    def __init__(self, service: Transient) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.caller = service.caller()
        self.caller.start()
        self.caller.wait_for_answers(1)
        self.tree = service.tree()
        assert len(self.tree) == 5, self.tree
        self._late = service.times_late()
        self._answered_meanwhile = 0
        #: How long it really was stopped.
        self.seconds = 0.0

    def run(self) -> None:
        pid = self.tree[0].pid
        begun, answered = time.monotonic(), self.caller.answered
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED)
        self._answered_meanwhile = self.caller.answered - answered
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self.seconds = time.monotonic() - begun

    def give_up(self) -> None:
        self.caller.stop()
        systemctl("stop", self.service.unit, check=False)

    def check(self) -> None:
        assert self._answered_meanwhile >= 3, self.caller.outcomes[-5:]
        eventually(lambda: self.service.times_late() > self._late, f"{self.service.unit} judges its workers")
        self.caller.wait_for_answers(3)
        self.caller.stop()
        self.caller.finish()
        assert self.service.tree() == self.tree
        assert not NOTHING.forbidden(self.caller.outcomes), self.caller.outcomes
        assert_nothing_twice(self.caller.outcomes, [self.service.counting])
        assert systemctl("show", "-P", "NRestarts", self.service.unit) == "0"


@pytest.fixture
def fleet(installed: Service, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path)
    try:
        yield fleet
    finally:
        if fleet.made:
            systemctl("stop", *(each.unit for each in fleet.made), check=False)


def test_services_that_were_stopped_for_seven_seconds_lose_nothing(fleet: Fleet) -> None:
    left = TIMES
    for _ in range(ROUNDS):
        attempts = [Attempt(service) for service in fleet.begin(left)]
        for attempt in attempts:
            attempt.start()
            time.sleep(0.34)
        for attempt in attempts:
            attempt.join()
        for attempt in attempts:
            if attempt.seconds <= LONGEST:
                attempt.check()
                left -= 1
            else:
                attempt.give_up()
        if not left:
            return
    pytest.fail(f"{left} of {TIMES} were stopped for more than {LONGEST} s in each of {ROUNDS} rounds")
