"""Entries of servers that cannot run, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness import Bridge, Bridges
from upstreams import demo_upstream


@dataclass(frozen=True)
class Trouble:
    """An entry that cannot run, and what is said of it."""

    entry: Any
    #: Where it is: the end of the key's path, from the server's name on.
    key: str
    wrong: str
    remedy: str


TROUBLES = {
    "variable": Trouble(
        {"command": "true", "env": {"TOKEN": "${NOTES_TOKEN}"}},
        ".env.TOKEN",
        "the environment variable NOTES_TOKEN is not set.",
        "Set it for the service",
    ),
    "header": Trouble(
        {"url": "https://api.example.com/mcp", "headers": {"Authorization": "Bearer ${NOTES_TOKEN}"}},
        ".headers.Authorization",
        "the environment variable NOTES_TOKEN is not set.",
        "Set it for the service",
    ),
    "credential": Trouble(
        {"command": "true", "env": {"KEY": "${credential:github}"}},
        ".env.KEY",
        "there is no credential 'github'.",
        "LoadCredential=github:",
    ),
    "file": Trouble(
        {"command": "true", "envFile": "no-such.env"},
        ".envFile",
        "the file cannot be read.",
        "It must exist and be readable",
    ),
    "input": Trouble(
        {"command": "true", "env": {"KEY": "${input:api-key}"}},
        ".env.KEY",
        "'${input:api-key}' asks a person",
        "Put the value into a credential",
    ),
    "editor": Trouble(
        {"command": "${workspaceFolder}/server"},
        ".command",
        "'${workspaceFolder}' is known only to an editor.",
        "Write the path itself",
    ),
    "extension": Trouble(
        {"source": "extension", "settings": {}}, "", "an extension of the editor starts this server", "Write its 'command'"
    ),
    "nul": Trouble({"command": "true", "env": {"KEY": "a\0b"}}, ".env.KEY", "contains a NUL character", ""),
    "break": Trouble(
        {"serverUrl": "https://api.example.com/mcp", "headers": {"X": "a\r\nY: b"}},
        ".headers.X",
        "a header's value has no line break.",
        "Write the value as one line.",
    ),
    "typo": Trouble({"command": "true", "agrs": []}, ".agrs", "unknown key 'agrs'.", "The nearest known key is 'args'."),
    "type": Trouble({"command": "true", "type": "pigeon"}, ".type", "must be one of 'stdio'", "The nearest is"),
    "nothing": Trouble({}, "", "must define either 'command' or 'url'.", ""),
    "null": Trouble(None, "", "must be an object, not null.", ""),
}


def troubled(bridges: Bridges) -> Bridge:
    bridge = bridges.make({"good": demo_upstream(), **{name: trouble.entry for name, trouble in TROUBLES.items()}})
    bridge.environment["CREDENTIALS_DIRECTORY"] = str(bridge.folder)
    return bridge
