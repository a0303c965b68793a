"""The first connection on each socket starts the service; asking how it is does not."""

from __future__ import annotations

import json
import re
import socket

import pytest
from waiting import eventually
from http_raw import RawConnection
from systemd_service import BINARY, CONTROL, LOCAL, SERVICE, SOCKETS, TCP, Counting, Service, bridge, run, systemctl


@pytest.mark.parametrize("address", [TCP, LOCAL], ids=["http", "local"])
def test_the_first_request_starts_the_service_and_is_answered(service: Service, address: tuple[str, int] | str) -> None:
    with RawConnection(address) as connection:
        response = connection.request("GET", "/")
    assert response.status == 200, response
    assert response.json()["service"] == "mcp-bridge"
    eventually(lambda: service.state == "active", "the service is active")


def test_the_first_connection_to_the_control_socket_starts_the_service(service: Service) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(CONTROL)
        eventually(lambda: service.state == "active", "the service is active")
    assert json.loads(bridge("status", "--json").stdout)


def test_a_call_is_the_first_thing_that_happens(service: Service, counting: Counting) -> None:
    client = service.client(LOCAL)
    assert client.call(counting.tool, {"tag": "first"}).result["content"] == [{"type": "text", "text": "first"}]
    assert counting.counts() == {"first": 1}


def test_all_three_sockets_arrive_under_their_names(service: Service) -> None:
    service.start()
    for address in (TCP, LOCAL):
        with RawConnection(address) as connection:
            assert connection.request("GET", "/health").status == 200
    assert bridge("status").returncode == 0
    # Nothing was bound beside what systemd passed.
    listening = run("ss", "-Hltn").stdout.splitlines()
    assert len(listening) == 1 and "127.0.0.1:8769" in listening[0], listening


def test_asking_for_the_status_does_not_wake_a_stopped_service(service: Service) -> None:
    said = bridge("status", check=False)
    assert (said.returncode, said.stderr) == (3, "")
    assert re.fullmatch(r"mcp-bridge is inactive; .*'systemctl start mcp-bridge'.*\n", said.stdout), said
    said = bridge("status", "--json", check=False)
    assert (said.returncode, said.stderr) == (3, "")
    assert json.loads(said.stdout) == {"ok": False, "running": False, "state": "inactive"}
    assert service.state == "inactive"


def test_the_status_of_a_service_that_failed_says_so(service: Service) -> None:
    service.write_config("{")
    systemctl("start", SERVICE, check=False)
    assert service.state == "failed"
    said = bridge("status", check=False)
    assert said.returncode == 3 and said.stdout.startswith("mcp-bridge is failed; "), said


def test_the_status_text_is_in_plain_words(service: Service) -> None:
    service.start()
    eventually(lambda: re.match(r"1/1 upstreams? ready, 0 sessions\b", service.status), "no session in the status")
    service.client()
    eventually(lambda: re.match(r"1/1 upstreams? ready, 1 session\b", service.status), "one session in the status")


def test_the_status_text_names_an_upstream_that_cannot_start(service: Service, counting: Counting) -> None:
    service.configure(counting, servers={"broken": {"command": "/usr/bin/false"}})
    systemctl("start", SERVICE)
    eventually(lambda: re.match(r"1/2 upstreams ready\b.*\bbroken: ", service.status), "broken is in the status")


def test_the_sockets_have_the_modes_and_owners_of_their_units(service: Service) -> None:
    def mode(path: str) -> str:
        return run("stat", "-c", "%a %U %G", path).stdout.strip()

    assert mode(LOCAL) == "660 mcp-bridge mcp-bridge"
    assert mode(CONTROL).startswith("600 mcp-bridge ")


def test_systemd_has_nothing_to_say_against_the_installed_units(service: Service) -> None:
    said = run("systemd-analyze", "verify", "--man=no", SERVICE, *SOCKETS)
    assert (said.stdout, said.stderr) == ("", "")
    assert run("systemd-analyze", "security", "--no-pager", "--threshold=29", SERVICE).returncode == 0


def test_the_supervisor_runs_as_its_user_from_the_installed_file(service: Service) -> None:
    service.start()
    owners = run("ps", "-o", "user=", "-p", ",".join(str(each.pid) for each in service.tree())).stdout.split()
    # ps cuts long names.
    assert owners and all("mcp-bridge".startswith(owner.rstrip("+")) for owner in owners), owners
    assert run("readlink", f"/proc/{service.supervisor.pid}/exe").stdout.strip() == str(BINARY)
