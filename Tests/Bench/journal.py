"""A bridge whose standard error is the machine's journal, as a service's is, and what has become of its records.

`scripts/bench --journal` boots a systemd for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rig import PATIENCE, Bridge, Unmeasurable

#: Where journald takes streams, and what it is told of one: whose it is, no unit, the priority, and nothing else.
STREAM = "/run/systemd/journal/stdout"
HEAD = b"mcp-bridge\n\n6\n0\n0\n0\n0\n"
#: How long it may take until all that was told has been written: there may be hundreds of thousands of records.
WRITING = 300.0


class Journaled(Bridge):
    """One that speaks to the journal."""

    _stream = ""

    @contextlib.contextmanager
    def standard_error(self) -> Iterator[Any]:
        with socket.socket(socket.AF_UNIX) as stream:
            try:
                stream.connect(STREAM)
            except OSError as error:
                raise Unmeasurable(f"there is no journal here: {error}") from None
            stream.sendall(HEAD)
            status = os.fstat(stream.fileno())
            self._stream = f"{status.st_dev}:{status.st_ino}"
            yield stream

    def environment(self) -> dict[str, str]:
        return super().environment() | ({"JOURNAL_STREAM": self._stream} if self._stream else {})

    def kept(self) -> dict[str, int]:
        """How many chats there were, and what the journal, the log and the audit have of them, once all is written."""
        deadline = time.monotonic() + WRITING
        while True:
            found = self._look()
            missing = found["requests"] - found["answers"]
            # A record that was dropped may have been another one.
            if found["rows"] >= found["requests"] and found["told"] == found["counted"] >= missing:
                return found
            if time.monotonic() > deadline:
                raise Unmeasurable(f"of chats, records and rows some are missing, and nobody says so: {found}")
            self.check()

    def _look(self) -> dict[str, int]:
        subprocess.run(["journalctl", "--sync"], check=True, timeout=PATIENCE)
        said = [json.loads(line) for line in _journal("MCP_LOGGER=mcp-bridge.log", "--output", "json")]
        return {
            "requests": self._answered(),
            "rows": _rows(self.folder / "state/bridge.sqlite"),
            # Each chat has a record of what went, and up to a thousand in a second one of what came.
            "answers": _count("MCP_DIRECTION=TX"),
            "records": _count("SYSLOG_IDENTIFIER=mcp-bridge"),
            "told": sum(int(each["MCP_COUNT"]) for each in said if "MCP_COUNT" in each),
            "counted": sum(use["droppedLogRecords"] for use in self.status()["memory"].values()),
        }

    def _answered(self) -> int:
        with urllib.request.urlopen(self.address("/metrics"), timeout=PATIENCE) as answer:
            text = answer.read().decode()
        counts = re.findall(r'^mcp_bridge_http_requests_total\{route="completions",status="\d+"\} (\d+)$', text, re.MULTILINE)
        return sum(map(int, counts))


def _rows(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM audit WHERE method = '/v1/chat/completions'").fetchone()
    return int(count)


def _count(match: str) -> int:
    return sum(1 for _ in _journal(match, "--output", "cat", "--output-fields", "SYSLOG_IDENTIFIER"))


def _journal(*arguments: str) -> Iterator[bytes]:
    command = ["journalctl", "--quiet", "--no-pager", "--all", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield from process.stdout
