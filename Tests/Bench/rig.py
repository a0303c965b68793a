"""The two paths that are compared, as processes: an echo server over HTTP, and a bridge to the same one on stdio."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests/Support"))

import processes  # noqa: E402
from processes import Process, ProcessWatch  # noqa: E402

#: How long anything may take that is not itself measured, in seconds.
PATIENCE = 30.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Unmeasurable(Exception):
    """Something did not work, so that there is no figure."""


def end_with_parent(signal_number: int) -> Callable[[], None]:
    """For `preexec_fn`: the child gets this signal when the benchmark dies, however it dies."""

    def set_up() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)

    return set_up


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One process (and what it starts) that serves MCP on a loopback port; ended with the `with` statement."""

    #: The name of the echo tool.
    tool = "echo"
    #: Whether it answers what it is asked.
    verify = True
    #: Further fields of requests that it lets in.
    fields: dict[str, str] = {}
    death_signal = signal.SIGKILL

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}

    def log_path(self) -> str:
        return os.devnull

    def standard_error(self) -> contextlib.AbstractContextManager[Any]:
        """Where it writes what it has to say; needed until it has been started."""
        return open(self.log_path(), "ab")

    def spawn(self) -> None:
        """Starts it and does not wait for it."""
        with self.standard_error() as log:
            self.process = subprocess.Popen(
                self.command(),
                env=self.environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=end_with_parent(self.death_signal),
            )

    def __enter__(self) -> Self:
        try:
            self.spawn()
            answer_first_call(self, time.monotonic() + PATIENCE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process is None:
            return
        tree = self.tree()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with ProcessWatch(tree) as watch:
            watch.wait_until_all_ended(3)
            for left in watch.alive:
                os.kill(left.pid, signal.SIGKILL)
        self.process = None

    @property
    def url(self) -> str:
        return self.address("/mcp")

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def tree(self) -> list[Process]:
        root = processes.look_up(self.pid)
        return [root, *processes.descendants(root.pid)] if root is not None else []

    def check(self) -> None:
        """Notices that it has died."""
        assert self.process is not None
        if (status := self.process.poll()) is not None:
            raise Unmeasurable(f"{self.command()[0]} ended with status {status}")


class Direct(Server):
    """The echo server over HTTP: what a call costs without the bridge."""

    def __init__(self, programs: Path, tools: int = 1, challenge: str | None = None) -> None:
        """With a `challenge` it lets in who shows a token, whichever."""
        super().__init__()
        self._command = [str(programs / "echo_http"), "--port", str(self.port), "--tools", str(tools)]
        if challenge is not None:
            self._command += ["--challenge", challenge]
            self.fields = {"Authorization": "Bearer any"}

    def command(self) -> list[str]:
        return self._command


class Bridge(Server):
    """A bridge with one upstream, `e`: the echo server on stdio. Everything it writes goes to a folder of its own."""

    tool = "e.echo"
    death_signal = signal.SIGTERM

    def __init__(
        self, binary: Path, programs: Path, tools: int = 1, connections: int | None = None, url: str | None = None,
        settings: dict[str, Any] | None = None, oauth: dict[str, Any] | None = None,
    ) -> None:
        """With a `url`, the upstream is the server that is there, signed in to as `oauth` says. Settings are those of `bridge`."""
        super().__init__()
        self._binary = binary
        stdio = {"command": str(programs / "echo_stdio"), "args": ["--tools", str(tools)]}
        self._server = stdio if url is None else {"type": "http", "url": url, **({"oauth": oauth} if oauth else {})}
        self.folder = Path(tempfile.mkdtemp(prefix="mcpb-bench-"))
        for name in ("home", "run", "state", "tmp"):
            (self.folder / name).mkdir(mode=0o700)
        configuration: dict[str, Any] = {"mcpServers": {"e": self._server}, "bridge": settings or {}}
        if connections is not None:
            # Nobody asks anything on them for as long as it takes to open them all and to look.
            configuration["bridge"]["limits"] = {"connections": connections, "headerTimeout": 300}
        (self.folder / "config.json").write_text(json.dumps(configuration), encoding="utf-8")

    def command(self) -> list[str]:
        return [str(self._binary), "serve", "--config", str(self.folder / "config.json")]

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "MCP_BRIDGE_CONFIG_DIR": str(self.folder / "state"),
            "MCP_BRIDGE_PORT": str(self.port),
            "NO_COLOR": "1",
        }

    def log_path(self) -> str:
        return str(self.folder / "log")

    def __exit__(self, *_: object) -> None:
        try:
            super().__exit__()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def roles(self) -> dict[int, str]:
        """What each process is: `supervisor`, `http`, `session`, `upstream`, or `child`, which is not the bridge."""
        return {each.pid: role_of(each) for each in self.tree()}

    def memory(self, kind: str = "Pss") -> dict[str, float]:
        """Memory of each of the bridge's own processes, in MiB.

        `Pss_Anon` leaves out the pages of files, whose share changes with whoever else maps them: it is what grows when
        something leaks. The bridge is asked; one from before it could tell is looked at through /proc, which takes root
        or its own user.
        """
        key = {"Pss": "pssBytes", "Pss_Anon": "anonymousBytes"}[kind]
        if told := self.status().get("memory"):
            return {name.partition("@")[0]: use[key] / (1 << 20) for name, use in told.items()}
        return {role: memory_of_process(pid, kind) for pid, role in self.roles().items() if role != "child"}

    def status(self) -> dict[str, Any]:
        """What `mcp-bridge status` says, with memory as it is now."""
        done = self.ask("status", "--json")
        try:
            status = json.loads(done.stdout)
        except ValueError:
            raise Unmeasurable(f"no status: {done.stderr[-200:]!r}") from None
        assert isinstance(status, dict)
        return status

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """What a command says that asks it over its control socket."""
        return subprocess.run(
            [self._binary, *arguments, "--control", self.folder / "run/mcp-bridge/control.sock"],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )

    def last_words(self) -> str:
        try:
            return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-400:]
        except OSError:
            return ""


def memory_of_process(pid: int, kind: str) -> float:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) / 1024 for line in file if line.startswith(f"{kind}:"))


def role_of(process: Process) -> str:
    label = process.label
    if label.startswith("upstream "):
        return "upstream"
    return label if label in ("supervisor", "http", "session") else "child"


# One call, by hand


def settle(seconds: float) -> None:
    """Lets memory come to rest before it is read: nothing tells when an allocator has given back what it will. The same
    time for every measurement of a plan; in the tests of the bench it is none."""
    time.sleep(seconds)


def answer_first_call(server: Server, deadline: float) -> float:
    """Waits until a new session's call of the echo tool is answered well; when that was (monotonic time)."""
    problem = "nobody listened"
    while time.monotonic() < deadline:
        server.check()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            if (problem := _call_once(connection, server, deadline)) == "":
                return time.monotonic()
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = repr(error)
        finally:
            connection.close()
        time.sleep(0.0005)  # the first answer is what is measured, and nothing announces it
    words = server.last_words() if isinstance(server, Bridge) else ""
    raise Unmeasurable(f"{server.command()[0]} answered no call in time: {problem} {words}")


def _call_once(connection: http.client.HTTPConnection, server: Server, deadline: float) -> str:
    """What was wrong; nothing when the answer is good."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **server.fields}

    def post(message: dict[str, object]) -> tuple[http.client.HTTPResponse, bytes]:
        connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", **message}), headers)
        response = connection.getresponse()
        return response, response.read()

    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    response, body = post({"id": 1, "method": "initialize", "params": client})
    if response.status != 200:
        return f"initialize: {response.status} {body[:200]!r}"
    if session := response.getheader("Mcp-Session-Id"):
        headers["Mcp-Session-Id"] = session
    headers["MCP-Protocol-Version"] = "2025-11-25"
    post({"method": "notifications/initialized"})
    call = {"id": 2, "method": "tools/call", "params": {"name": server.tool, "arguments": {"text": "first"}}}
    while True:
        response, body = post(call)
        if response.status == 200 and b'"text":"first"' in body:
            return ""
        if b"unknown_tool" not in body or time.monotonic() > deadline:
            return f"tools/call: {response.status} {body[:200]!r}"
        time.sleep(0.0005)  # not listed yet
