"""A bridge that runs while its database is in trouble: what is told, what goes on, and that it needs no restart."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import beside
from harness import Bridge, Bridges
from mcp_http import MCPClient
from tokens import bearer, create, create_known
from upstreams import demo_upstream
from waiting import eventually

FORWARDED = {"X-Forwarded-For": "203.0.113.7"}
#: Whoever is no root cannot mount, and root may write to everything.
IS_ROOT = os.geteuid() == 0
#: Any user but root.
USER = 65534
SUFFIXES = ("", "-wal", "-shm")


class Watched:
    """A bridge with a token that has no limits, one that has some, and clients who go on asking."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        bridge.wait_upstream("demo")
        self.free = create(bridge, "mcp")
        # A lease of one: each request asks the database.
        self.counted = create(bridge, "mcp", "--budget", "99requests/day")
        self.local = bridge.client()
        self.remote = bridge.new_client(headers=bearer(self.free, **FORWARDED)).initialize()

    @property
    def database(self) -> Path:
        return self.bridge.state / "bridge.sqlite"

    def served(self, client: MCPClient) -> bool:
        return "result" in client.call("demo.echo", {"text": "on"}).message

    def refusal(self) -> str:
        """What the command says that makes a token; nothing where it makes one."""
        said = beside(self.bridge, "token", "create", "--name", f"n{os.urandom(4).hex()}", "--scope", "mcp")
        return said.err if said.status else ""

    def counted_status(self) -> int:
        return self.bridge.get("/tools", bearer(self.counted)).status

    def is_told_and_goes_on(self, words: str, *, refuses_what_is_counted: bool = True) -> None:
        """While it is in trouble."""
        eventually(lambda: words in self.refusal(), f"the command says '{words}'")
        assert self.served(self.local), "who needs no token goes on"
        assert self.served(self.remote), "tokens that were known are known"
        stranger = self.bridge.get("/tools", FORWARDED)
        assert stranger.status == 401
        if refuses_what_is_counted:
            eventually(lambda: self.counted_status() == 503, "what cannot be written down is not let through")
        eventually(lambda: any("The audit cannot be written" in line for line in self.bridge.log), "the log says so")

    def is_well_again(self) -> None:
        """Without a restart."""
        pid = self.bridge.worker("http").pid
        eventually(lambda: not self.refusal(), "tokens are made again")
        eventually(lambda: self.counted_status() == 200, "and counted")
        eventually(lambda: any("The audit is written again" in line for line in self.bridge.log), "and audited")
        assert self.served(self.local) and self.served(self.remote)
        assert self.bridge.worker("http").pid == pid


@pytest.fixture
def watched(bridges: Bridges) -> Watched:
    return Watched(bridges.start({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}}))


def put(file: Path, database: Path) -> None:
    """Another file in the place of the database, at once. What was beside the old one is nothing of the new one's."""
    for suffix in SUFFIXES[1:]:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    file.replace(database)


@contextlib.contextmanager
def another(database: Path, make: Callable[[Path], object]) -> Iterator[None]:
    """Another database instead of this one, made of a copy of it; in the end, the copy is put back."""
    kept, other = database.with_name("kept"), database.with_name("other")
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for copy in (kept, other):
        shutil.copyfile(database, copy)
        copy.chmod(0o600)
    make(other)
    put(other, database)
    yield
    put(kept, database)


def make_nonsense(database: Path) -> None:
    database.write_bytes(b"this is no database" * 1_000)


def make_later(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("INSERT INTO grdb_migrations VALUES ('99: the future')")


def test_damaged(watched: Watched) -> None:
    with another(watched.database, make_nonsense):
        watched.is_told_and_goes_on("is damaged")
    watched.is_well_again()


def test_of_a_later_version(watched: Watched) -> None:
    """Of somebody who has gone back to an older version, and has then put back the newer one's file."""
    with another(watched.database, make_later):
        watched.is_told_and_goes_on("by a later version")
    watched.is_well_again()


def test_held_by_another_program(watched: Watched) -> None:
    holder = sqlite3.connect(watched.database, isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    watched.is_told_and_goes_on("Another program holds")
    holder.execute("COMMIT")
    holder.close()
    watched.is_well_again()


def test_a_token_that_is_revoked_while_the_database_is_held_is_good_no_longer(bridges: Bridges) -> None:
    """At once, and the command says that it is not written yet; it is as soon as it can be."""
    bridge = bridges.start({"demo": demo_upstream()})
    secret, known = create_known(bridge, "mcp")
    with contextlib.closing(sqlite3.connect(bridge.state / "bridge.sqlite", isolation_level=None, timeout=30)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        said = beside(bridge, "token", "revoke", known["id"])
        assert said.status == 1 and "is revoked" in said.err and "not written yet" in said.err, said
        assert bridge.get("/tools", bearer(secret, **FORWARDED)).status == 401
        holder.execute("COMMIT")

        def is_written() -> bool:
            return holder.execute("SELECT revoked FROM token WHERE id = ?", (known["id"],)).fetchone()[0] is not None

        eventually(is_written, "it is written down")
    os.kill(bridge.worker("http").pid, 9)
    eventually(lambda: bridge.get("/tools", bearer(secret, **FORWARDED)).status == 401, "the next front knows it, too")


def test_taken_away_with_its_folder(watched: Watched) -> None:
    state = watched.bridge.state
    state.rename(state.with_name("elsewhere"))
    watched.is_told_and_goes_on("cannot be used")
    state.with_name("elsewhere").rename(state)
    watched.is_well_again()


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files to another user")
def test_read_only(bridges: Bridges) -> None:
    """As a user's bridge, since root may write to everything."""
    prefix = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all")
    bridge = bridges.make({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}}, prefix=prefix, user=USER)
    for name in ("home", "run", "state", "tmp"):
        (bridge.folder / name).mkdir(mode=0o700)
    bridge.write_config()
    for path in (bridge.folder, *bridge.folder.rglob("*")):
        os.chown(path, USER, USER)
    watched = Watched(bridge.start())
    modes: list[tuple[Path, int]] = [(bridge.state, 0o500)]
    modes += [(watched.database.with_name(watched.database.name + suffix), 0o400) for suffix in SUFFIXES]
    # Open files stay writable: the front that comes next finds them as they are now.
    for path, mode in modes:
        path.chmod(mode)
    os.kill(bridge.worker("http").pid, 9)
    eventually(lambda: "cannot be written" in watched.refusal(), "the command says so")
    assert watched.served(bridge.client()), "who needs no token goes on"
    for path, mode in modes:
        path.chmod(mode | 0o200)
    eventually(lambda: not watched.refusal(), "tokens are made again")
    eventually(lambda: bridge.get("/tools", bearer(watched.free, **FORWARDED)).status == 200, "and are good again")


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small disk")
def test_on_a_full_disk(bridges: Bridges) -> None:
    """The state directory is a disk of its own, of 4 MB, which only the bridge sees."""
    mount = 'mount -t tmpfs -o size=4m,mode=0700 tmpfs "$0" && exec "$@"'
    bridge = bridges.make({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}})
    bridge.prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(bridge.state))
    watched = Watched(bridge.start())
    disk = Path(f"/proc/{bridge.supervisor.pid}/root{bridge.state}")
    ballast = disk / "ballast"

    def fill() -> None:
        with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
            while file.write(b"\0" * 4096):
                pass

    def is_full() -> bool:
        # What was written before may still have room in a page of its own.
        fill()
        watched.local.call("demo.echo", {"text": "x" * 100})
        return "There is no room" in watched.refusal()

    eventually(is_full, "the command says that there is no room")
    watched.is_told_and_goes_on("There is no room")
    ballast.unlink()
    watched.is_well_again()
    # SQLite would look for the path outside, where it means something else.
    for suffix in SUFFIXES[:2]:
        shutil.copyfile(disk / f"bridge.sqlite{suffix}", bridge.folder / f"copy{suffix}")
    with contextlib.closing(sqlite3.connect(bridge.folder / "copy")) as connection:
        assert connection.execute("SELECT count(*) FROM token").fetchone()[0] >= 2
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def damaged(bridges: Bridges) -> Bridge:
    """A bridge that has had tokens, and is stopped."""
    bridge = bridges.start({"demo": demo_upstream()})
    create(bridge, "mcp")
    assert bridge.stop() == 0
    make_nonsense(bridge.state / "bridge.sqlite")
    return bridge


def test_what_cannot_be_read_at_the_start_counts_as_no_token_at_all(damaged: Bridge) -> None:
    """Not as if there were none: whoever has one is told that it cannot be told, and nobody is let in."""
    bridge = damaged.start()
    refused = bridge.get("/tools", bearer("mcpb_" + "A" * 43, **FORWARDED))
    assert refused.status == 503 and refused.json()["code"] == "tokens_unreadable", refused
    assert bridge.get("/tools", FORWARDED).status == 401
    assert bridge.get("/tools").status == 200


def test_without_a_service_the_command_says_what_is_wrong(damaged: Bridge) -> None:
    for command in (["token", "list"], ["token", "create", "--name", "x", "--scope", "mcp"], ["audit"]):
        said = beside(damaged, *command)
        assert said.status == 1 and "is damaged" in said.err and said.out == "", said


@pytest.mark.parametrize("has_tokens", [True, False])
def test_without_a_service_a_key_that_only_the_service_has_is_asked_for(bridges: Bridges, has_tokens: bool) -> None:
    """Of a service that has `token-key` as a credential: what needs no key is done, and no other key is made."""
    bridge = bridges.make({"demo": demo_upstream()})
    credentials = bridge.folder / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "token-key").write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
    bridge.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    bridge.start()
    if has_tokens:
        create(bridge, "mcp")
    assert bridge.stop() == 0
    del bridge.environment["CREDENTIALS_DIRECTORY"]
    assert (bridge.state / "bridge.sqlite").exists() == has_tokens
    said = beside(bridge, "token", "create", "--name", "early", "--scope", "mcp")
    assert said.status == 1 and said.out == "" and "credential 'token-key'" in said.err, said
    bridge.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    bridge.start()
    secret = create(bridge, "mcp")
    assert bridge.get("/tools", bearer(secret, **FORWARDED)).status == 200
    assert not (bridge.state / "token.key").exists()
    assert bridge.stop() == 0
    with_key = beside(bridge, "token", "create", "--name", "with the key", "--scope", "mcp", "--quiet")
    assert with_key.status == 0, with_key
    del bridge.environment["CREDENTIALS_DIRECTORY"]
    for command in (["create", "--name", "without", "--scope", "mcp"], ["rotate", "with the key"]):
        said = beside(bridge, "token", *command)
        assert said.status == 1 and said.out == "" and "credential 'token-key'" in said.err, said
    listed = beside(bridge, "token", "list")
    assert listed.status == 0 and "with the key" in listed.out, listed
    assert not (bridge.state / "token.key").exists(), "none was made"
    bridge.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    bridge.start()
    for good in (secret, with_key.out.strip()):
        assert bridge.get("/tools", bearer(good, **FORWARDED)).status == 200
    del bridge.environment["CREDENTIALS_DIRECTORY"]
    assert beside(bridge, "token", "revoke", "with the key").status == 0
