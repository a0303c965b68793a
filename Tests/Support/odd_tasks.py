"""A server that counts its tasks from one after each start, as simple servers do, and says more of them than it must.
Standard library only. `odd_tasks.py [undeclared]`: what it is sent goes to the file JOURNAL names.

The tool `t` runs as a task until somebody calls `end`, which ends the oldest. `must` can only be called as a task, and ends
after two questions about it, unless it is told `never` to. `asker` runs as a task that asks its client, once its result is
waited for, and ends with what that said; given `early`, it asks at once, and so before anybody waits. `ask` asks in a
plain call, and wants the answer as a task, whose result it waits for. `held` is `must`, made when `release` is called. `say` tells of the oldest: its progress, a log message, and its status. `hang` never answers,
`ok` always does."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

Message = dict[str, Any]
RELATION = "io.modelcontextprotocol/related-task"
TIME = "2025-11-25T10:30:00Z"
DECLARED = "undeclared" not in sys.argv

tasks: dict[str, Message] = {}
tokens: dict[str, Any] = {}
waiting: dict[str, list[Any]] = {}
asked: dict[str, int] = {}
#: What becomes of the answer to each question.
questions: dict[str, Any] = {}
held: list[tuple[Any, Message]] = []


def send(message: Message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(identifier: Any, result: Message) -> None:
    send({"id": identifier, "result": result})


def text(words: str) -> Message:
    return {"content": [{"type": "text", "text": words}]}


def refuse(identifier: Any, message: str) -> None:
    send({"id": identifier, "error": {"code": -32602, "message": message}})


def result_of(task: str) -> Message:
    words = f"{task} is over: {tasks[task]['statusMessage']}"
    return {"content": [{"type": "text", "text": words}], "_meta": {RELATION: {"taskId": task}}}


def end(task: str, status: str) -> None:
    tasks[task]["status"] = status
    send({"method": "notifications/tasks/status", "params": tasks[task]})
    for identifier in waiting.pop(task, []):
        answer(identifier, result_of(task))


def ask(text: str, then: Any, **more: Any) -> None:
    name = f"q{len(questions) + 1}"
    questions[name] = then
    form = {"type": "object", "properties": {"text": {"type": "string"}}}
    send({"id": name, "method": "elicitation/create", "params": {"message": text, "requestedSchema": form, **more}})


def ask_of_task(task: str) -> None:
    def then(message: Message) -> None:
        tasks[task]["statusMessage"] = json.dumps(message.get("result", message.get("error")))
        end(task, "completed")

    ask(f"about {task}", then, _meta={RELATION: {"taskId": task}})


def fetch(identifier: Any, made: Message) -> None:
    name = f"q{len(questions) + 1}"
    questions[name] = lambda message: answer(identifier, text(json.dumps(message)))
    send({"id": name, "method": "tasks/result", "params": {"taskId": made["result"]["task"]["taskId"]}})


def oldest() -> str:
    return next(name for name, task in tasks.items() if task["status"] == "working")


def call(identifier: Any, params: Message) -> None:
    name = params["name"]
    if name in ("t", "must", "asker") and "task" in params:
        task = f"task-{len(tasks) + 1}"
        tasks[task] = {
            "taskId": task,
            "status": "working",
            "createdAt": TIME,
            "lastUpdatedAt": TIME,
            "ttl": params["task"].get("ttl"),
            "pollInterval": 50,
            "statusMessage": "never" if params.get("arguments", {}).get("never") else name,
        }
        tokens[task] = params.get("_meta", {}).get("progressToken")
        answer(identifier, {"task": tasks[task]})
        if name == "asker":
            tasks[task]["status"] = "input_required"
            if params.get("arguments", {}).get("early"):
                ask_of_task(task)
        return None
    if name == "must" and DECLARED:
        return send({"id": identifier, "error": {"code": -32601, "message": "Only as a task."}})
    if name == "ask":
        return ask("plainly", lambda message: fetch(identifier, message), task={"ttl": 60_000})
    if name == "held" and "task" in params:
        return held.append((identifier, params))
    if name == "release":
        for creation, wanted in held:
            call(creation, {**wanted, "name": "must"})
        held.clear()
    if name == "hang":
        return None
    if name == "end":
        end(oldest(), "completed")
    if name == "say":
        task = oldest()
        related = {"_meta": {RELATION: {"taskId": task}}}
        send({"method": "notifications/message", "params": {"level": "error", "data": "from the task", **related}})
        if tokens[task] is not None:
            send({"method": "notifications/progress", "params": {"progressToken": tokens[task], "progress": 1}})
        send({"method": "notifications/tasks/status", "params": tasks[task]})
    return answer(identifier, text("ok"))


def about(identifier: Any, method: str, task: str) -> None:
    if task not in tasks:
        return refuse(identifier, f"No such task: {task}")
    if method == "tasks/cancel":
        if tasks[task]["status"] != "working":
            return refuse(identifier, "It is over.")
        end(task, "cancelled")
        return answer(identifier, tasks[task])
    if method == "tasks/result":
        if tasks[task]["status"] == "input_required":
            tasks[task]["status"] = "working"
            ask_of_task(task)
        if tasks[task]["status"] == "working":
            waiting.setdefault(task, []).append(identifier)
            return None
        return answer(identifier, result_of(task))
    asked[task] = asked.get(task, 0) + 1
    if tasks[task]["statusMessage"] == "must" and asked[task] == 2:
        tasks[task]["status"] = "completed"
    return answer(identifier, tasks[task])


def tool(name: str, support: str | None) -> Message:
    execution = {"execution": {"taskSupport": support}} if support else {}
    return {"name": name, "inputSchema": {"type": "object"}, **execution}


for line in sys.stdin:
    message = json.loads(line)
    if journal := os.environ.get("JOURNAL"):
        with open(journal, "a", encoding="utf-8") as file:
            file.write(line)
    identifier, method, params = message.get("id"), message.get("method"), message.get("params") or {}
    if method is None and identifier in questions:
        questions[identifier](message)
    if identifier is None or method is None:
        continue
    if method == "initialize":
        capabilities: Message = {"tools": {}, "logging": {}}
        if DECLARED:
            capabilities["tasks"] = {"cancel": {}, "requests": {"tools": {"call": {}}}}
        info = {"name": "odd-tasks", "version": "1"}
        answer(identifier, {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info})
    elif method == "tools/list":
        plain = [tool(name, None) for name in ("end", "hang", "ok", "ask", "release")]
        only = [tool(name, "required") for name in ("must", "held", "asker")]
        tools = [tool("t", "optional"), *only, tool("say", "forbidden"), *plain]
        answer(identifier, {"tools": tools})
    elif method == "tools/call":
        call(identifier, params)
    elif method.startswith("tasks/"):
        about(identifier, method, params.get("taskId", ""))
    else:
        answer(identifier, {})
