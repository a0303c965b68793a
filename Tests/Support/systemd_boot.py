"""Boots a systemd from outside (scripts/with-systemd), and where its inside finds what is out here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WITH_SYSTEMD = ROOT / "scripts/with-systemd"
BINARY = Path(os.environ.get("MCP_BRIDGE_BINARY") or ROOT / ".build/release/mcp-bridge")

#: Where the inside sees what is outside, wherever that is: /tmp and /run are the inside's own.
SOURCE_INSIDE = "/opt/mcp-bridge-source"
BINARY_INSIDE = "/opt/mcp-bridge-binary"
PYTHON_INSIDE = f"{SOURCE_INSIDE}/.build/venv-mcp1/bin/python"

#: For the boot alone, on a machine that is busy with other things (seconds).
BOOT_LIMIT = 180

Boot = Callable[..., "subprocess.CompletedProcess[str]"]


def require_systemd() -> None:
    """Skips on a machine that cannot boot one, and says why; fails on one that can and does not."""
    able = subprocess.run([WITH_SYSTEMD, "-T", str(BOOT_LIMIT), "-k"], capture_output=True, text=True)
    if able.returncode == 77:
        pytest.skip(able.stderr.strip())
    assert able.returncode == 0, able.stderr


def boot(*command: str, options: tuple[str, ...] = (), limit: int = 300) -> subprocess.CompletedProcess[str]:
    """Runs a command in a freshly booted systemd, for at most `limit` seconds. Its output is in `stdout`; the journal,
    shown when it failed, is in `stderr`."""
    return subprocess.run(
        [WITH_SYSTEMD, "-T", str(BOOT_LIMIT), "-t", str(limit), "-r", f"{ROOT}:{SOURCE_INSIDE}", *options, "--", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit + BOOT_LIMIT + 60,
    )
