"""A stdio MCP server (legacy era) that counts: every call of `count` leaves a line in a file before it is answered.

The file tells how often a call was executed, whatever became of its answer. $COUNT_FILE names it.
Standard library only, so that it runs as any user with any Python 3.
"""

import json
import os
import sys
import threading

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]

TOOLS = [
    {
        "name": "count",
        "description": "Appends the tag and this process's id to the file, waits ms milliseconds, answers the tag.",
        "inputSchema": {
            "type": "object",
            "properties": {"tag": {"type": "string"}, "ms": {"type": "number", "minimum": 0}},
            "required": ["tag"],
        },
    },
    {
        "name": "echo",
        "description": "Answers the text.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
]

output = threading.Lock()


def send(message):
    line = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    with output:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def reply(request_id, text):
    send({"id": request_id, "result": {"content": [{"type": "text", "text": text}]}})


def append(tag):
    """One write to a file opened for appending: lines of several processes never mix."""
    descriptor = os.open(os.environ["COUNT_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{tag} {os.getpid()}\n".encode())
    finally:
        os.close(descriptor)


class Calls:
    """Calls that wait; a cancelled one is not answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = {}

    def count(self, request_id, tag, milliseconds):
        append(tag)
        if not milliseconds:
            reply(request_id, tag)
            return
        timer = threading.Timer(milliseconds / 1000, self.finish, (request_id, tag))
        timer.daemon = True
        with self.lock:
            self.waiting[request_id] = timer
        timer.start()

    def finish(self, request_id, tag):
        if self.forget(request_id):
            reply(request_id, tag)

    def cancel(self, request_id):
        if timer := self.forget(request_id):
            timer.cancel()

    def forget(self, request_id):
        with self.lock:
            return self.waiting.pop(request_id, None)


def call(calls, request_id, params):
    name, arguments = params.get("name"), params.get("arguments") or {}
    if name == "count" and isinstance(arguments.get("tag"), str):
        calls.count(request_id, arguments["tag"], arguments.get("ms", 0))
    elif name == "echo" and isinstance(arguments.get("text"), str):
        reply(request_id, arguments["text"])
    else:
        send({"id": request_id, "error": {"code": -32602, "message": f"no such tool, or bad arguments: {name}"}})


def handle(calls, message):
    method, request_id, params = message.get("method"), message.get("id"), message.get("params") or {}
    if request_id is None:
        if method == "notifications/cancelled":
            calls.cancel(params.get("requestId"))
    elif method == "initialize":
        wanted = params.get("protocolVersion")
        result = {
            "protocolVersion": wanted if wanted in REVISIONS else REVISIONS[-1],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "counting", "version": "1"},
        }
        send({"id": request_id, "result": result})
    elif method == "tools/list":
        send({"id": request_id, "result": {"tools": TOOLS}})
    elif method == "tools/call":
        call(calls, request_id, params)
    elif method == "ping":
        send({"id": request_id, "result": {}})
    elif method is not None:
        send({"id": request_id, "error": {"code": -32601, "message": f"Method not found: {method}"}})


def main():
    print(f"counting server {os.getpid()} is up", file=sys.stderr, flush=True)
    calls = Calls()
    for line in sys.stdin.buffer:
        if line.strip():
            handle(calls, json.loads(line))


if __name__ == "__main__":
    main()
