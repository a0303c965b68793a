"""What the demo server's tools take, in one place."""

from __future__ import annotations

from typing import Any

NAMES = {"echo", "add", "clock", "sleep", "fail", "log"}


def sleep(milliseconds: int, steps: int = 1) -> dict[str, Any]:
    """Progress is told once for each step."""
    return {"seconds": milliseconds / 1000, "steps": steps}


def fail(message: str) -> dict[str, Any]:
    return {"message": message}


def log(level: str, message: str) -> dict[str, Any]:
    return {"level": level, "message": message}
