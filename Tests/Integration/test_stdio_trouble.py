"""`mcp-bridge stdio` where much is under way, sessions are lost, and lines cannot be taken."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking_server import Asking, AskingServer
from harness import Bridges
from odd_http import Exchange, OddHTTP
from places import BINARY
from stdio_client import HELLO, StdioClient
from upstreams import demo_upstream
from waiting import PATIENCE, eventually

#: What may be under way, in lines and in bytes.
LINES = 1_024
OCTETS = 64 << 20


def request(identifier: Any, method: str = "ping", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": params}


def code(answer: dict[str, Any]) -> str:
    return answer["error"]["data"]["code"]


def text(answer: dict[str, Any]) -> str:
    return answer["result"]["content"][0]["text"]


@pytest.fixture
def odd() -> Iterator[OddHTTP]:
    server = OddHTTP(capabilities={"tools": {}, "logging": {}, "resources": {"subscribe": True}})
    yield server
    server.stop()


def at(server: OddHTTP | AskingServer, folder: Path) -> StdioClient:
    return StdioClient("--url", server.url, environment={}, folder=folder)


def run(server: OddHTTP, sent: bytes) -> list[dict[str, Any]]:
    """All that is said to a client that writes this and closes its end."""
    ended = subprocess.run(
        [BINARY, "stdio", "--url", server.url], env={}, input=sent, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=3 * PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


# Much is under way


def test_requests_beyond_the_limit_are_refused_however_fast_they_come(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/mcp"
        with StdioClient("--url", url, environment={}, folder=folder) as client:
            assert client.process.stdin is not None
            lines = [request(0, "initialize", **HELLO), *(request(number) for number in range(1, LINES + 50))]
            client.process.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            client.process.stdin.flush()
            refused = [json.loads(client.line()) for _ in range(50)]
            assert [each["id"] for each in refused] == list(range(LINES, LINES + 50))
            assert {code(each) for each in refused} == {"overloaded"}
            assert "did not run" in refused[0]["error"]["message"]


def test_an_answer_that_a_call_waits_for_passes_where_a_request_is_refused(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        answer = call.ask({"message": "?", "requestedSchema": {"type": "object", "properties": {}}})
        return {"content": [{"type": "text", "text": answer["result"]["action"]}]}

    with AskingServer(script) as server, at(server, folder) as client:
        long = "x" * (OCTETS // 2 + 1_000)
        call = client.open().begin("tools/call", {"name": "x", "arguments": {"long": long}})
        question = client.hear("elicitation/create")
        assert code(client.ask("tools/call", {"name": "x", "arguments": {"long": long}})) == "overloaded"
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline", "_meta": {"long": long}}}
        client.send(answer)
        assert text(client.answer(call)) == "decline"
        assert len(server.received("tools/call")) == 1


# Sessions are lost


def test_a_bridge_that_opens_no_session_again_is_not_asked_without_pause(odd: OddHTTP, folder: Path) -> None:
    with at(odd, folder) as client:
        client.open()
        assert text(client.call("echo", text="before")) == "before"
        odd.wait_listener()
        odd.hooks["initialize"] = lambda exchange: exchange.reply(
            200, {"jsonrpc": "2.0", "id": exchange.id, "error": {"code": -32603, "message": "no"}}, Mcp_Session_Id="none"
        )
        odd.sessions.clear()
        assert code(client.call("echo", text="lost")) == "bridge_unavailable"
        # Within 10 s, after 1 s first and then 1.6 times later each time.
        assert 2 <= len(odd.requests("initialize")) <= 12
        assert not any(seen.headers.get("mcp-session-id") == "none" for seen in odd.seen)
        assert len(odd.requests("notifications/initialized")) == 1
        # And it is asked again when somebody wants something.
        del odd.hooks["initialize"]
        eventually(lambda: "result" in client.call("echo", text="after"), "a session")


def test_what_the_client_had_asked_of_its_session_is_asked_of_the_next_one(odd: OddHTTP, folder: Path) -> None:
    with at(odd, folder) as client:
        client.open().ask("logging/setLevel", {"level": "warning"})
        for uri in ("a:1", "a:2", "a:3"):
            client.ask("resources/subscribe", {"uri": uri})
        client.ask("resources/unsubscribe", {"uri": "a:2"})
        before = len(odd.seen)
        odd.sessions.clear()
        assert text(client.call("echo", text="again")) == "again"
        subscribed = odd.wait_requests("resources/subscribe", 5)[3:]
        assert [seen.message["params"] for seen in subscribed] in ([{"uri": "a:1"}, {"uri": "a:3"}], [{"uri": "a:3"}, {"uri": "a:1"}])
        assert odd.wait_requests("logging/setLevel", 2)[1].message["params"] == {"level": "warning"}
        asked = [seen.what for seen in odd.seen[before:]]
        for what in ("logging/setLevel", "resources/subscribe"):
            assert asked.index("notifications/initialized") < asked.index(what)
        # Nobody else hears the answers to what the client has not asked.
        assert client.close() == [] and client.unclaimed == []
        odd.check()


def test_a_late_word_of_the_old_session_leaves_the_new_one_alone(odd: OddHTTP, folder: Path) -> None:
    late = threading.Event()

    def hold(exchange: Exchange) -> bool:
        if exchange.seen.headers["mcp-session-id"] == "session-1":
            late.wait(PATIENCE)
        return False

    odd.hooks["tools/call:odd"] = hold
    with at(odd, folder) as client:
        call = client.open().begin("tools/call", {"name": "odd"})
        odd.wait_requests("tools/call")
        odd.sessions.clear()
        assert text(client.call("echo", text="new")) == "new"
        late.set()
        assert text(client.answer(call)) == "fine"
        assert text(client.call("echo", text="still")) == "still"
        assert len(odd.requests("initialize")) == 2
        assert client.close() == []


def test_a_bridge_that_comes_back_elsewhere_is_found_with_the_same_session(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"mcpPath": "/mcp"})
    bridge.wait_upstream("demo")
    with StdioClient(environment=bridge.whole_environment(), folder=bridge.folder) as client:
        client.open()
        assert text(client.call("demo.echo", text="here")) == "here"
        bridge.stop()
        assert bridge.config is not None
        bridge.config["bridge"]["mcpPath"] = "/elsewhere"
        bridge.write_config()
        call = client.begin("tools/call", {"name": "demo.echo", "arguments": {"text": "there"}})
        bridge.start()
        answer = client.answer(call)
        if "error" in answer and code(answer) == "bridge_unavailable":
            answer = client.call("demo.echo", text="there")
        assert text(answer) == "there"
        assert not any("session is gone" in line for line in client.said)
        assert client.close() == []


# Lines that cannot be taken


def test_a_last_line_without_its_end_is_a_line(odd: OddHTTP) -> None:
    (answer,) = run(odd, json.dumps(request("last", "initialize", **HELLO)).encode())
    assert answer["id"] == "last" and "result" in answer


def test_each_request_of_a_line_that_cannot_be_taken_is_answered(odd: OddHTTP) -> None:
    hello = json.dumps(request("hello", "initialize", **HELLO))
    bad = json.dumps([request(1), {"jsonrpc": "2.0", "id": 2, "method": 5}, request(3)])
    many = json.dumps([request(number) for number in range(100, 201)])
    long = "x" * OCTETS
    first = '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"' + long + '"}}'
    last = '{"method":"tools/call","params":{"name":"' + long + '"},"jsonrpc":"2.0","id":5}'
    answers = run(odd, "\n".join([hello, bad, many, first, last]).encode())
    refused = [answer for answer in answers if answer["id"] != "hello"]
    assert [answer["id"] for answer in refused] == [1, 2, 3, *range(100, 201), 4, 5]
    assert {code(answer) for answer in refused} == {"invalid_request"}
    assert len(answers) == len(refused) + 1


# Cancellations


def test_a_cancellation_in_a_batch_takes_only_its_own_request(odd: OddHTTP, folder: Path) -> None:
    greeted = threading.Event()

    def greet(exchange: Exchange) -> bool:
        greeted.wait(PATIENCE)
        return False

    odd.hooks["initialize"] = greet
    batches: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # What a batch is about is not looked at.
    odd.hooks["POST"] = lambda exchange: (batches.put(exchange.seen.message), exchange.reply(202, b"", None))
    with at(odd, folder) as client:
        hello = client.begin("initialize", HELLO)
        first, second, third = (client.begin("tools/call", {"name": "echo"}) for _ in range(3))
        cancellations = [
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": identifier}}
            for identifier in (first, second, hello)
        ]
        answer = {"jsonrpc": "2.0", "id": "question", "result": {}}
        client.send([*cancellations, answer])
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": hello}})
        # Everything has been read when this one, which is refused at once, is answered.
        client.send([5, request("read")])
        assert client.answer("read")["error"]["code"] == -32600
        greeted.set()
        assert "result" in client.answer(hello)
        assert text(client.answer(third)) == "fine"
        assert batches.get(timeout=PATIENCE) == [*cancellations, answer]
        assert [seen.message["id"] for seen in odd.requests("tools/call")] == [third]
        assert client.close() == []
