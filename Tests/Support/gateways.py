"""Gateways: bridges of their own, started in mcp-proxy's way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness import Bridge, Bridges
from places import BINARY, SDK_1_PYTHON, SUPPORT
from ports import free_port
from stdio_client import StdioClient
from waiting import START


def ping_server(name: str) -> dict[str, Any]:
    """An entry as that gateway's users wrote it."""
    return {
        "transport": "stdio",
        "command": str(SDK_1_PYTHON),
        "args": [str(SUPPORT / "echo_server.py"), "--name", name],
        "env": {"PYTHONDONTWRITEBYTECODE": "1"},
    }


def over_http(bridges: Bridges, transport: str, servers: dict[str, Any], *arguments: str) -> Bridge:
    port = free_port()
    flags = ("--transport", transport, "--port", str(port), *arguments)
    return bridges.make(servers, command="gateway", port=port, arguments=flags)


def over_stdio(home: Bridge, file: Path, *arguments: str) -> StdioClient:
    """A gateway for this file, as the program of a client, in the folders of this bridge."""
    return StdioClient(
        "--config", str(file), *arguments, environment=home.whole_environment(), folder=home.folder,
        program=(BINARY, "gateway"),
    )


def servers_file(folder: Path, servers: dict[str, Any], name: str = "servers.json") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": servers, "bridge": {"listWait": START}}), encoding="utf-8")
    return file


def prepared(bridges: Bridges) -> Bridge:
    """The folders of a user without a service."""
    home = bridges.make({})
    for name in ("home", "run", "state", "tmp"):
        (home.folder / name).mkdir(mode=0o700, exist_ok=True)
    return home
