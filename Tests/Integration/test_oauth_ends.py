"""A token that is on its way when something ends: a worker, a configuration, a disk.

These authorization servers have no patience: who shows them a refresh token that has been replaced loses the whole grant. So
a test that ends with a good grant has shown each of them once.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from authorization_server import AuthorizationServer
from command_line import beside
from harness import Bridge, Bridges
from replies import text_of
from signing_in import guarded, sign_in, told
from waiting import eventually

#: In seconds; tokens are refreshed at half of it.
LIFE = 10


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    made = AuthorizationServer(life=LIFE)
    yield made
    made.stop()


@pytest.fixture
def bridge(bridges: Bridges, server: AuthorizationServer) -> Bridge:
    bridge = guarded(bridges, {"s": server}).start("live")
    sign_in(bridge, "s")
    bridge.wait_upstream("s")
    rest(bridge, server)
    return bridge


def echo(bridge: Bridge) -> str:
    return text_of(bridge.client().call("s.echo", {"text": "hello"}).result)


def state_file(bridge: Bridge) -> Path:
    return next((bridge.state / "oauth").glob("*.json"))


def kept(bridge: Bridge) -> str:
    return str(json.loads(state_file(bridge).read_text())["tokens"]["refresh_token"])


def refreshes(server: AuthorizationServer) -> int:
    return len(server.requests("token:refresh_token"))


def wait_kept(bridge: Bridge, server: AuthorizationServer, token: str) -> None:
    """Until that refresh token, or one that came of it, is on the disk."""
    line = server.grants[-1].refresh
    eventually(lambda: line.index(kept(bridge)) >= line.index(token), "the newest token is on the disk")


def rest(bridge: Bridge, server: AuthorizationServer) -> None:
    """Until a refresh is over, to the last of it: for half of a token's life none will be on its way."""
    server.wait("token:refresh_token", refreshes(server) + 1)
    eventually(lambda: kept(bridge) == server.grants[-1].refresh[-1], "the newest token is on the disk")
    eventually(lambda: not state_file(bridge).with_suffix(".intent").exists(), "nothing is left of the refresh")


def is_good(bridge: Bridge, server: AuthorizationServer) -> None:
    """The grant lives, and goes on living."""
    bridge.wait_upstream("s")
    server.wait("token:refresh_token", refreshes(server) + 1)
    eventually(lambda: told(bridge, "s").get("state") == "ok", "it is refreshed")
    assert echo(bridge) == "hello"
    assert server.grants[-1].dead is None and len(server.requests("authorize")) == 1


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Somebody listens at a port, and takes no connection: who connects waits."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):
            other = stack.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        yield


def test_a_worker_that_is_killed_before_its_request_has_left(bridge: Bridge, server: AuthorizationServer) -> None:
    before, token = refreshes(server), kept(bridge)
    server.stop()
    with silent(server.port):
        eventually(state_file(bridge).with_suffix(".intent").exists, "a refresh is about to be asked for")
        os.kill(bridge.worker("upstream s").pid, signal.SIGKILL)
    server.start()
    asked = server.wait("token:refresh_token", before + 1)
    assert asked[before].form["refresh_token"] == token
    is_good(bridge, server)


def test_a_worker_that_is_killed_when_the_answer_is_on_the_disk_and_the_state_is_not(bridge: Bridge, server: AuthorizationServer) -> None:
    path = state_file(bridge)
    token, generation = kept(bridge), json.loads(path.read_text())["generation"]
    # The state is written once the one before is kept, which this disk does not do.
    previous = path.with_suffix(".previous")
    previous.unlink(missing_ok=True)
    previous.mkdir(mode=0o700)
    # The second of them is asked for with what is in memory alone.
    server.wait("token:refresh_token", refreshes(server) + 2)
    answer, intent = path.with_suffix(".answer"), path.with_suffix(".intent")

    def is_answered() -> bool:
        return bool(json.loads(answer.read_text())["generation"] > generation)

    def has_newest() -> bool:
        body = json.loads(base64.b64decode(json.loads(answer.read_text())["body"]))
        return bool(body["refresh_token"] == server.grants[-1].refresh[-1])

    eventually(lambda: answer.exists() and is_answered(), "the second answer is on the disk")
    assert "memory only" in json.dumps(told(bridge, "s")) and echo(bridge) == "hello"
    assert kept(bridge) == token
    # Just after a refresh, so that none is on its way.
    server.wait("token:refresh_token", refreshes(server) + 1)
    eventually(has_newest, "the newest answer is on the disk")
    asked, newest, left = refreshes(server), server.grants[-1].refresh[-1], (answer.read_bytes(), intent.read_bytes())
    os.kill(bridge.worker("upstream s").pid, signal.SIGKILL)
    previous.rmdir()
    wait_kept(bridge, server, newest)
    assert server.requests("token:refresh_token")[asked:] == [] or server.requests("token:refresh_token")[asked].form["refresh_token"] == newest
    is_good(bridge, server)
    # As by who dies between the state and the clearing away.
    bridge.kill()
    answer.write_bytes(left[0])
    intent.write_bytes(left[1])
    bridge.start("live")
    is_good(bridge, server)
    eventually(lambda: not answer.exists() and not intent.exists(), "nothing is left behind")


def test_a_reload_in_the_middle_of_a_refresh(bridge: Bridge, server: AuthorizationServer) -> None:
    server.next("token:refresh_token", {"hold": True})
    before = server.wait_held("token:refresh_token")
    eventually(lambda: len(server.grants[-1].refresh) == before + 2, "the token is rotated")
    assert bridge.config is not None
    bridge.config["mcpServers"]["s"]["oauth"] = {"clientName": "Another name"}
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    server.release()
    wait_kept(bridge, server, server.grants[-1].refresh[before + 1])
    eventually(lambda: not told(bridge, "s").get("lockHeldBy"), "the lock is free")
    # The token that there was at the reload has ended by then.
    server.wait("token:refresh_token", before + 4)
    is_good(bridge, server)


def test_a_stop_in_the_middle_of_a_refresh(bridge: Bridge, server: AuthorizationServer) -> None:
    before = refreshes(server)
    server.next("token:refresh_token", {"delay": 2})
    server.wait("token:refresh_token", before + 1)
    bridge.stop()
    assert kept(bridge) == server.grants[-1].refresh[-1] and refreshes(server) == before + 1
    bridge.start("live")
    is_good(bridge, server)
