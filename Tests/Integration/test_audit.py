"""The audit: a row for each request, in the database and from the command line."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import threading
import time

import pytest
from command_line import beside
from harness import Bridge, Bridges
from places import BINARY
from tokens import bearer, create, create_known
from upstreams import demo_upstream
from waiting import PATIENCE, eventually

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    """With a row for every request."""
    bridge = shared_bridges.start({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}})
    bridge.wait_upstream("demo")
    return bridge


def rows(bridge: Bridge, *arguments: str) -> list[dict]:
    said = beside(bridge, "audit", "--json", *arguments)
    assert said.status == 0, said
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_call_has_a_row_with_who_what_how_much_and_how_it_ended(bridge: Bridge) -> None:
    text = "a text that nobody but the tool may know"
    client = bridge.client()
    client.call("demo.echo", {"text": text})
    row = rows(bridge, "--tool", "demo.echo")[-1]
    assert UUID.fullmatch(row["request"])
    assert {key: row[key] for key in ("principal", "method", "subject", "outcome", "status")} == {
        **{"principal": "local", "method": "tools/call", "subject": "demo.echo", "outcome": "ok", "status": 200},
    }
    assert row["requestBytes"] > len(text) and row["responseBytes"] > len(text) and row["microseconds"] > 0
    assert "token" not in row
    for name in ("bridge.sqlite", "bridge.sqlite-wal"):
        assert text.encode() not in (bridge.state / name).read_bytes(), "nothing of what was said is kept"


def test_every_request_has_a_row_of_its_own(bridge: Bridge) -> None:
    client = bridge.client()
    before = len(rows(bridge, "--tool", "demo.add", "--limit", "10000"))
    for number in range(300):
        client.call("demo.add", {"a": number, "b": 1})
    found = rows(bridge, "--tool", "demo.add", "--limit", "10000")
    assert len(found) == before + 300
    assert len({row["request"] for row in found}) == len(found)


def test_what_is_refused_has_a_row_with_the_word_of_the_refusal(bridge: Bridge) -> None:
    with bridge.http() as connection:
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        connection.request("POST", "/mcp", headers, b"{nonsense")
    found = rows(bridge, "--outcome", "parse_error")
    assert found and found[-1]["status"] == 400, found


def test_rows_are_found_by_tool_time_and_outcome(bridge: Bridge) -> None:
    client = bridge.client()
    client.call("demo.echo", {"text": "x"})
    assert {row["subject"] for row in rows(bridge, "--tool", "demo.ec*")} == {"demo.echo"}
    assert rows(bridge, "--since", "1h") and len(rows(bridge, "--limit", "2")) == 2
    assert not rows(bridge, "--outcome", "no_such_word")
    said = beside(bridge, "audit", "--token", "nobody")
    assert said.status == 1 and "no token 'nobody'" in said.err, said
    said = beside(bridge, "audit", "--outcome", "no_such_word")
    assert (said.status, said.out, said.err) == (0, "", "No such request is on record.\n")
    lines = beside(bridge, "audit", "--tool", "demo.echo").out.splitlines()
    assert lines and all("  demo.echo  ok  200  " in line for line in lines)


def test_whoever_follows_sees_each_row_once_as_it_comes(bridge: Bridge) -> None:
    command = [BINARY, "audit", "--follow", "--json", "--tool", "demo.clock", "--limit", "1"]
    follower = subprocess.Popen(command, env=bridge.whole_environment(), stdout=subprocess.PIPE, text=True)
    seen: list[dict] = []
    assert follower.stdout is not None
    output = follower.stdout
    reader = threading.Thread(target=lambda: seen.extend(json.loads(line) for line in output), daemon=True)
    reader.start()
    try:
        client = bridge.client()
        wanted = set()

        def called_and_seen() -> bool:
            # The follower may not have begun yet: what it sees first is called for again.
            if not seen:
                client.call("demo.clock")
            return bool(seen)

        eventually(called_and_seen, "the first row")
        for _ in range(5):
            client.call("demo.clock")
        wanted = {row["request"] for row in rows(bridge, "--tool", "demo.clock")[-5:]}
        eventually(lambda: wanted <= {row["request"] for row in seen}, "all five rows")
        assert len({row["request"] for row in seen}) == len(seen)
    finally:
        follower.terminate()
        follower.wait(PATIENCE)


def test_each_request_of_a_token_has_a_row_of_its_own_and_nobody_elses(bridges: Bridges) -> None:
    """Of MCP and of every other route, granted or refused, over each transport; requests without a token have none."""
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    (part, known), admin = create_known(bridge, "server:demo"), create(bridge, "admin")
    mine = bridge.new_client(headers=bearer(part)).initialize()
    mine.call("demo.echo", {"text": "a text that nobody but the tool may know"})
    assert "error" in mine.call("other.tool").message
    bridge.client().call("demo.echo", {"text": "of this machine"})
    for path in ("/", "/tools", "/servers", "/health/live", "/nothing-that-is-there?with=a-query"):
        bridge.get(path, bearer(part))
        bridge.get(path)
    entry = {"mcpServers": {"more": demo_upstream(), "else": demo_upstream()}}
    added = bridge.manage("POST", "/servers", entry, **bearer(admin))
    assert added.status == 200, added
    assert bridge.manage("DELETE", "/servers/more", **bearer(admin)).status == 200
    assert bridge.manage("DELETE", "/servers/nobody", **bearer(admin)).status == 404
    found = rows(bridge)
    assert {row["token"] for row in found if "token" in row} == {row["token"] for row in found}
    mine_told = [(row["method"], row.get("subject"), row["outcome"], row["status"]) for row in rows(bridge, "--token", known["id"])]
    assert mine_told == [
        ("initialize", None, "ok", 200),
        ("notifications/initialized", None, "ok", 202),
        ("tools/call", "demo.echo", "ok", 200),
        ("tools/call", "other.tool", "not_granted", 200),
        ("GET /", None, "ok", 200),
        ("GET /tools", None, "ok", 200),
        ("GET /servers", None, "not_granted", 403),
        ("GET /health/live", None, "ok", 200),
        ("GET (no route)", None, "not_found", 404),
    ]
    changes = [row for row in found if row["method"] in ("POST /servers", "DELETE /servers")]
    assert [(row["method"], row["subject"], row["outcome"], row["status"]) for row in changes] == [
        ("POST /servers", "more, else", "ok", 200),
        ("DELETE /servers", "more", "ok", 200),
        ("DELETE /servers", "nobody", "refused", 404),
    ]
    assert changes[0]["requestBytes"] == len(json.dumps(entry)) and changes[0]["responseBytes"] > 0
    assert all(UUID.fullmatch(row["request"]) for row in found)
    assert len({row["request"] for row in found}) == len(found)
    (usage,) = json.loads(beside(bridge, "token", "usage", known["id"], "--json").out)
    assert (usage["requests"], usage["failures"]) == (9, 3), usage
    assert b"a text that nobody" not in (bridge.state / "bridge.sqlite-wal").read_bytes()


def logged(bridge: Bridge, row: dict) -> list[str]:
    """The lines about the end of a request, which are in the log a little after its answer."""

    def found() -> list[str] | None:
        ends = [line for line in list(bridge.log) if "Request finished" in line or "Model answer" in line]
        return [line for line in ends if row["request"] in line] or None

    return eventually(found, f"the log tells of {row}")


def test_a_token_that_asks_for_it_has_each_request_in_the_log_under_the_same_id(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    (secret, known), quiet = create_known(bridge, "mcp", "--audit"), create(bridge, "mcp")
    for each in (secret, quiet):
        client = bridge.new_client(headers=bearer(each)).initialize()
        client.call("demo.echo", {"text": "x"})
        assert bridge.get("/tools", bearer(each)).status == 200
    found = rows(bridge, "--token", known["id"])
    for row in found:
        (line,) = logged(bridge, row)
        assert known["id"] in line and row["method"] in line, line
    finished = [line for line in bridge.log if "Request finished" in line]
    assert len(finished) == len(found) == 4, finished


def test_a_token_that_asks_for_it_has_refusals_and_lists_of_models_in_the_log_too(bridges: Bridges) -> None:
    bridge = bridges.start({})
    secret, known = create_known(bridge, "chat", "--audit")
    assert bridge.get("/v1/models", bearer(secret)).status == 200
    with bridge.http() as connection:
        fields = {"Content-Type": "application/json", **bearer(secret)}
        assert connection.request("POST", "/mcp", fields, b"{}").status == 403
        fields["Content-Type"] = "image/png"
        assert connection.request("POST", "/v1/chat/completions", fields, b"{}").status >= 400
    found = rows(bridge, "--token", known["id"])
    assert len(found) == 3, found
    for row in found:
        assert any(known["id"] in line for line in logged(bridge, row)), row


def test_whoever_follows_a_token_sees_its_rows_alone(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    (secret, known), other = create_known(bridge, "mcp"), create(bridge, "mcp")
    command = [BINARY, "audit", "--follow", "--json", "--token", known["id"]]
    follower = subprocess.Popen(command, env=bridge.whole_environment(), stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    try:
        seen = []
        for _ in range(3):
            for each in (other, secret):
                assert bridge.get("/tools", bearer(each)).status == 200
            # It may have begun at any time: what was there before is shown, too.
            seen.append(json.loads(follower.stdout.readline()))
        assert {row["token"] for row in seen} == {known["id"]}
        assert [row["request"] for row in seen] == [row["request"] for row in rows(bridge, "--token", known["id"])]
    finally:
        follower.terminate()
        follower.wait(PATIENCE)


def test_without_a_token_there_is_no_row_unless_all_are_asked_for(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    client = bridge.client()
    client.call("demo.echo", {"text": "x"})
    assert rows(bridge) == []


def test_rows_that_a_locked_database_cannot_take_are_written_when_it_can(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}})
    client = bridge.client()
    client.call("demo.echo", {"text": "before"})
    assert len(rows(bridge, "--tool", "demo.echo")) == 1
    holder = sqlite3.connect(bridge.state / "bridge.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for _ in range(20):
        assert client.call("demo.echo", {"text": "meanwhile"}).result, "no call waits for the audit"
    eventually(lambda: any("The audit cannot be written" in line for line in bridge.log), "the log says so")
    holder.execute("COMMIT")
    holder.close()
    eventually(lambda: len(rows(bridge, "--tool", "demo.echo")) == 21, "all rows are there")


def test_rows_are_written_before_the_service_has_ended(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"audit": {"requests": "all"}})
    client = bridge.client()
    for _ in range(50):
        client.call("demo.echo", {"text": "x"})
    assert bridge.stop() == 0
    with sqlite3.connect(bridge.state / "bridge.sqlite") as database:
        assert database.execute("SELECT count(*) FROM audit WHERE subject = 'demo.echo'").fetchone() == (50,)


def test_rows_older_than_asked_for_are_forgotten(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"audit": {"requests": "all", "days": 2}})
    client = bridge.client()
    client.call("demo.echo", {"text": "old"})
    client.call("demo.add", {"a": 1, "b": 2})
    assert len(rows(bridge, "--tool", "demo.*")) == 2
    with sqlite3.connect(bridge.state / "bridge.sqlite", timeout=30) as database:
        old = int((time.time() - 3 * 86_400) * 1_000)
        database.execute("UPDATE audit SET time = ? WHERE subject = 'demo.echo'", (old,))
    os.kill(bridge.worker("http").pid, 9)
    # The next front forgets them soon after its start.
    eventually(lambda: [row["subject"] for row in rows_or_none(bridge)] == ["demo.add"], "the old row is gone")


def rows_or_none(bridge: Bridge) -> list[dict]:
    said = beside(bridge, "audit", "--json", "--tool", "demo.*")
    return [json.loads(line) for line in said.out.splitlines()] if said.status == 0 else []
