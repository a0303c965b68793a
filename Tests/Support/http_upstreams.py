"""Servers of the official SDK that are reached over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from places import SDK_1_PYTHON, SDK_2_PYTHON, SUPPORT
from ports import free_port
from waiting import eventually

PYTHONS = {"1": SDK_1_PYTHON, "2": SDK_2_PYTHON}


class SDKServer:
    """A process of a server of the official SDK; in the mode `tasks`, one whose tools run as tasks."""

    def __init__(self, generation: str, mode: str, counted: Path) -> None:
        self.generation, self.mode, self.counted = generation, mode, counted
        self.port = free_port()
        self.counted.touch()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command(),
            env={**os.environ, "COUNT_FILE": str(self.counted)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._listens, "the server listens")

    def _command(self) -> list[Any]:
        if self.mode == "tasks":
            return [PYTHONS[self.generation], SUPPORT / "task_server.py", str(self.port)]
        return [PYTHONS[self.generation], SUPPORT / "sdk_http_server.py", self.mode, str(self.port), self.counted]

    def _listens(self) -> bool:
        assert self.process.poll() is None, "the server has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def entry(self) -> dict[str, Any]:
        path = "sse" if self.mode == "sse" else "mcp"
        return {"type": "sse" if self.mode == "sse" else "http", "url": f"http://127.0.0.1:{self.port}/{path}"}

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in self.counted.read_text(encoding="utf-8").splitlines():
            tag = line.split()[0]
            found[tag] = found.get(tag, 0) + 1
        return found
