"""A client of the official SDK, of whichever generation runs it, that lends a model: a program of its own.

It says on its output what happens to it, a line of JSON each: what it was asked, what tools it sees. What it answers is in what
it is asked: `refuse`, `fail`, `use TOOL`; `hold` waits for a line on its input. Else it says it again. The first generation of
the SDK answers one request after the other, the second all at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as types
from mcp import ClientSession, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

try:
    from mcp import Client, MCPError
except ImportError:
    from mcp import McpError as MCPError

    Client = None


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def dump(model: Any) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


class Lender:
    def __init__(self, name: str) -> None:
        self.name = name
        #: Lines are read by one at a time: what reads them is not made for several threads.
        self.reading = asyncio.Lock()

    def said(self, content: dict[str, Any], stop: str) -> Any:
        kind = types.CreateMessageResultWithTools if stop == "toolUse" else types.CreateMessageResult
        return kind.model_validate(
            {"role": "assistant", "content": content, "model": f"{self.name}-model", "stopReason": stop})

    async def sample(self, _context: Any, params: Any) -> Any:
        content = params.messages[-1].content
        blocks = content if isinstance(content, list) else [content]
        text = next((block.text for block in reversed(blocks) if isinstance(block, types.TextContent)), "")
        tell(asked=text, params=dump(params))
        word, _, rest = text.partition(" ")
        match word:
            case "refuse":
                return types.ErrorData(code=-1, message="User rejected sampling request")
            case "fail":
                return types.ErrorData(code=-32603, message="the model is on fire")
            case "use":
                return self.said({"type": "tool_use", "id": "call-1", "name": rest, "input": {"city": "Oslo"}}, "toolUse")
            case "hold":
                async with self.reading:
                    await asyncio.to_thread(sys.stdin.readline)
        results = [block for block in blocks if isinstance(block, types.ToolResultContent)]
        if results:
            text = f"the tool said {results[0].content[0].text}"
        return self.said({"type": "text", "text": f"{self.name}: {text}"}, "endTurn")


async def heard(message: Any) -> None:
    # The first generation wraps what it has heard.
    if isinstance(getattr(message, "root", message), types.ToolListChangedNotification):
        tell(changed=True)


def transport(options: argparse.Namespace) -> Any:
    """Streamable HTTP, HTTP+SSE where that is the path, or a command."""
    if options.command:
        command, *arguments = shlex.split(options.command)
        return stdio_client(StdioServerParameters(command=command, args=arguments))
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    if options.url.endswith("/sse"):
        return sse_client(options.url, headers=headers, timeout=30)
    return streamable_http_client(options.url, http_client=create_mcp_http_client(headers))


@asynccontextmanager
async def connect(options: argparse.Namespace) -> AsyncIterator[Any]:
    """A client after its handshake."""
    known: dict[str, Any] = {
        "sampling_callback": Lender(options.name).sample,
        "message_handler": heard,
        "client_info": types.Implementation(name=options.name, version="1"),
        "sampling_capabilities": types.SamplingCapability(
            tools=types.SamplingToolsCapability() if options.tools else None),
    }
    if Client is not None:
        async with Client(transport(options), mode=options.mode, **known) as client:
            yield client
        return
    async with transport(options) as (reader, writer, *_), ClientSession(reader, writer, **known) as session:
        await session.initialize()
        yield session


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--command")
    parser.add_argument("--tools", action="store_true")
    parser.add_argument("--hook", action="store_true")
    #: Of the second generation: `legacy` shakes hands, `auto` asks for the newest revision first.
    parser.add_argument("--mode", default="legacy")
    options = parser.parse_args()
    async with connect(options) as client:
        tell(tools=[tool.name for tool in (await client.list_tools()).tools])
        if options.hook:
            try:
                tell(hook=dump(await client.call_tool("hook", {})))
            except MCPError as error:
                tell(hook=error.error.message)
        await asyncio.Event().wait()


asyncio.run(main())
