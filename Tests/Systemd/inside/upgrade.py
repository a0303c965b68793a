"""Installing again while the service runs, and removing it."""

from __future__ import annotations

import os
from pathlib import Path

from outcomes import SESSION_DIES, call_until_answered
from replies import text_of
from systemd_service import BINARY, CONFIG, SERVICE, SOURCE, STATE, Counting, Service, install, run, systemctl
from waiting import eventually


def test_an_upgrade_in_place_and_a_restart(service: Service, counting: Counting) -> None:
    service.start()
    client = service.client()
    install(os.environ["MCP_BRIDGE_BINARY"])
    # The old program goes on: its workers come from the file it was started from, not from the name.
    old = service.worker("session")
    os.kill(old.pid, 9)
    eventually(lambda: service.worker("session").pid != old.pid or None, "another session worker")
    call_until_answered(client, counting.tool, SESSION_DIES, "old-program")
    systemctl("restart", SERVICE)
    client.close()
    assert text_of(client.call(counting.tool, {"tag": "new-program"}).result) == "new-program"


def test_removal_stops_it_and_leaves_what_is_the_administrators(service: Service, counting: Counting) -> None:
    systemctl("enable", "mcp-bridge.socket")
    service.start()
    run(SOURCE / "scripts/uninstall", "--prefix", "/usr")
    assert service.state == "inactive" and service.show("LoadState") == "not-found"
    assert not BINARY.exists() and CONFIG.exists() and STATE.is_dir()
    assert not list(Path("/etc/systemd/system").rglob("mcp-bridge*.socket"))
    install(os.environ["MCP_BRIDGE_BINARY"])
    service.listen()
    assert text_of(service.client().call(counting.tool, {"tag": "back"}).result) == "back"
