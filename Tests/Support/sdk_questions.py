"""What answers a server's questions, as both generations of the official SDK take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mcp.types as types


def callbacks(on_question: Any, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    if on_question is None:
        return {}

    async def sampling(_context: Any, params: Any) -> Any:
        kind = types.CreateMessageResultWithTools if params.tools else types.CreateMessageResult
        return kind.model_validate(await on_question("sampling/createMessage", dump(params)))

    async def elicitation(_context: Any, params: Any) -> Any:
        return types.ElicitResult.model_validate(await on_question("elicitation/create", dump(params)))

    async def roots(_context: Any) -> Any:
        return types.ListRootsResult.model_validate(await on_question("roots/list", {}))

    return {
        "sampling_callback": sampling,
        "elicitation_callback": elicitation,
        "list_roots_callback": roots,
        "sampling_capabilities": types.SamplingCapability(tools=types.SamplingToolsCapability()),
    }
