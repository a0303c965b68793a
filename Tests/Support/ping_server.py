"""The server of the older gateway's own tests, on stdio: `ping_server.py --name NAME`, under the SDK's first generation."""

from __future__ import annotations

import argparse

from mcp.server.fastmcp import FastMCP


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    name = parser.parse_args().name
    server = FastMCP(name, log_level="WARNING")

    @server.tool()
    def ping(message: str) -> str:
        return f"{name}:{message}"

    @server.tool()
    def server_name() -> str:
        return name

    server.run("stdio")


if __name__ == "__main__":
    main()
