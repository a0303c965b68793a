"""Tokens of servers, kept good without anybody: whatever the authorization server says, and whatever dies meanwhile.

Tokens here live for seconds, and are refreshed at half of that: what a test waits for is a request or a word, never a time.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authorization_server import AuthorizationServer
from command_line import beside
from harness import Bridge, Bridges
from jumping_clock import JumpingClock
from replies import text_of
from signing_in import guarded, sign_in, told, wait_told
from waiting import eventually

#: In seconds: long enough that a busy machine calls in time, short enough to be waited for.
LIFE = 10
NAMES = ("killed", "kept", "trouble", "revoked", "rights", "locked", "refuses", "stream", "busy")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, AuthorizationServer]]:
    made = {name: AuthorizationServer(life=LIFE, grace=60) for name in NAMES}
    # Between its half, when somebody else is seen to have the state, and its end a command and a call have their time.
    made["locked"].settings["life"] = 3 * LIFE
    for name in ("kept", "rights", "refuses"):
        made[name].settings["life"] = 3600
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, servers: dict[str, AuthorizationServer]) -> Bridge:
    return guarded(shared_bridges, servers).start("live")


def signed_in(bridge: Bridge, name: str) -> None:
    sign_in(bridge, name)
    bridge.wait_upstream(name)


def echo(bridge: Bridge, name: str) -> str:
    return text_of(bridge.client().call(f"{name}.echo", {"text": "hello"}).result)


def refused_words(bridge: Bridge, name: str) -> str:
    """What a call is told; by HTTP it has always been answered."""
    reply = bridge.client().call(f"{name}.echo", {})
    assert reply.head.status == 200, "an upstream's token is nothing that a client could renew"
    return json.dumps(reply.message)


def state_file(bridge: Bridge, server: AuthorizationServer) -> Path:
    return next(path for path in (bridge.state / "oauth").glob("*.json") if server.url in path.read_text())


def refreshes(server: AuthorizationServer) -> int:
    return len(server.requests("token:refresh_token"))


def test_a_worker_that_is_killed_in_a_refresh_loses_no_token(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["killed"]
    signed_in(bridge, "killed")
    # The token is rotated, and nobody hears of it.
    server.always("token:refresh_token", hold=True, act=True)
    before = server.wait_held("token:refresh_token")
    asked = server.requests("token:refresh_token")
    intent = state_file(bridge, server).with_suffix(".intent")
    assert json.loads(intent.read_text())["generation"] >= 1, "it was on the disk before the request"
    os.kill(bridge.worker("upstream killed").pid, signal.SIGKILL)
    server.well("token:refresh_token")
    again = server.wait("token:refresh_token", before + 2)
    server.release()
    assert again[before + 1].form["refresh_token"] == asked[before].form["refresh_token"]
    bridge.wait_upstream("killed")
    assert echo(bridge, "killed") == "hello" and told(bridge, "killed")["state"] in ("ok", "due")
    assert not server.grants[-1].dead and len(server.requests("authorize")) == 1
    shown = json.dumps([[seen.headers, seen.query, seen.message] for seen in server.requests("mcp")])
    assert not any(token in shown for token in server.grants[-1].refresh), "a refresh token is nothing for the resource"


def test_a_new_token_is_no_reason_to_ask_a_server_that_wants_to_be_left_in_peace_and_a_sign_in_is(
    bridge: Bridge, servers: dict[str, AuthorizationServer]
) -> None:
    server = servers["busy"]
    signed_in(bridge, "busy")
    before = len(server.requests("mcp:initialize"))
    server.always("mcp:initialize", status=429, headers={"Retry-After": "1000"})
    os.kill(bridge.worker("upstream busy").pid, signal.SIGKILL)
    server.wait("mcp:initialize", before + 1)
    server.wait("token:refresh_token", refreshes(server) + 2)
    assert len(server.requests("mcp:initialize")) == before + 1
    server.well("mcp:initialize")
    # Somebody else signs in.
    assert beside(bridge, "auth", "logout", "busy").status == 0
    signed_in(bridge, "busy")


def test_an_answer_that_was_kept_is_used_and_nobody_is_asked_again(bridges: Bridges, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["kept"]
    bridge = guarded(bridges, {"kept": server}).start("live")
    signed_in(bridge, "kept")
    path = state_file(bridge, server)
    bridge.stop()
    # As if the process had been killed between the answer and the state.
    state = json.loads(path.read_text())
    tokens = server.make_tokens(server.grants[-1])
    body = json.dumps(tokens).encode()
    kept = {"generation": state["generation"], "came": time.time(), "status": 200, "headers": [], "length": len(body),
            "body": base64.b64encode(body).decode()}  # fmt: skip
    path.with_suffix(".answer").write_text(json.dumps(kept))
    path.with_suffix(".intent").write_text(json.dumps({"generation": state["generation"], "began": time.time()}))
    bridge.start("live")
    bridge.wait_upstream("kept")
    eventually(lambda: not path.with_suffix(".answer").exists(), "the answer has been taken up")
    assert json.loads(path.read_text())["tokens"]["refresh_token"] == tokens["refresh_token"]
    assert not server.requests("token:refresh_token")
    assert echo(bridge, "kept") == "hello"


def test_trouble_of_the_token_endpoint_is_no_verdict(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["trouble"]
    signed_in(bridge, "trouble")
    before = refreshes(server)
    server.next("token:refresh_token", {"status": 503}, {"body": "<html>Log in to the Wi-Fi</html>"}, {"close_after": 0},
                {"status": 400, "body": {"error": "invalid_grant"}}, {"status": 530})  # fmt: skip
    server.wait("token:refresh_token", before + 2)
    assert wait_told(bridge, "trouble", "retrying")["reason"]
    server.wait("token:refresh_token", before + 6)
    wait_told(bridge, "trouble", "ok")
    assert echo(bridge, "trouble") == "hello"
    assert len(server.requests("authorize")) == 1, "nobody had to sign in"


def test_a_grant_that_is_dead_is_asked_about_twice_more_and_then_somebody_has_to_sign_in(
    bridge: Bridge, servers: dict[str, AuthorizationServer]
) -> None:
    server = servers["revoked"]
    signed_in(bridge, "revoked")
    path = state_file(bridge, server)
    kept = json.loads(path.read_text())["tokens"]["refresh_token"]
    for grant in server.grants:
        grant.dead = "revoked"
    before = refreshes(server)
    said = wait_told(bridge, "revoked", "sign-in needed")
    assert "refused" in said["reason"] and 2 <= refreshes(server) - before <= 3
    words = refused_words(bridge, "revoked")
    assert "sign-in needed" in words and server.origin not in words
    eventually(lambda: bridge.upstream("revoked").get("phase") in (None, "sign-in needed"), "the status says so")
    assert json.loads(path.read_text())["tokens"]["refresh_token"] == kept, "nothing is deleted"
    asked = refreshes(server)
    refused_words(bridge, "revoked")
    assert refreshes(server) == asked, "nothing is tried by itself any more"
    signed_in(bridge, "revoked")
    assert echo(bridge, "revoked") == "hello" and told(bridge, "revoked")["state"] in ("ok", "due")


def test_a_call_that_lacks_rights_says_which_and_the_next_sign_in_asks_for_them(
    bridge: Bridge, servers: dict[str, AuthorizationServer]
) -> None:
    server = servers["rights"]
    signed_in(bridge, "rights")
    server.settings["call_scope"] = "mcp admin"
    words = refused_words(bridge, "rights")
    assert "insufficient_scope" in words and "mcp-bridge auth rights" in words
    assert bridge.upstream("rights")["connected"], "others need not suffer"
    assert "admin" in wait_told(bridge, "rights", "sign-in needed")["reason"]
    eventually(
        lambda: "rights: sign-in needed" in json.loads(beside(bridge, "status", "--json").out)["text"], "it is told, connected or not"
    )
    sign_in(bridge, "rights")
    assert set(server.requests("authorize")[-1].query["scope"].split()) >= {"mcp", "admin"}
    assert echo(bridge, "rights") == "hello"


def test_a_token_that_has_ended_is_shown_to_nobody_whatever_they_would_say(bridges: Bridges) -> None:
    """Servers are known to say 400, 403 or 500 to one, or to redirect to a page: then nobody knows what it is about."""
    servers = {f"s{status}": AuthorizationServer(life=LIFE, grace=60) for status in (307, 400, 403, 500)}
    for server in servers.values():
        server.always("token:refresh_token", hold=True, act=True)
    bridge = guarded(bridges, servers).start("live")
    over = {}
    for name, server in servers.items():
        signed_in(bridge, name)
        server.always("mcp:refused", status=int(name[1:]), headers={"Location": f"{server.origin}/login"})
        over[name] = json.loads(state_file(bridge, server).read_text())["tokens"]["access_token"]
    for name, server in servers.items():
        eventually(lambda: server.access[over[name]]["ends"] <= server.now(), "its token is over")
    before = {name: len(server.requests("mcp")) for name, server in servers.items()}

    def under_way() -> bool:
        metrics = bridge.get("/metrics", local=True).body.decode()
        return int(metrics.split('connections{state="busy"} ')[1].split()[0]) >= len(servers)

    with ThreadPoolExecutor(len(servers)) as pool:
        calls = [pool.submit(echo, bridge, name) for name in servers]
        eventually(under_way, "they wait")
        for server in servers.values():
            server.release()
        assert [call.result() for call in calls] == ["hello"] * len(servers)
    for name, server in servers.items():
        shown = {seen.headers["authorization"] for seen in server.requests("mcp")[before[name]:]}
        assert shown and f"Bearer {over[name]}" not in shown
        server.stop()


def test_who_refuses_its_own_tokens_is_not_asked_for_more(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["refuses"]
    signed_in(bridge, "refuses")
    before = refreshes(server)
    server.always("mcp", status=401)
    for _ in range(5):
        assert "refuses the tokens" in refused_words(bridge, "refuses")
    assert told(bridge, "refuses")["state"] == "refused by server"
    assert refreshes(server) == before, "a refresh would change nothing"
    server.well("mcp")
    # It is tried again after a minute.
    bridge.wait_upstream("refuses", within=180)
    assert echo(bridge, "refuses") == "hello"
    wait_told(bridge, "refuses", "ok")


def test_a_stream_that_is_refused_is_asked_for_with_the_next_token(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["stream"]
    server.next("mcp:GET", {"status": 401})
    signed_in(bridge, "stream")
    server.wait("mcp:GET")
    before = refreshes(server)
    server.wait("token:refresh_token", before + 1)
    eventually(lambda: echo(bridge, "stream") == "hello" and len(server.requests("mcp:GET")) > 1, "it is asked for again")
    first, again = (seen.headers["authorization"] for seen in server.requests("mcp:GET")[:2])
    assert first != again
    assert told(bridge, "stream")["state"] in ("ok", "due"), "calls are taken: it is not the token that is minded"


def test_while_another_process_holds_the_state_the_old_token_goes_on(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["locked"]
    signed_in(bridge, "locked")
    path = state_file(bridge, server).with_suffix(".lock")
    path.touch(0o600)
    with open(path, "r+b") as lock:

        def take() -> bool:
            try:
                # F_OFD_SETLK: of the open file, as a bridge that was frozen has it.
                fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            except OSError:
                return False
            return True

        eventually(take, "the lock is free between two refreshes")
        lock.truncate(0)
        lock.write(f"{os.getpid()} (another bridge)\n".encode())
        lock.flush()
        before = refreshes(server)
        held = eventually(lambda: said if (said := told(bridge, "locked")).get("lockHeldBy") else None, "who has it is told")
        assert str(os.getpid()) in held["lockHeldBy"]
        assert echo(bridge, "locked") == "hello"
        assert refreshes(server) == before
    server.wait("token:refresh_token", before + 1)
    wait_told(bridge, "locked", "ok")
    assert not server.grants[-1].dead


@pytest.mark.skipif(JumpingClock.why_not() is not None, reason=str(JumpingClock.why_not()))
def test_a_machine_that_slept_for_8_hours_refreshes_once(bridges: Bridges, folder: Path) -> None:
    clock, server = JumpingClock(folder), AuthorizationServer(life=3600)
    bridge = guarded(bridges, {"asleep": server}, prefix=clock.prefix).start("live")
    signed_in(bridge, "asleep")
    clock.jump(8 * 3600)
    # Looked at every 15 seconds, and nobody calls. By itself it would be half an hour.
    server.wait("token:refresh_token", 1)
    wait_told(bridge, "asleep", "ok")
    assert echo(bridge, "asleep") == "hello"
    assert refreshes(server) == 1
    server.stop()


def test_a_state_that_cannot_be_read_is_left_alone_and_said(bridges: Bridges) -> None:
    server = AuthorizationServer()
    bridge = guarded(bridges, {"broken": server}).start("live")
    signed_in(bridge, "broken")
    path = state_file(bridge, server)
    bridge.stop()
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    bridge.start("live")
    said = wait_told(bridge, "broken", "retrying")
    assert "cannot be read" in said["reason"]
    assert path.read_text() == whole[: len(whole) // 2], "nothing is deleted"
    path.write_text(whole)
    wait_told(bridge, "broken", "ok")
    bridge.wait_upstream("broken")
    server.stop()

