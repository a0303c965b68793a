"""Chats of a bridge whose log is a real journal (`scripts/bench --journal`): what is kept of them. How fast it is, is no
matter here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import systemd_boot
from systemd_boot import BINARY, BOOT_LIMIT, ROOT

#: To build the load generator and run everything once, on a machine that is busy (seconds).
LIMIT = 500.0


def test_each_chat_has_a_row_and_a_record_and_what_is_missing_is_told(tmp_path: Path) -> None:
    systemd_boot.require_systemd()
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [ROOT / "scripts/bench", "--smoke", "--only", "chat", "--journal", "--json", file],
        env={**os.environ, "MCP_BRIDGE_BINARY": str(BINARY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT + BOOT_LIMIT,
    )
    assert done.returncode == 0, done
    found = json.loads(file.read_text(encoding="utf-8"))["chat"]["journal"]
    assert found["rows"] == found["requests"] >= 300, found
    assert found["told"] == found["counted"] >= found["requests"] - found["answers"], found
    assert f"{found['requests']:,} chats" in done.stdout, done.stdout


@pytest.mark.parametrize("others", [[], ["--only", "calls"], ["--only", "chat", "--only", "calls"]])
def test_it_is_for_chats_alone(others: list[str]) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", ROOT / "Tests/Bench/bench.py", "--binary", BINARY, "--programs", "/tmp", "--journal", *others],
        capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, timeout=60,
    )
    assert done.returncode == 2 and "--only chat" in done.stderr, done
