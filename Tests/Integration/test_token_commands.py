"""Tokens from the command line: made, shown, replaced and revoked, with a service and without one."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
import secret_scan
from command_line import Said, beside, table
from harness import Bridge, Bridges
from upstreams import demo_upstream
from waiting import eventually

SECRET = re.compile(r"mcpb_[A-Za-z0-9_-]{43}")


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    """With everything in its log that can be."""
    bridge = shared_bridges.start({"demo": demo_upstream()}, bridge={"log": {"level": "trace"}})
    bridge.wait_upstream("demo")
    return bridge


def create(bridge: Bridge, name: str, *arguments: str) -> tuple[str, dict]:
    """A new token: its secret, and what is told of it."""
    said = beside(bridge, "token", "create", "--name", name, "--scope", "mcp", *arguments, "--json")
    assert (said.status, said.err) == (0, ""), said
    made = json.loads(said.out)
    assert SECRET.fullmatch(made["secret"]), said
    secret_scan.given(bridge.folder, made["secret"])
    return made["secret"], made["token"]


def show(bridge: Bridge, token: str) -> dict:
    said = beside(bridge, "token", "show", token, "--json")
    assert said.status == 0, said
    return json.loads(said.out)


def test_a_new_token_is_alone_on_standard_output_and_its_use_is_explained_beside_it(bridge: Bridge) -> None:
    said = beside(bridge, "token", "create", "--name", "explained", "--scope", "mcp,chat", "--expires", "24h")
    assert said.status == 0, said
    secret = said.out.removesuffix("\n")
    assert SECRET.fullmatch(secret), said
    assert secret not in said.err, "what is explained can be shown to anybody"
    root = bridge.url.removesuffix("/mcp")
    curl = next(line for line in said.err.splitlines() if "| curl " in line)
    assert "demo.echo" in typed(curl, secret), "it works as it is written"
    for line in (
        f"claude mcp add --transport http mcp-bridge {bridge.url} --header",
        f"base URL {root}/v1,",
        f"base URL {root},",
    ):
        assert line in said.err, (line, said.err)


def typed(line: str, secret: str, **environment: str) -> str:
    """What a line prints that is typed into any shell."""
    environment = {**os.environ, "MCP_BRIDGE_TOKEN": secret, **environment}
    return subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True).stdout


def test_no_line_that_is_printed_puts_the_secret_into_an_argument(bridge: Bridge, tmp_path: Path) -> None:
    """Everybody on the machine can read those: programs that print their own stand in the place of those that are named."""
    for program in ("curl", "claude", "printf"):
        (tmp_path / program).write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\n')
        (tmp_path / program).chmod(0o755)
    said = beside(bridge, "token", "create", "--name", "typed", "--scope", "admin")
    secret = said.out.strip()
    lines = [line for line in said.err.splitlines() if "MCP_BRIDGE_TOKEN}" in line or '"$MCP_BRIDGE_TOKEN"' in line]
    assert len(lines) == 2, said.err
    shown = [typed(line, secret, PATH=f"{tmp_path}:{os.environ['PATH']}") for line in lines]
    assert not any(secret in arguments for arguments in shown), shown
    # Claude Code puts it there itself, each time that it starts.
    assert "Authorization: Bearer ${MCP_BRIDGE_TOKEN}" in shown[1].splitlines()


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("mcp", ("curl", "claude mcp add")),
        ("tool:demo.*", ("curl", "claude mcp add")),
        ("chat", ("OpenAI-style", "Anthropic-style")),
        ("source", ("lends its model",)),
        ("admin", ("curl", "claude mcp add", "OpenAI-style", "Anthropic-style")),
    ],
)
def test_only_what_the_scope_opens_is_explained(bridge: Bridge, scope: str, told: tuple[str, ...]) -> None:
    said = beside(bridge, "token", "create", "--name", f"explained {scope}", "--scope", scope)
    words = ("curl", "claude mcp add", "OpenAI-style", "Anthropic-style", "lends its model")
    assert tuple(word for word in words if word in said.err) == told, said.err


def test_quiet_answers_with_ids_or_not_at_all(bridge: Bridge) -> None:
    _, token = create(bridge, "hushed", "--sandbox", "--rate", "60/min")
    rows = {row["NAME"]: row for row in table(beside(bridge, "token", "list").out.splitlines())}
    assert rows["hushed"]["LIMITS"] == "sandbox, 60/min"
    assert token["id"] in beside(bridge, "token", "list", "--quiet").out.splitlines()
    for command in ("show", "revoke"):
        assert beside(bridge, "token", command, token["id"], "--quiet") == Said(0, "", "")
    assert token["id"] not in beside(bridge, "token", "list", "--quiet").out.splitlines()


def test_quiet_says_nothing_but_the_secret(bridge: Bridge) -> None:
    said = beside(bridge, "token", "create", "--name", "quiet", "--scope", "mcp", "--quiet")
    assert (said.status, said.err) == (0, "") and SECRET.fullmatch(said.out.strip()), said


def test_everything_that_was_wished_is_kept(bridge: Bridge) -> None:
    wish = ("--models", "gpt-*,claude-*", "--rate", "60/min", "--concurrency", "4", "--budget", "100000tokens/day")
    said = beside(
        bridge, "token", "create", "--name", "all of it", "--scope", "server:demo,tool:git.*", *wish, "--expires", "90d",
        "--sandbox", "--audit", "--json",
    )  # fmt: skip
    token = json.loads(said.out)["token"]
    assert token == show(bridge, token["id"])
    kept = {key: token[key] for key in ("name", "scope", "models", "rate", "concurrency", "budget", "sandbox", "audit")}
    assert kept == {
        **{"name": "all of it", "scope": "server:demo,tool:git.*", "models": "gpt-*,claude-*", "rate": "60/min"},
        **{"concurrency": 4, "budget": "100000tokens/day", "sandbox": True, "audit": True},
    }
    assert token["state"] == "good" and token["expires"] > token["created"]
    told = beside(bridge, "token", "show", "all of it").out
    assert "60/min" in told and "100000tokens/day" in told and "sandbox" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scope", "mpc"], "`mpc` is no scope. There are mcp, chat, source, admin, server:NAME, tool:SERVER.PATTERN"),
        (["--scope", "mcp", "--rate", "many"], "60/min"),
        (["--scope", "mcp", "--budget", "5"], "100000tokens/day"),
        (["--scope", "mcp", "--concurrency", "0"], "a number from 1"),
        (["--scope", "mcp", "--expires", "tomorrow"], "'24h'"),
        (["--scope", "mcp", "--models", ","], "gpt-*"),
    ],
)
def test_what_cannot_be_wished_is_refused_with_what_can(bridge: Bridge, arguments: list[str], says: str) -> None:
    said = beside(bridge, "token", "create", "--name", "refused", *arguments)
    assert said.status != 0 and said.out == "" and says in said.err, said


def test_two_good_tokens_never_have_the_same_name(bridge: Bridge) -> None:
    _, first = create(bridge, "twice")
    said = beside(bridge, "token", "create", "--name", "twice", "--scope", "mcp")
    assert said.status == 1 and "'twice'" in said.err and said.out == "", said
    assert beside(bridge, "token", "revoke", "twice").status == 0
    _, second = create(bridge, "twice")
    assert second["id"] != first["id"] and show(bridge, "twice")["id"] == second["id"]


def test_the_list_has_those_that_are_good_and_all_of_them_where_asked(bridge: Bridge) -> None:
    create(bridge, "stays")
    _, gone = create(bridge, "goes")
    assert beside(bridge, "token", "revoke", gone["id"]).status == 0
    rows = {row["NAME"]: row for row in table(beside(bridge, "token", "list").out.splitlines())}
    assert rows["stays"]["STATE"] == "good" and rows["stays"]["EXPIRES"] == "never" and "goes" not in rows
    everything = json.loads(beside(bridge, "token", "list", "--all", "--json").out)
    assert {each["name"]: each["state"] for each in everything}["goes"] == "revoked"


def test_a_new_secret_leaves_the_token_what_it_is(bridge: Bridge) -> None:
    secret, token = create(bridge, "rotated", "--rate", "5/s")
    said = beside(bridge, "token", "rotate", "rotated", "--keep-old", "1h", "--json")
    made = json.loads(said.out)
    assert SECRET.fullmatch(made["secret"]) and made["secret"] != secret
    old_until = made["token"].pop("oldSecretUntil")
    assert made["token"] == token and old_until > token["created"]
    said = beside(bridge, "token", "rotate", "rotated", "--quiet")
    assert SECRET.fullmatch(said.out.strip())
    assert show(bridge, "rotated") == token, "the old one has ended"


def test_the_status_tells_of_the_tokens_that_end_within_a_day(bridge: Bridge) -> None:
    _, soon = create(bridge, "ends soon", "--expires", "23h")
    create(bridge, "ends later", "--expires", "25h")
    create(bridge, "never ends")
    said = beside(bridge, "status")
    assert f"Token {soon['id']} (ends soon) expires at {soon['expires']}." in said.out, said
    assert "ends later" not in said.out and "never ends" not in said.out
    told = json.loads(beside(bridge, "status", "--json").out)
    ending = {each["name"]: each for each in told["expiringTokens"]}
    assert ending["ends soon"] == {"id": soon["id"], "name": "ends soon", "expires": soon["expires"]}
    assert "ends later" not in ending and "never ends" not in ending
    assert beside(bridge, "token", "revoke", soon["id"]).status == 0
    assert "ends soon" not in beside(bridge, "status").out


def test_what_is_good_no_longer_gets_no_new_secret_and_what_is_unknown_is_said_to_be(bridge: Bridge) -> None:
    create(bridge, "ended")
    assert beside(bridge, "token", "revoke", "ended").status == 0
    for command in (["rotate", "ended"], ["show", "nobody"], ["revoke", "nobody"], ["usage", "nobody"]):
        said = beside(bridge, "token", *command)
        assert said.status == 1 and said.out == "" and "mcp-bridge: " in said.err, said


def test_tokens_survive_a_restart_and_the_death_of_the_front(bridges: Bridges) -> None:
    bridge = bridges.start({})
    _, token = create(bridge, "survivor")
    front = bridge.worker("http").pid
    os.kill(front, 9)
    eventually(lambda: beside(bridge, "token", "show", "survivor").status == 0, "the next front knows it")
    assert bridge.stop() == 0
    bridge.start("live")
    assert show(bridge, "survivor") == token


def test_without_a_service_the_database_itself_is_used(bridges: Bridges) -> None:
    bridge = bridges.start({})
    _, first = create(bridge, "with a service")
    assert bridge.stop() == 0
    said = beside(bridge, "token", "create", "--name", "without", "--scope", "mcp", "--json")
    assert said.status == 0 and "no service runs" in said.err, said
    second = json.loads(said.out)["token"]
    listed = json.loads(beside(bridge, "token", "list", "--json").out)
    assert sorted(each["id"] for each in listed) == sorted([first["id"], second["id"]])
    bridge.start("live")
    assert show(bridge, "without") == second


def files_of(bridge: Bridge) -> list[Path]:
    return [path for path in bridge.folder.rglob("*") if path.is_file()]


def test_nothing_that_was_written_holds_a_secret_or_can_be_read_by_others(bridge: Bridge) -> None:
    """Over all that the tests before this one have made the bridge and its commands write, at trace."""
    secrets = [create(bridge, f"secret {number}")[0] for number in range(3)]
    secrets.append(json.loads(beside(bridge, "token", "rotate", "secret 0", "--keep-old", "1h", "--json").out)["secret"])
    said = beside(bridge, "token", "create", "--name", "secret 0", "--scope", "mcp")
    told = {"refusal": said.out + said.err, "log": "\n".join(bridge.log)}
    for command in (["list", "--all", "--json"], ["list", "--all"], ["show", "secret 0"], ["usage", "--json"]):
        answer = beside(bridge, "token", *command)
        told[" ".join(command)] = answer.out + answer.err
    for path in ("/", "/health", "/metrics"):
        told[path] = bridge.get(path, local=True).body.decode()
    for process in bridge.tree():
        told[f"arguments of {process.pid}"] = Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
    written = {str(path): path.read_bytes().decode("latin-1") for path in files_of(bridge)}
    assert any(name.endswith("bridge.sqlite-wal") for name in written), "the database is among them"
    for place, text in (told | written).items():
        assert not SECRET.search(text), f"a secret is in {place}"
        for secret in secrets:
            assert secret.removeprefix("mcpb_") not in text, f"a secret is in {place}"
    for name in ("bridge.sqlite", "bridge.sqlite-wal", "bridge.sqlite-shm", "token.key"):
        assert stat.S_IMODE((bridge.state / name).stat().st_mode) == 0o600, name


# What the commands show


def with_token(bridge: Bridge, token: str, *arguments: str | Path) -> Said:
    bridge.environment["MCP_BRIDGE_TOKEN"] = token
    try:
        return beside(bridge, *arguments)
    finally:
        del bridge.environment["MCP_BRIDGE_TOKEN"]


def test_a_token_in_a_file_is_shown_where_nobody_else_can_read_it(bridge: Bridge, folder: Path) -> None:
    secret, _ = create(bridge, "in a file")
    file = folder / "token"
    file.write_text(secret + "\n")
    for mode in (0o644, 0o640, 0o604):
        file.chmod(mode)
        said = beside(bridge, "tools", "--token-file", file)
        assert said.status == 1 and "may be read by others" in said.err and secret not in said.err, said
        said = beside(bridge, "stdio", "--token-file", file)
        assert said.status == 1 and "may be read by others" in said.err, said
    for mode in (0o600, 0o400):
        file.chmod(mode)
        said = beside(bridge, "call", "--token-file", file, "demo.echo", '{"text": "hello"}')
        assert said == Said(0, "hello\n", ""), said


def test_what_is_no_token_is_refused_before_anything_is_sent(bridge: Bridge, folder: Path) -> None:
    file = folder / "token"
    file.write_text("mcpb_short")
    file.chmod(0o600)
    for said in (beside(bridge, "tools", "--token-file", file), with_token(bridge, "secret", "tools")):
        assert said.status == 1 and "holds no token" in said.err, said
    assert beside(bridge, "tools", "--token-file", folder / "missing").status == 1


def test_a_token_in_the_environment_is_shown(bridge: Bridge) -> None:
    secret, _ = create(bridge, "in the environment")
    said = with_token(bridge, secret, "call", "demo.echo", '{"text": "hello"}')
    assert said == Said(0, "hello\n", ""), said


# A store in trouble


@pytest.fixture
def troubled(bridges: Bridges) -> Bridge:
    """A bridge that has had a database, and is stopped."""
    bridge = bridges.start({"demo": demo_upstream()})
    create(bridge, "before")
    assert bridge.stop() == 0
    return bridge


def refusal(bridge: Bridge) -> str:
    said = beside(bridge, "token", "list")
    return said.err if said.status else ""


def is_told_and_mended(bridge: Bridge, words: str, mend: object) -> None:
    """MCP of this machine goes on all the while, and tokens are known again as soon as the store is well."""
    bridge.start()
    eventually(lambda: words in refusal(bridge), f"the command says '{words}'")
    bridge.wait_logged("Tokens cannot be read")
    assert bridge.client().call("demo.echo", {"text": "on"}).result
    assert callable(mend)
    mend()
    eventually(lambda: not refusal(bridge), "the tokens are known again")


def test_a_damaged_database_is_told_and_used_again_once_it_is_mended(troubled: Bridge) -> None:
    path = troubled.state / "bridge.sqlite"
    good = path.read_bytes()
    path.write_bytes(b"this is no database" * 1_000)

    def mend() -> None:
        path.with_suffix(".new").write_bytes(good)
        path.with_suffix(".new").replace(path)

    is_told_and_mended(troubled, "is damaged", mend)
    assert show(troubled, "before")["state"] == "good"


def test_a_database_of_a_later_version_is_told_and_left_as_it_is(troubled: Bridge) -> None:
    path = troubled.state / "bridge.sqlite"

    def execute(statement: str) -> None:
        with sqlite3.connect(path) as database:
            database.execute(statement)
        database.close()

    execute("INSERT INTO grdb_migrations VALUES ('99: the future')")
    mend = "DELETE FROM grdb_migrations WHERE identifier = '99: the future'"
    is_told_and_mended(troubled, "by a later version", lambda: execute(mend))
    assert show(troubled, "before")["state"] == "good"


def test_a_database_that_another_program_holds_is_told_and_used_once_it_lets_go(troubled: Bridge) -> None:
    holder = sqlite3.connect(troubled.state / "bridge.sqlite", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    is_told_and_mended(troubled, "Another program holds", holder.close)
    assert show(troubled, "before")["state"] == "good"


def test_a_database_that_is_a_folder_is_told_too(troubled: Bridge) -> None:
    path = troubled.state / "bridge.sqlite"
    path.rename(path.with_suffix(".kept"))
    path.mkdir()

    def mend() -> None:
        path.rmdir()
        path.with_suffix(".kept").rename(path)

    is_told_and_mended(troubled, "cannot be used", mend)
    assert show(troubled, "before")["state"] == "good"
