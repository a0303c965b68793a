"""What users of the official SDK do, told as facts. Runs under either generation of the SDK.

A process of its own, because the two generations cannot share an environment: it reads one request per line,
`{"scenario", "url", "mode", "options"}`, and answers each with one line, `{"facts"}` or `{"error", "trace"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.metadata
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

if importlib.metadata.version("mcp").startswith("1."):
    import sdk_v1 as sdk
else:
    import sdk_v2 as sdk

Facts = dict[str, Any]
Connect = Callable[..., Any]

#: Nothing here takes long; what hangs is told as an error with its trace.
LIMIT = 90.0


async def connect(open_session: Connect, options: Facts) -> Facts:
    async with open_session() as session:
        return {"version": session.version, "hello": session.hello}


async def list_tools(open_session: Connect, options: Facts) -> Facts:
    async with open_session() as session:
        return {"tools": await session.list_tools()}


async def call(open_session: Connect, options: Facts) -> Facts:
    async with open_session() as session:
        return {"results": [await session.call(name, arguments) for name, arguments in options["calls"]]}


async def progress(open_session: Connect, options: Facts) -> Facts:
    told: list[list[Any]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append([progress, total, message])

    async with open_session() as session:
        result = await session.call(options["tool"], options["arguments"], on_progress)
        return {"told": told, "result": result}


async def cancel(open_session: Connect, options: Facts) -> Facts:
    """Cancels a call that never ends once it has told its first progress, then calls again in the same session."""
    started = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        started.set()

    async def hang(scope: anyio.CancelScope) -> None:
        with scope, contextlib.suppress(sdk.SDKError):
            await session.call(options["tool"], {}, on_progress)

    async with open_session() as session:
        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()
            group.start_soon(hang, scope)
            await started.wait()
            await session.cancel_last()
            scope.cancel()
        return {"after": await session.call(options["then"], {"text": "after"})}


async def cancelled(open_session: Connect, options: Facts) -> Facts:
    """Cancels a call once a file is there, calls again, and waits until the client does nothing more about the first."""
    errors: list[str] = []

    async def on_message(message: Any) -> None:
        if isinstance(message, Exception):
            errors.append(repr(message))

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        pass

    async def hang(scope: anyio.CancelScope) -> None:
        with scope, contextlib.suppress(sdk.SDKError):
            await session.call(options["tool"], {}, on_progress if options["progress"] else None)

    async with open_session(on_message=on_message) as session:
        await session.list_tools()
        before = len(asyncio.all_tasks())
        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()
            group.start_soon(hang, scope)
            while not Path(options["when"]).exists():
                await anyio.sleep(0.01)
            await session.cancel_last()
            scope.cancel()
        after = await session.call(options["then"], {"text": "after"})
        while len(asyncio.all_tasks()) > before:
            await anyio.sleep(0.05)
        return {"after": after, "errors": errors}


async def errors(open_session: Connect, options: Facts) -> Facts:
    """Each call's result or JSON-RPC error; the session has to survive them all."""
    outcomes: list[Facts] = []
    async with open_session() as session:
        for name, arguments in options["calls"]:
            try:
                outcomes.append({"result": await session.call(name, arguments)})
            except sdk.SDKError as error:
                outcomes.append({"error": sdk.error_of(error)})
    return {"outcomes": outcomes}


async def ping(open_session: Connect, options: Facts) -> Facts:
    async with open_session() as session:
        return {"pong": await session.ping()}


async def log(open_session: Connect, options: Facts) -> Facts:
    heard: list[Facts] = []
    enough = anyio.Event()

    async def on_log(params: Any) -> None:
        heard.append(params.model_dump(by_alias=True, mode="json", exclude_none=True))
        if len(heard) >= options["expected"]:
            enough.set()

    async with open_session(on_log=on_log) as session:
        await session.set_level(options["level"])
        for name, arguments in options["calls"]:
            await session.call(name, arguments)
        await enough.wait()
        return {"heard": heard}


async def list_changed(open_session: Connect, options: Facts) -> Facts:
    """Lists again at each notification until the tool that a call brought about is there."""
    changed = anyio.Event()

    async def on_message(message: Any) -> None:
        if sdk.method_of(message) == "notifications/tools/list_changed":
            changed.set()

    async with open_session(on_message=on_message) as session:
        before = after = [tool["name"] for tool in await session.list_tools()]
        await session.call(*options["provoke"])
        while options["expected"] not in after:
            await changed.wait()
            changed = anyio.Event()
            after = [tool["name"] for tool in await session.list_tools()]
        return {"before": before, "after": after}


async def lists(open_session: Connect, options: Facts) -> Facts:
    """Every list there is, page by page."""
    async with open_session() as session:
        return await whole_lists(session)


async def verbs(open_session: Connect, options: Facts) -> Facts:
    """Each step, a verb with its arguments, one after the other in one session: its result or its error."""
    outcomes: list[Facts] = []
    async with open_session() as session:
        for verb, *arguments in options["steps"]:
            outcomes.append(await outcome(session, verb, *arguments))
    return {"outcomes": outcomes}


async def tasks(open_session: Connect, options: Facts) -> Facts:
    """A tool called as a task, followed to its end; another time, cancelled. The first generation alone has tasks."""
    async with open_session() as session:
        made = await session.make_task(options["tool"], options["arguments"])
        facts: Facts = {
            "id": made["taskId"],
            "states": [state["status"] for state in await session.follow_task(made["taskId"])],
            "listed": [task["taskId"] for task in await session.list_tasks()],
            "result": await session.task_result(made["taskId"]),
        }
        other = await session.make_task(options["tool"], options["endless"])
        facts["cancelled"] = (await session.cancel_task(other["taskId"]))["status"]
        try:
            await session.task_result(made["taskId"][:-4])
        except sdk.SDKError as error:
            facts["unknown"] = sdk.error_of(error)
        return facts


async def heard(open_session: Connect, options: Facts) -> Facts:
    """Does the steps, and tells which notifications came until each expected one has."""
    methods: list[str] = []
    news = anyio.Event()

    async def on_message(message: Any) -> None:
        nonlocal news
        method = sdk.method_of(message)
        if method is not None:
            methods.append(method)
            news.set()
            news = anyio.Event()

    async with open_session(on_message=on_message) as session:
        for verb, *arguments in options["steps"]:
            await getattr(session, verb)(*arguments)
        while set(options["expected"]) - set(methods):
            await news.wait()
    return {"methods": methods}


async def asked(open_session: Connect, options: Facts) -> Facts:
    """Does the calls one after another, and tells what was asked meanwhile; each question gets its method's answer."""
    questions: list[list[Any]] = []

    async def on_question(method: str, params: Facts) -> Facts:
        questions.append([method, params])
        return options["answers"][method]

    outcomes: list[Facts] = []
    async with open_session(on_question=on_question) as session:
        for name, arguments in options["calls"]:
            try:
                outcomes.append(await session.call(name, arguments))
            except sdk.SDKError as error:
                outcomes.append(sdk.error_of(error))
    return {"questions": questions, "outcomes": outcomes}


async def asked_side_by_side(open_session: Connect, options: Facts) -> Facts:
    """Many sessions call at once a tool that asks the model; each answers with its own number and what it was asked."""
    wrong: list[str] = []
    asked_for: list[str] = []

    async def one_session(number: int) -> None:
        async def on_question(_method: str, params: Facts) -> Facts:
            content = params["messages"][0]["content"]
            text = (content[0] if isinstance(content, list) else content)["text"]
            asked_for.append(text)
            said = {"type": "text", "text": f"{number} heard {text}"}
            return {"role": "assistant", "model": "m", "content": said}

        async with open_session(on_question=on_question) as session:
            for index in range(options["calls"]):
                text = f"{number}/{index}"
                result = await session.call(options["tool"], {"prompt": text})
                if f"{number} heard {text}" not in result["content"][0]["text"]:
                    wrong.append(f"{text}: {result}")

    async with anyio.create_task_group() as sessions:
        for number in range(options["sessions"]):
            sessions.start_soon(one_session, number)
    return {"wrong": wrong, "asked": sorted(asked_for)}


class Ears:
    """What a session hears and is asked. Of whom does not matter: every server's matters name it."""

    def __init__(self, answers: Facts) -> None:
        self.logged: list[Facts] = []
        self.told: list[Facts] = []
        self.questions: list[list[Any]] = []
        self._answers = answers
        self._news = anyio.Event()

    async def on_log(self, params: Any) -> None:
        self.logged.append(params.model_dump(by_alias=True, mode="json", exclude_none=True))
        self._ring()

    async def on_message(self, message: Any) -> None:
        if sdk.method_of(message) is not None:
            self.told.append(sdk.plain(message))
            self._ring()

    async def on_question(self, method: str, params: Facts) -> Facts:
        self.questions.append([method, params])
        if method != "elicitation/create":
            kind = "with tools" if params.get("tools") else method
            return self._answers[kind]
        return {"action": "accept", **({} if params.get("mode") == "url" else {"content": {"text": params["message"]}})}

    def _ring(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def until(self, is_there: Callable[[], bool]) -> None:
        while not is_there():
            await self._news.wait()

    def has_told(self, method: str, **params: Any) -> bool:
        """Whether this was told since the ears were cleared."""
        return any(
            each["method"] == method and all((each.get("params") or {}).get(key) == value for key, value in params.items())
            for each in self.told
        )


async def cells(open_session: Connect, options: Facts) -> Facts:
    """Does all that `cell` does with each server, one after the other in one session; then all their lists change."""
    ears = Ears(options["answers"])
    found: Facts = {}
    async with open_session(on_log=ears.on_log, on_message=ears.on_message, on_question=ears.on_question) as session:
        for server, rows in options["servers"].items():
            try:
                with anyio.fail_after(LIMIT / 2):
                    found[server] = await cell(session, ears, server, rows, options)
            except BaseException:  # noqa: BLE001 - the other servers are looked at all the same
                found[server] = {"failed": traceback.format_exc()}
        hearing = [server for server, rows in options["servers"].items() if rows["hears"] and "lists" in found[server]]
        changed = await hear_changes(session, ears, {server: found[server]["lists"] for server in hearing})
        for server in hearing:
            found[server]["changed lists"] = changed[server]
    return found


async def cell(session: Any, ears: Ears, server: str, rows: Facts, options: Facts) -> Facts:
    """A server's lists, the steps of each row, progress, log messages; and, where rows say so, updates and questions."""
    found: Facts = {"lists": await whole_lists(session)}
    for row, steps in rows["steps"].items():
        found[row] = [await outcome(session, *step) for step in steps]
    told: list[list[Any]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append([progress, total, message])

    result = await session.call(f"{server}.progress", {}, on_progress)
    found["progress"] = {"told": told, "result": result}
    ears.logged.clear()
    await session.set_level("warning")
    for level in ("debug", "warning", "error"):
        await session.call(f"{server}.log", {"level": level, "data": server})
    await ears.until(lambda: len(ears.logged) >= 2)
    found["log messages"] = list(ears.logged)
    if rows["hears"]:
        found["updates"] = await hear_updates(session, ears, server)
    found["questions"] = {}
    for tool in rows["asks"]:
        ears.questions.clear()
        ears.told.clear()
        result = await session.call(f"{server}.{tool}", {})
        if tool == "ask_page":
            await ears.until(lambda: ears.has_told("notifications/elicitation/complete"))
        pages = [each["params"] for each in ears.told if each["method"] == "notifications/elicitation/complete"]
        found["questions"][tool] = {"asked": list(ears.questions), "result": result, "pages": pages}
    return found


async def whole_lists(session: Any) -> Facts:
    return {
        "tools": await session.list_tools(),
        "prompts": await session.list_prompts(),
        "resources": await session.list_resources(),
        "templates": await session.list_templates(),
    }


async def outcome(session: Any, verb: str, *arguments: Any) -> Facts:
    try:
        return {"result": await getattr(session, verb)(*arguments)}
    except sdk.SDKError as error:
        return {"error": sdk.error_of(error)}


async def hear_updates(session: Any, ears: Ears, server: str) -> Facts:
    uri = f"{server}://notes/2"
    ears.told.clear()
    await session.subscribe(uri)
    touched = await session.call(f"{server}.touch", {"uri": uri})
    await ears.until(lambda: ears.has_told("notifications/resources/updated", uri=uri))
    await session.unsubscribe(uri)
    return {"touched": touched, "left": await session.call(f"{server}.touch", {"uri": uri})}


async def hear_changes(session: Any, ears: Ears, before: dict[str, Facts]) -> dict[str, list[str]]:
    """Adds an entry to each list of each server, or takes it out, and looks again at each word of it until that is to be
    seen. Which lists have changed, by server."""
    ears.told.clear()
    for server in before:
        for kind in ("tools", "prompts", "resources"):
            await session.call(f"{server}.change", {"list": kind})
    found: dict[str, list[str]] = {server: [] for server in before}
    for kind in ("tools", "prompts", "resources"):
        key, extra = ("uri", "{}://extra") if kind == "resources" else ("name", "{}.extra")
        method, heard = f"notifications/{kind}/list_changed", 0
        while True:
            await ears.until(lambda: [each["method"] for each in ears.told].count(method) > heard)  # noqa: B023
            heard = [each["method"] for each in ears.told].count(method)
            names = {entry[key] for entry in await getattr(session, f"list_{kind}")()}
            for server, lists in before.items():
                had = extra.format(server) in {entry[key] for entry in lists[kind]}
                if had != (extra.format(server) in names) and kind not in found[server]:
                    found[server].append(kind)
            if all(kind in kinds for kinds in found.values()):
                break
    return found


async def cancelled_cells(open_session: Connect, options: Facts) -> Facts:
    """At each server, a call that the client cancels and one that the bridge gives up; the server has heard of both."""
    found: Facts = {}
    async with open_session() as session:
        for server in options["servers"]:

            async def count(server: str = server) -> int:
                return int((await session.call(f"{server}.cancelled", {}))["content"][0]["text"])

            before = await count()
            started = anyio.Event()

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                started.set()  # noqa: B023

            async def hang(scope: anyio.CancelScope, server: str = server) -> None:
                with scope, contextlib.suppress(sdk.SDKError):
                    await session.call(f"{server}.hang", {}, on_progress)  # noqa: B023

            async with anyio.create_task_group() as group:
                scope = anyio.CancelScope()
                group.start_soon(hang, scope)
                await started.wait()
                await session.cancel_last()
                scope.cancel()
            while await count() != before + 1:
                await anyio.sleep(0.01)
            given_up = await outcome(session, "call", f"{server}.slow", {})
            while await count() != before + 2:
                await anyio.sleep(0.01)
            found[server] = given_up
    return found


async def side_by_side(open_session: Connect, options: Facts) -> Facts:
    """Many sessions at once; every one calls with texts of its own, several calls at a time."""
    answers: dict[str, str] = {}
    everybody = anyio.Event()
    connected = 0

    async def one_call(session: Any, text: str) -> None:
        result = await session.call(options["tool"], {"text": text})
        answers[text] = result["content"][0]["text"]

    async def one_session(number: int) -> None:
        nonlocal connected
        async with open_session() as session:
            connected += 1
            if connected == options["sessions"]:
                everybody.set()
            await everybody.wait()
            async with anyio.create_task_group() as calls:
                for index in range(options["calls"]):
                    calls.start_soon(one_call, session, f"{number}/{index}")

    async with anyio.create_task_group() as sessions:
        for number in range(options["sessions"]):
            sessions.start_soon(one_session, number)
    return {"answers": answers}


SCENARIOS: dict[str, Callable[[Connect, Facts], Awaitable[Facts]]] = {
    scenario.__name__: scenario
    for scenario in (
        connect,
        list_tools,
        call,
        progress,
        cancel,
        cancelled,
        errors,
        ping,
        log,
        list_changed,
        lists,
        verbs,
        tasks,
        heard,
        asked,
        asked_side_by_side,
        cells,
        cancelled_cells,
        side_by_side,
    )
}


async def run(request: Facts) -> Facts:
    options = request.get("options", {})
    open_session = functools.partial(
        sdk.connect,
        request["url"],
        request.get("mode", sdk.MODES[0]),
        headers=options.get("headers"),
        environment=options.get("environment"),
    )
    try:
        with anyio.fail_after(LIMIT):
            return {"facts": await SCENARIOS[request["scenario"]](open_session, options)}
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other side has to hear of it
        return {"error": repr(error), "trace": traceback.format_exc()}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(anyio.run(run, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
