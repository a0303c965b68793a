"""Signing in at authorization servers that others wrote: django-oauth-toolkit, and the routes of the official SDK.

What they answer is theirs, so these tests tell what the bridge makes of it, and not what servers can do wrong: that is
``authorization_server``'s. Where tokens live for seconds, they are refreshed at half of that.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from authorization_server import with_query
from command_line import beside, run
from counterparts import DEVICE_CLIENT, PASSWORD, DjangoToolkit, Person, SDKAuthorization
from harness import Bridge, Bridges
from ports import free_port
from processes import Process, is_stopped
from replies import text_of
from signing_in import SignIn, begun, browse, guarded, receiver, told, wait_told
from waiting import eventually

#: Of access tokens, in seconds.
LIFE = 10
STEADY = ("whole", "denied", "relayed", "out", "document")
BRIEF = ("rotated", "lost", "coded", "typed", "many")
DOCUMENT = "https://bridge.example/mcp-bridge.json"
#: With these the whole family of a refresh token dies when one of it is used again.
STRICT = {"ACCESS_TOKEN_EXPIRE_SECONDS": LIFE, "REFRESH_TOKEN_REUSE_PROTECTION": True, "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0}


@pytest.fixture(scope="module")
def toolkits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DjangoToolkit]]:
    folder = tmp_path_factory.mktemp("toolkits")
    made = {
        "steady": DjangoToolkit(folder / "steady", CIMD_ENABLED=True),
        "brief": DjangoToolkit(folder / "brief", **{**STRICT, "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 60}),
        "strict": DjangoToolkit(folder / "strict", **STRICT),
    }
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, toolkits: dict[str, DjangoToolkit]) -> Bridge:
    servers = {name: toolkits["steady"] for name in STEADY} | {name: toolkits["brief"] for name in BRIEF}
    own = {"coded": {"clientId": DEVICE_CLIENT}, "document": {"clientMetadataUrl": DOCUMENT}}
    return begun(guarded(shared_bridges, {**servers, "strict": toolkits["strict"]}, own))


def sign_in(bridge: Bridge, name: str, *arguments: str) -> str:
    """A person signs in. Says as which client."""
    waiting = SignIn(bridge, name, *arguments)
    page, said = Person().visit(waiting.url), waiting.end()
    assert isinstance(page, httpx.Response) and page.status_code == 200 and "Signed in" in page.text, (page, said)
    assert said.status == 0 and "signed in at" in said.out, said
    bridge.wait_upstream(name)
    return waiting.query["client_id"]


def echo(bridge: Bridge, name: str, text: str = "hello") -> str:
    return text_of(bridge.client().call(f"{name}.echo", {"text": text}).result)


def state_path(bridge: Bridge, name: str) -> Path:
    found = [path for path in (bridge.state / "oauth").glob("*.json") if json.loads(path.read_text())["upstream"] == name]
    (path,) = found
    return path


def tokens(bridge: Bridge, name: str) -> dict[str, Any]:
    kept = json.loads(state_path(bridge, name).read_text())["tokens"]
    assert isinstance(kept, dict)
    return kept


def refreshes(server: DjangoToolkit, client: str) -> list[dict[str, Any]]:
    return server.asked("/token/", grant_type="refresh_token", client_id=client)


def wait_refreshes(server: DjangoToolkit, client: str, count: int) -> list[dict[str, Any]]:
    return eventually(lambda: found if len(found := refreshes(server, client)) >= count else None, f"{count} refreshes")


def wait_held(server: DjangoToolkit, client: str) -> int:
    """The number of the client's newest refresh, once that is one whose answer is held."""

    def held() -> tuple[int] | None:
        asked = refreshes(server, client)
        return (len(asked) - 1,) if asked and asked[-1]["held"] else None

    return eventually(held, "a refresh is held")[0]


def used_once(asked: list[dict[str, Any]]) -> bool:
    """Whether every refresh token was shown once, and was good."""
    return len({each["form"]["refresh_token"] for each in asked}) == len(asked) and {each["status"] for each in asked} == {200}


# django-oauth-toolkit


def test_a_person_signs_in_at_the_toolkit(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server, waiting, person = toolkits["steady"], SignIn(bridge, "whole"), Person()
    assert waiting.query["resource"] == server.url and waiting.query["code_challenge_method"] == "S256"
    page, said = person.visit(waiting.url), waiting.end()
    assert isinstance(page, httpx.Response) and page.status_code == 200 and said.status == 0, (page, said)
    assert any("/login/" in url for url in person.visited), "its own page for that"
    assert any("Authorize MCP Bridge" in shown and "Use the server" in shown for shown in person.pages), "and its own for consent"
    bridge.wait_upstream("whole")
    assert echo(bridge, "whole") == "hello"
    assert told(bridge, "whole")["state"] == "ok" and told(bridge, "whole")["renewable"] is True
    # There is no document of ours in public, so a client is registered.
    client = waiting.query["client_id"]
    (registered,) = [each for each in server.asked("/register/") if receiver(bridge) in each["form"]["redirect_uris"]]
    assert registered["status"] == 201 and receiver(bridge) in server.told()["clients"][client]
    (exchanged,) = server.asked("/token/", grant_type="authorization_code", client_id=client)
    assert exchanged["status"] == 200 and not exchanged["basic"] and exchanged["form"]["resource"] == server.url
    assert tokens(bridge, "whole")["access_token"] in server.tokens_of(server.url)


def test_who_refuses_at_the_toolkit_has_not_signed_in(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    waiting = SignIn(bridge, "denied")
    page, said = Person(refusing=True).visit(waiting.url), waiting.end()
    # It promises to say who it is, and does not where it refuses: nothing of that is believed, and the wait is over.
    assert isinstance(page, httpx.Response) and page.status_code == 400 and "access_denied" not in page.text
    assert said.status == 1 and "no 'iss'" in said.err, said
    assert not toolkits["steady"].asked("/token/", client_id=waiting.query["client_id"])
    assert told(bridge, "denied")["state"] != "signing in"
    assert sign_in(bridge, "denied") == waiting.query["client_id"], "the same client"
    assert echo(bridge, "denied") == "hello"


@pytest.mark.parametrize("issuer", ["https://evil.example", None])
def test_the_toolkits_code_is_sent_to_nobody_when_another_says_to_have_given_it(
    bridge: Bridge, toolkits: dict[str, DjangoToolkit], issuer: str | None
) -> None:
    waiting = SignIn(bridge, "relayed")
    end = Person().visit(waiting.url, stop_before=receiver(bridge))
    assert isinstance(end, str)
    query = dict(httpx.URL(end).params)
    assert query.pop("iss") == toolkits["steady"].origin
    page, said = browse(with_query(receiver(bridge), **query, iss=issuer)), waiting.end()
    assert page.status == 400 and said.status == 1 and ("another issuer" in said.err) == (issuer is not None), said
    assert not toolkits["steady"].asked("/token/", client_id=waiting.query["client_id"])


def test_the_toolkit_reads_a_clients_document(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["steady"]
    document = {"client_id": DOCUMENT, "client_name": "mcp-bridge", "redirect_uris": [receiver(bridge)],
                "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"}  # fmt: skip
    server.control(documents={DOCUMENT: document})
    before = len(server.asked("/register/"))
    assert sign_in(bridge, "document") == DOCUMENT
    assert echo(bridge, "document") == "hello" and len(server.asked("/register/")) == before


def test_signing_out_at_the_toolkit_ends_its_tokens(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["steady"]
    client = sign_in(bridge, "out")
    held = tokens(bridge, "out")
    assert server.is_welcome(held["access_token"]) and held["refresh_token"] in server.told()["refresh"]
    said = beside(bridge, "auth", "logout", "out")
    assert said.status == 0 and "the tokens are revoked" in said.out, said
    assert {each["status"] for each in server.asked("/revoke_token/", client_id=client)} == {200}
    assert not server.is_welcome(held["access_token"]) and held["refresh_token"] not in server.told()["refresh"]


@pytest.mark.parametrize("name", ["coded", "typed"])
def test_a_code_is_typed_in_at_the_toolkit(bridge: Bridge, toolkits: dict[str, DjangoToolkit], name: str) -> None:
    """Its clients have one grant each: that of `coded` was made by hand, the other one registers itself for it."""
    server, waiting = toolkits["brief"], SignIn(bridge, name, "--device")
    assert waiting.process.stderr is not None
    code = waiting.process.stderr.readline().rstrip(":\n").split()[-1]
    assert waiting.url == f"{server.origin}/device/"
    client = server.asked("/device-authorization/")[-1]["form"]["client_id"]
    assert (client == DEVICE_CLIENT) == (name == "coded")
    eventually(lambda: any(each["status"] == 400 for each in server.asked("/token/", client_id=client)), "it is asked before that")
    Person(user_code=code).visit(waiting.url)
    said = waiting.end()
    assert said.status == 0, said
    bridge.wait_upstream(name)
    wait_refreshes(server, client, 1)
    assert echo(bridge, name) == "hello" and used_once(refreshes(server, client))


def test_the_toolkits_tokens_are_renewed_and_each_refresh_token_is_used_once(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["brief"]
    client = sign_in(bridge, "rotated")
    # On a busy machine it may have been renewed by now.
    first, before = tokens(bridge, "rotated"), len(refreshes(server, client))
    asked = wait_refreshes(server, client, before + 3)
    assert used_once(asked) and first["refresh_token"] in [each["form"]["refresh_token"] for each in asked]
    assert {each["form"]["resource"] for each in asked} == {server.url}
    wait_told(bridge, "rotated", "ok")
    assert echo(bridge, "rotated") == "hello"
    eventually(lambda: not server.is_welcome(first["access_token"]), "the first token is over")
    assert echo(bridge, "rotated") == "hello"


def test_a_lost_answer_of_the_toolkit_is_had_again_within_its_grace(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["brief"]
    client = sign_in(bridge, "lost")
    with server.held():
        before = wait_held(server, client)
        asked = refreshes(server, client)
        # It has rotated the token, and the worker dies before it hears of it.
        os.kill(bridge.worker("upstream lost").pid, signal.SIGKILL)
    again = wait_refreshes(server, client, before + 3)[before:]
    assert again[1]["form"]["refresh_token"] == asked[before]["form"]["refresh_token"], "the same one again"
    assert {each["status"] for each in again} == {200} and used_once(again[1:]), "then its successor"
    bridge.wait_upstream("lost")
    assert echo(bridge, "lost") == "hello"
    assert len(server.asked("/token/", grant_type="authorization_code", client_id=client)) == 1, "nobody had to sign in"


def test_a_family_that_the_toolkit_has_ended_needs_somebody_to_sign_in(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["strict"]
    client = sign_in(bridge, "strict")
    with server.held():
        before = wait_held(server, client)
        os.kill(bridge.worker("upstream strict").pid, signal.SIGKILL)
    # There is no grace: what was lost is lost, and using it again ends all that came of it.
    said = wait_told(bridge, "strict", "sign-in needed")
    assert "refused" in said["reason"] and "invalid_grant" in said["reason"]
    assert {each["status"] for each in refreshes(server, client)[before + 1:]} == {400}
    reply = bridge.client().call("strict.echo", {"text": "hello"})
    assert reply.head.status == 200 and "sign-in needed" in json.dumps(reply.message)
    sign_in(bridge, "strict")
    assert echo(bridge, "strict") == "hello"
    assert beside(bridge, "auth", "logout", "strict").status == 0


def test_a_hundred_calls_after_the_end_of_the_toolkits_token_cause_one_refresh(bridge: Bridge, toolkits: dict[str, DjangoToolkit]) -> None:
    server = toolkits["brief"]
    client = sign_in(bridge, "many")
    caller = bridge.client()
    assert text_of(caller.call("many.echo", {"text": "hello"}).result) == "hello"

    def call(number: int) -> str:
        return text_of(caller.beside().call("many.echo", {"text": f"{number}"}).result)

    def under_way() -> bool:
        metrics = bridge.get("/metrics", local=True).body.decode()
        return int(metrics.split('connections{state="busy"} ')[1].split()[0]) >= 100

    with ThreadPoolExecutor(100) as pool:
        with server.held():
            before = wait_held(server, client)
            over = tokens(bridge, "many")["access_token"]
            eventually(lambda: not server.is_welcome(over), "the token that the bridge has is over")
            calls = [pool.submit(call, number) for number in range(100)]
            eventually(under_way, "a hundred calls wait")
            assert len(refreshes(server, client)) == before + 1, "they cause none"
        assert [each.result() for each in calls] == [f"{number}" for number in range(100)]
    assert used_once(refreshes(server, client))


# What changes at the server


def test_a_resource_that_wants_more_rights_has_them_with_the_next_sign_in(bridges: Bridges, folder: Path) -> None:
    """Step-up: it is the SDK that refuses, with 403, and the toolkit that gives the rights."""
    with ExitStack() as ended:
        server = DjangoToolkit(folder / "toolkit")
        ended.callback(server.stop)
        bridge = begun(guarded(bridges, {"s": server}))
        client = sign_in(bridge, "s")
        assert echo(bridge, "s") == "hello"
        server.stop()
        server.settings["RESOURCE_SCOPES"] = ["mcp", "write"]
        server.start()

        def refused() -> str | None:
            reply = bridge.client().call("s.echo", {"text": "hello"})
            assert reply.head.status == 200
            said = json.dumps(reply.message)
            return said if "insufficient_scope" in said else None

        assert "mcp-bridge auth s" in eventually(refused, "a call is told what it lacks")
        assert "write" in wait_told(bridge, "s", "sign-in needed")["reason"], "which it is, the resource's metadata says"
        assert not refreshes(server, client), "a refresh gives nobody more rights"
        waiting = SignIn(bridge, "s")
        assert {"mcp", "write"} <= set(waiting.query["scope"].split()) and waiting.query["client_id"] == client
        person = Person()
        page, said = person.visit(waiting.url), waiting.end()
        assert isinstance(page, httpx.Response) and page.status_code == 200 and said.status == 0, (page, said)
        assert any("Change things there" in shown for shown in person.pages), "the owner is asked for just that"
        bridge.wait_upstream("s")
        assert echo(bridge, "s") == "hello"


def test_another_authorization_server_is_shown_nothing_of_the_one_before(bridges: Bridges, folder: Path) -> None:
    """D16: the resource's metadata names another one, and takes no token of the first."""
    with ExitStack() as ended:
        old = DjangoToolkit(folder / "old")
        ended.callback(old.stop)
        bridge = begun(guarded(bridges, {"s": old}))
        client, held = sign_in(bridge, "s"), tokens(bridge, "s")
        old.stop()
        resource, old.ports[1] = old.ports[1], free_port()
        old.start()
        new = DjangoToolkit(folder / "new", resource)
        ended.callback(new.stop)
        said = wait_told(bridge, "s", "sign-in needed")
        assert "its authorization server has changed" in said["reason"], said
        assert old.origin in said["reason"] and new.origin in said["reason"], said
        assert "sign-in needed" in json.dumps(bridge.client().call("s.echo", {"text": "hello"}).message)
        assert tokens(bridge, "s")["access_token"], "nothing is deleted"
        assert sign_in(bridge, "s") != client and echo(bridge, "s") == "hello"
        assert tokens(bridge, "s")["issuer"] == new.origin
        # The resource has been shown the old token, and has asked about it.
        shown = json.dumps([each for each in new.told()["asked"] if each["path"] != "/introspect/"])
        assert shown and client not in shown and held["refresh_token"] not in shown and held["access_token"] not in shown


# Two bridges


def frozen(bridge: Bridge) -> list[Process]:
    """Stops every process of it where it is."""
    tree = bridge.tree()
    for process in tree:
        os.kill(process.pid, signal.SIGSTOP)
    eventually(lambda: all(is_stopped(process) for process in tree), "all of them have stopped")
    return tree


def thaw(tree: list[Process]) -> None:
    for process in reversed(tree):
        os.kill(process.pid, signal.SIGCONT)


def is_free(path: Path) -> bool:
    with open(path, "r+b") as lock:
        try:
            # F_OFD_SETLK: of the open file, as the bridge takes it.
            fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except OSError:
            return False
        return True


def sharing(bridges: Bridges, server: DjangoToolkit) -> tuple[Bridge, Bridge, str]:
    """Two whole bridges that have the same folder for tokens; and their client's id at the server."""
    one, two = (guarded(bridges, {"s": server}) for _ in range(2))
    (one.folder / "state").mkdir(mode=0o700)
    (one.folder / "state/oauth").mkdir(mode=0o700)
    (two.folder / "state").mkdir(mode=0o700)
    (two.folder / "state/oauth").symlink_to(one.folder / "state/oauth")
    client = sign_in(begun(one), "s")
    two.start("live").wait_upstream("s")
    return one, two, client


@pytest.fixture
def pair(bridges: Bridges, toolkits: dict[str, DjangoToolkit]) -> tuple[Bridge, Bridge, str]:
    """At a server that has no grace."""
    return sharing(bridges, toolkits["strict"])


def test_two_bridges_refresh_one_state_in_turns(pair: tuple[Bridge, Bridge, str], toolkits: dict[str, DjangoToolkit]) -> None:
    server, (one, two, client) = toolkits["strict"], pair
    asked = wait_refreshes(server, client, 4)
    assert used_once(asked), "each token by one of them"
    for bridge in (one, two):
        wait_told(bridge, "s", "ok")
        assert echo(bridge, "s") == "hello"
    assert len(server.asked("/token/", grant_type="authorization_code", client_id=client)) == 1, "somebody signed in at one of them"


def test_one_that_was_frozen_shows_no_old_token(pair: tuple[Bridge, Bridge, str], toolkits: dict[str, DjangoToolkit]) -> None:
    server, (one, two, client) = toolkits["strict"], pair
    lock = state_path(one, "s").with_suffix(".lock")

    def freeze() -> list[Process] | None:
        tree = frozen(one)
        if is_free(lock):
            return tree
        thaw(tree)
        return None

    tree = eventually(freeze, "it holds nothing where it is stopped")
    try:
        wait_refreshes(server, client, len(refreshes(server, client)) + 2)
        assert echo(two, "s") == "hello", "the other goes on alone"
    finally:
        thaw(tree)
    wait_told(one, "s", "ok")
    assert echo(one, "s") == "hello"
    wait_refreshes(server, client, len(refreshes(server, client)) + 1)
    assert used_once(refreshes(server, client))


def test_while_one_is_frozen_in_a_refresh_the_other_waits_for_it(pair: tuple[Bridge, Bridge, str], toolkits: dict[str, DjangoToolkit]) -> None:
    server, (one, two, client) = toolkits["strict"], pair
    path = state_path(one, "s")
    with server.held():
        before = wait_held(server, client)
        holder = int(path.with_suffix(".lock").read_text().split()[0])
        stopped, other = (one, two) if one.worker("upstream s").pid == holder else (two, one)
        assert holder == stopped.worker("upstream s").pid
        tree = frozen(stopped)
    try:
        held = eventually(lambda: told(other, "s").get("lockHeldBy"), "who has the state is told")
        assert str(holder) in held
        # The toolkit ends a token as soon as it has given its successor, which nobody has heard of yet.
        over = tokens(one, "s")["access_token"]
        assert not server.is_welcome(over)
        shown = len(server.asked("/introspect/", token=over))
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(echo, other, "s")
            eventually(lambda: len(server.asked("/introspect/", token=over)) > shown, "it is shown, and refused")
            assert told(other, "s")["state"] != "refused by server" and not call.done()
            assert len(refreshes(server, client)) == before + 1, "it asks for nothing that the frozen one has asked for"
            thaw(tree)
            assert call.result() == "hello", "the call has waited, and goes on"
    finally:
        thaw(tree)
    for bridge in (stopped, other):
        wait_told(bridge, "s", "ok")
        assert echo(bridge, "s") == "hello"
    assert used_once(refreshes(server, client))


def test_a_token_that_ends_before_its_time_is_renewed_by_one_and_found_by_the_other(bridges: Bridges, folder: Path) -> None:
    """The one that has signed in has had it for a moment only, and refreshes nothing so young: the other one has done that."""
    with ExitStack() as ended:
        server = DjangoToolkit(folder / "toolkit")
        ended.callback(server.stop)
        one, two, client = sharing(bridges, server)
        assert echo(one, "s") == echo(two, "s") == "hello"
        over = tokens(one, "s")["access_token"]
        server.control(expire=True)
        assert not server.is_welcome(over)
        assert echo(two, "s") == "hello", "nobody hears of a token's end"
        assert echo(one, "s") == "hello"
        assert tokens(one, "s")["access_token"] != over and len(refreshes(server, client)) == 1
        for bridge in (one, two):
            assert told(bridge, "s")["state"] == "ok"


def test_a_frozen_service_keeps_its_folder(bridges: Bridges) -> None:
    service = bridges.start({})
    tree = frozen(service)
    try:
        environment = {**service.whole_environment(), "MCP_BRIDGE_PORT": str(free_port())}
        said = run("serve", environment=environment, folder=service.folder)
        assert said.status == 75 and f"is in use by another bridge: process {tree[0].pid}" in said.err, said
    finally:
        thaw(tree)
    assert service.health()


# The routes of the official SDK


@pytest.fixture(scope="module")
def sdks() -> Iterator[dict[str, SDKAuthorization]]:
    made = {generation: SDKAuthorization(generation, life=LIFE) for generation in ("1", "2")}
    yield made
    for server in made.values():
        server.stop()


@pytest.fixture(scope="module")
def beside_sdks(shared_bridges: Bridges, sdks: dict[str, SDKAuthorization]) -> Bridge:
    return begun(guarded(shared_bridges, {f"{name}{generation}": server for generation, server in sdks.items() for name in ("sdk", "own")}))


@pytest.mark.parametrize("generation", ["1", "2"])
def test_a_person_signs_in_at_the_sdks_routes(beside_sdks: Bridge, sdks: dict[str, SDKAuthorization], generation: str) -> None:
    server, bridge, name = sdks[generation], beside_sdks, f"sdk{generation}"
    client = sign_in(bridge, name)
    registered = server.told()["clients"][client]
    assert registered["token_endpoint_auth_method"] == "none" and receiver(bridge) in registered["redirect_uris"]
    first = tokens(bridge, name)
    assert echo(bridge, name) == "hello" and first["resource"] == server.url
    # On a busy machine it may have been refreshed before we have read of it.
    before = len(server.told()["used"])
    used = eventually(lambda: found if len(found := server.told()["used"]) >= before + 3 else None, "it is refreshed")
    assert first["refresh_token"] in used and len(set(used)) == len(used)
    wait_told(bridge, name, "ok")
    assert echo(bridge, name) == "hello"
    held = tokens(bridge, name)
    said = beside(bridge, "auth", "logout", name)
    assert said.status == 0 and "the tokens are revoked" in said.out, said
    assert server.told()["revoked"] and not server.is_welcome(held["access_token"])
    assert held["refresh_token"] not in server.told()["refresh"]


@pytest.mark.parametrize("generation", ["1", "2"])
def test_the_owners_password_comes_from_a_systemd_credential(beside_sdks: Bridge, folder: Path, generation: str) -> None:
    bridge, name, credentials = beside_sdks, f"own{generation}", folder / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "owner-password").write_text(PASSWORD + "\n")
    environment = {**bridge.whole_environment(), "CREDENTIALS_DIRECTORY": str(credentials)}
    said = run("auth", name, "--no-browser", environment=environment, folder=bridge.folder)
    assert said.status == 0 and "signed in at" in said.out, said
    assert PASSWORD not in said.out + said.err + "\n".join(bridge.log)
    bridge.wait_upstream(name)
    assert echo(bridge, name) == "hello"


def test_a_server_that_has_forgotten_its_clients_is_signed_in_to_with_another(bridges: Bridges, folder: Path) -> None:
    """What the SDK keeps in memory is gone with its process: its clients, too. Each of them says so in words of its own."""
    with ExitStack() as ended:
        sdks = {f"sdk{generation}": SDKAuthorization(generation, life=LIFE) for generation in ("1", "2")}
        toolkit = DjangoToolkit(folder / "toolkit", **STRICT)
        for server in (*sdks.values(), toolkit):
            ended.callback(server.stop)
        bridge = begun(guarded(bridges, {**sdks, "toolkit": toolkit}))
        clients = {name: sign_in(bridge, name) for name in (*sdks, "toolkit")}
        for server in sdks.values():
            server.stop()
            server.start()
        toolkit.control(forget=True)
        for name, client in clients.items():
            # It is asked again after a minute: one refusal of a client says little.
            said = eventually(lambda: found if (found := told(bridge, name))["state"] == "sign-in needed" else None, f"{name} needs somebody", 180)
            assert "not known any more" in said["reason"], said
            assert sign_in(bridge, name) != client, "the one that is not known any more is shown to no browser"
            assert echo(bridge, name) == "hello"
