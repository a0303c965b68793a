"""The bridge's front beside a bare NIOHTTP1 server that answers with fixed bytes: what no server on NIO can be without."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from allocations import CountedBridge, Counter, per_call
from load import Generator, Load
from rig import PATIENCE, Bridge, Server, Unmeasurable, memory_of_process, settle

#: Descriptors that a server and this program need besides the connections.
SPARE = 600


class Bare(Server):
    """The bare server; its answers are not those to what was asked."""

    verify = False

    def __init__(self, programs: Path, counter: Counter | None = None) -> None:
        super().__init__()
        self._command = [str(programs / "bare_server"), "--port", str(self.port)]
        self._folder = Path(tempfile.mkdtemp(prefix="mcpb-bare-"))
        self._counted = counter is not None
        if counter is not None:
            shutil.copy(counter.library, self._folder)

    def command(self) -> list[str]:
        return self._command

    def environment(self) -> dict[str, str]:
        counted = {"LD_LIBRARY_PATH": str(self._folder)} if self._counted else {}
        return super().environment() | counted

    def __enter__(self) -> Bare:
        if not Path(self._command[0]).exists():
            raise Unmeasurable("the bare server is not built")
        self.spawn()
        deadline = time.monotonic() + PATIENCE
        while True:
            self.check()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise Unmeasurable("the bare server does not listen") from None
                time.sleep(0.005)  # nothing announces that it listens

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def counts(self) -> dict[str, int]:
        file = self._folder / str(self.pid)
        if not file.exists():
            raise Unmeasurable("the bare server does not load the counting library")
        return {"bare": int.from_bytes(file.read_bytes(), "little")}


def calls(generator: Generator, bridge: Bridge, bare: Bare, load: Load, rounds: int) -> dict[str, Any]:
    """Calls a second of both, and the CPU per call of the front and of the bare server."""
    fronts, bares = generator.alternate([(bridge, load), (bare, load)], rounds)
    middle = rounds // 2
    return {
        "front": {
            "rate": sorted(run.rate for run in fronts)[middle],
            "cpu": sorted(run.cpu.get("http", 0.0) for run in fronts)[middle],
        },
        "bare": {
            "rate": sorted(run.rate for run in bares)[middle],
            "cpu": sorted(run.bridge_cpu for run in bares)[middle],
        },
    }


def allocations(binary: Path, programs: Path, generator: Generator, connections: int, count: int) -> dict[str, float]:
    """Per call, of the front and of the bare server."""
    counter = Counter.build(binary, programs)
    with CountedBridge(binary, programs, counter) as bridge:
        front = per_call(bridge, generator, connections, count)["http"]
    counter = Counter.build(programs / "bare_server", programs)
    with Bare(programs, counter) as bare:
        alone = per_call(bare, generator, connections, count)["bare"]
    return {"front": front, "bare": alone}


class Connections:
    """Many connections that nobody uses; closed with the `with` statement."""

    def __init__(self, server: Server, count: int) -> None:
        self._server, self.count = server, count
        self._stack = ExitStack()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Connections:
        for _ in range(self.count):
            self._sockets.append(
                self._stack.enter_context(socket.create_connection(("127.0.0.1", self._server.port), PATIENCE))
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def call(self, request: bytes) -> None:
        """One call on each, one after the other."""
        for each in self._sockets:
            call_once(each, request)


def call_once(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    body = response.read()
    if response.status != 200 or b'"result"' not in body:
        raise Unmeasurable(f"a call on one of many connections: {response.status} {body[:200]!r}")


def wait_until_accepted(server: Server, request: bytes) -> None:
    """Connections are accepted in the order in which they were made: the last one is answered, so all are the server's
    now, and none waits in the backlog, where it costs the server nothing."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as last:
        call_once(last, request)


def call_bytes(server: Server) -> bytes:
    """A call of the echo tool, in a session that is opened for it, as bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    connection.request("POST", "/mcp", json.dumps(message), headers)
    response = connection.getresponse()
    response.read()
    headers |= {"Mcp-Session-Id": response.getheader("Mcp-Session-Id") or "", "MCP-Protocol-Version": "2025-11-25"}
    connection.close()
    params = {"name": server.tool, "arguments": {"text": "x"}}
    body = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})
    lines = ["POST /mcp HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def idle_connections(server: Server, wanted: int, seconds: float) -> dict[str, float]:
    """KiB that each of many connections takes in the server that accepts them: never asked, and after one call."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(wanted, hard - SPARE)

    def memory() -> float:
        settle(seconds)
        return server.memory()["http"] if isinstance(server, Bridge) else memory_of_process(server.pid, "Pss")

    request = call_bytes(server)
    wait_until_accepted(server, request)  # once: what the first call of all takes is no connection's
    before = memory()
    with Connections(server, count) as connections:
        wait_until_accepted(server, request)
        never = memory()
        connections.call(request)
        after = memory()
    each = 1024 / count
    return {"connections": count, "never asked": (never - before) * each, "after a call": (after - before) * each}


def raise_descriptor_limit() -> None:
    """To what is allowed, for this program and for what it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
