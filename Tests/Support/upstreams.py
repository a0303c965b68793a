"""Entries of `mcpServers` for the servers that the tests use as upstreams, and what these servers leave behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import schema
from places import BINARY, SUPPORT
from waiting import eventually


def python_upstream(
    script: Path | str, *arguments: str, python: Path | str = sys.executable, **more: Any
) -> dict[str, Any]:
    """An entry of `mcpServers` that runs a Python file."""
    return {"command": str(python), "args": [str(script), *arguments], **more}


def demo_upstream() -> dict[str, Any]:
    return {"command": str(BINARY), "args": ["demo-server"]}


def read_journal(file: Path) -> list[dict[str, Any]]:
    """A journal of JSON lines; the last one may be in the middle of being written."""
    *lines, _ = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines]


class CountingUpstream:
    """The counting server: each call of `count` adds a line with its tag to a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.file = folder / f"{name}.counted"
        self.file.touch()

    @property
    def entry(self) -> dict[str, Any]:
        return python_upstream(SUPPORT / "counting_server.py", env={"COUNT_FILE": str(self.file)})

    @property
    def tool(self) -> str:
        return f"{self.name}.count"

    def counts(self) -> dict[str, int]:
        """How often each tag was executed."""
        found: dict[str, int] = {}
        for line in self.file.read_text(encoding="utf-8").splitlines():
            tag = line.split()[0]
            found[tag] = found.get(tag, 0) + 1
        return found


class MisbehavingUpstream:
    """The misbehaving server, with a journal of all that it was sent; see its own description of what it can do."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.name = name
        self.journal = folder / f"{name}.journal"
        self.journal.touch()
        self.options = options

    @property
    def entry(self) -> dict[str, Any]:
        return python_upstream(
            SUPPORT / "misbehaving_server.py", "--journal", str(self.journal), "--name", self.name, *self.options
        )

    def tool(self, name: str) -> str:
        return f"{self.name}.{name}"

    def received(self, method: str) -> list[dict[str, Any]]:
        """The messages with this method that it has been sent so far, over all its lives."""
        return [entry for entry in read_journal(self.journal) if entry.get("method") == method]

    def wait_received(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        return eventually(
            lambda: found if len(found := self.received(method)) >= count else None,
            f"{self.name} is sent {count} × {method}",
        )


class OddUpstream:
    """The odd server in one of its modes, with a journal of all that it was sent."""

    def __init__(self, folder: Path, mode: str, **more: Any) -> None:
        self.mode = mode
        self.journal = folder / f"{mode}.journal"
        self.journal.touch()
        self.more = more

    @property
    def entry(self) -> dict[str, Any]:
        return python_upstream(SUPPORT / "strange_server.py", self.mode, str(self.journal), **self.more)

    def received(self, method: str) -> list[dict[str, Any]]:
        """The messages with this method that it has been sent so far, over all its lives."""
        return [entry for entry in read_journal(self.journal) if entry.get("method") == method]


class Journal:
    """What `stdio_tap.py` has heard of one connection, held against the schema of each side."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read = 0
        #: So many messages have been held against the schema.
        self.checked = 0
        self._revision = schema.LEGACY_REVISIONS[-1]
        #: The methods of the requests that have not been answered, by who asked, and their ids.
        self._asked: dict[tuple[str, str], str] = {}

    def check(self) -> None:
        """Holds every message, in either direction, that is new since the last time against the schema of its side."""
        with self.file.open(encoding="utf-8") as journal:
            journal.seek(self._read)
            lines = [line for line in journal.readlines() if line.endswith("\n")]
        self._read += sum(len(line.encode()) for line in lines)
        for line in lines:
            ((direction, raw),) = json.loads(line).items()
            self._check(direction, json.loads(raw))
        self.checked += len(lines)

    def _check(self, direction: str, message: dict[str, Any]) -> None:
        sender, other = ("Client", "Server") if direction == "to" else ("Server", "Client")
        identifier = json.dumps(message.get("id"))
        method = None
        if "method" in message and "id" in message:
            self._asked[sender, identifier] = message["method"]
        elif "method" not in message:
            method = self._asked.pop((other, identifier), None)
            if "protocolVersion" in message.get("result", {}):
                self._revision = message["result"]["protocolVersion"]
        schema.check(message, self._revision, method, sender=sender)


class SDKUpstream(Journal):
    """The server with everything, of one generation of the SDK, and all that it and the bridge have said to each other."""

    def __init__(self, folder: Path, name: str, python: Path, **more: Any) -> None:
        super().__init__(folder / f"{name}.journal")
        self.name = name
        self.file.touch()
        self._python = python
        self._more = more

    @property
    def journal(self) -> Path:
        return self.file

    @property
    def entry(self) -> dict[str, Any]:
        server = [str(self._python), str(SUPPORT / "sdk_server.py"), self.name]
        return python_upstream(SUPPORT / "stdio_tap.py", str(self.journal), *server, **self._more)
