"""Tests that need a real systemd. Those in inside/ run within it, one boot for each file (see test_service.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Support"))

import systemd_boot  # noqa: E402

collect_ignore = ["inside"]


@pytest.fixture(scope="session")
def boot() -> systemd_boot.Boot:
    systemd_boot.require_systemd()
    return systemd_boot.boot
