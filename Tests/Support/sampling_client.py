"""A client of the official SDK (first generation) that lends a model, as a program of its own.

It says on its output what happens to it, a line of JSON each: what it was asked, what tools it sees. What it answers is in what
it is asked: `refuse`, `fail`, `use TOOL`; `hold` waits for a line on its input. Else it says it again. This generation of the
SDK answers one request after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from contextlib import AsyncExitStack
from typing import Any

import httpx
import mcp.types as types
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Lender:
    def __init__(self, name: str) -> None:
        self.name = name

    async def sample(self, _context: Any, params: types.CreateMessageRequestParams) -> Any:
        content = params.messages[-1].content
        blocks = content if isinstance(content, list) else [content]
        text = next((block.text for block in reversed(blocks) if isinstance(block, types.TextContent)), "")
        tell(asked=text, params=params.model_dump(by_alias=True, mode="json", exclude_none=True))
        word, _, rest = text.partition(" ")
        match word:
            case "refuse":
                return types.ErrorData(code=-1, message="User rejected sampling request")
            case "fail":
                return types.ErrorData(code=-32603, message="the model is on fire")
            case "use":
                use = types.ToolUseContent(type="tool_use", id="call-1", name=rest, input={"city": "Oslo"})
                return types.CreateMessageResultWithTools(
                    role="assistant", content=[use], model=f"{self.name}-model", stopReason="toolUse")
            case "hold":
                await asyncio.to_thread(sys.stdin.readline)
        results = [block for block in blocks if isinstance(block, types.ToolResultContent)]
        if results:
            text = f"the tool said {results[0].content[0].text}"
        return types.CreateMessageResult(
            role="assistant", content=types.TextContent(type="text", text=f"{self.name}: {text}"),
            model=f"{self.name}-model", stopReason="endTurn")


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--command")
    parser.add_argument("--tools", action="store_true")
    parser.add_argument("--hook", action="store_true")
    options = parser.parse_args()
    lender = Lender(options.name)

    async def heard(message: Any) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(message.root, types.ToolListChangedNotification):
            tell(changed=True)

    async with AsyncExitStack() as stack:
        if options.url:
            headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
            http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(30, read=300)))
            streams = await stack.enter_async_context(streamable_http_client(options.url, http_client=http))
        else:
            command, *arguments = shlex.split(options.command)
            streams = await stack.enter_async_context(
                stdio_client(StdioServerParameters(command=command, args=arguments)))
        session = await stack.enter_async_context(
            ClientSession(
                streams[0], streams[1], sampling_callback=lender.sample, message_handler=heard,
                client_info=types.Implementation(name=options.name, version="1"),
                sampling_capabilities=types.SamplingCapability(
                    tools=types.SamplingToolsCapability() if options.tools else None)))
        await session.initialize()
        tell(tools=[tool.name for tool in (await session.list_tools()).tools])
        if options.hook:
            try:
                tell(hook=(await session.call_tool("hook", {})).model_dump(mode="json"))
            except McpError as error:
                tell(hook=error.error.message)
        await asyncio.Event().wait()


asyncio.run(main())
