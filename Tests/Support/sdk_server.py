"""An MCP server on stdio that has everything, written with the official SDK: `sdk_server.py NAME`, under either generation."""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from typing import Any

import anyio
import mcp.types as types
from everything import Everything, Facts, Refusal
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server

IS_FIRST = importlib.metadata.version("mcp").startswith("1.")
INSTRUCTIONS = "Has something of everything."

#: By method: how the SDK calls its request, the request's `params` and its result.
MODELS = {
    "tools/list": ("ListTools", "Paginated"),
    "tools/call": ("CallTool", "CallTool"),
    "prompts/list": ("ListPrompts", "Paginated"),
    "prompts/get": ("GetPrompt", "GetPrompt"),
    "resources/list": ("ListResources", "Paginated"),
    "resources/templates/list": ("ListResourceTemplates", "Paginated"),
    "resources/read": ("ReadResource", "ReadResource"),
    "resources/subscribe": ("Subscribe", "Subscribe"),
    "resources/unsubscribe": ("Unsubscribe", "Unsubscribe"),
    "completion/complete": ("Complete", "Complete"),
    "logging/setLevel": ("SetLevel", "SetLevel"),
}
RESULTS = {"Subscribe": "Empty", "Unsubscribe": "Empty", "SetLevel": "Empty"}


class SDKVoice:
    """What a server says in the middle of a request, by the SDK's own verbs; they have the same names in both generations."""

    def __init__(self, session: Any, request_id: Any) -> None:
        self.session, self._request_id = session, request_id

    async def progress(self, token: str | int, progress: float, total: float, message: str) -> None:
        await self.session.send_progress_notification(token, progress, total, message)

    async def log(self, level: Any, data: Any) -> None:
        await self.session.send_log_message(level, data, logger="everything")

    async def changed(self, kind: str) -> None:
        await getattr(self.session, f"send_{kind.removesuffix('s')}_list_changed")()

    async def updated(self, uri: str) -> None:
        await self.session.send_resource_updated(types.AnyUrl(uri) if IS_FIRST else uri)


def result_model(method: str) -> Any:
    name = MODELS[method][0]
    return getattr(types, RESULTS.get(name, name) + "Result")


def first(everything: Everything) -> Server[Any, Any]:
    from mcp.shared.exceptions import McpError

    server: Server[Any, Any] = Server(everything.name, "1", INSTRUCTIONS)
    # The second generation has none.
    server.experimental.enable_tasks()

    def serve(method: str) -> None:
        async def handler(request: Any) -> Any:
            params = request.params.model_dump(by_alias=True, mode="json", exclude_none=True) if request.params else {}
            context = server.request_context
            if method == "tools/call" and context.experimental.is_task:

                async def run(_: Any) -> Any:
                    result = await everything.handle(method, params, SDKVoice(context.session, context.request_id))
                    return types.CallToolResult.model_validate(result)

                return types.ServerResult(await context.experimental.run_task(run))
            try:
                result = await everything.handle(method, params, SDKVoice(context.session, context.request_id))
            except Refusal as refusal:
                error = types.ErrorData(code=refusal.code, message=refusal.message, data=refusal.data)
                raise McpError(error) from None
            return types.ServerResult(result_model(method).model_validate(result))

        server.request_handlers[getattr(types, MODELS[method][0] + "Request")] = handler

    for method in MODELS:
        serve(method)
    return server


def second(everything: Everything) -> Server[Any]:
    from mcp import MCPDeprecationWarning, MCPError

    warnings.simplefilter("ignore", MCPDeprecationWarning)
    server: Server[Any] = Server(everything.name, version="1", instructions=INSTRUCTIONS)

    def serve(method: str) -> None:
        async def handler(context: Any, _: Any) -> Any:
            params: Facts = dict(context.params or {})
            try:
                result = await everything.handle(method, params, SDKVoice(context.session, context.request_id))
            except Refusal as refusal:
                raise MCPError(code=refusal.code, message=refusal.message, data=refusal.data) from None
            return result_model(method).model_validate(result)

        server.add_request_handler(method, getattr(types, MODELS[method][1] + "RequestParams"), handler)

    for method in MODELS:
        serve(method)
    return server


async def main() -> None:
    everything = Everything(sys.argv[1])
    server = first(everything) if IS_FIRST else second(everything)
    options = server.create_initialization_options(
        NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
    )
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, options)


if __name__ == "__main__":
    anyio.run(main)
