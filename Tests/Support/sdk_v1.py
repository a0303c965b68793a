"""The official SDK's first generation behind the few verbs that the scenarios use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as types
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import McpError
from sdk_common import command_behind, dump
from sdk_questions import callbacks
from waiting import PATIENCE

MODES = ("legacy",)
SDKError = McpError


def error_of(error: McpError) -> dict[str, Any]:
    return {"code": error.error.code, "message": error.error.message, "data": error.error.data}


class Session:
    def __init__(self, session: ClientSession, hello: types.InitializeResult) -> None:
        self._session = session
        self.hello = dump(hello)

    @property
    def version(self) -> str:
        return self.hello["protocolVersion"]

    async def list_tools(self) -> list[dict[str, Any]]:
        tools: list[dict[str, Any]] = []
        page = await self._session.list_tools()
        tools += [dump(tool) for tool in page.tools]
        while page.nextCursor is not None:
            page = await self._session.list_tools(params=types.PaginatedRequestParams(cursor=page.nextCursor))
            tools += [dump(tool) for tool in page.tools]
        return tools

    async def call(self, name: str, arguments: dict[str, Any], on_progress: Any = None) -> dict[str, Any]:
        return dump(await self._session.call_tool(name, arguments, progress_callback=on_progress))

    async def _pages(self, list_page: Any, key: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await list_page(params=types.PaginatedRequestParams(cursor=cursor))
            entries += [dump(entry) for entry in getattr(page, key)]
            cursor = page.nextCursor
            if cursor is None:
                return entries

    async def list_prompts(self) -> list[dict[str, Any]]:
        return await self._pages(self._session.list_prompts, "prompts")

    async def list_resources(self) -> list[dict[str, Any]]:
        return await self._pages(self._session.list_resources, "resources")

    async def list_templates(self) -> list[dict[str, Any]]:
        return await self._pages(self._session.list_resource_templates, "resourceTemplates")

    async def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return dump(await self._session.get_prompt(name, arguments))

    async def read(self, uri: str) -> dict[str, Any]:
        return dump(await self._session.read_resource(types.AnyUrl(uri)))

    async def subscribe(self, uri: str) -> None:
        await self._session.subscribe_resource(types.AnyUrl(uri))

    async def unsubscribe(self, uri: str) -> None:
        await self._session.unsubscribe_resource(types.AnyUrl(uri))

    async def complete(self, ref: dict[str, str], argument: dict[str, str], context: dict[str, str]) -> dict[str, Any]:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return dump(await self._session.complete(kind(**ref), argument, context or None))["completion"]

    async def cancel_last(self) -> None:
        """This generation leaves it to its user to tell the server."""
        identifier = self._session._request_id - 1
        await self._session.send_notification(
            types.ClientNotification(
                types.CancelledNotification(params=types.CancelledNotificationParams(requestId=identifier))
            )
        )

    async def make_task(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return dump(await self._session.experimental.call_tool_as_task(name, arguments))["task"]

    async def follow_task(self, task: str) -> list[dict[str, Any]]:
        return [dump(state) async for state in self._session.experimental.poll_task(task)]

    async def task_result(self, task: str) -> dict[str, Any]:
        return dump(await self._session.experimental.get_task_result(task, types.CallToolResult))

    async def list_tasks(self) -> list[dict[str, Any]]:
        return dump(await self._session.experimental.list_tasks())["tasks"]

    async def cancel_task(self, task: str) -> dict[str, Any]:
        return dump(await self._session.experimental.cancel_task(task))

    async def ping(self) -> dict[str, Any]:
        return dump(await self._session.send_ping())

    async def set_level(self, level: Any) -> None:
        await self._session.set_logging_level(level)


def _transport(url: str, headers: dict[str, str], environment: dict[str, str]) -> Any:
    """Streamable HTTP, HTTP+SSE where that is the path, or the command behind `stdio:`."""
    if command := command_behind(url, environment):
        return stdio_client(command)
    if url.endswith("/sse"):
        return sse_client(url, headers=headers, timeout=PATIENCE)
    return streamable_http_client(url, http_client=create_mcp_http_client(headers) if headers else None)


@asynccontextmanager
async def connect(
    url: str,
    mode: str,
    on_log: Any = None,
    on_message: Any = None,
    on_question: Any = None,
    headers: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[Session]:
    async with (
        _transport(url, headers or {}, environment or {}) as (reader, writer, *_),
        ClientSession(
            reader, writer, logging_callback=on_log, message_handler=on_message, **callbacks(on_question, dump)
        ) as session,
    ):
        yield Session(session, await session.initialize())


def method_of(message: Any) -> str | None:
    return getattr(getattr(message, "root", None), "method", None)


def plain(message: Any) -> dict[str, Any]:
    """A notification as it came."""
    return dump(message.root)
