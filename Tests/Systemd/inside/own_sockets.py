"""Without its socket units the service binds its sockets itself, and systemd's descriptor store keeps them over
restarts; with some of the units, nothing else is bound."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from outcomes import NOTHING, RESTART_KEEPING_ALIVE, SUPERVISOR_DIES, assert_nothing_twice, call_until_answered
from replies import text_of
from systemd_service import (
    LOCAL,
    SERVICE,
    SOCKETS,
    STATE,
    TCP,
    Counting,
    Service,
    bridge,
    calling_clients,
    check_outcomes,
    ends_within,
    restart_under_calls,
    run,
    systemctl,
)

RESTARTS = 6
#: A Unix socket of the service's own that outlives a restart: its folder does.
OWN = str(STATE / "own.sock")


@pytest.fixture
def masked(installed: Service, counting: Counting, request: pytest.FixtureRequest) -> Iterator[Service]:
    """The service with some of its socket units masked (all, unless the test says which) and the others listening."""
    names = getattr(request, "param", SOCKETS)
    installed.reset()
    installed.configure(counting, listen=["127.0.0.1:8769", f"unix:{OWN}"])
    systemctl("mask", *names)
    if others := [name for name in SOCKETS if name not in names]:
        systemctl("start", *others)
    yield installed
    systemctl("unmask", *names)
    installed.reset()


def tcp_listeners() -> list[str]:
    return [line.split()[3] for line in run("ss", "-Hltn").stdout.splitlines()]


@pytest.mark.parametrize("address", [TCP, OWN], ids=["TCP", "Unix"])
def test_restarts_without_socket_units_refuse_nobody(
    masked: Service, counting: Counting, address: tuple[str, int] | str
) -> None:
    masked.start()
    inode = os.stat(OWN).st_ino
    restart_under_calls(masked, counting, RESTARTS, address)
    assert os.stat(OWN).st_ino == inode, "the socket is another one"
    assert tcp_listeners() == ["127.0.0.1:8769"]


def test_the_store_holds_each_socket_once_however_often_it_is_restarted(masked: Service) -> None:
    masked.start()
    held = masked.show("NFileDescriptorStore")
    assert int(held) >= 2
    for _ in range(3):
        systemctl("restart", SERVICE)
        masked.wait_ready()
        assert masked.show("NFileDescriptorStore") == held


def test_a_supervisor_that_is_killed_loses_no_socket(masked: Service, counting: Counting) -> None:
    masked.start()
    client = masked.client()
    dying = masked.tree()
    os.kill(dying[0].pid, 9)
    # Those that are dying may still answer; whoever finds nobody fails the test.
    outcomes = call_until_answered(client, counting.tool, SUPERVISOR_DIES, "meanwhile")
    ends_within(dying)
    client.close()
    outcomes += call_until_answered(client, counting.tool, NOTHING, "after")
    assert_nothing_twice(outcomes, [counting])
    assert masked.supervisor != dying[0]


def test_a_stop_lets_go_of_the_sockets_so_that_the_units_can_have_them(masked: Service, counting: Counting) -> None:
    masked.start()
    systemctl("stop", SERVICE)
    assert tcp_listeners() == []
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(ConnectionRefusedError):
        connection.connect(OWN)
    systemctl("unmask", *SOCKETS)
    masked.listen()
    assert text_of(masked.client().call(counting.tool, {"tag": "units"}).result) == "units"
    assert masked.show("NFileDescriptorStore") == "0"


def test_another_address_after_a_restart_is_bound_and_the_old_one_let_go(masked: Service, counting: Counting) -> None:
    masked.start()
    masked.configure(counting, listen=["127.0.0.1:8770"])
    systemctl("restart", SERVICE)
    masked.wait_ready(("127.0.0.1", 8770))
    assert tcp_listeners() == ["127.0.0.1:8770"]


def test_a_reload_finds_the_services_own_control_socket(masked: Service, counting: Counting) -> None:
    masked.start()
    other = Counting("other")
    masked.configure(counting, other, listen=["127.0.0.1:8769", f"unix:{OWN}"])
    systemctl("reload", SERVICE)
    assert text_of(masked.client().call(other.tool, {"tag": "reloaded"}).result) == "reloaded"


@pytest.mark.parametrize("masked", [["mcp-bridge.socket"]], indirect=True)
def test_where_the_http_socket_is_masked_nothing_listens_on_tcp(masked: Service, counting: Counting) -> None:
    with calling_clients(masked, counting, address=LOCAL) as callers:
        for _ in range(2):
            for caller in callers:
                caller.wait_for_answers(3)
            assert tcp_listeners() == [] and not Path(OWN).exists()
            systemctl("restart", SERVICE)
        for caller in callers:
            caller.wait_for_answers(3)
    check_outcomes(callers, counting, RESTART_KEEPING_ALIVE)
    assert masked.show("NFileDescriptorStore") == "0"
    told = bridge("status").stdout
    assert f"listening on {LOCAL}" in told and "127.0.0.1" not in told


@pytest.mark.parametrize("masked", [["mcp-bridge-local.socket"]], indirect=True)
def test_where_the_local_socket_is_masked_there_is_none(masked: Service, counting: Counting) -> None:
    assert text_of(masked.client().call(counting.tool, {"tag": "tcp"}).result) == "tcp"
    assert not Path(LOCAL).exists() and not Path(OWN).exists()
    told = bridge("status").stdout
    assert "listening on http://127.0.0.1:8769/mcp" in told and ".sock" not in told
