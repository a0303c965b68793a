"""Signing in to a server, by everything that a person can do; and what nobody else can."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authorization_server import AuthorizationServer, with_query
from command_line import beside
from harness import Bridge, Bridges
from replies import text_of
from signing_in import SignIn, begun, browse, guarded, receiver, sign_in, told, wait_told
from waiting import eventually

NAMES = ("plain", "front", "paste", "device", "wrong", "twice", "killed", "out", "fresh", "given", "many", "scan", "again")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, AuthorizationServer]]:
    made = {name: AuthorizationServer() for name in NAMES}
    made["front"].settings["registration"] = "secret"
    made["many"].settings.update(life=12)
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, servers: dict[str, AuthorizationServer]) -> Bridge:
    return begun(guarded(shared_bridges, servers))


def listens(host: str, url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, int(url.split(":")[2].split("/")[0]))) == 0


def echo(bridge: Bridge, name: str, text: str = "hello") -> str:
    bridge.wait_upstream(name)
    return text_of(bridge.client().call(f"{name}.echo", {"text": text}).result)


def test_somebody_signs_in_once_and_calls_go_through(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["plain"]
    wait_told(bridge, "plain", "sign-in needed")
    call = bridge.client().call("plain.echo", {}).message
    assert "sign" in json.dumps(call) and server.origin not in json.dumps(call), "words, and no address"
    assert not listens("127.0.0.1", receiver(bridge)), "nobody signs in"
    waiting = SignIn(bridge, "plain")
    assert waiting.query["redirect_uri"] == receiver(bridge) and waiting.query["code_challenge_method"] == "S256"
    assert waiting.query["resource"] == server.url
    assert listens("127.0.0.1", receiver(bridge)) and not listens("127.0.0.2", receiver(bridge))
    page, said = waiting.browse()
    assert page.status == 200 and "Signed in" in page.body and page.headers["cache-control"] == "no-store"
    code, state = (page.visited[-1].split(f"{each}=")[1].split("&")[0] for each in ("code", "state"))
    assert code not in page.body and state not in page.body
    assert said.status == 0 and "signed in at" in said.out and "renewed by itself" in said.err
    assert echo(bridge, "plain") == "hello"
    assert told(bridge, "plain")["state"] == "ok"
    assert not listens("127.0.0.1", receiver(bridge)), "closed with the sign-in"
    assert "already authorized" in beside(bridge, "auth", "plain").out
    assert len(server.requests("register")) == 1


def test_a_browser_comes_back_to_the_front(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    waiting = SignIn(bridge, "front", "--come-back", "front")
    assert waiting.query["redirect_uri"] == f"http://127.0.0.1:{bridge.port}/oauth/callback"
    page, said = waiting.browse()
    assert page.status == 200 and said.status == 0, said
    assert echo(bridge, "front") == "hello"


def test_the_address_that_a_browser_ended_at_is_pasted(bridge: Bridge) -> None:
    waiting = SignIn(bridge, "paste")
    end = browse(waiting.url, stop_before=receiver(bridge)).url
    waiting.paste("not an address")
    waiting.paste(end.replace("state=", "state=x"))
    waiting.paste(end)
    said = waiting.end()
    assert said.status == 0 and "signed in at" in said.out, said
    assert "state" in said.err, "what was no good has been told"


def test_a_code_is_typed_in_elsewhere(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    waiting = SignIn(bridge, "device", "--device")
    servers["device"].wait("token:device_code")
    servers["device"].approve_devices()
    said = waiting.end()
    assert waiting.url == f"{servers['device'].origin}/activate" and "ABCD-1234" in said.err
    assert said.status == 0, said


def test_what_belongs_to_no_sign_in_ends_none(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server, waiting = servers["wrong"], SignIn(bridge, "wrong")
    state = waiting.query["state"]
    almost = ("y" if state[0] == "x" else "x") + state[1:]
    for query in ({"code": "c", "state": "guessed"}, {"code": "c"}, {"code": "c", "state": almost}):
        page = browse(with_query(receiver(bridge), **query))
        assert page.status == 400 and "Not signed in" in page.body
    assert waiting.process.poll() is None and not server.requests("token")
    assert browse(receiver(bridge).replace("callback", "mcp")).status == 404
    foreign = browse(with_query(receiver(bridge), code="c", state=state, iss="https://evil.example"))
    said = waiting.end()
    assert foreign.status == 400 and "another issuer" in foreign.body and said.status == 1
    assert not server.requests("token"), "the code is sent to nobody"


def test_an_answer_without_the_promised_issuer_is_refused(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    servers["wrong"].settings["iss"] = "https://facade.example"
    page, said = SignIn(bridge, "wrong").browse()
    servers["wrong"].settings["iss"] = True
    assert page.status == 400 and said.status == 1 and "another issuer" in said.err
    refused = SignIn(bridge, "wrong")
    page = browse(with_query(receiver(bridge), error="access_denied", error_description="<i>no</i>", state=refused.query["state"], iss=servers["wrong"].issuer))
    assert "<i>" not in page.body and "access_denied" in page.body and refused.end().status == 1


def test_a_second_sign_in_takes_the_place_of_the_first(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    first, second = SignIn(bridge, "twice"), None
    second = SignIn(bridge, "twice")
    assert first.end().status == 1
    late = browse(first.url)
    assert late.status == 400 and second.process.poll() is None, "a late answer of the first ends nothing"
    page, said = second.browse()
    assert page.status == 200 and said.status == 0


def test_a_browser_that_comes_back_twice_is_told_so_and_redeems_once(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server, waiting = servers["again"], SignIn(bridge, "again")
    end = browse(waiting.url, stop_before=receiver(bridge)).url
    server.next("token:authorization_code", {"hold": True})
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(browse, end)
        try:
            server.wait("token:authorization_code")
            second = browse(end)
        finally:
            server.release()
        assert first.result().status == 200
    assert second.status == 400 and "used already" in second.body
    assert waiting.end().status == 0 and len(server.requests("token:authorization_code")) == 1


def test_sign_ins_survive_the_processes_that_serve_them(bridge: Bridge) -> None:
    waiting = SignIn(bridge, "killed")
    front = bridge.worker("http")
    os.kill(front.pid, signal.SIGKILL)
    page, said = waiting.browse()
    assert page.status == 200 and said.status == 0, (page, said)


def test_a_command_that_is_stopped_gives_the_sign_in_up(bridge: Bridge) -> None:
    waiting = SignIn(bridge, "out")
    waiting.process.send_signal(signal.SIGINT)
    assert waiting.end().status == 130
    eventually(lambda: told(bridge, "out")["state"] != "signing in", "nobody signs in any more")
    eventually(lambda: not listens("127.0.0.1", receiver(bridge)), "nobody is waited for")


def test_signing_out_revokes_and_deletes(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    sign_in(bridge, "out")
    files = {path.name for path in (bridge.state / "oauth").rglob("*") if path.is_file()}
    said = beside(bridge, "auth", "logout", "out")
    assert said.status == 0 and "revoked" in said.out, said
    assert servers["out"].grants[-1].dead == "revoked"
    left = {path for path in (bridge.state / "oauth").rglob("*") if path.is_file()}
    assert len(left) < len(files)
    assert not any(token in path.read_text("utf-8", "replace") for path in left for token in servers["out"].grants[-1].refresh)
    assert beside(bridge, "auth", "logout", "nobody").status == 1


def test_a_fresh_sign_in_registers_a_client_anew(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    sign_in(bridge, "fresh")
    page, said = SignIn(bridge, "fresh", "--fresh", "--no-browser").browse()
    assert said.status == 0 and len(servers["fresh"].requests("register")) == 2


def test_the_status_says_how_each_of_them_is(bridge: Bridge) -> None:
    sign_in(bridge, "given")
    said = beside(bridge, "auth", "status")
    row = next(line for line in said.out.splitlines() if line.startswith("given "))
    assert " ok " in row and " in " in row
    assert told(bridge, "given")["renewable"] is True
    assert beside(bridge, "auth", "nobody").status == 1


def test_a_hundred_calls_at_a_tokens_end_cause_one_refresh(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    server = servers["many"]
    sign_in(bridge, "many")
    bridge.wait_upstream("many")
    server.always("token:refresh_token", hold=True)
    before = server.wait_held("token:refresh_token")
    # The answer with the new token is held; the one that the bridge has is worth nothing any more.
    eventually(lambda: len(server.grants[-1].refresh) == before + 2, "the new token is made")
    for token in server.grants[-1].access[:-1]:
        server.access.pop(token, None)
    client = bridge.client()

    def call(number: int) -> str:
        return text_of(client.beside().call("many.echo", {"text": f"{number}", "tag": f"{number}"}).result)

    def under_way() -> bool:
        metrics = bridge.get("/metrics", local=True).body.decode()
        return int(metrics.split('connections{state="busy"} ')[1].split()[0]) >= 100

    with ThreadPoolExecutor(100) as pool:
        calls = [pool.submit(call, number) for number in range(100)]
        try:
            eventually(under_way, "a hundred calls wait")
        finally:
            server.release()
        assert [each.result() for each in calls] == [str(number) for number in range(100)]
    server.well("token:refresh_token")
    assert all(server.counted[f"ran:{number}"] == 1 for number in range(100))
    # Those hundred refusals have asked for nothing more.
    eventually(lambda: len(server.grants[-1].refresh) == len(server.requests("token:refresh_token")) + 1, "one token for each refresh")
    shown = [seen.form["refresh_token"] for seen in server.requests("token:refresh_token")]
    assert len(set(shown)) == len(shown)


def test_no_secret_is_told_or_left_open(bridge: Bridge, servers: dict[str, AuthorizationServer]) -> None:
    sign_in(bridge, "scan")
    echo(bridge, "scan")
    secrets = [token for server in servers.values() for grant in server.grants for token in [*grant.refresh, *grant.access]]
    secrets += [seen.form[key] for server in servers.values() for seen in server.requests("token") for key in ("code", "code_verifier") if key in seen.form]
    assert len(secrets) > 8
    told_by = {"log": "\n".join(bridge.log)}
    for command in (("status",), ("status", "--json"), ("auth", "status", "--json"), ("config", "print", "--config", bridge.config_path)):
        said = beside(bridge, *command)
        told_by[str(command)] = said.out + said.err
    for path in ("/health", "/servers", "/metrics"):
        told_by[path] = bridge.get(path, local=True).body.decode()
    for process in bridge.tree():
        for file in ("cmdline", "environ"):
            told_by[f"{file} of {process.label}"] = Path(f"/proc/{process.pid}/{file}").read_bytes().decode(errors="replace")
    for place, text in told_by.items():
        assert not [secret for secret in secrets if secret in text], place
    for path in bridge.state.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # tokens are renewed all the while
            mode = path.stat().st_mode
            assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), path
            if stat.S_ISREG(mode) and "oauth" not in path.parts:
                content = path.read_bytes()
                assert not [secret for secret in secrets if secret.encode() in content], path


def test_the_port_is_somebody_elses(bridges: Bridges) -> None:
    server = AuthorizationServer()
    bridge = begun(guarded(bridges, {"s": server}))
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(receiver(bridge).split(":")[2].split("/")[0])))
        other.listen()
        waiting = SignIn(bridge, "s", "--come-back", "local")
        said = waiting.end()
        assert said.status == 1 and "somebody else listens" in said.err, said
        waiting = SignIn(bridge, "s")
        assert waiting.query["redirect_uri"].endswith(f":{bridge.port}/oauth/callback"), "the front's own"
        page, said = waiting.browse()
        assert page.status == 200 and said.status == 0
    server.stop()


def test_secrets_come_from_credentials_and_from_the_vault(bridges: Bridges, folder: Path) -> None:
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "api").write_text("first\n")
    (folder / "op").write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n[ "$1 $2" = "read op://v/i/f" ] && printf vault-secret && exit 0\necho "no such item" >&2; exit 1\n')
    (folder / "op").chmod(0o755)
    server = AuthorizationServer(registration="closed", methods=["client_secret_post"])
    server.settings["clients"] = {"by-hand": {"secret": "vault-secret"}}
    bridge = guarded(bridges, {"s": server}, {"s": {"clientId": "by-hand", "clientSecret": "op://v/i/f"}})
    assert bridge.config is not None
    bridge.config["mcpServers"]["s"]["headers"] = {"X-Key": "${credential:api}"}
    bridge.config["mcpServers"]["lost"] = {"url": server.url, "headers": {"X": "${op://v/i/none}"}}
    bridge.environment = {"CREDENTIALS_DIRECTORY": str(credentials), "PATH": f"{folder}:{os.environ['PATH']}"}
    begun(bridge)
    assert "no such item" in bridge.wait_error("lost")["lastError"]
    sign_in(bridge, "s")
    bridge.wait_upstream("s")
    assert server.requests("mcp:initialize")[-1].headers["x-key"] == "first"
    assert server.requests("token")[-1].form["client_secret"] == "vault-secret"
    (credentials / "api").write_text("second\n")
    said = beside(bridge, "reload")
    assert said.status == 0, said
    assert echo(bridge, "s") == "hello"
    assert server.requests("mcp:tools/call")[-1].headers["x-key"] == "second"
    assert (folder / "asked").read_text().count("op://v/i/f") == 1, "read once"
    assert "vault-secret" not in beside(bridge, "config", "print", "--config", bridge.config_path).out + "\n".join(bridge.log)
    server.stop()


def test_a_client_of_its_own_signs_in_by_itself(bridges: Bridges) -> None:
    server = AuthorizationServer(clients={"robot": {"secret": "s"}}, registration="closed")
    bridge = guarded(bridges, {"s": server}, {"s": {"clientId": "robot", "clientSecret": "s", "grant": "client_credentials"}})
    begun(bridge)
    assert echo(bridge, "s") == "hello"
    assert server.requests("token:client_credentials") and not server.requests("authorize")
    server.stop()



URLS = {"elicitation": {"url": {}}}


def test_the_owners_client_is_told_the_page_and_nobody_else(bridges: Bridges) -> None:
    server = AuthorizationServer()
    bridge = begun(guarded(bridges, {"s": server}))
    wait_told(bridge, "s", "sign-in needed")
    owner = bridge.new_client(local=True).initialize(URLS)
    for stranger in (bridge.new_client().initialize(URLS), bridge.client(local=True), bridge.new_client("2025-06-18", local=True).initialize(URLS)):
        error = stranger.call("s.echo", {}).message["error"]
        assert error["code"] != -32042 and server.origin not in json.dumps(error) and "sign" in error["message"], error
    first, second = (owner.call("s.echo", {}).message["error"] for _ in range(2))
    assert first["code"] == second["code"] == -32042 and first["data"]["code"] == "sign_in_needed"
    (page,) = first["data"]["elicitations"]
    assert page["mode"] == "url" and second["data"]["elicitations"] == [page], "the same page, as long as it waits"
    assert listens("127.0.0.1", receiver(bridge))
    assert browse(page["url"]).status == 200
    assert echo(bridge, "s") == "hello"
    # Later, with its tools known: there are no tokens any more, and the owner is asked again.
    assert beside(bridge, "auth", "logout", "s").status == 0
    bridge.client().call("s.echo", {})
    eventually(lambda: bridge.upstream("s").get("phase") == "sign-in needed", "it is seen that nobody is signed in")
    (again,) = owner.call("s.echo", {}).message["error"]["data"]["elicitations"]
    assert again["url"] != page["url"] and again["elicitationId"] != page["elicitationId"]
    server.stop()
