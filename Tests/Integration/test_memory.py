"""What is passed on is held once and let go, and nobody can take all the memory there is."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection
from mcp_http import MCPClient
from places import SUPPORT
from replies import text_of
from waiting import eventually

MIB = 1 << 20
#: Room for an argument of 4 MiB.
LIMITS = {"bodyBytes": 8 * MIB}


def swallowing(folder: Path, name: str) -> dict[str, Any]:
    return {"command": sys.executable, "args": [str(SUPPORT / "swallowing_server.py"), str(folder / name)]}


def started(bridges: Bridges, folder: Path, *names: str, **bridge: Any) -> Bridge:
    servers = {name: swallowing(folder, name) for name in names}
    running = bridges.start(servers, bridge={"limits": LIMITS, **bridge})
    for name in names:
        running.wait_upstream(name)
    return running


class Memory:
    """Resident memory of the session worker and the upstream workers, against what it was at the beginning."""

    def __init__(self, bridge: Bridge, *upstreams: str) -> None:
        labels = {"session", *(f"upstream {name}" for name in upstreams)}
        self.pids = {each.label: each.pid for each in bridge.tree() if each.label in labels}
        assert set(self.pids) == labels
        self.idle = {label: self._read(pid, "VmRSS") for label, pid in self.pids.items()}

    @staticmethod
    def _read(pid: int, key: str) -> int:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {key}")

    def growth(self, key: str = "VmRSS") -> dict[str, int]:
        """In bytes; with `VmHWM` the most that it ever was."""
        return {label: self._read(pid, key) - self.idle[label] for label, pid in self.pids.items()}


def body(tool: str, number: int, text: bytes = b"x" * (4 * MIB)) -> bytes:
    head = f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"text":"'
    return b"".join((head.encode(), text, b'"}}}'))


def test_abandoned_large_calls_all_run_and_cost_little_memory(bridges: Bridges, tmp_path: Path) -> None:
    bridge = started(bridges, tmp_path, "s")
    client = bridge.client()
    client.call("s.swallow", {"text": "first"})
    memory = Memory(bridge, "s")
    for number in range(80):
        with bridge.http() as connection:
            connection.send("POST", "/mcp", client.headers("POST"), body("s.swallow", number))
    eventually(lambda: (tmp_path / "s").stat().st_size == 81, "all of them have run", 120)
    peak = memory.growth("VmHWM")
    assert max(peak.values()) < 64 * MIB, f"at the most: {peak}"
    eventually(lambda: max(memory.growth().values()) < 8 * MIB, "the memory is given back", 60)
    assert text_of(client.call("s.swallow", {"text": "on"}).result)


def is_readable(connection: RawConnection, within: float = 0) -> bool:
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    return bool(poll.poll(within * 1000))


class Flood:
    """Many clients of one session, each with a large call to a server that does not read. Some are told so, the others
    wait, as long as the server does."""

    def __init__(self, bridge: Bridge, client: MCPClient, count: int) -> None:
        self.overloaded = 0
        self.waiting: list[RawConnection] = []
        self.other: list[str] = []
        self._bridge, self._client = bridge, client
        self._numbers = iter(range(count))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(32)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            self._call(number)

    def _call(self, number: int) -> None:
        connection = self._bridge.http()
        # Little of what is not read may wait in the kernel.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        # Refused, it is closed before all of it has been sent.
        with contextlib.suppress(OSError, ConnectionEnded):
            connection.send("POST", "/mcp", self._client.headers("POST"), body("deaf.swallow", number))
        # Who is to be refused is, after some seconds; who is not goes on waiting, and is looked at again in the end.
        if is_readable(connection, within=15):
            self._note(connection)
        else:
            with self._lock:
                self.waiting.append(connection)

    def _note(self, connection: RawConnection) -> None:
        try:
            response = connection.read_response()
            said = f"{response.status} {response.body[:300]!r}"
            is_overloaded = b'"overloaded"' in response.body and b"limits." in response.body
        except (OSError, ConnectionEnded) as error:
            # The refusal was lost to a reset, for more of the body came than was read.
            said, is_overloaded = repr(error), isinstance(error, (ConnectionResetError, ConnectionEnded))
        with self._lock:
            self.overloaded += is_overloaded
            if not is_overloaded:
                self.other.append(said)
        connection.close()

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(300)
            assert not thread.is_alive()
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            if is_readable(connection):
                self._note(connection)
            else:
                self.waiting.append(connection)


def test_a_server_that_does_not_read_takes_nobody_elses_memory(bridges: Bridges, tmp_path: Path) -> None:
    bridge = started(bridges, tmp_path, "deaf", "good", pingInterval=600)
    # Of a revision that knows no events without data: a call that waits says nothing at all.
    flooding, other = bridge.client("2025-06-18"), bridge.client()
    memory = Memory(bridge, "deaf", "good")
    flooding.call("deaf.deafen", {})
    flood = Flood(bridge, flooding, 4_096)
    for number, size in itertools.chain(enumerate([100] * 500), enumerate([MIB] * 20), enumerate([100] * 500)):
        result = other.call("good.swallow", {"text": "x" * size}).result
        assert int(text_of(result)) > size, f"call {number} of {size} bytes"
    flood.finish()
    assert flood.other == []
    assert flood.overloaded + len(flood.waiting) == 4_096
    # What fits is a third of 128 MiB in the worker of the server, and a little in the pipe.
    assert 8 <= len(flood.waiting) <= 60, f"{len(flood.waiting)} fit"
    peak = memory.growth("VmHWM")
    assert max(peak.values()) < 64 * MIB, f"at the most: {peak}"
    for connection in flood.waiting:
        connection.close()
