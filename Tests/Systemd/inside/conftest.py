"""Fixtures of the tests that run inside a booted systemd, as root. Started by test_service.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "Support"))

import systemd_service  # noqa: E402
from systemd_service import Counting, Service  # noqa: E402


@pytest.fixture(scope="session")
def installed() -> Service:
    systemd_service.install(os.environ["MCP_BRIDGE_BINARY"])
    return Service()


@pytest.fixture
def counting() -> Counting:
    return Counting("counting")


@pytest.fixture
def service(installed: Service, counting: Counting) -> Iterator[Service]:
    """The service as installed, with the counting upstream configured, its sockets listening and itself not running."""
    installed.reset()
    installed.configure(counting)
    installed.listen()
    assert installed.state == "inactive"
    yield installed
    installed.reset()
