"""Runs the executable's commands as a person in a terminal would."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import Bridge
from places import BINARY

#: No command takes longer, also on a machine that is busy with other things (seconds).
LIMIT = 120.0


@dataclass(frozen=True)
class Said:
    """What a command left behind; a failed assertion shows all of it."""

    status: int
    out: str
    err: str


def run(*arguments: str | Path, environment: dict[str, str], folder: Path, user: int | None = None) -> Said:
    """`mcp-bridge ARGUMENTS` in this folder, with this environment and no other; as this user, where root asks."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        user=user,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def beside(bridge: Bridge, *arguments: str | Path) -> Said:
    """`mcp-bridge ARGUMENTS` in the terminal beside the one that the bridge was started in."""
    return run(*arguments, environment=bridge.whole_environment(), folder=bridge.folder, user=bridge.user)


def table(lines: list[str]) -> list[dict[str, str]]:
    """The rows of a printed table: its columns begin where the words of its first line do, and end before two blanks."""
    head, *rows = lines
    starts = [index for index, sign in enumerate(head) if sign != " " and (index == 0 or head[index - 1] == " ")]
    ends = [*starts[1:], None]
    columns = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    return [{head[column].strip(): row[column].strip() for column in columns} for row in rows]
