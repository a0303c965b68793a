"""A bridge that is run by hand on a machine that has the service, too."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_raw import ConnectionEnded, RawConnection
from systemd_service import BINARY, Counting, Service, bridge, run
from waiting import eventually

PORT = 8899


@pytest.fixture
def terminal(tmp_path: Path) -> list[str]:
    """What a command begins with in the terminal of somebody who has a bridge of their own."""
    (tmp_path / "config.json").write_text('{"mcpServers": {}}', encoding="utf-8")
    variables = {
        "XDG_RUNTIME_DIR": tmp_path,
        "MCP_BRIDGE_CONFIG": tmp_path / "config.json",
        "MCP_BRIDGE_CONFIG_DIR": tmp_path / "state",
        "MCP_BRIDGE_PORT": PORT,
    }
    return ["env", *(f"{name}={value}" for name, value in variables.items()), str(BINARY)]


@pytest.fixture
def by_hand(terminal: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([*terminal, "serve"]) as process:
        try:
            eventually(is_ready, "the bridge run by hand is ready")
            yield process
        finally:
            process.terminate()


def is_ready() -> bool:
    try:
        with RawConnection(("127.0.0.1", PORT)) as connection:
            return connection.request("GET", "/health/ready").status == 200
    except (OSError, ConnectionEnded):
        return False


def test_both_run_side_by_side(
    service: Service, counting: Counting, terminal: list[str], by_hand: subprocess.Popen[bytes]
) -> None:
    service.start()
    assert run(*terminal, "tools").stdout == "There are no tools.\n"
    assert counting.tool in bridge("tools").stdout
    for command, process in ((run(*terminal, "status"), by_hand.pid), (bridge("status"), service.supervisor.pid)):
        assert f"pid {process}," in command.stdout


def test_the_status_is_of_the_one_that_runs_and_not_of_the_service_that_does_not(
    service: Service, terminal: list[str], by_hand: subprocess.Popen[bytes]
) -> None:
    said = run(*terminal, "status", check=False)
    assert said.returncode == 0 and f"pid {by_hand.pid}," in said.stdout, said
    assert service.state == "inactive"
