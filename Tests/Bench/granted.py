"""Tokens for the benchmark: made by the bridge's own command, and by the thousand in its database."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator

from rig import Bridge, Unmeasurable

#: In all, where one is among many.
MANY = 10_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def create(bridge: Bridge, name: str, *wish: str) -> str:
    """The secret of a new token, for all of MCP where nothing else is wished."""
    done = bridge.ask("token", "create", "--name", name, *(wish or ("--scope", "mcp")), "--json")
    try:
        return str(json.loads(done.stdout)["secret"])
    except (ValueError, KeyError):
        raise Unmeasurable(f"no token: {done.stderr[-200:]!r}") from None


def field(secret: str) -> str:
    """The line of a request's head that shows it."""
    return f"Authorization: Bearer {secret}"


@contextlib.contextmanager
def many(bridge: Bridge) -> Iterator[None]:
    """The bridge has this many tokens meanwhile: it reads all of them anew, as after a change by another process."""
    fill = """
        INSERT INTO token SELECT ?, ?, scope, models, rate, concurrency, budget, created, expires, sandbox, audit, revoked, ?,
            NULL, NULL FROM token WHERE name = 'bench'
        """
    _write(bridge, fill, [(_identifier(number), f"filler {number}", os.urandom(32)) for number in range(MANY - 1)])
    try:
        _expect(bridge, MANY)
        yield
    finally:
        _write(bridge, "DELETE FROM token WHERE name LIKE ? || '%'", [("filler ",)])
        _expect(bridge, 1)


def _identifier(number: int) -> str:
    return "filler" + "".join(_LETTERS[number // 26**place % 26] for place in range(6))


def _write(bridge: Bridge, statement: str, rows: list[tuple[object, ...]]) -> None:
    with contextlib.closing(sqlite3.connect(bridge.folder / "state/bridge.sqlite", timeout=30)) as database, database:
        database.executemany(statement, rows)
        database.execute("UPDATE revision SET number = number + 1000")


def _expect(bridge: Bridge, count: int) -> None:
    """Writes a token: the bridge notices that another process has written, and reads all. Until it has."""
    done = bridge.ask("token", "rotate", "nudge")
    if b"There is no token" in done.stderr:
        create(bridge, "nudge")
    while True:
        listed = json.loads(bridge.ask("token", "list", "--json").stdout or "[]")
        if sum(each["name"] != "nudge" for each in listed) == count:
            return
        bridge.check()
