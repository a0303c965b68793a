"""A small server of the official SDK: `echo_server.py [--name NAME] [--transport stdio|sse|streamable-http] [--port PORT]`.

Its tools are those that mcp-proxy's own tests call: `ping` answers `NAME:MESSAGE`, `server_name` answers `NAME`.
"""

from __future__ import annotations

import argparse

from mcp.server.fastmcp import FastMCP


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="remote-echo")
    parser.add_argument("--transport", default="stdio", choices=("stdio", "sse", "streamable-http"))
    parser.add_argument("--port", type=int, default=9090)
    options = parser.parse_args()
    server = FastMCP(options.name, host="127.0.0.1", port=options.port, log_level="WARNING")

    @server.tool()
    def ping(message: str) -> str:
        return f"{options.name}:{message}"

    @server.tool()
    def server_name() -> str:
        return options.name

    server.run(options.transport)


if __name__ == "__main__":
    main()
