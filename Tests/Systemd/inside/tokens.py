"""Tokens of the installed service: they outlive it, each of their requests is told of, and their secrets lie nowhere."""

from __future__ import annotations

import json
import stat

import secret_scan
from http_raw import RawConnection
from mcp_http import MCPClient
from systemd_service import CACHE, SERVICE, STATE, TCP, Counting, Service, bridge, systemctl
from waiting import eventually


def create(*arguments: str) -> tuple[str, str]:
    """A new token's secret and its id."""
    made = json.loads(bridge("token", "create", "--name", "ci", "--scope", "mcp", *arguments, "--json").stdout)
    secret_scan.given(STATE, made["secret"])
    secret_scan.given(CACHE, made["secret"])
    return made["secret"], made["token"]["id"]


def status_with(secret: str) -> int:
    with RawConnection(TCP) as connection:
        return connection.request("GET", "/tools", {"Authorization": f"Bearer {secret}"}).status


def test_a_tokens_story_is_in_the_journal_and_its_secret_nowhere(service: Service, counting: Counting) -> None:
    service.configure(counting, log={"level": "trace"})
    service.start()
    secret, token = create("--audit")
    client = MCPClient(TCP, headers={"Authorization": f"Bearer {secret}"}).initialize()
    client.call(counting.tool, {"tag": "one"})
    rows = eventually(
        lambda: bridge("audit", "--token", token, "--tool", counting.tool, "--json").stdout.splitlines(), "a row is written"
    )
    assert [json.loads(row)["outcome"] for row in rows] == ["ok"]
    told = eventually(lambda: service.journal(f"MCP_TOKEN={token}", "MCP_METHOD=tools/call"), "the journal tells of the call")
    assert {record["MCP_REQUEST_ID"] for record in told} == {json.loads(row)["request"] for row in rows}

    everything = [json.dumps(record) for record in service.journal()]
    commands = [process.command for process in service.tree()]
    for folder in (STATE, CACHE):
        assert secret_scan.leaks(folder, everything, commands) == []
    (database,) = STATE.rglob("bridge.sqlite")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_token_outlives_a_restart_and_not_its_end(service: Service) -> None:
    service.start()
    secret, token = create()
    assert status_with(secret) == 200
    systemctl("restart", SERVICE)
    service.wait_ready()
    assert status_with(secret) == 200
    bridge("token", "revoke", token)
    assert status_with(secret) == 401
