"""The installed system service, as a test sees it that runs beside it in a booted systemd (scripts/with-systemd)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import processes
from http_raw import ConnectionEnded, RawConnection
from mcp_http import MCPClient
from outcomes import NOTHING, RESTART_KEEPING_ALIVE, May, Outcome, assert_nothing_twice, attempt
from processes import Process, ProcessWatch
from replies import text_of
from waiting import PATIENCE, eventually

SOURCE = Path(__file__).resolve().parent.parent.parent
#: Copies of what upstreams run: readable by every user, wherever the source tree lies.
UPSTREAMS = Path("/opt/mcp-bridge-upstreams")
BINARY = Path("/usr/bin/mcp-bridge")
CONFIG = Path("/etc/mcp-bridge/config.json")
STATE = Path("/var/lib/mcp-bridge")
CACHE = Path("/var/cache/mcp-bridge")

TCP = ("127.0.0.1", 8769)
LOCAL = "/run/mcp-bridge/http.sock"
CONTROL = "/run/mcp-bridge/control.sock"

SERVICE = "mcp-bridge.service"
SOCKETS = ("mcp-bridge.socket", "mcp-bridge-local.socket", "mcp-bridge-control.socket")


def run(*command: str | Path, check: bool = True, timeout: float = 2 * PATIENCE) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
    )
    assert not check or done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def systemctl(*arguments: str, check: bool = True) -> str:
    return run("systemctl", *arguments, check=check).stdout.strip()


def bridge(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`mcp-bridge ARGUMENTS`, as root."""
    return run(BINARY, *arguments, check=check)


def install(binary: str) -> None:
    """Installs the product as a package would, and puts the tests' upstreams where the service can read them."""
    run(SOURCE / "scripts/install", "--prefix", "/usr", "--binary", binary)
    UPSTREAMS.mkdir(mode=0o755, exist_ok=True)
    for name in ("counting_server.py", "systemd_npx.js"):
        shutil.copy(SOURCE / "Tests/Support" / name, UPSTREAMS)
        (UPSTREAMS / name).chmod(0o644)


class Counting:
    """The counting server as an upstream of the service."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.file = STATE / f"{name}.counted"

    @property
    def entry(self) -> dict[str, Any]:
        script = str(UPSTREAMS / "counting_server.py")
        return {"command": "/usr/bin/python3", "args": [script], "env": {"COUNT_FILE": str(self.file)}}

    @property
    def tool(self) -> str:
        return f"{self.name}.count"

    def counts(self) -> Counter[str]:
        """How often each tag was executed."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return Counter(line.split()[0] for line in lines)


class Service:
    """The system service and its three sockets."""

    # Configuration and life

    def configure(self, *upstreams: Counting, servers: dict[str, Any] | None = None, **settings: Any) -> None:
        """Writes the configuration file; nobody is told."""
        named = {each.name: each.entry for each in upstreams} | (servers or {})
        self.write_config(json.dumps({"mcpServers": named, "bridge": settings}, indent=2))

    def write_config(self, text: str) -> None:
        temporary = CONFIG.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o640)
        shutil.chown(temporary, "root", "mcp-bridge")
        temporary.rename(CONFIG)

    def reset(self) -> None:
        """As after the installation: nothing runs, nothing is remembered."""
        systemctl("stop", SERVICE, *SOCKETS)
        systemctl("reset-failed", SERVICE, *SOCKETS, check=False)
        for folder in (STATE, CACHE):
            shutil.rmtree(folder, ignore_errors=True)
        CONFIG.unlink(missing_ok=True)

    def listen(self) -> None:
        systemctl("start", *SOCKETS)

    def start(self) -> None:
        """Starts the service and waits for its upstreams."""
        systemctl("start", SERVICE)
        self.wait_ready()

    def wait_ready(self, address: tuple[str, int] | str = TCP) -> None:
        def ready() -> bool:
            try:
                with RawConnection(address) as connection:
                    return connection.request("GET", "/health/ready").status == 200
            except ConnectionEnded:
                return False  # by a front that was just going; to be refused is another matter

        eventually(ready, "GET /health/ready says 200")

    # What systemd knows

    def show(self, name: str, unit: str = SERVICE) -> str:
        return systemctl("show", "-P", name, unit)

    @property
    def state(self) -> str:
        return self.show("ActiveState")

    @property
    def status(self) -> str:
        return self.show("StatusText")

    # Processes

    @property
    def supervisor(self) -> Process:
        found = processes.look_up(int(self.show("MainPID")))
        assert found is not None, "the service is not running"
        return found

    def tree(self) -> list[Process]:
        """Every process of the service, the supervisor first."""
        supervisor = self.supervisor
        return [supervisor, *processes.descendants(supervisor.pid)]

    def worker(self, label: str) -> Process:
        """The worker with this label: `http`, `session` or `upstream NAME`."""
        return eventually(
            lambda: next((each for each in processes.children(self.supervisor.pid) if each.label == label), None),
            f"a worker {label}",
        )

    # Callers

    def client(self, address: tuple[str, int] | str = TCP) -> MCPClient:
        return MCPClient(address).initialize()

    # The journal

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """The service's records with these fields, oldest first, after whatever is on its way has been written."""
        run("journalctl", "--sync")
        output = run("journalctl", "--unit", SERVICE, "--output", "json", "--all", *matches, check=False).stdout
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


class Caller(threading.Thread):
    """Calls `count` with ever new tags in one session until it is told to stop, and never repeats a call."""

    def __init__(self, name: str, client: MCPClient, upstream: Counting, *, keep_alive: bool, ms: int = 20) -> None:
        super().__init__(name=name, daemon=True)
        self.keep_alive = keep_alive
        self.outcomes: list[Outcome] = []
        self._client, self._tool, self._ms = client, upstream.tool, ms
        self._changed = threading.Condition()
        self._stopping = False
        self._broken: BaseException | None = None

    def run(self) -> None:
        try:
            number = 0
            while not self._stopping:
                number += 1
                outcome = self._call(f"{self.name}-{number}")
                with self._changed:
                    self.outcomes.append(outcome)
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _call(self, tag: str) -> Outcome:
        try:
            outcome, reply = attempt(self._client, self._tool, {"tag": tag, "ms": self._ms})
            if reply is not None and outcome.ending == "result":
                assert text_of(reply.result) == tag, (reply.result, tag)
            return outcome
        finally:
            if not self.keep_alive:
                self._client.close()

    def wait_for_answers(self, more: int, within: float = PATIENCE) -> None:
        """Until this many further calls have been answered."""
        with self._changed:
            wanted = self.answered + more
            self._changed.wait_for(lambda: self._broken is not None or self.answered >= wanted, within)
            if self._broken is not None:
                raise AssertionError(f"{self.name} broke") from self._broken
            assert self.answered >= wanted, f"{self.name}: {self.answered} of {wanted} answers, {self.outcomes[-5:]}"

    @property
    def answered(self) -> int:
        return sum(outcome.ending == "result" for outcome in self.outcomes)

    def stop(self) -> None:
        """No further call; the one that runs may take as long as calls take."""
        self._stopping = True
        self.join(2 * PATIENCE)

    def finish(self) -> None:
        assert not self.is_alive(), f"{self.name} hangs in a call"
        if self._broken is not None:
            raise AssertionError(f"{self.name} broke") from self._broken


@contextmanager
def calling_clients(
    service: Service, upstream: Counting, count: int = 4, *, address: tuple[str, int] | str = TCP
) -> Iterator[list[Caller]]:
    """Calling clients, each with its own session; every other one keeps its connection, the rest make one for each call.

    All have stopped when the block ends.
    """
    clients = [service.client(address) for _ in range(count)]
    made = [Caller(f"caller{n}", client, upstream, keep_alive=n % 2 == 1) for n, client in enumerate(clients)]
    for caller in made:
        caller.start()
    try:
        yield made
    finally:
        for caller in made:
            caller.stop()
    for caller in made:
        caller.finish()


def restart_under_calls(service: Service, upstream: Counting, times: int, address: tuple[str, int] | str = TCP) -> None:
    """Restarts a started service that often while clients call: nothing refused, nothing twice, each time another one."""
    pids = {service.supervisor.pid}
    with calling_clients(service, upstream, address=address) as callers:
        for _ in range(times):
            for caller in callers:
                caller.wait_for_answers(3)
            systemctl("restart", SERVICE)
            pids.add(service.supervisor.pid)
        for caller in callers:
            caller.wait_for_answers(3)
    check_outcomes(callers, upstream, RESTART_KEEPING_ALIVE)
    assert len(pids) == times + 1


def check_outcomes(made: list[Caller], upstream: Counting, keeping_alive: May = NOTHING) -> None:
    """Each call had a result, no call ran twice, and each answered one ran.

    `keeping_alive` is what else a client may meet that keeps its connection; one that makes a connection for each call
    is answered every time.
    """
    for caller in made:
        forbidden = (keeping_alive if caller.keep_alive else NOTHING).forbidden(caller.outcomes)
        assert not forbidden, (caller.name, len(caller.outcomes), forbidden[:10])
    assert_nothing_twice([outcome for caller in made for outcome in caller.outcomes], [upstream])


def ends_within(found: list[Process], seconds: float = PATIENCE) -> None:
    with ProcessWatch(found) as watch:
        assert watch.wait_until_all_ended(seconds), f"still alive after {seconds:g} s: {watch.alive}"


def signal_process(process: Process, number: int) -> None:
    os.kill(process.pid, number)
