"""The stricter drop-in: enabled as its own words say, the service runs and serves, and is less exposed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from replies import text_of
from systemd_service import LOCAL, SERVICE, TCP, Counting, Service, bridge, run, systemctl

EXAMPLE = Path("/usr/lib/systemd/system/mcp-bridge.service.d/strict.conf.example")
ENABLED = Path("/etc/systemd/system/mcp-bridge.service.d/strict.conf")


@pytest.fixture
def strict(service: Service) -> Iterator[Service]:
    ENABLED.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXAMPLE, ENABLED)
    systemctl("daemon-reload")
    yield service
    ENABLED.unlink()
    systemctl("daemon-reload")


def test_the_service_serves_with_the_strict_drop_in(strict: Service, counting: Counting) -> None:
    strict.start()
    for number, address in enumerate((TCP, LOCAL)):
        assert text_of(strict.client(address).call(counting.tool, {"tag": f"t{number}"}).result) == f"t{number}"
    bridge("status")
    systemctl("reload", SERVICE)
    assert strict.show("PrivateUsers") == "yes"


def test_its_exposure_is_below_two(strict: Service) -> None:
    assert run("systemd-analyze", "security", "--no-pager", "--threshold=19", SERVICE).returncode == 0
