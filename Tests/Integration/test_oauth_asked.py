"""How it is seen that somebody has to sign in where a server does not say so, and which of the owner's clients are asked to."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from authorization_server import AuthorizationServer
from command_line import beside
from harness import Bridges
from replies import text_of
from signing_in import begun, browse, guarded, sign_in, told, wait_told
from stdio_client import HELLO, StdioClient
from tokens import bearer, create
from waiting import eventually

URLS = {"elicitation": {"url": {}}}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_server_that_fails_without_a_token_is_looked_up_once(bridges: Bridges, status: int) -> None:
    """D17: it names nobody who gives tokens, and its metadata does."""
    server = AuthorizationServer(refusal_status=status, challenge=[])
    bridge = begun(guarded(bridges, {"s": server}))
    assert "nobody has signed in" in wait_told(bridge, "s", "sign-in needed")["reason"]
    eventually(lambda: "sign-in needed" in json.dumps(bridge.client().call("s.echo", {}).message), "calls are told so")
    server.wait("mcp:initialize", 3)
    assert len(server.requests("prm-path")) == 1
    sign_in(bridge, "s")
    bridge.wait_upstream("s")
    assert text_of(bridge.client().call("s.echo", {"text": "hello"}).result) == "hello"
    server.stop()


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_stream_that_fails_without_a_token_is_looked_up_too(bridges: Bridges, status: int) -> None:
    server = AuthorizationServer(refusal_status=status, challenge=[])
    bridge = guarded(bridges, {"s": server})
    assert bridge.config is not None
    bridge.config["mcpServers"]["s"]["type"] = "sse"
    begun(bridge)
    wait_told(bridge, "s", "sign-in needed")
    eventually(lambda: "nobody has signed in" in json.dumps(bridge.client().call("s.echo", {}).message), "calls are told so")
    assert len(server.requests("prm-path")) == 1
    server.stop()


def test_a_client_that_needs_nobody_signs_in_where_only_the_metadata_asks_for_it(bridges: Bridges) -> None:
    server = AuthorizationServer(refusal_status=500, challenge=[], clients={"robot": {"secret": "s"}}, registration="closed")
    bridge = guarded(bridges, {"s": server}, {"s": {"clientId": "robot", "clientSecret": "s", "grant": "client_credentials"}})
    begun(bridge).wait_upstream("s")
    assert text_of(bridge.client().call("s.echo", {"text": "hello"}).result) == "hello"
    server.stop()


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_server_that_fails_and_has_no_metadata_wants_nobody_to_sign_in(bridges: Bridges, status: int) -> None:
    server = AuthorizationServer(refusal_status=status, challenge=[], prm_at=[], as_at=[])
    bridge = begun(guarded(bridges, {"s": server}))
    server.wait("mcp:initialize", 3)
    assert len(server.requests("prm-path")) == 1
    assert told(bridge, "s")["state"] == "not needed" and str(status) in bridge.wait_error("s")["lastError"]
    server.stop()


def test_a_token_that_has_admin_is_the_owners_and_no_other(bridges: Bridges) -> None:
    server = AuthorizationServer()
    bridge = begun(guarded(bridges, {"s": server}))
    wait_told(bridge, "s", "sign-in needed")
    for scope in ("mcp", "mcp,chat", "server:s"):
        error = bridge.new_client(headers=bearer(create(bridge, scope))).initialize(URLS).call("s.echo", {}).message["error"]
        assert error["code"] != -32042 and server.origin not in json.dumps(error), scope
    owner = bridge.new_client(headers=bearer(create(bridge, "mcp,admin"))).initialize(URLS)
    error = owner.call("s.echo", {}).message["error"]
    assert error["code"] == -32042 and error["data"]["code"] == "sign_in_needed"
    (page,) = error["data"]["elicitations"]
    # Whoever comes with a token may be anywhere: the browser comes back to the front, and not to this machine's own address.
    assert parse_qs(urlsplit(page["url"]).query)["redirect_uri"] == [f"http://127.0.0.1:{bridge.port}/oauth/callback"]
    assert browse(page["url"]).status == 200
    bridge.wait_upstream("s")
    assert text_of(owner.call("s.echo", {"text": "hello"}).result) == "hello"
    server.stop()


COMPLETE = "notifications/elicitation/complete"


def test_whoever_was_told_of_a_page_hears_that_somebody_has_signed_in(bridges: Bridges) -> None:
    """client/elicitation, "Completion Notifications": those that know of the page, and as soon as their calls go through."""
    server = AuthorizationServer()
    bridge = begun(guarded(bridges, {"s": server}))
    wait_told(bridge, "s", "sign-in needed")
    first, second, other = (bridge.new_client(local=True).initialize(URLS) for _ in range(3))
    events, others = first.open_stream(), other.open_stream()
    with StdioClient(environment=bridge.whole_environment(), folder=bridge.folder) as command:
        assert "result" in command.ask("initialize", {**HELLO, "capabilities": URLS})
        command.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        (page,) = first.call("s.echo", {}).message["error"]["data"]["elicitations"]
        for told in (second.call("s.echo", {}).message, command.call("s.echo")):
            assert told["error"]["data"]["elicitations"] == [page]
        assert browse(page["url"]).status == 200
        assert events.wait_for(COMPLETE)["params"] == {"elicitationId": page["elicitationId"]}
        assert text_of(first.call("s.echo", {"text": "at once"}).result) == "at once"
        assert command.hear(COMPLETE)["params"] == {"elicitationId": page["elicitationId"]}
        assert second.open_stream().wait_for(COMPLETE)["params"] == {"elicitationId": page["elicitationId"]}, "when it listens"
    # Who was not told of that page hears of none but its own.
    assert beside(bridge, "auth", "logout", "s").status == 0
    bridge.client().call("s.echo", {})
    eventually(lambda: bridge.upstream("s").get("phase") == "sign-in needed", "it is seen that nobody is signed in")
    (own,) = other.call("s.echo", {}).message["error"]["data"]["elicitations"]
    assert browse(own["url"]).status == 200
    assert others.wait_for(COMPLETE)["params"] == {"elicitationId": own["elicitationId"]}
    server.stop()
