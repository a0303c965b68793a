"""Tokens for tests: made by the command beside a bridge."""

from __future__ import annotations

import itertools
import json
from typing import Any

import secret_scan
from command_line import Said, beside
from harness import Bridge
from waiting import eventually

NUMBERS = itertools.count(1)


def create(bridge: Bridge, scope: str, *arguments: str) -> str:
    """The secret of a new token."""
    return create_known(bridge, scope, *arguments)[0]


def create_known(bridge: Bridge, scope: str, *arguments: str) -> tuple[str, dict[str, Any]]:
    """The secret of a new token, and what is told of it."""

    def made_now() -> Said | None:
        name = f"test {next(NUMBERS)}"
        said = beside(bridge, "token", "create", "--name", name, "--scope", scope, *arguments, "--json")
        return None if "still being read" in said.err else said

    said = eventually(made_now, "the tokens have been read")
    assert said.status == 0, said
    made = json.loads(said.out)
    secret_scan.given(bridge.folder, made["secret"])
    return made["secret"], made["token"]


def rotate(bridge: Bridge, token: str, *arguments: str) -> str:
    """A token's new secret."""
    return rotate_known(bridge, token, *arguments)[0]


def rotate_known(bridge: Bridge, token: str, *arguments: str) -> tuple[str, dict[str, Any]]:
    """A token's new secret, and what is told of the token."""
    said = beside(bridge, "token", "rotate", token, *arguments, "--json")
    assert said.status == 0, said
    made = json.loads(said.out)
    secret_scan.given(bridge.folder, made["secret"])
    return made["secret"], made["token"]


def revoke(bridge: Bridge, token: str) -> None:
    said = beside(bridge, "token", "revoke", token)
    assert said.status == 0, said


def bearer(secret: str, **more: str) -> dict[str, str | None]:
    return {"Authorization": f"Bearer {secret}", **more}
