"""An MCP server on stdio that swallows large calls, or stops reading. Standard library only.

`swallow` adds a byte to the file given as the first argument and answers; `deafen` answers and never reads again.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any


def answer(identifier: Any, result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": identifier, "result": result}) + "\n")
    sys.stdout.flush()


def main() -> None:
    with open(sys.argv[1], "ab", buffering=0) as count:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            identifier, params = message.get("id"), message.get("params") or {}
            match message.get("method"):
                case "initialize":
                    answer(
                        identifier,
                        {
                            "protocolVersion": params["protocolVersion"],
                            "capabilities": {"tools": {}},
                            "serverInfo": {"name": "swallowing", "version": "1"},
                        },
                    )
                case "tools/list":
                    tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("swallow", "deafen")]
                    answer(identifier, {"tools": tools})
                case "tools/call":
                    if params["name"] == "swallow":
                        count.write(b".")
                    answer(identifier, {"content": [{"type": "text", "text": str(len(line))}]})
                    if params["name"] == "deafen":
                        while True:
                            signal.pause()
                case "ping":
                    answer(identifier, {})


main()
