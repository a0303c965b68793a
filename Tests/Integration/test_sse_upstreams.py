"""Servers over HTTP+SSE (2024-11-05) behind the bridge, and servers of which nobody says how they are spoken to."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_upstreams import PYTHONS, SDKServer
from odd_http import Exchange, OddHTTP, OddSSE
from outcomes import DID_NOT_RUN, MAY_HAVE_RUN
from places import BINARY
from replies import RPCFailure, text_of
from waiting import eventually


@pytest.fixture
def odd() -> Iterator[OddSSE]:
    server = OddSSE()
    yield server
    server.stop()
    server.check()


def ask(bridge: Bridge, tool: str = "odd", **arguments: Any) -> str:
    """The text of an answer, or the word of an error."""
    with bridge.client() as client:
        bridge.wait_tool(f"odd.{tool}", client)
        try:
            return text_of(client.call(f"odd.{tool}", arguments).result)
        except RPCFailure as failure:
            return failure.word or str(failure)


@pytest.mark.parametrize("generation", PYTHONS)
def test_a_server_of_the_sdk_is_served(bridges: Bridges, folder: Path, generation: str) -> None:
    server = SDKServer(generation, "sse", folder / "counted")
    try:
        entry = {key: value for key, value in server.entry.items() if key != "type"}
        bridge = bridges.start({"sdk": server.entry, "probed": entry})
        with bridge.client() as client:
            for name in ("sdk", "probed"):
                bridge.wait_tool(f"{name}.count", client)
                reply = client.call(f"{name}.count", {"tag": name, "steps": 3}, progress_token="mine")
                assert text_of(reply.result) == name
                big = "é" * 200_000
                assert text_of(client.call(f"{name}.echo", {"text": big}).result) == big
        assert server.counts() == {"sdk": 1, "probed": 1}
    finally:
        server.kill()


@pytest.mark.parametrize("generation", PYTHONS)
def test_a_bare_address_of_streamable_http_is_found(bridges: Bridges, folder: Path, generation: str) -> None:
    server = SDKServer(generation, "stateful", folder / "counted")
    try:
        bridge = bridges.start({"odd": {"url": server.entry["url"]}})
        assert ask(bridge, "echo", text="x") == "x"
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("endpoint", "posted_at"),
    [
        ("/messages?id={id}", "/messages"),
        ("http://{host}:{port}/messages?id={id}", "/messages"),
        ("messages?id={id}", "/messages"),
        ("?id={id}", "/sse"),
    ],
)
def test_an_address_of_any_form_is_understood(
    bridges: Bridges, odd: OddSSE, endpoint: str, posted_at: str
) -> None:
    odd.endpoint, odd.posted_at = endpoint, posted_at
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "count", tag="t") == "t"


@pytest.mark.parametrize("endpoint", ["http://localhost:{port}/messages?id={id}", "https://evil.example/?id={id}", "//evil.example/"])
def test_an_address_of_another_server_is_refused(bridges: Bridges, odd: OddSSE, endpoint: str) -> None:
    odd.endpoint = endpoint
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    error = bridge.wait_error("odd")["lastError"]
    assert odd.url in error and "another server" in error
    assert not [seen for seen in odd.seen if seen.method == "POST"]


def test_a_server_that_does_not_know_its_folder_is_found(bridges: Bridges, odd: OddSSE) -> None:
    def below(exchange: Exchange) -> Any:
        return odd.listen(exchange)

    odd.posted_at = "/app/messages"
    odd.hooks["GET"] = below
    odd.hooks["initialize"] = lambda exchange: exchange.reply(404, b"") if exchange.seen.path.startswith("/messages") else False
    bridge = bridges.start({"odd": {"type": "sse", "url": f"http://127.0.0.1:{odd.port}/app/sse"}})
    assert ask(bridge, "echo", text="x") == "x"
    assert len(odd.requests("initialize")) == 2


def test_what_comes_before_the_address_is_kept(bridges: Bridges, odd: OddSSE) -> None:
    odd.early = ({"jsonrpc": "2.0", "id": "early", "method": "ping"},)
    bridge = bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    assert odd.wait_requests("answer")[0].message["id"] == "early"


@pytest.mark.parametrize("place", ["stream", "body", "both"])
def test_an_answer_is_taken_from_either_place_once(bridges: Bridges, odd: OddSSE, place: str) -> None:
    odd.place = place
    bridge = bridges.start({"odd": odd.entry()})
    for number in range(3):
        assert ask(bridge, "count", tag=f"{number}") == f"{number}"
    assert odd.counted == {"0": 1, "1": 1, "2": 1}


@pytest.mark.parametrize("accepted", [(200, b""), (200, b"ok"), (202, b"Accepted"), (204, b"")])
def test_whatever_a_message_is_accepted_with(bridges: Bridges, odd: OddSSE, accepted: tuple[int, bytes]) -> None:
    odd.accepted = accepted
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "count", tag="t") == "t"


def test_a_stream_that_ends_leaves_outcomes_open_and_another_is_opened(bridges: Bridges, odd: OddSSE) -> None:
    bridge = bridges.start({"odd": odd.entry()})

    def begin(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.reply(202, b"")
        odd.end_streams()

    odd.hooks["tools/call"] = begin
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    del odd.hooks["tools/call"]
    assert ask(bridge, "count", tag="u") == "u"
    assert odd.counted == {"t": 1, "u": 1}
    assert len(odd.requests("GET")) == 2 and len(odd.requests("initialize")) == 2


def test_a_stream_that_nothing_comes_over_is_given_up_although_messages_are_accepted(
    bridges: Bridges, odd: OddSSE
) -> None:
    bridge = bridges.start({"odd": odd.entry(timeouts={"ping": 1})}, bridge={"pingInterval": 0.5})
    bridge.wait_upstream("odd")
    odd.hooks["ping"] = lambda exchange: exchange.reply(202, b"Accepted", "text/plain")
    odd.wait_requests("GET", 2)


def test_a_server_that_answers_where_it_was_asked_needs_no_word_over_its_stream(bridges: Bridges, odd: OddSSE) -> None:
    odd.place = "body"
    bridge = bridges.start({"odd": odd.entry(timeouts={"ping": 20})}, bridge={"pingInterval": 0.5})
    bridge.wait_upstream("odd")
    # A ping follows another one only once that has been answered.
    odd.wait_requests("ping", 3)
    assert len(odd.requests("GET")) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_forgotten_address_did_not_run_and_is_asked_for_again(bridges: Bridges, odd: OddSSE, status: int) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    odd.sessions.clear()
    assert ask(bridge, "count", tag="s") == "s", "it is sent once more, to the address that the next stream names"
    assert odd.counted == {"s": 1} and len(odd.requests("initialize")) == 2
    odd.hooks["tools/call"] = lambda exchange: exchange.reply(status, b"who?")
    assert ask(bridge, "count", tag="t") == DID_NOT_RUN
    assert [seen.path[-1] for seen in odd.requests("tools/call")] == ["1", "2", "2", "3"]
    del odd.hooks["tools/call"]
    assert ask(bridge, "count", tag="t") == "t"
    assert odd.counted == {"s": 1, "t": 1}


def test_a_cookie_of_a_lost_session_is_not_given_back(bridges: Bridges, odd: OddSSE) -> None:
    odd.hooks["notifications/initialized"] = lambda exchange: exchange.reply(202, b"", None, Set_Cookie="AWSALB=abc; Path=/")
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    odd.sessions.clear()
    assert ask(bridge, "echo", text="y") == "y"
    assert odd.requests("tools/call")[0].headers["cookie"] == "AWSALB=abc"
    second = [seen for seen in odd.seen if seen.path == "/sse"][1]
    assert "cookie" not in second.headers


@pytest.mark.parametrize(("status", "told"), [(500, MAY_HAVE_RUN), (429, DID_NOT_RUN)])
def test_a_refused_message_ends_its_call_alone(bridges: Bridges, odd: OddSSE, status: int, told: str) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    odd.hooks["tools/call:odd"] = lambda exchange: exchange.reply(status, b"no")
    assert ask(bridge) == told
    assert ask(bridge, "echo", text="x") == "x"
    assert len(odd.requests("GET")) == 1


def test_a_notification_that_is_refused_is_logged_and_it_goes_on(bridges: Bridges, odd: OddSSE) -> None:
    odd.hooks["notifications/initialized"] = lambda exchange: exchange.reply(500, b"no")
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    bridge.wait_logged("what needs no answer is refused (500)")


def test_who_has_not_signed_in_is_told_so(bridges: Bridges, odd: OddSSE) -> None:
    odd.hooks["GET"] = lambda exchange: exchange.reply(401, b"who?")
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    eventually(lambda: bridge.upstream("odd").get("phase") == "sign-in needed", "the status says it")


def page(exchange: Exchange) -> None:
    exchange.reply(200, "<!doctype html><h1>Please sign in</h1>", "text/html")


def login(exchange: Exchange) -> None:
    exchange.reply(302, b"", None, Location="https://login.example/start")


@pytest.mark.parametrize(("answer", "told"), [(page, "Please sign in"), (login, "https://login.example/start")])
def test_a_stream_behind_a_page_to_sign_in_by_wants_somebody_to(
    bridges: Bridges, odd: OddSSE, answer: Callable[[Exchange], None], told: str
) -> None:
    odd.hooks["GET"] = answer
    bridge = bridges.start({"odd": odd.entry()}, ready="live")
    eventually(lambda: bridge.upstream("odd").get("phase") == "sign-in needed", "the status says it")
    assert told in bridge.upstream("odd")["lastError"]


@pytest.mark.parametrize(("answer", "told"), [(page, MAY_HAVE_RUN), (login, DID_NOT_RUN)])
def test_a_call_behind_a_page_to_sign_in_by_wants_somebody_to(
    bridges: Bridges, odd: OddSSE, answer: Callable[[Exchange], None], told: str
) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    bridge.wait_upstream("odd")
    odd.hooks["tools/call"] = odd.hooks["GET"] = answer
    assert ask(bridge, "count", tag="t") == told
    eventually(lambda: bridge.upstream("odd")["phase"] == "sign-in needed", "the status says it")


# Of which nobody says how they are spoken to


@pytest.mark.parametrize("status", [400, 404, 405, 415])
def test_a_refused_first_word_is_followed_by_the_other_transport(bridges: Bridges, odd: OddSSE, status: int) -> None:
    odd.hooks["initialize"] = lambda exchange: exchange.reply(status, b"") if exchange.seen.path == "/sse" else False
    bridge = bridges.start({"odd": {"url": odd.url}})
    assert ask(bridge, "count", tag="t") == "t"
    streams = len(odd.requests("GET"))
    odd.restart()
    odd.wait_requests("GET", streams + 1)
    assert ask(bridge, "count", tag="u") == "u"
    assert [seen.path for seen in odd.requests("initialize")].count("/sse") == 1, "what was found is remembered"


def test_a_server_that_becomes_another_is_found_again(bridges: Bridges, odd: OddSSE) -> None:
    bridge = bridges.start({"odd": {"url": odd.url}})
    assert ask(bridge, "count", tag="t") == "t"
    port = odd.port
    odd.stop()
    newer = OddHTTP(port=port)
    try:
        newer.hooks["GET"] = lambda exchange: exchange.reply(405, b"")
        eventually(lambda: bridge.upstream("odd").get("phase") != "ready", "the loss is noticed")
        assert ask(bridge, "count", tag="u") == "u"
        assert newer.counted == {"u": 1}
    finally:
        newer.stop()


def test_a_server_that_becomes_another_is_found_again_although_it_has_a_stream(bridges: Bridges, odd: OddSSE) -> None:
    bridge = bridges.start({"odd": {"url": odd.url, "timeouts": {"connect": 3}}})
    assert ask(bridge, "count", tag="t") == "t"
    port = odd.port
    odd.stop()
    # Its stream is there without a session, and names no address.
    newer = OddHTTP(port=port, has_sessions=False)
    try:
        newer.wait_requests("initialize")
        assert ask(bridge, "count", tag="u") == "u"
        assert newer.counted == {"u": 1}
    finally:
        newer.stop()


def test_what_was_found_is_remembered_across_a_restart_and_corrected_when_it_is_wrong(
    bridges: Bridges, odd: OddSSE
) -> None:
    bridge = bridges.start({"odd": {"url": odd.url}})

    def kept(transport: str) -> bool:
        file = bridge.state / "tools-cache.json"
        return file.exists() and json.loads(file.read_bytes()).get("transportsByUpstream") == {"odd": transport}

    assert ask(bridge, "count", tag="t") == "t"
    eventually(lambda: kept("sse"), "what was found is kept")
    assert bridge.stop() == 0
    odd.seen.clear()
    bridge.start()
    assert ask(bridge, "count", tag="u") == "u"
    assert odd.seen[0].method == "GET", "it is not asked as another again"
    assert bridge.stop() == 0
    port = odd.port
    odd.stop()
    newer = OddHTTP(port=port)
    try:
        newer.hooks["GET"] = lambda exchange: exchange.reply(405, b"")
        bridge.start()
        assert ask(bridge, "count", tag="v") == "v"
        eventually(lambda: kept("streamable-http"), "what was found anew is kept")
    finally:
        newer.stop()


def test_a_server_that_wants_to_be_asked_again_soon_is(bridges: Bridges, odd: OddSSE) -> None:
    bridge = bridges.start({"odd": odd.entry()})
    left = [1]

    def busy(exchange: Exchange) -> object:
        return exchange.reply(429, b"busy", Retry_After="1") if left and left.pop() else False

    odd.hooks["tools/call"] = busy
    assert ask(bridge, "count", tag="t") == "t"
    assert odd.counted == {"t": 1} and len(odd.requests("tools/call")) == 2


def test_a_call_whose_503_names_a_time_may_have_run(bridges: Bridges, odd: OddSSE) -> None:
    bridge = bridges.start({"odd": odd.entry()})

    def answer(exchange: Exchange) -> None:
        odd.count(exchange)
        exchange.reply(503, b"busy", Retry_After="1")

    odd.hooks["tools/call"] = answer
    assert ask(bridge, "count", tag="t") == MAY_HAVE_RUN
    assert odd.counted == {"t": 1}


def test_what_only_reads_is_asked_for_again_when_a_503_names_a_time(bridges: Bridges, odd: OddSSE) -> None:
    left = [1]

    def busy(exchange: Exchange) -> object:
        return exchange.reply(503, b"busy", Retry_After="1") if left and left.pop() else False

    odd.hooks["tools/list"] = busy
    bridge = bridges.start({"odd": odd.entry()})
    assert ask(bridge, "echo", text="x") == "x"
    assert len(odd.requests("tools/list")) == 2 and len(odd.requests("initialize")) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_other_refusals_tell_nothing_of_the_transport(bridges: Bridges, odd: OddSSE, status: int) -> None:
    odd.hooks["initialize"] = lambda exchange: exchange.reply(status, b"")
    bridge = bridges.start({"odd": {"url": odd.url}}, ready="live")
    bridge.wait_error("odd")
    # Whether somebody gives tokens for it may be asked.
    assert not [seen for seen in odd.requests("GET") if not seen.path.startswith("/.well-known/")]


def test_where_neither_transport_is_both_refusals_are_told(bridges: Bridges, odd: OddSSE) -> None:
    odd.hooks["initialize"] = odd.hooks["GET"] = lambda exchange: exchange.reply(404, b"nothing here")
    bridge = bridges.start({"odd": {"url": odd.url}}, ready="live")
    error = bridge.wait_error("odd")["lastError"]
    assert error.count("404") == 2 and "neither" in error


# Before anything is started


def test_config_check_says_what_is_there(folder: Path, odd: OddSSE) -> None:
    plain, closed, older = OddHTTP(), OddHTTP(), OddHTTP()

    def refuse_the_newest(exchange: Exchange) -> object:
        if exchange.seen.message["params"]["protocolVersion"] != "2025-11-25":
            return False
        error = {"code": -32602, "message": "Unsupported protocol version"}
        return exchange.reply(200, {"jsonrpc": "2.0", "id": exchange.id, "error": error})

    older.hooks["initialize"] = refuse_the_newest
    closed.hooks["initialize"] = lambda exchange: exchange.reply(401, b"sign in at the desk")
    try:
        file = folder / "config.json"
        remote = {"plain": plain, "old": odd, "closed": closed, "older": older}
        servers = {**{name: {"url": each.url} for name, each in remote.items()}, "here": {"command": "true"}}
        file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
        found = subprocess.run([BINARY, "config", "check", "--connect", file], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr
        assert "plain: reached by streamable-http, without TLS, revision 2025-11-25" in found.stdout
        assert "old: reached by sse, without TLS, revision 2025-11-25" in found.stdout
        assert "closed: sign-in needed: 401 Unauthorized: sign in at the desk" in found.stdout
        assert "older: reached by streamable-http, without TLS, revision 2025-06-18" in found.stdout
        assert len(plain.requests("DELETE")) == 1
        servers["gone"] = {"url": "http://127.0.0.1:1/mcp"}
        file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
        found = subprocess.run([BINARY, "config", "check", "--connect", file], capture_output=True, text=True, check=False)
        assert found.returncode == 1 and "gone: not reached: no connection" in found.stdout
        plain.hooks["initialize"] = lambda exchange: exchange.reply(429, b"busy", Retry_After="600")
        found = subprocess.run([BINARY, "config", "check", "--connect", file], capture_output=True, text=True, check=False)
        assert "plain: not reached: " in found.stdout and "wants to be asked again in 600 s" in found.stdout
    finally:
        for each in (plain, closed, older):
            each.stop()
