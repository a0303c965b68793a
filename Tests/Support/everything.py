"""Something of all that MCP has for servers, as plain values: what the servers of both SDK generations answer with.

A kind of question to the client is a tool of `TOOLS` whose function awaits a verb of its `Voice`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Facts = dict[str, Any]

#: So many entries are on a page of each list.
PAGE = 2
NOTES = 5
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
SOUND = base64.b64encode(b"RIFF").decode()


class Refusal(Exception):
    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Voice(Protocol):
    """What a server can say in the middle of a request."""

    async def progress(self, token: str | int, progress: float, total: float, message: str) -> None: ...
    async def log(self, level: str, data: Any) -> None: ...
    async def changed(self, kind: str) -> None: ...
    async def updated(self, uri: str) -> None: ...
    async def ask(self, method: str, params: Facts) -> Facts: ...
    async def page_done(self, name: str) -> None: ...


#: What is asked, by the tool that asks it: the method, and its parameters.
QUESTIONS: dict[str, tuple[str, Facts]] = {
    "ask_model": (
        "sampling/createMessage",
        {
            "messages": [{"role": "user", "content": {"type": "text", "text": "2 + 2?"}}],
            "systemPrompt": "Answer in one word.",
            "maxTokens": 7,
        },
    ),
    "ask_model_with_tools": (
        "sampling/createMessage",
        {
            "messages": [{"role": "user", "content": {"type": "text", "text": "2 + 2?"}}],
            "maxTokens": 7,
            "tools": [{"name": "look_up", "inputSchema": {"type": "object"}}],
        },
    ),
    "ask_person": (
        "elicitation/create",
        {
            "mode": "form",
            "message": "What is it?",
            "requestedSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        },
    ),
    "ask_page": (
        "elicitation/create",
        {"mode": "url", "message": "Sign in.", "url": "https://example.org/in", "elicitationId": "page-1"},
    ),
    "ask_roots": ("roots/list", {}),
}


def content(server: str) -> list[Facts]:
    """Each kind of content there is."""
    return [
        {"type": "text", "text": "héllo \u2028 𝄞", "annotations": {"audience": ["user"], "priority": 0.5}},
        {"type": "image", "data": PIXEL, "mimeType": "image/png"},
        {"type": "audio", "data": SOUND, "mimeType": "audio/wav"},
        {"type": "resource_link", "uri": f"{server}://handed-out", "name": "handed-out", "mimeType": "text/plain"},
        {"type": "resource", "resource": {"uri": f"{server}://notes/1", "mimeType": "text/plain", "text": "inside"}},
        {"type": "resource", "resource": {"uri": f"{server}://picture", "mimeType": "image/png", "blob": PIXEL}},
    ]


#: What clients that show a tool go by, as its server wrote it.
SHOWN: Facts = {
    "title": "Adds",
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False},
    "icons": [{"src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["16x16"]}],
    "_meta": {"example.org/kept": [1, {"as": "it is"}]},
}
SUM = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}


def text(words: str, **more: Any) -> Facts:
    return {"content": [{"type": "text", "text": words}], **more}


def asks(name: str) -> Callable[[Any, Facts, Voice, Any], Awaitable[Facts]]:
    """The tool that asks this of `QUESTIONS`, and answers with what came back."""

    async def ask(_everything: Any, _arguments: Facts, voice: Voice, _token: Any) -> Facts:
        answer = await voice.ask(*QUESTIONS[name])
        if name == "ask_page":
            await voice.page_done("page-1")
        return text(json.dumps(answer))

    return ask


class Everything:
    def __init__(self, name: str) -> None:
        self.name = name
        self.subscribed: set[str] = set()
        self.cancelled = 0
        #: By kind of list: whether it has one more entry.
        self.extra = {"tools": False, "prompts": False, "resources": False}

    async def handle(self, method: str, params: Facts, voice: Voice) -> Facts:
        token = (params.get("_meta") or {}).get("progressToken")
        if token is not None and method != "tools/call":
            await voice.progress(token, 1, 2, method)
        return await self.METHODS[method](self, params, voice)

    # Lists

    def _page(self, key: str, entries: list[Facts], params: Facts) -> Facts:
        start = int(params.get("cursor") or 0)
        page: Facts = {key: entries[start : start + PAGE]}
        if start + PAGE < len(entries):
            page["nextCursor"] = str(start + PAGE)
        return page

    async def _tools(self, params: Facts, voice: Voice) -> Facts:
        names = [*self.TOOLS, *(["extra"] if self.extra["tools"] else [])]
        tools = [{"name": name, "description": f"The tool {name}.", "inputSchema": {"type": "object"}} for name in names]
        for tool in tools:
            if tool["name"] == "structured":
                tool.update(SHOWN, outputSchema=SUM)
            if tool["name"] == "later":
                tool["execution"] = {"taskSupport": "required"}
        return self._page("tools", tools, params)

    async def _prompts(self, params: Facts, voice: Voice) -> Facts:
        prompts: list[Facts] = [{"name": name} for name in ("content", "plain", "third")]
        prompts.append({"name": "greeting", "arguments": [{"name": "who", "required": True}, {"name": "style"}]})
        return self._page("prompts", prompts + ([{"name": "extra"}] if self.extra["prompts"] else []), params)

    async def _resources(self, params: Facts, voice: Voice) -> Facts:
        names = [f"notes/{number}" for number in range(1, NOTES + 1)] + ["picture"]
        names += ["extra"] if self.extra["resources"] else []
        listed = [{"uri": f"{self.name}://{name}", "name": name} for name in names]
        return self._page("resources", listed, params)

    async def _templates(self, params: Facts, voice: Voice) -> Facts:
        texts = ["squares/{number}", "paths/{+path}", "days/{year}/{month}"]
        listed = [{"uriTemplate": f"{self.name}://{each}", "name": each} for each in texts]
        return self._page("resourceTemplates", listed, params)

    # Prompts and resources

    async def _prompt(self, params: Facts, voice: Voice) -> Facts:
        name, arguments = params["name"], params.get("arguments") or {}
        if name == "content":
            return {"messages": [{"role": "user", "content": each} for each in content(self.name)]}
        if name == "greeting":
            if "who" not in arguments:
                raise Refusal(-32602, "Missing argument: who", {"argument": "who"})
            words = f"Write a {arguments.get('style', 'plain')} greeting for {arguments['who']}."
            return {"description": "Greets.", "messages": [{"role": "assistant", "content": {"type": "text", "text": words}}]}
        if name not in ("plain", "third"):
            raise Refusal(-32602, f"Unknown prompt: {name}")
        return {"messages": [{"role": "user", "content": {"type": "text", "text": f"The prompt {name}."}}]}

    async def _read(self, params: Facts, voice: Voice) -> Facts:
        uri = params["uri"]
        path = uri.removeprefix(f"{self.name}://")
        if path == "picture":
            return {"contents": [{"uri": uri, "mimeType": "image/png", "blob": PIXEL}]}
        found = {"handed-out": "No list has this.", "extra": "More."}.get(path)
        if path.startswith("notes/") and path[6:].isdigit() and 1 <= int(path[6:]) <= NOTES:
            found = f"This is {path}."
        elif path.startswith("squares/") and path[8:].isdigit():
            found = str(int(path[8:]) ** 2)
        elif path.startswith("paths/"):
            found = f"The path is {path[6:]}."
        if found is None:
            raise Refusal(-32002, "Resource not found", {"uri": uri})
        return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": found}]}

    async def _subscribe(self, params: Facts, voice: Voice) -> Facts:
        await self._read({"uri": params["uri"]}, voice)
        self.subscribed.add(params["uri"])
        return {}

    async def _unsubscribe(self, params: Facts, voice: Voice) -> Facts:
        self.subscribed.discard(params["uri"])
        return {}

    async def _complete(self, params: Facts, voice: Voice) -> Facts:
        reference, argument = params["ref"], params["argument"]
        if reference["type"] == "ref/resource":
            if reference["uri"] != f"{self.name}://squares/{{number}}":
                raise Refusal(-32602, f"No such template: {reference['uri']}")
            values = [str(number) for number in range(1000) if str(number).startswith(argument["value"])]
            return {"completion": {"values": values[:100], "total": len(values), "hasMore": len(values) > 100}}
        styles = ["formal", "friendly", "plain"] if argument["name"] == "style" else ["Ada", "Alan"]
        if "formal" == ((params.get("context") or {}).get("arguments") or {}).get("style"):
            styles = [f"Dr. {name}" for name in styles]
        return {"completion": {"values": [each for each in styles if each.startswith(argument["value"])]}}

    async def _level(self, params: Facts, voice: Voice) -> Facts:
        return {}

    # Tools

    async def _call(self, params: Facts, voice: Voice) -> Facts:
        tool = self.TOOLS.get(params["name"])
        if tool is None:
            raise Refusal(-32602, f"Unknown tool: {params['name']}")
        token = (params.get("_meta") or {}).get("progressToken")
        return await tool(self, params.get("arguments") or {}, voice, token)

    async def _content(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        return {"content": content(self.name), "_meta": {"example.org/page": "1"}}

    async def _structured(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        total = arguments["a"] + arguments["b"]
        return text(f'{{"sum": {total}}}', structuredContent={"sum": total})

    async def _progress(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        for step in range(1, 4):
            if token is not None:
                await voice.progress(token, step / 2, 2, f"step {step}")
        return text("done")

    async def _log(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        await voice.log(arguments["level"], {"said": arguments["data"]})
        return text("logged")

    async def _hang(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        try:
            if token is not None:
                await voice.progress(token, 0, 1, "hanging")
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return text("never")

    async def _cancelled(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        return text(str(self.cancelled))

    async def _fail(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        return text("on purpose", isError=True)

    async def _error(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        raise Refusal(-32099, "as it came", {"kept": [None, 1.5]})

    async def _change(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        kind = arguments["list"]
        self.extra[kind] = not self.extra[kind]
        await voice.changed(kind)
        return text("changed")

    async def _touch(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        if arguments["uri"] not in self.subscribed:
            return text("nobody has subscribed")
        await voice.updated(arguments["uri"])
        return text("touched")

    async def _later(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        await asyncio.sleep(arguments["seconds"])
        return text("at last")

    async def _ask_several(self, arguments: Facts, voice: Voice, token: Any) -> Facts:
        """Two forms and a model, all at once; the answers in the order of the questions."""
        method, form = QUESTIONS["ask_person"]
        asked = [(method, {**form, "message": "first"}), (method, {**form, "message": "second"}), QUESTIONS["ask_model"]]
        return text(json.dumps(await asyncio.gather(*(voice.ask(*each) for each in asked))))

    METHODS: dict[str, Callable[[Any, Facts, Voice], Awaitable[Facts]]] = {
        "tools/list": _tools,
        "tools/call": _call,
        "prompts/list": _prompts,
        "prompts/get": _prompt,
        "resources/list": _resources,
        "resources/templates/list": _templates,
        "resources/read": _read,
        "resources/subscribe": _subscribe,
        "resources/unsubscribe": _unsubscribe,
        "completion/complete": _complete,
        "logging/setLevel": _level,
    }

    TOOLS: dict[str, Callable[[Any, Facts, Voice, Any], Awaitable[Facts]]] = {
        "content": _content,
        "structured": _structured,
        "progress": _progress,
        "log": _log,
        "hang": _hang,
        "slow": _hang,
        "cancelled": _cancelled,
        "fail": _fail,
        "error": _error,
        "change": _change,
        "touch": _touch,
        "later": _later,
        **{name: asks(name) for name in QUESTIONS},
        "ask_several": _ask_several,
    }
