"""A server of the official SDK, of either generation, over HTTP: `MODE PORT COUNTED`.

MODE is `stateful`, `stateless`, `json` (Streamable HTTP) or `sse`. Each call of `count` leaves a line in the file COUNTED
before it is answered.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from typing import Any

V1 = importlib.metadata.version("mcp").startswith("1.")

if V1:
    from mcp.server.fastmcp import Context, FastMCP as Server
else:
    from mcp.server.mcpserver import Context, MCPServer as Server


def define(server: Any, counted: str) -> None:
    @server.tool()
    async def echo(text: str) -> str:
        return text

    @server.tool()
    async def count(tag: str, ms: float = 0, steps: int = 0, context: Context = None) -> str:  # type: ignore[assignment]
        import anyio

        descriptor = os.open(counted, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(descriptor, f"{tag} {os.getpid()}\n".encode())
        os.close(descriptor)
        for step in range(steps):
            await context.report_progress(step + 1, steps)
        await anyio.sleep(ms / 1000)
        return tag

    @server.resource("memo://one")
    def memo() -> str:
        return "a memo"

    @server.prompt()
    def greet(name: str) -> str:
        return f"Greet {name}"


def main(mode: str, port: int, counted: str) -> None:
    options = {"host": "127.0.0.1", "port": port}
    modes = {"stateless_http": mode in ("stateless", "json"), "json_response": mode == "json"}
    transport: Any = "sse" if mode == "sse" else "streamable-http"
    if V1:
        server = Server("sdk", log_level="WARNING", **options, **modes)
        define(server, counted)
        server.run(transport)
    else:
        server = Server("sdk", log_level="WARNING")
        define(server, counted)
        server.run(transport, **options, **({} if mode == "sse" else modes))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
