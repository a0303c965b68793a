"""What the owner of mcp-bridge for Node relies on about signing in to the overseer; docs/moving.md has a row for each."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from authorization_server import AuthorizationServer, Grant, with_query
from command_line import Said, beside, run
from harness import Bridge, Bridges
from signing_in import SignIn, begun, browse, guarded, receiver, told, wait_told

PASSWORD = "owner-pass-5f1d0c9a"


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    made = AuthorizationServer(consent=PASSWORD, scopes_supported=["mcp", "overseer.all"], call_scope="overseer.all")
    yield made
    made.stop()


def overseer(bridges: Bridges, server: AuthorizationServer) -> Bridge:
    bridge = guarded(bridges, {})
    bridge.environment = {"MCP_BRIDGE_OVERSEER_URL": server.url}
    return bridge


def auth(bridge: Bridge, *arguments: str, **environment: str) -> Said:
    """`npm run auth` of old, with these variables."""
    whole = {**bridge.whole_environment(), **environment}
    return run("auth", "overseer", "--no-browser", *arguments, environment=whole, folder=bridge.folder)


def vault(folder: Path, script: str) -> str:
    (folder / "op").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "op").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_B13_the_owners_password(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    said = auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD)
    assert said.status == 0 and "signed in at" in said.out, said
    form = server.requests("consent")[-1].form
    assert set(form) == {"txn", "password"} and form["password"] == PASSWORD
    assert PASSWORD not in said.out + said.err + "\n".join(bridge.log)
    assert bridge.wait_upstream("overseer")["connected"] is True


def test_an_authorization_server_that_is_new_gets_no_password(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    assert auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD).status == 0
    other = AuthorizationServer(consent=PASSWORD, scopes_supported=["mcp", "overseer.all"])
    server.settings["issuers"] = [other.issuer]
    waiting = SignIn(bridge, "overseer", "--no-browser", "--fresh", MCP_BRIDGE_OWNER_PASSWORD=PASSWORD)
    assert waiting.url.startswith(f"{other.origin}/authorize"), "a person may look at it"
    waiting.process.terminate()
    said = waiting.end()
    assert "another authorization server" in said.err and server.issuer in said.err and other.issuer in said.err, said
    assert not other.requests("authorize") and not other.requests("consent")
    assert PASSWORD not in json.dumps([vars(seen) for seen in other.seen])
    other.stop()


def test_B14_the_owners_password_in_the_vault(bridges: Bridges, server: AuthorizationServer, folder: Path) -> None:
    bridge = begun(overseer(bridges, server))
    path = vault(folder, f'[ "$*" = "read op://Private/Bridge/password" ] && echo {PASSWORD}')
    said = auth(bridge, PATH=path, MCP_BRIDGE_OWNER_PASSWORD_OP_REF="op://Private/Bridge/password")
    assert said.status == 0 and "signed in at" in said.out, said


def older_state(server: AuthorizationServer, saved: float) -> dict[str, Any]:
    server.clients["old-client"] = {"client_id": "old-client", "client_secret": "old-secret", "redirect_uris": ["http://127.0.0.1:8770/callback"]}
    grant = Grant("old-client", "overseer.all", server.url)
    server.grants.append(grant)
    tokens = server.make_tokens(grant)
    return {
        "clientInformation": {**server.clients["old-client"], "token_endpoint_auth_method": "client_secret_post"},
        "tokens": tokens, "codeVerifier": "v" * 43, "lastSavedAt": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(saved)),
        "discoveryState": {"authorizationServerUrl": server.issuer},
    }  # fmt: skip


def test_B33_the_state_of_old_is_taken_over_once(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = overseer(bridges, server)
    bridge.state.mkdir(mode=0o700)
    old = bridge.state / "oauth-state.json"
    old.write_text(json.dumps(older_state(server, time.time())))
    begun(bridge)
    assert bridge.wait_upstream("overseer")["connected"] is True
    assert told(bridge, "overseer")["state"] == "ok" and not server.requests("authorize")
    assert not old.exists() and [path for path in bridge.state.iterdir() if path.name.startswith("oauth-state.json")]
    bridge.wait_logged("mcp-bridge for Node")
    for path in (bridge.state / "oauth").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def empty(bridge: Bridge) -> Path:
    file = bridge.folder / "empty.json"
    file.write_text('{"mcpServers": {}}')
    return file


def test_B34_how_the_bridge_registers(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    waiting = SignIn(bridge, "overseer")
    wish = server.requests("register")[-1].message
    assert wish["client_name"] == "MCP Bridge" and receiver(bridge) in wish["redirect_uris"]
    assert wish["grant_types"] == ["authorization_code", "refresh_token"] and wish["response_types"] == ["code"]
    assert wish["scope"] == waiting.query["scope"] == "overseer.all"
    waiting.process.terminate()
    waiting.end()
    assert json.loads(beside(bridge, "config", "print", "--config", str(empty(bridge))).out)["bridge"]["signIn"]["port"] == 8770


def test_B35_what_was_kept_is_forgotten_where_the_owner_says_so(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    word = {"MCP_BRIDGE_OWNER_PASSWORD": PASSWORD}
    assert auth(bridge, **word).status == 0
    assert auth(bridge, "--fresh", **word).status == 0 and len(server.requests("register")) == 2, "the client"
    assert beside(bridge, "auth", "logout", "overseer").status == 0, "all of it"
    assert server.grants[-1].dead == "revoked"
    assert auth(bridge, **word).status == 0 and told(bridge, "overseer")["state"] == "ok"


def test_B36_tokens_are_renewed_well_before_their_end(bridges: Bridges, server: AuthorizationServer) -> None:
    server.settings["life"] = 12
    bridge = begun(overseer(bridges, server))
    assert auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD).status == 0
    # Nobody calls anything.
    server.wait("token:refresh_token")
    assert not [seen for seen in server.requests("mcp") if "expired" in str(seen)] and not server.requests("mcp:tools/call")
    wait_told(bridge, "overseer", "ok")


def test_B37_auth_follows_the_consent_page_and_checks_what_comes_back(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    server.settings["iss"] = "https://evil.example"
    refused = auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD)
    assert refused.status == 1 and "another issuer" in refused.err and not server.requests("token")
    server.settings["iss"] = True
    assert auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD).status == 0
    again = auth(bridge, MCP_BRIDGE_OWNER_PASSWORD=PASSWORD)
    assert again.status == 0 and "OAuth state is already authorized" in again.out


def test_B38_without_the_password_a_person_opens_the_page(bridges: Bridges, server: AuthorizationServer, folder: Path) -> None:
    bridge = begun(overseer(bridges, server))
    path = vault(folder, "echo '[ERROR] no such item' >&2; exit 1")
    waiting = SignIn(bridge, "overseer", "--no-browser", PATH=path, MCP_BRIDGE_OWNER_PASSWORD_OP_REF="op://v/i/f")
    page = browse(waiting.url)
    assert 'type="password"' in page.body, "a person fills that in"
    transaction = page.url.split("txn=")[1]
    end = browse_form(server, transaction)
    waiting.paste(end)
    said = waiting.end()
    assert said.status == 0 and "Owner password unavailable; open and approve manually: http://" in said.err, said


def browse_form(server: AuthorizationServer, transaction: str) -> str:
    """Where the owner's browser is sent after the form."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", "/consent", urlencode({"txn": transaction, "password": PASSWORD}), {"Content-Type": "application/x-www-form-urlencoded"})
    return connection.getresponse().headers["Location"]


def test_B39_a_code_without_its_sign_in_is_told_to_begin_again(bridges: Bridges, server: AuthorizationServer) -> None:
    bridge = begun(overseer(bridges, server))
    page = browse(with_query(f"http://127.0.0.1:{bridge.port}/oauth/callback", code="c", state="x.6f76657273656572"))
    assert page.status == 400 and "no sign-in of that" in page.body
    assert not server.requests("token")
