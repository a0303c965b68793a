"""Several bridges of one user: each has its own state, and none takes another's."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import run
from gateways import over_stdio, servers_file
from harness import Bridge, Bridges
from places import BINARY
from ports import free_port
from stdio_client import StdioClient
from upstreams import demo_upstream
from waiting import eventually


def text(answer: dict[str, object]) -> str:
    return answer["result"]["content"][0]["text"]  # type: ignore[index, no-any-return]


@pytest.fixture
def service(bridges: Bridges) -> Bridge:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


def test_a_service_and_three_gateways_share_a_home(service: Bridge) -> None:
    """Two of them are the same entry of one client, which has two windows."""
    file = servers_file(service.folder, {"mine": demo_upstream()})
    port = free_port()
    over_http = Bridge(
        service.folder, None, command="gateway", port=port,
        arguments=("--config", str(file), "--transport", "streamable-http", "--port", str(port)),
    )
    with ExitStack() as ended:
        clients = [ended.enter_context(over_stdio(service, file)) for _ in range(2)]
        over_http.start()
        ended.callback(over_http.stop)
        for client in clients:
            assert text(client.open().call("mine.echo", text="piped")) == "piped"
        over_http.wait_upstream("mine")
        assert over_http.client().call("mine.echo", {"text": "over HTTP"}).result
        assert service.client().call("demo.echo", {"text": "served"}).result
        folders = sorted((service.state / "instances").iterdir())
        assert len(folders) == 3 and all((folder / "sealing.key").is_file() for folder in folders)
        assert folders[1].name == folders[0].name + "-2" or folders[2].name == folders[1].name + "-2"
        with StdioClient(environment=service.whole_environment(), folder=service.folder) as client:
            assert text(client.open().call("demo.echo", text="the service's")) == "the service's"
        for client in clients:
            assert client.close() == []
    own = {"instances", "lock", "sealing.key", "sessions.journal", "token.key", "tools-cache.json"}

    def is_all() -> bool:
        return {path.name for path in service.state.iterdir() if not path.name.startswith("bridge.sqlite")} <= own

    eventually(is_all, "nothing else is there, once what is being written is")
    # What belonged to them is gone, what belongs to the service is there.
    assert [path.name for path in Path(service.local_socket).parent.glob("w*")] == [f"w{service.supervisor.pid}"]


def test_a_gateway_has_the_same_state_at_its_next_start(service: Bridge) -> None:
    file = servers_file(service.folder, {"mine": demo_upstream()})
    for _ in range(2):
        with over_stdio(service, file) as client:
            client.open()
            assert client.close() == []
    assert len(list((service.state / "instances").iterdir())) == 1


def test_a_second_service_on_the_same_state_stops_and_says_who_has_it(service: Bridge) -> None:
    environment = {**service.whole_environment(), "MCP_BRIDGE_PORT": str(free_port())}
    said = run("serve", environment=environment, folder=service.folder)
    assert said.status == 75
    assert f"{service.state} is in use by another bridge: process {service.supervisor.pid} (mcp-bridge serve)" in said.err
    assert service.client().call("demo.echo", {"text": "still there"}).result


def test_a_gateway_that_cannot_start_leaves_nothing_running_and_no_folder(service: Bridge) -> None:
    file = servers_file(service.folder, {"mine": demo_upstream()})
    arguments = ("gateway", "--config", file, "--transport", "sse", "--port", str(service.port))
    said = run(*arguments, environment=service.whole_environment(), folder=service.folder)
    assert said.status == 1 and f"127.0.0.1:{service.port}" in said.err
    assert [path.name for path in Path(service.local_socket).parent.glob("w*")] == [f"w{service.supervisor.pid}"]


def test_what_a_killed_service_held_is_free(service: Bridge) -> None:
    service.kill()
    service.start()
    assert (service.state / "lock").read_text().split() == [str(service.supervisor.pid), "mcp-bridge", "serve"]


def test_no_process_but_the_supervisor_has_the_lock(service: Bridge) -> None:
    """A server that outlived the service would keep the next one from starting."""
    lock = (service.state / "lock").stat()
    holders = []
    for process in service.tree():
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                found = descriptor.stat()
            except OSError:
                continue
            if (found.st_dev, found.st_ino) == (lock.st_dev, lock.st_ino):
                holders.append(process.label)
    assert holders == ["supervisor"], BINARY
