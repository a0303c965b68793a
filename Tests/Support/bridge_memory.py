"""What the bridge's processes say of their memory; nobody else may look who is not root."""

from __future__ import annotations

import json

from command_line import beside
from harness import Bridge


def by_process(bridge: Bridge) -> dict[str, int]:
    """Bytes (proportional set size) of each process now: `supervisor`, `http`, `session`, `upstream@NAME`."""
    said = beside(bridge, "status", "--json", "--control", bridge.folder / "run/mcp-bridge/control.sock")
    return {name: use["pssBytes"] for name, use in json.loads(said.out)["memory"].items()}


def total(bridge: Bridge) -> int:
    """Of all the bridge's own processes, the upstreams' children aside."""
    return sum(by_process(bridge).values())
