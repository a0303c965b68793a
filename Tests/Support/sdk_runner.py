"""Drives the SDK scenarios in a process of their own, one for each generation of the SDK."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from places import SUPPORT

#: The SDK, and how its client begins.
GENERATIONS = [
    pytest.param(("1", "legacy"), id="mcp 1.30"),
    pytest.param(("2", "auto"), id="mcp 2.3 auto"),
    pytest.param(("2", "legacy"), id="mcp 2.3 legacy"),
]

#: A scenario gives up by itself a little earlier, and says where it hung.
LIMIT = 150.0


class ScenarioFailed(AssertionError):
    pass


class SDKRunner:
    def __init__(self, python: Path) -> None:
        assert python.is_file(), f"no environment with the SDK: {python} (scripts/python-env makes it)"
        self._python = python
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(self, scenario: str, url: str, mode: str, **options: Any) -> dict[str, Any]:
        """The facts that the scenario found. Raises with the trace from over there."""
        process = self._start()
        request = {"scenario": scenario, "url": url, "mode": mode, "options": options}
        assert process.stdin is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        try:
            answer = json.loads(self._answers.get(timeout=LIMIT))
        except queue.Empty:
            self.close()
            raise ScenarioFailed(f"{scenario} hung") from None
        if "error" in answer:
            raise ScenarioFailed(f"{scenario}: {answer['error']}\n{answer['trace']}")
        return answer["facts"]

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._answers = queue.SimpleQueue()
            self._process = subprocess.Popen(
                [self._python, SUPPORT / "sdk_scenarios.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
            threading.Thread(target=self._read, args=(self._process, self._answers), daemon=True).start()
        return self._process

    @staticmethod
    def _read(process: subprocess.Popen[str], answers: queue.SimpleQueue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answers.put(line)
        answers.put(json.dumps({"error": "the scenario process ended", "trace": ""}))
