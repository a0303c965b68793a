"""An MCP server that has everything, written with the official SDK, under either generation.

`sdk_server.py NAME` speaks on stdio, `sdk_server.py NAME MODE PORT` over HTTP; MODE is `stateful`, `stateless` or `sse`.
"""

from __future__ import annotations

import contextlib
import functools
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
        await self.session.send_progress_notification(token, progress, total, message, self._request_id)

    async def log(self, level: Any, data: Any) -> None:
        await self.session.send_log_message(level, data, "everything", self._request_id)

    async def changed(self, kind: str) -> None:
        await getattr(self.session, f"send_{kind.removesuffix('s')}_list_changed")()

    async def updated(self, uri: str) -> None:
        await self.session.send_resource_updated(types.AnyUrl(uri) if IS_FIRST else uri)

    async def ask(self, method: str, params: Facts) -> Facts:
        related = {"related_request_id": self._request_id}
        if method == "roots/list":
            # On no request's stream: the SDK has no way to say which it belongs to.
            answer = await self.session.list_roots()
        elif method == "sampling/createMessage":
            answer = await self.session.create_message(
                [types.SamplingMessage.model_validate(each) for each in params["messages"]],
                max_tokens=params["maxTokens"],
                system_prompt=params.get("systemPrompt"),
                tools=[types.Tool.model_validate(each) for each in params["tools"]] if "tools" in params else None,
                **related,
            )
        elif params["mode"] == "url":
            answer = await self.session.elicit_url(params["message"], params["url"], params["elicitationId"], **related)
        else:
            answer = await self.session.elicit_form(params["message"], params["requestedSchema"], **related)
        return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def page_done(self, name: str) -> None:
        await self.session.send_elicit_complete(name)


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


def serve_http(server: Any, mode: str, port: int) -> None:
    import uvicorn
    from mcp.server.sse import SseServerTransport
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Mount, Route

    if mode == "sse":
        posts = SseServerTransport("/messages/")

        async def stream(request: Any) -> Response:
            async with posts.connect_sse(request.scope, request.receive, request._send) as (reader, writer):
                await server.run(reader, writer, server.create_initialization_options())
            return Response()

        routes: list[Any] = [Route("/sse", stream), Mount("/messages/", app=posts.handle_post_message)]
        app = Starlette(routes=routes)
    else:
        manager = StreamableHTTPSessionManager(app=server, stateless=mode == "stateless")

        class Endpoint:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await manager.handle_request(scope, receive, send)

        @contextlib.asynccontextmanager
        async def lifespan(_: Any) -> Any:
            async with manager.run():
                yield

        app = Starlette(routes=[Route("/mcp", Endpoint())], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


async def serve_stdio(server: Any) -> None:
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def main() -> None:
    everything = Everything(sys.argv[1])
    server = first(everything) if IS_FIRST else second(everything)
    changes = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
    # Who makes a session of its own accord asks without saying so.
    server.create_initialization_options = functools.partial(  # type: ignore[method-assign]
        server.create_initialization_options, changes
    )
    if len(sys.argv) > 2:
        serve_http(server, sys.argv[2], int(sys.argv[3]))
    else:
        anyio.run(serve_stdio, server)


if __name__ == "__main__":
    main()
