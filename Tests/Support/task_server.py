"""A server whose tools run as tasks, of the first generation of the SDK: 2.x has none. `run TAG SECONDS` can be called
either way, `must TAG SECONDS` only as a task, `bare` not as one. Each run adds its tag to the file COUNT_FILE names. `ask`
only runs as a task, and asks its client; `wish` asks its client as a task. `task_server.py [PORT]`: on stdio, or over Streamable HTTP."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import anyio
import mcp.types as types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server

server: Server = Server("tasks")
support = server.experimental.enable_tasks()

ARGUMENTS = {"type": "object", "properties": {"tag": {"type": "string"}, "seconds": {"type": "number"}}}


@server.list_tools()
async def list_tools() -> list[types.Tool]:
    def tool(name: str, mode: Any) -> types.Tool:
        execution = types.ToolExecution(taskSupport=mode)
        return types.Tool(name=name, inputSchema=ARGUMENTS, execution=execution)

    return [tool("run", "optional"), tool("must", "required"), tool("ask", "required")] + [
        tool(name, "forbidden") for name in ("bare", "wish")
    ]


@server.call_tool()
async def call_tool(name: str, arguments: dict[str, Any]) -> Any:
    context = server.request_context
    context.experimental.validate_task_mode({"run": "optional", "must": "required", "ask": "required"}.get(name, "forbidden"))
    if name == "wish":
        form = {"type": "object", "properties": {"text": {"type": "string"}}}
        wished = await context.session.experimental.elicit_as_task("a wish", form)
        return [types.TextContent(type="text", text=f"{wished.action} {wished.content}")]
    if not context.experimental.is_task:
        return await work(arguments)

    async def run(task: Any) -> types.CallToolResult:
        if name == "ask":
            form = {"type": "object", "properties": {"text": {"type": "string"}}}
            answer = await task.elicit("in a task", form)
            said = types.TextContent(type="text", text=f"heard {answer.content}")
            return types.CallToolResult(content=[said])
        await task.update_status("It runs.")
        return types.CallToolResult(content=await work(arguments))

    return await context.experimental.run_task(run)


async def work(arguments: dict[str, Any]) -> list[types.TextContent]:
    with open(os.environ["COUNT_FILE"], "a", encoding="utf-8") as file:
        file.write(f"{arguments['tag']}\n")
    await anyio.sleep(arguments.get("seconds", 0))
    return [types.TextContent(type="text", text=f"ran {arguments['tag']}")]


async def main() -> None:
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options(NotificationOptions()))


def serve(port: int) -> None:
    import uvicorn
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette
    from starlette.routing import Mount

    manager = StreamableHTTPSessionManager(server)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        async with manager.run():
            yield

    routes = [Mount("/mcp", app=manager.handle_request)]
    uvicorn.run(Starlette(routes=routes, lifespan=lifespan), host="127.0.0.1", port=port, log_level="warning")


if len(sys.argv) > 1:
    serve(int(sys.argv[1]))
else:
    anyio.run(main)
