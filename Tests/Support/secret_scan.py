"""Looks for tokens' secrets in all that a bridge and its commands have written, and for files that others may read."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Iterable
from pathlib import Path

SECRET = re.compile(rb"mcpb_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
#: Files of the state directory that are nobody else's to read.
PRIVATE = re.compile(r"bridge\.sqlite(-wal|-shm)?|token\.key|sealing\.key")
#: The secrets that tests have been given, by the folder of the bridge that gave them.
_given: dict[Path, set[bytes]] = {}


def given(folder: Path, secret: str) -> None:
    """A bridge has told a secret, once, to the test that made it."""
    _given.setdefault(folder, set()).add(secret.removeprefix("mcpb_").encode())


def holds_secret(content: bytes, folder: Path) -> bool:
    return SECRET.search(content) is not None or any(secret in content for secret in _given.get(folder, ()))


def leaks(folder: Path, log: Iterable[str], commands: Iterable[tuple[str, ...] | list[str]] = ()) -> list[str]:
    """Where a secret lies that should not lie there, and which files are open to others."""
    found = ["its log has a secret"] if holds_secret("\n".join(log).encode(), folder) else []
    for command in commands:
        if holds_secret("\0".join(command).encode(), folder):
            found.append(f"an argument list has a secret: {command[:3]}")
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        with contextlib.suppress(FileNotFoundError):  # one that a running bridge has just replaced
            content, mode = path.read_bytes(), path.stat().st_mode
            if holds_secret(content, folder):
                found.append(f"{path.relative_to(folder)} has a secret")
            if PRIVATE.fullmatch(path.name) and stat.S_IMODE(mode) & 0o077:
                found.append(f"{path.relative_to(folder)} can be read by others")
    return found


def open_files(folder: Path) -> list[str]:
    """Files with a secret that their mode lets others than their owner read."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.is_symlink()
        and path.is_file()
        and stat.S_IMODE(path.stat().st_mode) & 0o077
        and SECRET.search(path.read_bytes())
    ]
