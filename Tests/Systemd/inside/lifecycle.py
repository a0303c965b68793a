"""Stop, start, stop again; what is left behind; a service that hangs."""

from __future__ import annotations

import json
import signal
import socket

import pytest
from waiting import eventually
from http_raw import RawConnection
from outcomes import assert_nothing_twice, call_until_answered, when_dies
from replies import text_of
from systemd_service import (
    CONTROL,
    LOCAL,
    SERVICE,
    TCP,
    Counting,
    Service,
    bridge,
    ends_within,
    signal_process,
    systemctl,
)


def test_after_stop_and_start_both_unix_sockets_are_there(service: Service) -> None:
    for _ in range(2):
        service.start()
        with RawConnection(LOCAL) as connection:
            assert connection.request("GET", "/health/live").status == 200
        bridge("status", "--json")
        systemctl("stop", SERVICE)
        assert service.state == "inactive"


def test_a_stopped_service_is_started_again_through_the_local_socket(service: Service, counting: Counting) -> None:
    service.start()
    systemctl("stop", SERVICE)
    client = service.client(LOCAL)
    assert text_of(client.call(counting.tool, {"tag": "again"}).result) == "again"


def test_a_stopped_service_is_started_again_through_the_control_socket(service: Service) -> None:
    service.start()
    systemctl("stop", SERVICE)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(CONTROL)
        eventually(lambda: service.state == "active", "the service is active")


def test_a_stop_finishes_the_call_that_runs_and_ends_every_process(service: Service, counting: Counting) -> None:
    service.start()
    tree = service.tree()
    assert len(tree) >= 5, tree
    client = service.client()
    stream = client.beside()
    connection = RawConnection(TCP)
    arguments = {"name": counting.tool, "arguments": {"tag": "last", "ms": 1000}}
    connection.send("POST", "/mcp", stream.headers("POST"), request_body("tools/call", arguments))
    eventually(lambda: counting.counts()["last"] == 1, "the call runs")
    systemctl("stop", SERVICE)
    response = connection.read_response()
    assert response.status == 200 and b'"last"' in response.body, response
    ends_within(tree)
    assert service.show("Result") == "success"


def test_a_session_outlives_a_restart(service: Service, counting: Counting) -> None:
    service.start()
    client = service.client()
    systemctl("restart", SERVICE)
    client.close()
    assert text_of(client.call(counting.tool, {"tag": "same session"}).result) == "same session"


@pytest.mark.parametrize("label", ["http", "session", "upstream counting"])
def test_a_worker_that_hangs_is_replaced(service: Service, counting: Counting, label: str) -> None:
    service.start()
    client = service.client()
    supervisor, hung = service.supervisor, service.worker(label)
    signal_process(hung, signal.SIGSTOP)
    ends_within([hung])
    client.close()
    outcomes = call_until_answered(client.beside(), counting.tool, when_dies(label))
    assert_nothing_twice(outcomes, [counting])
    assert service.worker(label).pid != hung.pid
    assert service.supervisor == supervisor, "the supervisor was replaced too"
    assert service.show("NRestarts") == "0"


def test_a_supervisor_that_hangs_is_replaced_with_all_its_tree(service: Service, counting: Counting) -> None:
    service.start()
    client = service.client()
    tree = service.tree()
    signal_process(tree[0], signal.SIGSTOP)
    ends_within(tree[:1])
    ends_within(tree)
    client.close()
    assert text_of(client.call(counting.tool, {"tag": "after"}).result) == "after"
    assert service.show("NRestarts") == "1"


def test_a_configuration_that_does_not_load_stops_at_the_first_try(service: Service) -> None:
    service.write_config('{ "mcpServers": [1, 2] }')
    systemctl("start", SERVICE, check=False)
    assert service.state == "failed"
    assert service.show("NRestarts") == "0"
    told = " ".join(str(record["MESSAGE"]) for record in service.journal())
    assert "config.json" in told and "mcpServers" in told, told


def request_body(method: str, params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": "one", "method": method, "params": params}).encode()
