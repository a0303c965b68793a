"""The official SDK's second generation behind the few verbs that the scenarios use."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as types
from mcp import Client, MCPDeprecationWarning, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from sdk_common import command_behind, dump
from sdk_questions import callbacks
from waiting import PATIENCE

# `auto` is what its users get: it asks `server/discover` first and falls back to `initialize`.
MODES = ("auto", "legacy")
SDKError = MCPError

warnings.simplefilter("ignore", MCPDeprecationWarning)


def error_of(error: MCPError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "data": error.data}


class Session:
    def __init__(self, client: Client) -> None:
        self._client = client
        hello = client.session.initialize_result or client.session.discover_result
        self.hello = dump(hello)

    @property
    def version(self) -> str:
        assert self._client.session.protocol_version is not None
        return self._client.session.protocol_version

    async def list_tools(self) -> list[dict[str, Any]]:
        tools: list[dict[str, Any]] = []
        page = await self._client.list_tools(cache_mode="bypass")
        tools += [dump(tool) for tool in page.tools]
        while page.next_cursor is not None:
            page = await self._client.list_tools(cursor=page.next_cursor)
            tools += [dump(tool) for tool in page.tools]
        return tools

    async def call(self, name: str, arguments: dict[str, Any], on_progress: Any = None) -> dict[str, Any]:
        return dump(await self._client.call_tool(name, arguments, progress_callback=on_progress))

    async def _pages(self, list_page: Any, key: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        page = await list_page(cache_mode="bypass")
        entries += [dump(entry) for entry in getattr(page, key)]
        while page.next_cursor is not None:
            page = await list_page(cursor=page.next_cursor)
            entries += [dump(entry) for entry in getattr(page, key)]
        return entries

    async def list_prompts(self) -> list[dict[str, Any]]:
        return await self._pages(self._client.list_prompts, "prompts")

    async def list_resources(self) -> list[dict[str, Any]]:
        return await self._pages(self._client.list_resources, "resources")

    async def list_templates(self) -> list[dict[str, Any]]:
        return await self._pages(self._client.list_resource_templates, "resource_templates")

    async def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return dump(await self._client.get_prompt(name, arguments))

    async def read(self, uri: str) -> dict[str, Any]:
        return dump(await self._client.read_resource(uri, cache_mode="bypass"))

    async def subscribe(self, uri: str) -> None:
        await self._client.subscribe_resource(uri)

    async def unsubscribe(self, uri: str) -> None:
        await self._client.unsubscribe_resource(uri)

    async def complete(self, ref: dict[str, str], argument: dict[str, str], context: dict[str, str]) -> dict[str, Any]:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return dump(await self._client.complete(kind(**ref), argument, context or None))["completion"]

    async def cancel_last(self) -> None:
        """This generation tells the server by itself when the waiting task is cancelled."""

    async def ping(self) -> dict[str, Any]:
        return dump(await self._client.send_ping())

    async def set_level(self, level: Any) -> None:
        await self._client.set_logging_level(level)


def _server(url: str, headers: dict[str, str], environment: dict[str, str]) -> Any:
    """Streamable HTTP, HTTP+SSE where that is the path, or the command behind `stdio:`."""
    if command := command_behind(url, environment):
        return command
    if url.endswith("/sse"):
        return sse_client(url, headers=headers, timeout=PATIENCE)
    return streamable_http_client(url, http_client=create_mcp_http_client(headers)) if headers else url


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
    async with Client(
        _server(url, headers or {}, environment or {}),
        mode=mode,
        logging_callback=on_log,
        message_handler=on_message,
        **callbacks(on_question, dump),
    ) as client:
        yield Session(client)


def method_of(message: Any) -> str | None:
    return getattr(message, "method", None)


def plain(message: Any) -> dict[str, Any]:
    """A notification as it came."""
    return dump(message)
