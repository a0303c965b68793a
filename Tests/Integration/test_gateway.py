"""`mcp-bridge gateway`: what users of mcp-proxy (`mcp-gateway --config … --transport …`) started."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import processes
import pytest
from command_line import run
from gateways import over_http, over_stdio, ping_server, prepared, servers_file
from harness import Bridge, Bridges
from http_raw import Response
from places import BINARY
from processes import ProcessWatch
from sdk_runner import SDKRunner
from stdio_client import HELLO, StdioClient
from upstreams import demo_upstream
from waiting import PATIENCE, eventually

ECHO = "remote-echo"
TOOLS = [f"{ECHO}.ping", f"{ECHO}.server_name"]
#: Python's words, and a logger of that gateway.
LOG_LINE = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL): mcp_gateway\.[a-z]+: \S.*")


@pytest.fixture(scope="module", params=["sse", "streamable-http"])
def gateway(request: pytest.FixtureRequest, shared_bridges: Bridges) -> Bridge:
    gateway = over_http(shared_bridges, request.param, {ECHO: ping_server(ECHO)}).start()
    gateway.wait_upstream(ECHO)
    return gateway


@pytest.fixture(scope="module")
def home(shared_bridges: Bridges) -> Bridge:
    """Of a user without a service; holds the file of the gateways over stdio."""
    home = prepared(shared_bridges)
    file = servers_file(home.folder, {ECHO: ping_server(ECHO)}, "examples/config/servers.json")
    with over_stdio(home, file) as client:
        # From now on the lists are known: news of them may come as an SDK's client leaves, which that takes ill.
        assert text(client.open().call(f"{ECHO}.ping", message="x")) == f"{ECHO}:x"
        assert client.close() == []
    return home


def file_of(home: Bridge) -> Path:
    return home.folder / "examples/config/servers.json"


def transport_of(gateway: Bridge) -> str:
    return gateway.arguments[1]


def endpoint(gateway: Bridge) -> str:
    return f"http://127.0.0.1:{gateway.port}/{'sse' if transport_of(gateway) == 'sse' else 'mcp'}"


def manage(gateway: Bridge, method: str, path: str, body: object = None, **headers: str | None) -> Response:
    """As that gateway's users did it: over plain loopback."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    with gateway.http() as connection:
        return connection.request(method, path, {"Content-Type": "application/json", **headers}, raw)


def text(answer: dict[str, Any]) -> str:
    return answer["result"]["content"][0]["text"]


# Clients of the official SDK


def a_client_lists_calls_and_is_told_errors(runner: SDKRunner, address: str) -> None:
    assert [tool["name"] for tool in runner.run("list_tools", address, "legacy")["tools"]] == TOOLS
    calls = [[TOOLS[0], {"message": "hello"}], [TOOLS[1], {}]]
    results = runner.run("call", address, "legacy", calls=calls)["results"]
    assert [result["content"][0]["text"] for result in results] == [f"{ECHO}:hello", ECHO]
    failing = [[TOOLS[0], {}], [f"{ECHO}.nothing", {}]]
    failed, unknown = runner.run("errors", address, "legacy", calls=failing)["outcomes"]
    assert failed["result"]["isError"]
    assert unknown["error"]["code"] == -32602 and f"'{ECHO}.nothing'" in unknown["error"]["message"]


def test_a_client_of_the_sdk_over_http(gateway: Bridge, runners: dict[str, SDKRunner]) -> None:
    a_client_lists_calls_and_is_told_errors(runners["1"], endpoint(gateway))


def test_a_client_of_the_sdk_over_stdio(home: Bridge, runners: dict[str, SDKRunner]) -> None:
    variables = [f"{name}={value}" for name, value in home.whole_environment().items()]
    command = ["env", *variables, str(BINARY), "gateway", "--config", str(file_of(home))]
    a_client_lists_calls_and_is_told_errors(runners["1"], "stdio:" + shlex.join(command))


# Over HTTP


def test_the_paths_and_bodies_are_the_older_gateways(gateway: Bridge) -> None:
    health = gateway.health()
    assert (health["status"], health["transport"], health["servers"]) == ("ok", transport_of(gateway), [ECHO])
    assert gateway.get("/servers").json() == {"servers": [ECHO]}
    assert gateway.get("/tools").json() == {"tools": {ECHO: TOOLS}}
    assert gateway.client().server["serverInfo"]["name"] == "mcp-gateway"


def test_servers_are_added_replaced_and_removed_on_plain_loopback(gateway: Bridge) -> None:
    for greeting in ("second", "third"):
        added = manage(gateway, "POST", "/servers", {"mcpServers": {"other": ping_server(greeting)}})
        assert (added.status, added.json()) == (200, {"added": ["other"]})
        client = gateway.client()
        gateway.wait_tool("other.ping", client)
        assert client.call("other.server_name", {}).result["content"][0]["text"] == greeting
    removed = manage(gateway, "DELETE", "/servers/other")
    assert (removed.status, removed.json()) == (200, {"removed": "other"})
    again = manage(gateway, "DELETE", "/servers/other")
    assert (again.status, again.json()) == (404, {"error": "Unknown server 'other'."})


def test_what_cannot_be_added_is_refused_in_the_older_gateways_words(gateway: Bridge) -> None:
    broken = manage(gateway, "POST", "/servers", b"{")
    assert broken.status == 400 and broken.json()["error"].startswith("Invalid JSON payload: ")
    nothing = manage(gateway, "POST", "/servers", {"mcpServers": {}})
    assert (nothing.status, nothing.json()) == (
        422,
        {
            "error": "Invalid server configuration.",
            "details": ["At least one server must be provided in 'mcpServers'."],
        },
    )
    invalid = manage(gateway, "POST", "/servers", {"mcpServers": {"x": {"args": []}}})
    assert invalid.status == 422 and invalid.json()["error"] == "Invalid server configuration." and invalid.json()["details"]
    dead = manage(gateway, "POST", "/servers", {"mcpServers": {"x": {"command": "/bin/false"}}})
    assert (dead.status, dead.json()["error"]) == (502, "Failed to add backend servers.")
    assert gateway.get("/servers").json() == {"servers": [ECHO]}


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost:3000"}, {"X-Forwarded-For": "192.0.2.1"}], ids=["a page", "a proxy"]
)
def test_no_page_and_no_proxy_changes_servers(gateway: Bridge, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/servers"), ("DELETE", f"/servers/{ECHO}")):
        refused = manage(gateway, method, path, {"mcpServers": {"x": demo_upstream()}}, **headers)
        assert refused.status in (401, 403), refused
    assert gateway.get("/servers").json() == {"servers": [ECHO]}


def test_changes_are_there_at_the_next_start(bridges: Bridges) -> None:
    """mcp-proxy forgot them."""
    gateway = over_http(bridges, "streamable-http", {"demo": demo_upstream()}, "--name", "kept").start()
    added = manage(gateway, "POST", "/servers", {"mcpServers": {"more": demo_upstream()}})
    assert added.status == 200
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.get("/servers").json() == {"servers": ["demo", "more"]}
    assert gateway.client().server["serverInfo"]["name"] == "kept"
    assert manage(gateway, "DELETE", "/servers/demo").status == 200
    assert gateway.get("/servers").json() == {"servers": ["more"]}


def test_beyond_loopback_it_serves_nobody_without_a_token(bridges: Bridges) -> None:
    gateway = over_http(bridges, "streamable-http", {ECHO: ping_server(ECHO)}, "--host", "0.0.0.0").start("live")
    for path in ("/servers", "/tools", "/mcp", "/sse"):
        answer = gateway.get(path)
        assert answer.status == 401 and "needs a token" in answer.body.decode(), path


# Over stdio


def test_standard_output_is_the_clients_alone(home: Bridge) -> None:
    """Whatever is logged, by the bridge and by its servers, goes to standard error, in mcp-proxy's lines."""
    with over_stdio(home, file_of(home), "--log-level", "DEBUG") as client:
        client.open()
        assert text(client.call(f"{ECHO}.ping", message="x")) == f"{ECHO}:x"
        assert client.close() == []
        eventually(lambda: any("shutting down" in line for line in client.said), "its end is logged")
        assert all(LOG_LINE.fullmatch(line) for line in client.said), client.said
        assert {line.split(":")[0] for line in client.said} >= {"DEBUG", "INFO"}


def test_by_itself_it_reads_the_examples_file(home: Bridge) -> None:
    with StdioClient(
        environment=home.whole_environment(), folder=home.folder, program=(BINARY, "gateway")
    ) as client:
        hello = client.ask("initialize", HELLO)
        assert hello["result"]["serverInfo"]["name"] == "mcp-gateway"
        assert [tool["name"] for tool in client.ask("tools/list")["result"]["tools"]] == TOOLS
        assert client.close() == []


def test_a_file_that_is_not_there_is_named(home: Bridge) -> None:
    said = run("gateway", "--config", "./none.json", environment=home.whole_environment(), folder=home.folder)
    assert (said.status, said.out) == (78, "")
    assert "Config file not found: ./none.json" in said.err
    assert LOG_LINE.fullmatch(said.err.strip())


@pytest.fixture
def piped(home: Bridge) -> Iterator[StdioClient]:
    with over_stdio(home, file_of(home)) as client:
        client.open()
        assert text(client.call(f"{ECHO}.ping", message="x")) == f"{ECHO}:x"
        yield client


@pytest.mark.parametrize("end", ["end of input", "SIGTERM", "SIGINT", "SIGKILL"])
def test_its_servers_end_with_it(home: Bridge, piped: StdioClient, end: str) -> None:
    below = processes.descendants(piped.process.pid)
    assert any("echo_server.py" in process.label for process in below)
    with ProcessWatch(below) as watch:
        if end == "end of input":
            assert piped.close() == []
        else:
            piped.process.send_signal(signal.Signals[end])
            assert piped.process.wait(PATIENCE) == (-signal.SIGKILL if end == "SIGKILL" else 0)
        assert watch.wait_until_all_ended(PATIENCE), f"outlived the gateway: {watch.alive}"


def test_what_is_under_way_is_answered_before_the_end(home: Bridge) -> None:
    file = servers_file(home.folder, {"demo": demo_upstream()}, "demo.json")
    with over_stdio(home, file) as client:
        call = client.open().begin("tools/call", {"name": "demo.sleep", "arguments": {"seconds": 0.5}})
        rest = client.close()
        assert [message["id"] for message in rest] == [call] and "result" in rest[0]


def test_a_worker_that_dies_leaves_the_client_its_session(home: Bridge) -> None:
    """The front and the session worker behind a gateway may die as those of the service may."""
    file = servers_file(home.folder, {"demo": demo_upstream()}, "demo.json")
    with over_stdio(home, file) as client:
        client.open()
        assert text(client.call("demo.echo", text="before")) == "before"
        for label in ("http", "session"):
            worker = next(each for each in processes.children(client.process.pid) if each.label == label)
            with ProcessWatch([worker]) as watch:
                os.kill(worker.pid, signal.SIGKILL)
                assert watch.wait_until_all_ended(PATIENCE)
            assert "result" in client.ask("tools/list")
            assert text(client.call("demo.echo", text=label)) == label
        assert client.close() == []


# By its other names


def test_the_gateways_installed_name_is_the_command(home: Bridge, folder: Path) -> None:
    (folder / "mcp-gateway").symlink_to(BINARY)
    with StdioClient(
        environment=home.whole_environment(), folder=home.folder, program=(folder / "mcp-gateway",)
    ) as client:
        assert "result" in client.ask("initialize", HELLO)
        assert client.close() == []


def test_the_proxys_installed_name_takes_its_variables(gateway: Bridge, folder: Path) -> None:
    (folder / "mcp-bridge-stdio").symlink_to(BINARY)
    with StdioClient(
        environment={"MCP_BRIDGE_PROXY_URL": f"http://127.0.0.1:{gateway.port}/mcp"}, folder=folder,
        program=(folder / "mcp-bridge-stdio",),
    ) as client:
        assert text(client.open().call(f"{ECHO}.ping", message="y")) == f"{ECHO}:y"
        assert client.close() == []
