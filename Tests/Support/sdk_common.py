"""What both generations of the official SDK have in common, as the scenarios use them."""

from __future__ import annotations

import shlex
from typing import Any

from mcp import StdioServerParameters


def dump(model: Any) -> dict[str, Any]:
    """A message as it came."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def command_behind(url: str, environment: dict[str, str]) -> StdioServerParameters | None:
    """The command behind `stdio:`, with these variables beside the usual ones; none behind an address."""
    if not url.startswith("stdio:"):
        return None
    command, *arguments = shlex.split(url.removeprefix("stdio:"))
    return StdioServerParameters(command=command, args=arguments, env=environment)
