"""Runs the daemon as a person would: by hand, in folders of its own, on a port of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import processes
import secret_scan
from http_raw import ConnectionEnded, RawConnection, Response
from mcp_http import MCPClient
from places import BINARY
from ports import free_port
from processes import Process, ProcessWatch
from waiting import PATIENCE, START, eventually


@dataclass
class Bridge:
    """One daemon and its folders. Stopped and started again, it is the same bridge: same port, same state."""

    folder: Path
    config: dict[str, Any] | None
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    command: str = "serve"
    #: What executes the daemon in its place, such as `prlimit`.
    prefix: tuple[str, ...] = ()
    #: Who gives commands beside it, where that is not whoever runs the tests.
    user: int | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    log: list[str] = field(default_factory=list)
    #: What was found at its end that should not have been written.
    leaks: list[str] = field(default_factory=list)
    _log_grew: threading.Condition = field(default_factory=threading.Condition)
    _clients: list[MCPClient] = field(default_factory=list)

    # Life

    def start(self, ready: str = "ready") -> Bridge:
        """Starts it and waits until `/health/<ready>` says 200: `live` where an upstream is meant to be down."""
        assert BINARY.is_file(), f"build it first: {BINARY}"
        for name in ("home", "run", "state", "tmp"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        arguments = list(self.arguments)
        if self.config is not None:
            self.write_config()
            arguments += ["--config", str(self.config_path)]
        self.process = subprocess.Popen(
            [*self.prefix, BINARY, self.command, *arguments],
            env=self.whole_environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()
        eventually(lambda: self._is_healthy(ready), f"GET /health/{ready} says 200")
        return self

    def stop(self, within: float = PATIENCE) -> int:
        """SIGTERM, and the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(within)

    def kill(self) -> None:
        """SIGKILL to the supervisor alone, and waits until everything below it is gone."""
        assert self.process is not None
        with ProcessWatch(self.tree()) as watch:
            self.process.kill()
            self.process.wait()
            assert watch.wait_until_all_ended(PATIENCE), f"outlived the supervisor: {watch.alive}"

    def discard(self) -> list[Process]:
        """Ends whatever is left, for good, and says what had to be ended although the daemon was gone."""
        for client in self._clients:
            client.close()
        left: list[Process] = []
        tree: list[Process] = []
        if self.process is not None:
            tree = self.tree()
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(5)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            with ProcessWatch(tree) as watch:
                watch.wait_until_all_ended(PATIENCE)
                left = watch.alive
                for process in left:
                    os.kill(process.pid, signal.SIGKILL)
                watch.wait_until_all_ended(2)
        self.leaks = secret_scan.leaks(self.folder, self.log, [process.command for process in tree])
        shutil.rmtree(self.folder, ignore_errors=True)
        return left

    def write_config(self) -> None:
        assert self.config is not None
        self.config_path.write_text(json.dumps(self.config, indent=2), encoding="utf-8")

    # Places

    @property
    def config_path(self) -> Path:
        return self.folder / "config.json"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def local_socket(self) -> str:
        return str(self.folder / "run/mcp-bridge/http.sock")

    # Processes

    @property
    def supervisor(self) -> Process:
        assert self.process is not None
        found = processes.look_up(self.process.pid)
        assert found is not None, "the supervisor has ended"
        return found

    def tree(self) -> list[Process]:
        """Every process of the daemon, the supervisor first."""
        assert self.process is not None
        supervisor = processes.look_up(self.process.pid)
        return [supervisor, *processes.descendants(supervisor.pid)] if supervisor is not None else []

    def worker(self, label: str) -> Process:
        """The worker with this label: `http`, `session` or `upstream NAME`."""
        return eventually(
            lambda: next((each for each in processes.children(self.supervisor.pid) if each.label == label), None),
            f"a worker {label}",
        )

    def upstream_child(self, name: str) -> Process:
        """The stdio server that an upstream worker runs."""
        return eventually(
            lambda: next(iter(processes.children(self.worker(f"upstream {name}").pid)), None), f"a child of {name}"
        )

    # Asking it

    def http(self, *, local: bool = False, timeout: float = PATIENCE) -> RawConnection:
        return RawConnection(self.local_socket if local else self.address, timeout)

    def get(self, path: str, headers: dict[str, str | None] | None = None, *, local: bool = False) -> Response:
        with self.http(local=local) as connection:
            return connection.request("GET", path, headers)

    def client(self, revision: str = "2025-11-25", *, local: bool = False, **options: Any) -> MCPClient:
        """A client with a session, closed when the test ends."""
        client = self.new_client(revision, local=local, **options)
        return client.initialize()

    def new_client(self, revision: str = "2025-11-25", *, local: bool = False, **options: Any) -> MCPClient:
        client = MCPClient(self.local_socket if local else self.address, revision, **options)
        self._clients.append(client)
        return client

    def health(self) -> dict[str, Any]:
        response = self.get("/health")
        assert response.status == 200, response
        found = response.json()
        assert isinstance(found, dict)
        return found

    def upstream(self, name: str) -> dict[str, Any]:
        """One upstream as `/health` tells it."""
        return next((each for each in self.health()["upstreams"] if each["name"] == name), {"name": name})

    def wait_upstream(self, name: str, connected: bool = True, within: float = PATIENCE) -> dict[str, Any]:
        """One upstream as `/health` tells it, once it is connected and has been listed; or once it is not connected.

        The session worker has the list from the upstream's worker, and need not have it yet. A client's list waits for
        it, unless the test makes `listWait` short, or has been at it for longer than ``START``: see ``wait_tool``.
        """

        def look() -> dict[str, Any] | None:
            found = self.upstream(name)
            settled = found.get("connected") is connected and (not connected or found.get("lastToolRefreshAt"))
            return found if settled else None

        return eventually(look, f"upstream {name} has connected = {connected}, and a list if it is", within)

    def wait_tool(self, name: str, client: MCPClient) -> list[str]:
        """All tools that a client sees, as soon as this one is among them."""
        return eventually(lambda: names if name in (names := client.tool_names()) else None, f"{name} is listed")

    def wait_error(self, name: str) -> dict[str, Any]:
        """One upstream as `/health` tells it, once it has failed."""
        return eventually(
            lambda: found if (found := self.upstream(name)).get("lastError") else None, f"upstream {name} has an error"
        )

    def manage(self, method: str, path: str, body: object = None, **headers: str | None) -> Response:
        """A management request over the Unix socket, whose peer (this process) has every right."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        fields = {"Content-Type": "application/json"} if raw is not None else {}
        with self.http(local=True) as connection:
            return connection.request(method, path, {**fields, **headers}, raw)

    def wait_logged(self, text: str, within: float = PATIENCE) -> str:
        """The first line on stderr that has this text."""
        with self._log_grew:
            found: list[str] = []

            def look() -> bool:
                found[:] = [line for line in self.log if text in line]
                return bool(found)

            assert self._log_grew.wait_for(look, within), f"never logged: {text}"
            return found[0]

    # Inside

    def whole_environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "MCP_BRIDGE_CONFIG_DIR": str(self.state),
            "MCP_BRIDGE_PORT": str(self.port),
            "NO_COLOR": "1",
            **self.environment,
        }

    def _is_healthy(self, kind: str) -> bool:
        assert self.process is not None
        status = self.process.poll()
        assert status is None, f"the daemon ended with {status} while starting"
        try:
            with self.http(timeout=2) as connection:
                return connection.request("GET", f"/health/{kind}").status == 200
        except (OSError, ConnectionEnded):
            return False

    def _collect(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._log_grew:
                self.log.append(line.decode(errors="replace").rstrip("\n"))
                self._log_grew.notify_all()


class Bridges:
    """Makes bridges for one test, or for one file of tests, and ends them all."""

    def __init__(self) -> None:
        self.made: list[Bridge] = []
        #: What those that have ended had written of what is secret.
        self.leaks: list[str] = []

    def make(self, servers: dict[str, Any] | None = None, **options: Any) -> Bridge:
        """A bridge that is not running yet. With `servers` None it has no configuration file at all."""
        extra = options.pop("bridge", None)
        config: dict[str, Any] | None = None
        if servers is not None or extra is not None:
            config = {"mcpServers": servers or {}, "bridge": {"listWait": START, **(extra or {})}}
        # Unix socket paths end at 108 bytes: a short folder, not pytest's.
        bridge = Bridge(Path(tempfile.mkdtemp(prefix="mcpb-")), config, **options)
        self.made.append(bridge)
        return bridge

    def start(self, servers: dict[str, Any] | None = None, *, ready: str = "ready", **options: Any) -> Bridge:
        return self.make(servers, **options).start(ready)

    def discard_all(self) -> list[Process]:
        """Ends everything, and says what should have ended by itself."""
        left = [process for bridge in self.made for process in bridge.discard()]
        self.leaks += [leak for bridge in self.made for leak in bridge.leaks]
        self.made.clear()
        # What lost its parents below a daemon that a test killed is ours by now.
        orphans = [process for process in processes.children(os.getpid()) if _is_of_a_daemon(process)]
        with ProcessWatch(orphans) as watch:
            watch.wait_until_all_ended(PATIENCE)
            left += watch.alive
            for process in watch.alive:
                os.kill(process.pid, signal.SIGKILL)
            watch.wait_until_all_ended(2)
        for process in orphans:
            processes.reap(process.pid)
        return left


def _is_of_a_daemon(process: Process) -> bool:
    words = {Path(word).name for word in process.command}
    return bool(words & {"worker", "demo-server", "counting_server.py", "misbehaving_server.py", "odd_server.py", "strange_server.py", "near.py", "sdk_server.py", "echo_server.py"})
