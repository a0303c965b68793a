"""`mcp-bridge gateway`, which is the command of mcp-proxy: a test is named by its line in docs/moving.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_raw import RawConnection, Response
from mcp_http import MCPClient
from places import BINARY, SDK_1_PYTHON, SUPPORT
from ports import free_port
from replies import text_of
from sdk_runner import SDKRunner
from sse_client import SSEClient
from stdio_client import StdioClient
from upstreams import MisbehavingUpstream, python_upstream
from waiting import PATIENCE, START, eventually

ECHO = python_upstream(SUPPORT / "echo_server.py", "--name", "remote-echo", python=SDK_1_PYTHON)
QUICK = python_upstream(SUPPORT / "misbehaving_server.py", "--name", "quick")


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "NO_COLOR": "1"}


def written(folder: Path, servers: dict[str, Any]) -> Path:
    file = folder / "servers.json"
    file.write_text(json.dumps({"mcpServers": servers, "bridge": {"listWait": START}}), encoding="utf-8")
    return file


class Gateway:
    """One that listens, for as long as it is entered."""

    def __init__(self, folder: Path, *arguments: str | Path, transport: str = "streamable-http", program: Path = BINARY) -> None:
        self.port = free_port()
        self.said: list[str] = []
        command = [program] if program.name == "mcp-gateway" else [program, "gateway"]
        self.process = subprocess.Popen(
            [*command, "--transport", transport, "--port", str(self.port), *arguments],
            env=environment(folder), cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Gateway:
        eventually(self._is_there, "it listens")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.said

    def _is_there(self) -> bool:
        assert self.process.poll() is None, self.said
        try:
            return self.ask("GET", "/health/live").status == 200
        except OSError:
            return False

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        fields = {"Content-Type": "application/json"} if body is not None else {}
        with RawConnection(self.address, PATIENCE) as connection:
            raw = None if body is None else json.dumps(body).encode()
            return connection.request(method, path, {**fields, **headers}, raw)

    def client(self) -> MCPClient:
        return MCPClient(self.address).initialize()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))


@pytest.fixture(scope="module")
def folder_of_it(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def gateway(folder_of_it: Path) -> Iterator[Gateway]:
    down = MisbehavingUpstream(folder_of_it, "down", "--exit-at-start", "3")
    config = written(folder_of_it, {"down": down.entry, "remote-echo": ECHO, "quick": QUICK})
    with Gateway(folder_of_it, "--config", config) as gateway:
        yield gateway


@pytest.fixture
def on_stdio(folder: Path) -> Iterator[StdioClient]:
    config = written(folder, {"quick": QUICK})
    with StdioClient("--config", str(config), environment=environment(folder), folder=folder, program=(BINARY, "gateway")) as client:
        yield client
        assert client.close() == []


def help_of(folder: Path) -> str:
    said = subprocess.run([BINARY, "gateway", "--help"], env=environment(folder), capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split())


def test_A01_the_configuration_is_an_example_beside_it(folder: Path) -> None:
    place = folder / "examples/config"
    place.mkdir(parents=True)
    written(place, {"quick": QUICK})
    with Gateway(folder) as gateway:
        assert gateway.ask("GET", "/servers").json() == {"servers": ["quick"]}


def test_A02_it_is_reached_by_stdio_unless_told_otherwise(folder: Path, on_stdio: StdioClient) -> None:
    assert on_stdio.open().call("quick.ping", message="hi")["result"]["content"][0]["text"] == "quick:hi"
    words = help_of(folder)
    assert all(transport in words for transport in ("stdio", "sse", "streamable-http"))


def test_A03_it_listens_on_loopback_at_8080(folder: Path, gateway: Gateway) -> None:
    words = help_of(folder)
    assert "(default: 127.0.0.1)" in words and re.search(r"\(default: 8[_,]?080\)", words)
    assert gateway.ask("GET", "/health").status == 200


def test_A04_how_much_is_logged(folder: Path, gateway: Gateway) -> None:
    assert any(line.startswith("INFO: ") for line in gateway.said)
    with Gateway(folder, "--config", written(folder, {"quick": QUICK}), "--log-level", "ERROR") as quiet:
        assert quiet.client().tool_names()
        assert not [line for line in quiet.said if line.startswith(("INFO", "WARNING", "DEBUG"))]


def test_A05_the_name_that_clients_are_shown(folder: Path, gateway: Gateway) -> None:
    assert gateway.client().server["serverInfo"]["name"] == "mcp-gateway"
    with Gateway(folder, "--config", written(folder, {"quick": QUICK}), "--name", "mine") as named:
        assert named.client().server["serverInfo"]["name"] == "mine"


def test_A06_it_is_installed_under_its_own_name(folder: Path) -> None:
    (folder / "bin").mkdir()
    program = folder / "bin/mcp-gateway"
    program.symlink_to(BINARY)
    with Gateway(folder, "--config", written(folder, {"quick": QUICK}), program=program) as gateway:
        assert gateway.client().server["serverInfo"]["name"] == "mcp-gateway"


def test_A07_the_lines_of_its_log(gateway: Gateway) -> None:
    assert gateway.said
    for line in gateway.said:
        assert re.match(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL): mcp_gateway\.\w+: .", line), line


@pytest.mark.parametrize("transport", ["stdio", "sse"])
def test_A08_a_file_that_is_not_there(folder: Path, transport: str) -> None:
    said = subprocess.run(
        [BINARY, "gateway", "--transport", transport, "--config", "none.json"],
        env=environment(folder), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
    )
    assert said.returncode != 0 and re.search(r"Config file not found: \S*none\.json", said.stderr), said


def test_A09_a_server_that_fails_keeps_nobody_from_starting(gateway: Gateway) -> None:
    client = gateway.client()
    eventually(lambda: "quick.ping" in client.tool_names(), "the good one is listed")
    assert text_of(client.call("quick.ping", {"message": "hi"}).result) == "quick:hi"
    assert gateway.ask("GET", "/servers").json() == {"servers": ["down", "quick", "remote-echo"]}


@pytest.mark.parametrize("transport", ["sse", "streamable-http"])
def test_A10_its_paths(folder: Path, transport: str) -> None:
    with Gateway(folder, "--config", written(folder, {"quick": QUICK}), transport=transport) as gateway:
        assert gateway.ask("GET", "/health").json()["transport"] == transport
        with SSEClient(gateway.address) as client:
            assert client.endpoint.startswith("/messages/?session_id=")
            assert "quick.ping" in client.initialize().tool_names()
        assert "quick.ping" in gateway.client().tool_names()


def test_A11_each_client_has_a_session(gateway: Gateway) -> None:
    one, other = gateway.client(), gateway.client()
    assert one.session_id and other.session_id and one.session_id != other.session_id
    assert one.delete().status == 204
    assert other.request("ping").result == {}


def test_A31_any_program_of_this_machine_may_do_everything(gateway: Gateway) -> None:
    added = gateway.ask("POST", "/servers", {"mcpServers": {"more": QUICK}})
    assert (added.status, added.json()) == (200, {"added": ["more"]})
    # A page in a browser is no such program.
    for origin in ("http://localhost:3000", "https://evil.example"):
        assert gateway.ask("DELETE", "/servers/more", Origin=origin).status in (401, 403)
    assert gateway.ask("DELETE", "/servers/more").json() == {"removed": "more"}


@pytest.mark.parametrize("generation", ["1", "2"])
@pytest.mark.parametrize("transport", ["stdio", "sse", "streamable-http"])
def test_A43_a_client_of_each_kind_lists_calls_and_is_told_of_errors(
    gateway: Gateway, folder_of_it: Path, folder: Path, runners: dict[str, SDKRunner], transport: str, generation: str
) -> None:
    url = f"http://127.0.0.1:{gateway.port}/{'sse' if transport == 'sse' else 'mcp'}"
    if transport == "stdio":
        words = ["env", *(f"{key}={value}" for key, value in environment(folder).items()), str(BINARY), "gateway"]
        url = "stdio:" + shlex.join([*words, "--config", str(written(folder, {"remote-echo": ECHO}))])
    # One session: the SDK of the first generation fails where it closes its pipes while a message comes.
    calls = [["remote-echo.ping", {"message": "hi"}], ["remote-echo.server_name", {}], ["remote-echo.nothing", {}]]
    steps = [["list_tools"], *(["call", *call] for call in calls)]
    listed, pinged, name, unknown = runners[generation].run("verbs", url, "legacy", steps=steps)["outcomes"]
    assert {"remote-echo.ping", "remote-echo.server_name"} <= {tool["name"] for tool in listed["result"]}
    assert pinged["result"]["content"][0]["text"] == "remote-echo:hi"
    assert name["result"]["content"][0]["text"] == "remote-echo"
    assert (unknown["error"]["code"], unknown["error"]["message"]) == (-32602, "Unknown tool 'remote-echo.nothing'.")
