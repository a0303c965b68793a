"""The official SDK's first generation behind the few verbs that the scenarios use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as types
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError

MODES = ("legacy",)
SDKError = McpError


def error_of(error: McpError) -> dict[str, Any]:
    return {"code": error.error.code, "message": error.error.message, "data": error.error.data}


class Session:
    def __init__(self, session: ClientSession, hello: types.InitializeResult) -> None:
        self._session = session
        self.hello = _dump(hello)

    @property
    def version(self) -> str:
        return self.hello["protocolVersion"]

    async def list_tools(self) -> list[dict[str, Any]]:
        tools: list[dict[str, Any]] = []
        page = await self._session.list_tools()
        tools += [_dump(tool) for tool in page.tools]
        while page.nextCursor is not None:
            page = await self._session.list_tools(params=types.PaginatedRequestParams(cursor=page.nextCursor))
            tools += [_dump(tool) for tool in page.tools]
        return tools

    async def call(self, name: str, arguments: dict[str, Any], on_progress: Any = None) -> dict[str, Any]:
        return _dump(await self._session.call_tool(name, arguments, progress_callback=on_progress))

    async def cancel_last(self) -> None:
        """This generation leaves it to its user to tell the server."""
        identifier = self._session._request_id - 1
        await self._session.send_notification(
            types.ClientNotification(
                types.CancelledNotification(params=types.CancelledNotificationParams(requestId=identifier))
            )
        )

    async def ping(self) -> dict[str, Any]:
        return _dump(await self._session.send_ping())

    async def set_level(self, level: Any) -> None:
        await self._session.set_logging_level(level)


@asynccontextmanager
async def connect(url: str, mode: str, on_log: Any = None, on_message: Any = None) -> AsyncIterator[Session]:
    async with (
        streamable_http_client(url) as (reader, writer, _),
        ClientSession(reader, writer, logging_callback=on_log, message_handler=on_message) as session,
    ):
        yield Session(session, await session.initialize())


def method_of(message: Any) -> str | None:
    return getattr(getattr(message, "root", None), "method", None)


def _dump(model: Any) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
