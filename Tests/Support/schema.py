"""Checks messages against the JSON Schema of the protocol revision they were sent under."""

from __future__ import annotations

import enum
import functools
import json
from pathlib import Path

import jsonschema

SCHEMAS = Path(__file__).parent.parent / "mcp-schema"
LEGACY_REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")

_RESULTS = {
    "initialize": "InitializeResult",
    "ping": "EmptyResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "logging/setLevel": "EmptyResult",
    "completion/complete": "CompleteResult",
    "roots/list": "ListRootsResult",
    "sampling/createMessage": "CreateMessageResult",
    "elicitation/create": "ElicitResult",
    "tasks/get": "GetTaskResult",
    "tasks/result": "CallToolResult",
    "tasks/list": "ListTasksResult",
    "tasks/cancel": "CancelTaskResult",
}


class NotOfTheSchema(AssertionError):
    pass


class NoID(enum.Enum):
    """Why an error may lack the id of what it answers, which the schemas before 2025-11-25 demand of every error."""

    #: Its request was refused before its body was read: there is no id (basic/transports, "has no `id`").
    REFUSED_BY_ITS_HEAD = enum.auto()
    #: The body was read, and shows no id: there is none, or `null` in a session of an older revision (JSON-RPC 2.0, 5).
    UNREADABLE = enum.auto()
    #: One of the two: for who only sees that a request was refused.
    REFUSED = enum.auto()

    def excuses(self, error: dict, revision: str) -> bool:
        by_head, unreadable = "id" not in error, error.get("id", 0) is None
        if self is NoID.UNREADABLE:
            by_head, unreadable = by_head and revision >= "2025-11-25", unreadable and revision < "2025-11-25"
        return by_head or (unreadable and self is not NoID.REFUSED_BY_ITS_HEAD)


def no_id_of(status: int) -> NoID | None:
    """Whether an answer with this HTTP status may lack an id."""
    return NoID.REFUSED if status >= 400 else None


class Revision:
    """The definitions of one revision, and which of them a message from a server has to meet."""

    def __init__(self, revision: str) -> None:
        self.name = revision
        self._document = json.loads((SCHEMAS / f"{revision}.json").read_text(encoding="utf-8"))
        self._keyword = "$defs" if "$defs" in self._document else "definitions"
        self._definitions = self._document[self._keyword]
        self._validator_class = jsonschema.validators.validator_for(self._document)

    def check(
        self, message: object, method: str | None = None, *, no_id: NoID | None = None, sender: str = "Server"
    ) -> None:
        """Raises unless `message` is one that the sender may send, `Server` or `Client`.

        `method` is that of the request that it answers.
        """
        if isinstance(message, list):
            if self.name != "2025-03-26":
                raise NotOfTheSchema(f"{self.name} knows no batches: {message!r:.500}")
            for member in message:
                self.check(member, method, no_id=no_id, sender=sender)
            return
        if not isinstance(message, dict):
            raise NotOfTheSchema(f"not a JSON-RPC message: {message!r:.500}")
        if "result" in message:
            self.check_definition("JSONRPCResultResponse", message, or_else="JSONRPCResponse")
            if method is None:
                raise NotOfTheSchema(f"a response to no request: {message!r:.500}")
            is_task = method == "tools/call" and "CreateTaskResult" in self._definitions and "task" in message["result"]
            name = "CreateTaskResult" if is_task else _RESULTS.get(method, "Result")
            self.check_definition(name, message["result"])
        elif "error" in message:
            if no_id is not None and no_id.excuses(message, self.name):
                message = {**message, "id": "excused"}
            self.check_definition("JSONRPCErrorResponse", message, or_else="JSONRPCError")
        elif "id" in message:
            self.check_definition("JSONRPCRequest", message)
            self.check_definition(self._by_method(f"{sender}Request", message), message)
        else:
            self.check_definition("JSONRPCNotification", message)
            self.check_definition(self._by_method(f"{sender}Notification", message), message)
        if message.keys() - {"jsonrpc", "id", "result", "error", "method", "params"}:
            raise NotOfTheSchema(f"members that JSON-RPC does not know: {message!r:.500}")

    def check_from_client(self, message: object) -> None:
        """Raises unless `message` is one that a client may send."""
        if not isinstance(message, dict):
            raise NotOfTheSchema(f"not a JSON-RPC message: {message!r:.500}")
        if "result" in message:
            self.check_definition("JSONRPCResultResponse", message, or_else="JSONRPCResponse")
        elif "error" in message:
            self.check_definition("JSONRPCErrorResponse", message, or_else="JSONRPCError")
        else:
            kind = "Request" if "id" in message else "Notification"
            self.check_definition(f"JSONRPC{kind}", message)
            self.check_definition(self._by_method(f"Client{kind}", message), message)

    def _by_method(self, union: str, message: dict) -> str:
        for reference in self._definitions[union]["anyOf"]:
            name = reference["$ref"].rpartition("/")[2]
            if self._definitions[name]["properties"]["method"].get("const") == message.get("method"):
                return name
        raise NotOfTheSchema(f"{self.name} has no {union} {message.get('method')!r}")

    def check_definition(self, name: str, value: object, or_else: str | None = None) -> None:
        if name not in self._definitions and or_else is not None:
            name = or_else
        error = jsonschema.exceptions.best_match(self._validator(name).iter_errors(value))
        if error is not None:
            raise NotOfTheSchema(
                f"not a {name} of {self.name}: {error.message} at {error.json_path}\n{json.dumps(value)[:2000]}"
            )

    @functools.cache  # noqa: B019 - one Revision per revision, for as long as the tests run
    def _validator(self, name: str) -> jsonschema.protocols.Validator:
        document = {
            "$schema": self._document["$schema"],
            self._keyword: self._definitions,
            "$ref": f"#/{self._keyword}/{name}",
        }
        return self._validator_class(document)


@functools.cache
def revision(name: str) -> Revision:
    return Revision(name)


def check(
    message: object,
    revision_name: str,
    method: str | None = None,
    *,
    no_id: NoID | None = None,
    sender: str = "Server",
) -> None:
    revision(revision_name).check(message, method, no_id=no_id, sender=sender)


def check_as(definition: str, value: object, revision_name: str) -> None:
    """Raises unless `value` is what the revision calls `definition`."""
    revision(revision_name).check_definition(definition, value)


def check_from_client(message: object, revision_name: str) -> None:
    revision(revision_name).check_from_client(message)
