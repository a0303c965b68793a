"""What scripts have in common that try the official packages of the model APIs, in an environment that has them."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import anthropic
import openai

SCENARIOS: dict[str, Callable[[], Any]] = {}
#: anthropic 2.x shows the code that stands in `details`, and has classes of its own for more statuses.
HAS_CODES = hasattr(anthropic, "ContentTooLargeError")
#: By name, since older packages do not have all of them.
OPENAI_CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
ANTHROPIC_CLASSES = {
    **OPENAI_CLASSES,
    408: "RequestTimeoutError",
    413: "ContentTooLargeError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
    529: "OverloadedError",
}


def scenario(function: Callable[[], Any]) -> Callable[[], Any]:
    SCENARIOS[function.__name__] = function
    return function


def class_for(package: Any, status: int) -> type[Exception]:
    """The class of an error with this status in one of the packages."""
    general = package.InternalServerError if status >= 500 else package.APIStatusError
    classes = OPENAI_CLASSES if package is openai else ANTHROPIC_CLASSES
    return getattr(package, classes.get(status, ""), general)


def is_expected(error: Any, package: Any, status: int, word: str) -> bool:
    """Whether it has the class that its status means. The newest package has a class of its own for one word."""
    expected = class_for(package, status)
    return type(error) is expected or (word == "thread_unsupported_request" and isinstance(error, expected))


def run_all() -> None:
    """Runs every scenario. What each said goes to stdout, as one JSON object."""
    said: dict[str, str | None] = {}
    for name, function in SCENARIOS.items():
        try:
            function()
            said[name] = None
        except Exception:
            said[name] = traceback.format_exc()
    print(json.dumps(said))
