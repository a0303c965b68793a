"""`systemctl restart` under calling clients: nothing refused, no call executed twice."""

from __future__ import annotations

from systemd_service import SERVICE, Counting, Service, restart_under_calls, systemctl

RESTARTS = 12


def test_twelve_restarts_under_four_calling_clients(service: Service, counting: Counting) -> None:
    service.start()
    restart_under_calls(service, counting, RESTARTS)
    assert service.show("NRestarts") == "0"


def test_a_restart_is_no_failure_of_any_socket(service: Service) -> None:
    service.start()
    for _ in range(3):
        systemctl("restart", SERVICE)
    for name in ("mcp-bridge.socket", "mcp-bridge-local.socket", "mcp-bridge-control.socket"):
        assert service.show("ActiveState", name) == "active"
