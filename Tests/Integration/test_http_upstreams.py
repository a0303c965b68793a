"""Servers over Streamable HTTP behind the bridge: those of the official SDK, and one that is as odd as a case wants it."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_upstreams import PYTHONS, SDKServer
from odd_http import Exchange, OddHTTP, text_result
from outcomes import DID_NOT_RUN, MAY_HAVE_RUN
from places import BINARY
from replies import RPCFailure, text_of
from waiting import eventually

@pytest.fixture(scope="module")
def sdk_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SDKServer]]:
    folder = tmp_path_factory.mktemp("sdk")
    servers = {
        f"sdk{generation}-{mode}": SDKServer(generation, mode, folder / f"{generation}-{mode}")
        for generation in PYTHONS
        for mode in ("stateful", "stateless", "json")
    }
    yield servers
    for server in servers.values():
        server.kill()


SDK_NAMES = [f"sdk{generation}-{mode}" for generation in PYTHONS for mode in ("stateful", "stateless", "json")]


@pytest.fixture(scope="module")
def sdk_bridge(shared_bridges: Bridges, sdk_servers: dict[str, SDKServer]) -> Bridge:
    bridge = shared_bridges.start({name: server.entry for name, server in sdk_servers.items()})
    for name in sdk_servers:
        bridge.wait_upstream(name)
    return bridge


@pytest.mark.parametrize("name", SDK_NAMES)
def test_a_server_of_the_sdk_is_served_whole(sdk_bridge: Bridge, sdk_servers: dict[str, SDKServer], name: str) -> None:
    with sdk_bridge.client() as client:
        sdk_bridge.wait_tool(f"{name}.echo", client)
        assert text_of(client.call(f"{name}.echo", {"text": "é 日本 😀"}).result) == "é 日本 😀"
        big = "x" * 300_000
        assert text_of(client.call(f"{name}.echo", {"text": big}).result) == big
        reply = client.call(f"{name}.count", {"tag": "p", "steps": 3}, progress_token="mine")
        assert text_of(reply.result) == "p"
        if not name.endswith("json"):
            assert [each["params"]["progress"] for each in reply.notifications if each["method"] == "notifications/progress"] == [1, 2, 3]
        assert sdk_servers[name].counts()["p"] == 1
        prompt = client.request("prompts/get", {"name": f"{name}.greet", "arguments": {"name": "Ada"}}).result
        assert "Greet Ada" in json.dumps(prompt)


@pytest.mark.parametrize("generation", PYTHONS)
def test_calls_side_by_side_each_have_their_own_answer(sdk_bridge: Bridge, generation: str) -> None:
    with sdk_bridge.client() as client, ThreadPoolExecutor(16) as pool:
        sdk_bridge.wait_tool(f"sdk{generation}-stateful.echo", client)

        def call(number: int) -> bool:
            with client.beside() as other:
                reply = other.call(f"sdk{generation}-stateful.echo", {"text": f"{number}"})
                return text_of(reply.result) == f"{number}"

        assert all(pool.map(call, range(200)))


@pytest.mark.parametrize("generation", PYTHONS)
def test_a_killed_server_is_connected_to_again_and_nothing_runs_twice(
    bridges: Bridges, folder: Path, generation: str
) -> None:
    server = SDKServer(generation, "stateful", folder / "counted")
    bridge = bridges.start({"sdk": server.entry})
    bridge.wait_upstream("sdk")
    outcomes: dict[str, str] = {}
    over = threading.Event()

    def caller(number: int) -> None:
        with bridge.client() as client:
            for turn in itertools.count():
                if over.is_set():
                    return
                tag = f"{number}-{turn}"
                try:
                    outcomes[tag] = "result" if client.call("sdk.count", {"tag": tag, "ms": 30}).result else ""
                except RPCFailure as failure:
                    outcomes[tag] = failure.word or ""

    def answered(more: int) -> None:
        wanted = more + list(outcomes.values()).count("result")
        eventually(lambda: list(outcomes.values()).count("result") > wanted, "calls are answered")

    try:
        with ThreadPoolExecutor(16) as pool:
            running = [pool.submit(caller, number) for number in range(16)]
            try:
                for _ in range(2):
                    answered(16)
                    server.kill()
                    server.start()
                answered(16)
            finally:
                over.set()
            for each in running:
                each.result()
        counts = server.counts()
        assert all(count == 1 for count in counts.values()), counts
        assert set(outcomes.values()) <= {"result", DID_NOT_RUN, MAY_HAVE_RUN}, set(outcomes.values())
        for tag, outcome in outcomes.items():
            if outcome == "result":
                assert counts.get(tag) == 1
            if outcome == DID_NOT_RUN:
                assert tag not in counts
        bridge.wait_upstream("sdk")
    finally:
        server.kill()


# The odd server


@pytest.fixture
def odd() -> Iterator[OddHTTP]:
    server = OddHTTP()
    yield server
    server.stop()
    server.check()


@pytest.fixture
def bridge(bridges: Bridges, odd: OddHTTP) -> Bridge:
    bridge = bridges.start({"odd": odd.entry(headers={"Authorization": "Bearer very-secret-token"})})
    bridge.wait_upstream("odd")
    return bridge


def ask(bridge: Bridge, tool: str = "odd", **arguments: Any) -> str:
    """The text of an answer, or the word of an error."""
    with bridge.client() as client:
        bridge.wait_tool(f"odd.{tool}", client)
        try:
            return text_of(client.call(f"odd.{tool}", arguments).result)
        except RPCFailure as failure:
            return failure.word or str(failure)


def once(answer: Any) -> Any:
    """A hook that answers once, and passes then."""
    left = [1]

    def hook(exchange: Exchange) -> Any:
        return answer(exchange) if left and left.pop() else False

    return hook


def test_every_request_carries_what_it_must(bridges: Bridges, odd: OddHTTP, bridge: Bridge) -> None:
    assert ask(bridge, "echo", text="hello") == "hello"
    odd.wait_requests("GET")
    hello, *rest = [seen for seen in odd.seen if seen.method == "POST"]
    assert hello.what == "initialize"
    assert "mcp-session-id" not in hello.headers and "mcp-protocol-version" not in hello.headers
    for seen in [*rest, *odd.requests("GET")]:
        assert seen.headers["mcp-session-id"] == "session-1"
        assert seen.headers["mcp-protocol-version"] == "2025-11-25"
    for seen in odd.seen:
        assert seen.headers["authorization"] == "Bearer very-secret-token"
        assert seen.headers["accept-encoding"] == "identity"
        if seen.method == "POST":
            assert seen.headers["accept"] == "application/json, text/event-stream"
            assert seen.headers["content-type"] == "application/json"
    bridge.stop()
    assert [seen.headers["mcp-session-id"] for seen in odd.requests("DELETE")] == ["session-1"]


def test_a_lost_session_is_opened_again_and_the_call_is_sent_once_more(odd: OddHTTP, bridge: Bridge) -> None:
    assert ask(bridge, "count", tag="one") == "one"
    odd.sessions.clear()
    assert ask(bridge, "count", tag="two") == "two"
    assert odd.counted == {"one": 1, "two": 1}
    assert len(odd.requests("initialize")) == 2
    eventually(lambda: bridge.upstream("odd")["phase"] == "ready", "it is as it was")


def test_many_calls_find_one_lost_session(odd: OddHTTP, bridge: Bridge) -> None:
    ask(bridge, "echo", text="first")
    odd.sessions.clear()
    with ThreadPoolExecutor(16) as pool:
        tags = [f"t{number}" for number in range(16)]
        assert list(pool.map(lambda tag: ask(bridge, "count", tag=tag), tags)) == tags
    assert odd.counted == dict.fromkeys(tags, 1)
    assert len(odd.requests("initialize")) == 2


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("body", [b"", b"no valid session id", b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}'])
def test_a_session_may_be_lost_in_many_words(odd: OddHTTP, bridge: Bridge, status: int, body: bytes) -> None:
    odd.hooks["tools/call"] = once(lambda exchange: exchange.reply(status, body))
    # What says less than 404 is believed when it is said of another message, too.
    odd.hooks["ping"] = once(lambda exchange: exchange.reply(status, body))
    assert ask(bridge, "count", tag="t") == "t"
    assert odd.counted == {"t": 1} and len(odd.requests("initialize")) == 2


def test_sessions_that_are_lost_again_and_again_are_given_up(odd: OddHTTP, bridge: Bridge) -> None:
    odd.hooks["tools/call"] = odd.hooks["ping"] = lambda exchange: exchange.reply(404, b"")
    with bridge.client() as client:
        bridge.wait_tool("odd.count", client)
        failure = client.call("odd.count", {"tag": "t"}).failure
    assert failure.word == DID_NOT_RUN and "session" in failure.message
    assert len(odd.requests("tools/call")) <= 3
    assert odd.counted == {}


@pytest.mark.parametrize("status", [405, 413, 421, 425, 429, 431])
def test_a_refusal_before_any_work_did_not_run(odd: OddHTTP, bridge: Bridge, status: int) -> None:
    odd.hooks["tools/call"] = lambda exchange: exchange.reply(status, b"not now")
    assert ask(bridge, "count", tag="t") == DID_NOT_RUN
    assert len(odd.requests("tools/call")) == 1


def test_a_server_that_wants_to_be_asked_again_soon_is(odd: OddHTTP, bridge: Bridge) -> None:
    odd.hooks["tools/call"] = once(lambda exchange: exchange.reply(429, b"busy", Retry_After="1"))
    assert ask(bridge, "count", tag="t") == "t"
    assert odd.counted == {"t": 1}
    odd.hooks["tools/call"] = lambda exchange: exchange.reply(429, b"busy", Retry_After="600")
    assert ask(bridge, "count", tag="u") == DID_NOT_RUN


@pytest.mark.parametrize("seconds", ["1", "600"])
def test_a_call_whose_503_names_a_time_may_have_run(odd: OddHTTP, bridge: Bridge, seconds: str) -> None:
    def answer(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.reply(503, b"busy", Retry_After=seconds)

    odd.hooks["tools/call"] = answer
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    assert odd.counted == {"t": 1}


@pytest.mark.parametrize("what", ["initialize", "notifications/initialized", "tools/list"])
def test_what_does_no_harm_twice_is_said_again_when_a_503_names_a_time(
    bridges: Bridges, odd: OddHTTP, what: str
) -> None:
    odd.hooks[what] = once(lambda exchange: exchange.reply(503, b"busy", Retry_After="1"))
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    assert len(odd.requests(what)) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 418])
def test_any_other_status_leaves_the_outcome_open(odd: OddHTTP, bridge: Bridge, status: int) -> None:
    def answer(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.reply(status, "<html><body><h1>Bad</h1><script>x()</script> gateway</body></html>", "text/html")

    odd.hooks["tools/call"] = answer
    with bridge.client() as client:
        bridge.wait_tool("odd.count", client)
        with pytest.raises(RPCFailure, match="Bad gateway") as failure:
            client.call("odd.count", {"tag": "t"}).result
    assert failure.value.word == MAY_HAVE_RUN and "<" not in str(failure.value)
    assert odd.counted == {"t": 1}


@pytest.mark.parametrize("status", [400, 403, 409, 422, 500])
def test_an_error_in_a_body_is_the_answer_whatever_the_status(odd: OddHTTP, bridge: Bridge, status: int) -> None:
    odd.hooks["tools/call"] = lambda exchange: exchange.reply(
        status, {"jsonrpc": "2.0", "id": exchange.id, "error": {"code": -32099, "message": "of its own"}}
    )
    with bridge.client() as client:
        bridge.wait_tool("odd.odd", client)
        with pytest.raises(RPCFailure, match="of its own"):
            client.call("odd.odd", {}).result


def test_an_answer_belongs_to_its_request_whatever_id_it_has(odd: OddHTTP, bridge: Bridge) -> None:
    for identifier in ("server-error", None, 999_999, "x"):
        odd.hooks["tools/call"] = lambda exchange, identifier=identifier: exchange.reply(
            200, {"jsonrpc": "2.0", "id": identifier, "result": text_result("mine")}
        )
        assert ask(bridge) == "mine"


SHAPES: dict[str, Any] = {
    "upper case": lambda exchange, body: exchange.reply(200, body, "APPLICATION/JSON; Charset=UTF-8"),
    "comma list": lambda exchange, body: exchange.reply(200, body, "application/json, text/event-stream"),
    "no type": lambda exchange, body: exchange.reply(200, body, None),
    "array": lambda exchange, body: exchange.reply(200, f"[{body}]"),
    "mark": lambda exchange, body: exchange.reply(200, b"\xef\xbb\xbf" + body.encode()),
    "events without a type": lambda exchange, body: exchange.reply(200, f"data: {body}\n\n", None),
    "carriage returns": lambda exchange, body: exchange.reply(200, f"event: message\r\rdata: {body}\r\r", "Text/Event-Stream"),
    "both line ends": lambda exchange, body: exchange.reply(200, f": x\r\nid: 1\r\ndata: {body}\r\n\r\n", "text/event-stream;charset=utf-8"),
    "another event": lambda exchange, body: exchange.reply(200, f"event: other\ndata: {body}\n\n", "text/event-stream"),
    "no last line": lambda exchange, body: exchange.reply(200, f"data: {body}", "text/event-stream"),
    "many lines": lambda exchange, body: exchange.reply(200, "data: " + body.replace(", ", ",\ndata: ") + "\n\n", "text/event-stream"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_of_any_shape_is_understood(odd: OddHTTP, bridge: Bridge, shape: str) -> None:
    odd.hooks["tools/call:odd"] = lambda exchange: SHAPES[shape](
        exchange, json.dumps({"jsonrpc": "2.0", "id": exchange.id, "result": text_result("understood")})
    )
    assert ask(bridge) == "understood"


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_answer_may_come_over_the_other_stream(odd: OddHTTP, bridge: Bridge, status: int) -> None:
    odd.wait_listener()

    def answer(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.reply(status, b"", "text/event-stream" if status == 200 else None)
        odd.say({"jsonrpc": "2.0", "id": exchange.id, "result": text_result("over there")})

    odd.hooks["tools/call"] = answer
    assert ask(bridge, "count", tag="t") == "over there"
    assert odd.counted == {"t": 1}


def test_an_accepted_call_without_any_stream_has_no_outcome(bridges: Bridges, odd: OddHTTP) -> None:
    odd.has_stream = False
    bridge = bridges.start({"odd": odd.entry()})
    odd.hooks["tools/call"] = lambda exchange: exchange.reply(202, b"", None)
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN


@pytest.mark.parametrize("status", [400, 404, 405, 406, 501])
def test_a_server_without_a_stream_is_not_asked_again(bridges: Bridges, odd: OddHTTP, status: int) -> None:
    odd.hooks["GET"] = lambda exchange: exchange.reply(status, b"")
    bridge = bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    odd.wait_requests("GET")
    for number in range(3):
        assert ask(bridge, "echo", text=f"{number}") == f"{number}"
    assert len(odd.requests("GET")) == 1


def test_the_stream_is_resumed_behind_its_last_event(odd: OddHTTP, bridge: Bridge) -> None:
    odd.say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}, id="e7")
    odd.wait_requests("tools/list", 2)
    odd.end_streams()
    assert odd.wait_requests("GET", 2)[1].headers["last-event-id"] == "e7"
    lists = len(odd.requests("tools/list"))
    odd.say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    odd.wait_requests("tools/list", lists + 1)


@pytest.mark.parametrize("ending", ["end", "cut"])
def test_a_stream_that_broke_behind_an_event_is_fetched_to_its_end(odd: OddHTTP, bridge: Bridge, ending: str) -> None:
    def begin(exchange: Exchange) -> None:
        tag = odd.count(exchange)

        def go_on(other: Exchange) -> Any:
            if other.seen.headers.get("last-event-id") != "c1":
                return False
            other.stream()
            other.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)}, id="c2")
            other.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result("again")}, id="c3")
            other.end()

        odd.hooks["GET"] = go_on
        exchange.stream()
        exchange.event(id="c1", retry=10)
        getattr(exchange, ending)()

    odd.hooks["tools/call"] = begin
    assert ask(bridge, "count", tag="t") == "t"
    assert odd.counted == {"t": 1}


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_stream_whose_rest_is_not_there_leaves_the_outcome_open(odd: OddHTTP, bridge: Bridge, status: int) -> None:
    def begin(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.stream()
        exchange.event(id="c1", retry=10)
        exchange.end()

    odd.hooks["tools/call"] = begin
    odd.hooks["GET"] = lambda exchange: exchange.reply(status, b"") if "last-event-id" in exchange.seen.headers else False
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    assert odd.counted == {"t": 1}


@pytest.mark.parametrize("ending", ["end", "cut"])
def test_a_stream_that_broke_without_an_event_id_leaves_the_outcome_open(odd: OddHTTP, bridge: Bridge, ending: str) -> None:
    def begin(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.stream()
        exchange.event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}})
        getattr(exchange, ending)()

    odd.hooks["tools/call"] = begin
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    assert odd.counted == {"t": 1}


def test_a_connection_that_ends_before_the_answer_leaves_the_outcome_open(odd: OddHTTP, bridge: Bridge) -> None:
    def begin(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.cut()

    odd.hooks["tools/call"] = begin
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    assert odd.counted == {"t": 1}


def test_what_only_reads_is_asked_for_again(bridges: Bridges, odd: OddHTTP) -> None:
    odd.hooks["tools/list"] = once(lambda exchange: exchange.cut())
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    assert len(odd.requests("tools/list")) == 2 and len(odd.requests("initialize")) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_origin_is_followed_and_remembered(bridges: Bridges, odd: OddHTTP, status: int) -> None:
    def move(exchange: Exchange) -> Any:
        if exchange.seen.path == "/mcp/":
            return False
        return exchange.reply(status, b"", None, Location="/mcp/")

    odd.hooks["initialize"] = odd.hooks["tools/call"] = move
    bridge = bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    assert ask(bridge, "count", tag="t") == "t"
    assert [seen.path for seen in odd.seen].count("/mcp") == 1


@pytest.mark.parametrize(
    ("status", "location"), [(301, "/other"), (302, "/login"), (303, "/other"), (307, "http://localhost:1/mcp")]
)
def test_any_other_redirect_is_refused_with_both_addresses(
    bridges: Bridges, odd: OddHTTP, status: int, location: str
) -> None:
    odd.hooks["initialize"] = lambda exchange: exchange.reply(status, b"", None, Location=location + "?key=very-secret")
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    error = bridge.wait_error("odd")["lastError"]
    target = location if location.startswith("http") else f"http://127.0.0.1:{odd.port}{location}"
    assert odd.url in error and target in error and "very-secret" not in error


def test_who_has_not_signed_in_is_told_so_and_nobody_is_told_401(bridges: Bridges, odd: OddHTTP) -> None:
    odd.hooks["initialize"] = lambda exchange: exchange.reply(
        401, b"", None, WWW_Authenticate='Bearer error="invalid_token", error_description="token very-secret-token expired"'
    )
    bridge = bridges.start({"odd": odd.entry(headers={"Authorization": "Bearer very-secret-token"})}, ready="live")
    state = eventually(lambda: found if (found := bridge.upstream("odd")).get("phase") == "sign-in needed" else None, "told")
    assert "token *** expired" in state["lastError"]
    with bridge.client() as client:
        with pytest.raises(RPCFailure):
            client.call("odd.echo", {}).result
    del odd.hooks["initialize"]
    # It is tried again after a minute.
    bridge.wait_upstream("odd", within=180)


def test_a_sign_in_that_ends_amid_calls_did_not_run(odd: OddHTTP, bridge: Bridge) -> None:
    odd.hooks["tools/call"] = odd.hooks["initialize"] = lambda exchange: exchange.reply(401, b"who are you?")
    with bridge.client() as client:
        bridge.wait_tool("odd.count", client)
        with pytest.raises(RPCFailure, match="who are you") as failure:
            client.call("odd.count", {"tag": "t"}).result
        assert failure.value.word == DID_NOT_RUN
    eventually(lambda: bridge.upstream("odd")["phase"] == "sign-in needed", "the status says it")


def test_no_secret_is_told_or_logged(bridges: Bridges, odd: OddHTTP) -> None:
    secrets = ["very-secret-token", "secret-in-url", "secret-password", "0123456789-secret-in-path"]

    def echo(exchange: Exchange) -> None:
        exchange.reply(500, json.dumps(exchange.seen.headers) + exchange.seen.path, "text/plain")

    def refuse(exchange: Exchange) -> None:
        said = exchange.seen.path + exchange.seen.headers["x-key"]
        exchange.reply(200, {"jsonrpc": "2.0", "id": exchange.id, "error": {"code": -32000, "message": said}})

    odd.hooks["prompts/list"] = refuse
    odd.capabilities = {"tools": {}, "prompts": {}}
    url = odd.url.replace("http://", "http://user:secret-password@") + "/0123456789-secret-in-path?key=secret-in-url"
    bridge = bridges.start(
        {"odd": {"type": "http", "url": url, "headers": {"X-Key": "very-secret-token"}}},
        bridge={"log": {"level": "trace"}},
    )
    odd.hooks["tools/call"] = echo
    with bridge.client() as client:
        bridge.wait_tool("odd.count", client)
        with pytest.raises(RPCFailure) as failure:
            client.call("odd.count", {"tag": "t"}).result
    assert "***" in str(failure.value)
    assert "***" in bridge.wait_logged("prompts/list failed")
    told = str(failure.value) + json.dumps(bridge.health()) + "\n".join(bridge.log)
    for secret in secrets:
        assert secret not in told
    assert odd.requests("tools/call")[0].headers["authorization"] == "Basic dXNlcjpzZWNyZXQtcGFzc3dvcmQ="


def test_new_headers_keep_the_session(odd: OddHTTP, bridge: Bridge) -> None:
    assert bridge.config is not None
    bridge.config["mcpServers"]["odd"]["headers"]["Authorization"] = "Bearer another"
    bridge.write_config()
    assert bridge.process is not None
    bridge.process.send_signal(1)

    def uses_it() -> bool:
        ask(bridge, "echo", text="x")
        return odd.requests("tools/call")[-1].headers["authorization"] == "Bearer another"

    eventually(uses_it, "the new header is sent")
    assert len(odd.requests("initialize")) == 1 and not odd.requests("DELETE")


def test_a_cookie_is_given_back_to_its_session_alone(bridges: Bridges, odd: OddHTTP) -> None:
    def greet(exchange: Exchange) -> Any:
        exchange.reply(
            200,
            {
                "jsonrpc": "2.0",
                "id": exchange.id,
                "result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "odd", "version": "1"}},
            },
            Set_Cookie="AWSALB=abc; Path=/; HttpOnly",
            Mcp_Session_Id="session-1",
        )

    odd.sessions.add("session-1")
    odd.hooks["initialize"] = greet
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    assert "cookie" not in odd.requests("initialize")[0].headers
    assert odd.requests("tools/call")[0].headers["cookie"] == "AWSALB=abc"


def test_a_restarted_server_is_greeted_again(odd: OddHTTP, bridge: Bridge) -> None:
    odd.wait_listener()
    with bridge.client() as client:
        client.request("logging/setLevel", {"level": "warning"})
        odd.wait_requests("logging/setLevel")
        odd.restart()
        assert ask(bridge, "count", tag="t") == "t"
        assert odd.counted == {"t": 1}
        odd.wait_requests("logging/setLevel", 2)
    odd.wait_listener()


def test_what_a_server_logs_on_a_calls_stream_is_told_to_that_caller_alone(odd: OddHTTP, bridge: Bridge) -> None:
    over = threading.Event()

    def log(text: str) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": text}}

    def talk(exchange: Exchange) -> None:
        tag = exchange.seen.message["params"]["arguments"]["tag"]
        exchange.stream()
        exchange.event(log(f"{tag} begins"))
        over.wait()
        exchange.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)})
        exchange.event(log(f"{tag} is late"))
        exchange.end()

    odd.hooks["tools/call"] = talk
    with bridge.client() as one, bridge.client() as other:
        bridge.wait_tool("odd.odd", one)
        listening = [each.open_stream() for each in (one, other)]
        try:
            streams = [each.open_call("odd.odd", {"tag": tag}) for each, tag in ((one, "a"), (other, "b"))]
        finally:
            over.set()
        for stream, tag in zip(streams, "ab", strict=True):
            begins, answer = stream.next_message(), stream.next_message()
            assert begins["params"]["data"] == f"{tag} begins"
            assert text_of(answer["result"]) == tag
        odd.wait_listener()
        odd.say(log("to all"))
        for stream in listening:
            assert stream.wait_for("notifications/message")["params"]["data"] == "to all"


def test_a_question_of_a_server_is_answered_over_a_post(odd: OddHTTP, bridge: Bridge) -> None:
    def ask_back(exchange: Exchange) -> None:
        exchange.stream()
        exchange.event({"jsonrpc": "2.0", "id": "q1", "method": "ping"})
        answer = odd.wait_requests("answer")[0].message
        exchange.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(json.dumps(answer))})
        exchange.end()

    odd.hooks["tools/call"] = ask_back
    assert json.loads(ask(bridge)) == {"jsonrpc": "2.0", "id": "q1", "result": {}}


def test_a_cancelled_call_is_cancelled_and_its_stream_closed(odd: OddHTTP, bridges: Bridges) -> None:
    bridge = bridges.start({"odd": odd.entry(timeouts={"call": 3})})
    over = threading.Event()

    def hang(exchange: Exchange) -> None:
        exchange.stream()
        exchange.event(id="c1")
        try:
            while not over.wait(0.1):
                exchange.bytes(b": still\n\n")
        except OSError:
            over.set()

    odd.hooks["tools/call"] = hang
    assert ask(bridge) == "timeout"
    cancelled = odd.wait_requests("notifications/cancelled")[0].message
    assert cancelled["params"]["requestId"] == odd.requests("tools/call")[0].message["id"]
    assert over.wait(60), "the stream is closed by the bridge"


def test_a_page_is_no_server(bridges: Bridges, odd: OddHTTP) -> None:
    odd.hooks["initialize"] = lambda exchange: exchange.reply(200, "<!doctype html><h1>Please sign in</h1>", "text/html")
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    assert "Please sign in" in bridge.wait_error("odd")["lastError"]
    eventually(lambda: bridge.upstream("odd")["phase"] == "sign-in needed", "the status says it")


def test_a_page_to_sign_in_by_amid_calls_leaves_the_outcome_open(odd: OddHTTP, bridge: Bridge) -> None:
    odd.hooks["tools/call"] = odd.hooks["initialize"] = lambda exchange: exchange.reply(
        200, "<!doctype html><h1>Please sign in</h1>", "text/html"
    )
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    eventually(lambda: bridge.upstream("odd")["phase"] == "sign-in needed", "the status says it")


@pytest.mark.parametrize(
    ("status", "body"), [(200, b""), (200, b"null"), (202, b"Accepted"), (202, b'{"ok":true}'), (204, b""), (400, b""), (500, b"")]
)
def test_whatever_a_notification_is_answered_with_it_goes_on(
    bridges: Bridges, odd: OddHTTP, status: int, body: bytes
) -> None:
    odd.hooks["notifications/initialized"] = lambda exchange: exchange.reply(status, body, "text/plain")
    odd.has_sessions = False
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    if status >= 300:
        bridge.wait_logged(f"what needs no answer is refused ({status})")


def test_an_answer_beyond_the_limit_ends_its_call_alone(odd: OddHTTP, bridge: Bridge) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.stream()
        exchange.raw(b"5000000\r\ndata: ")
        try:
            for _ in range(80):
                exchange.raw(b"x" * (1 << 20))
        except OSError:
            pass

    odd.hooks["tools/call:odd"] = flood
    assert ask(bridge) == MAY_HAVE_RUN
    assert ask(bridge, "echo", text="x") == "x"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    names = (str(folder / "cert.pem"), str(folder / "key.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", names[0], "-keyout", names[1]],
        check=True, capture_output=True,
    )
    return names


def test_a_certificate_is_believed_where_the_configuration_says_so(
    bridges: Bridges, certificate: tuple[str, str]
) -> None:
    odd = OddHTTP(certificate=certificate)
    try:
        bridge = bridges.start(
            {
                "odd": odd.entry(tls={"ca": certificate[0]}),
                "blind": odd.entry(tls={"insecure": True}),
                "plain": odd.entry(),
            },
            ready="live",
        )
        assert ask(bridge, "echo", text="x") == "x"
        bridge.wait_upstream("blind")
        assert "CERTIFICATE_VERIFY_FAILED" in bridge.wait_error("plain")["lastError"]
    finally:
        odd.stop()


# Proxies


class Proxy:
    """A proxy that is asked to CONNECT, and remembers how."""

    def __init__(self, refusal: bytes | None = None) -> None:
        self.asked: list[str] = []
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode())
        if self._refusal is not None:
            client.sendall(self._refusal)
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
        self._copy(server, client)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()


def outer_address() -> str | None:
    """An address of this machine that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        found = probe.getsockname()[0]
        return None if found.startswith("127.") else found
    return None


def test_a_server_is_reached_through_a_proxy_whose_password_nobody_sees(bridges: Bridges) -> None:
    address = outer_address()
    if address is None:
        pytest.skip("this machine has only a loopback")
    odd, near, proxy = OddHTTP(host=address), OddHTTP(), Proxy()
    try:
        bridge = bridges.start(
            {"odd": odd.entry(), "near": near.entry(), "direct": odd.entry(env={"NO_PROXY": address})},
            environment={"http_proxy": f"http://me:secret-password@127.0.0.1:{proxy.port}"},
            bridge={"log": {"level": "trace"}},
        )
        for name in ("odd", "near", "direct"):
            bridge.wait_upstream(name)
        assert ask(bridge, "echo", text="x") == "x"
        assert proxy.asked and all(each.startswith(f"CONNECT {address}:{odd.port} ") for each in proxy.asked)
        assert "Basic bWU6c2VjcmV0LXBhc3N3b3Jk" in proxy.asked[0]
        assert any("through the proxy" in note for note in bridge.upstream("odd")["notes"])
        assert not bridge.upstream("direct").get("notes")
        assert "secret-password" not in json.dumps(bridge.health()) + "\n".join(bridge.log)
        for seen in odd.seen:
            assert "proxy-authorization" not in seen.headers
    finally:
        for each in (odd, near):
            each.stop()
        proxy.close()


def test_a_proxy_that_wants_to_know_who_asks_is_told_as_such(bridges: Bridges) -> None:
    address = outer_address()
    if address is None:
        pytest.skip("this machine has only a loopback")
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    odd, proxy = OddHTTP(host=address), Proxy(refusal)
    try:
        environment = {"http_proxy": f"http://me:secret-password@127.0.0.1:{proxy.port}"}
        bridge = bridges.start({"odd": odd.entry()}, ready="live", environment=environment)
        error = bridge.wait_error("odd")["lastError"]
        assert "proxy" in error.lower() and "authentication" in error.lower() and "secret-password" not in error
        assert odd.seen == []
    finally:
        odd.stop()
        proxy.close()


def test_a_server_that_the_environment_names_is_served_under_bare_names(bridges: Bridges, odd: OddHTTP) -> None:
    sentinel = {"MCP_BRIDGE_SENTINEL_COMMAND": str(BINARY), "MCP_BRIDGE_SENTINEL_ARGS": "demo-server  --everything"}
    bridge = bridges.start(None, environment={"MCP_BRIDGE_OVERSEER_URL": odd.url, **sentinel})
    for name in ("overseer", "sentinel"):
        bridge.wait_upstream(name)
    with bridge.client() as client:
        bridge.wait_tool("count", client)
        assert text_of(client.call("count", {"tag": "x"}).result) == "x"
        bridge.wait_tool("ask_model", client)
        # Of two with one name, the first counts.
        assert text_of(client.call("echo", {"text": "x"}).result) == "x"
        assert [seen.tool for seen in odd.requests("tools/call")] == ["count", "echo"]
    assert not [line for line in bridge.log if "not served" in line]


@pytest.mark.parametrize("harm", ["drop_connections", "restart"])
def test_whatever_happens_amid_calls_each_has_one_answer(odd: OddHTTP, bridge: Bridge, harm: str) -> None:
    outcomes: dict[str, str] = {}
    over = threading.Event()

    def slowly(exchange: Exchange) -> None:
        tag = odd.count(exchange)
        exchange.stream()
        exchange.event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": tag}})
        over.wait(0.01)
        exchange.event({"jsonrpc": "2.0", "id": exchange.id, "result": text_result(tag)})
        exchange.end()

    def slow(exchange: Exchange) -> Any:
        return slowly(exchange) if odd.is_known(exchange) else None

    odd.hooks["tools/call:count"] = slow

    def caller(number: int) -> None:
        with bridge.client() as client:
            for turn in itertools.count():
                if over.is_set():
                    return
                tag = f"{number}-{turn}"
                try:
                    outcomes[tag] = text_of(client.call("odd.count", {"tag": tag}).result)
                except RPCFailure as failure:
                    outcomes[tag] = failure.word or ""

    def results() -> int:
        return sum(tag == outcome for tag, outcome in list(outcomes.items()))

    with bridge.client() as client:
        bridge.wait_tool("odd.count", client)
    with ThreadPoolExecutor(16) as pool:
        running = [pool.submit(caller, number) for number in range(16)]
        try:
            for _ in range(3):
                wanted = results() + 32
                eventually(lambda wanted=wanted: results() > wanted, "calls are answered")
                getattr(odd, harm)()
            wanted = results() + 32
            eventually(lambda: results() > wanted, "calls are answered again")
        finally:
            over.set()
        for each in running:
            each.result()
    assert set(odd.counted.values()) == {1}
    for tag, outcome in outcomes.items():
        assert outcome in (tag, DID_NOT_RUN, MAY_HAVE_RUN), outcome
        if outcome == DID_NOT_RUN:
            assert tag not in odd.counted
