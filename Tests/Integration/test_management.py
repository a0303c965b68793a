"""The routes for people and programs that look after the bridge: what it serves, how it is, and changing that."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from places import ROOT
from processes import ProcessWatch
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually

ROW = {
    "name",
    "kind",
    "connected",
    "toolCount",
    "lastConnectedAt",
    "lastToolRefreshAt",
    "lastError",
    "reconnectAttempts",
    "nextReconnectAt",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def bridge(bridges: Bridges) -> Bridge:
    """A bridge that the test may change."""
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


@pytest.fixture
def extra(folder: Path) -> MisbehavingUpstream:
    return MisbehavingUpstream(folder, "extra")


def add(bridge: Bridge, servers: dict[str, Any]) -> Any:
    return bridge.manage("POST", "/servers", {"mcpServers": servers})


# Looking


def test_the_front_page_tells_where_things_are(demo: Bridge) -> None:
    body = demo.get("/").json()
    assert (body["ok"], body["service"]) == (True, "mcp-bridge")
    assert body["mcp"] == f"http://127.0.0.1:{demo.port}/mcp"
    assert body["health"] == f"http://127.0.0.1:{demo.port}/health"


def test_health_tells_each_upstream(demo: Bridge) -> None:
    body = demo.health()
    assert (body["service"], body["ok"], body["status"]) == ("mcp-bridge", True, "ok")
    assert body["servers"] == ["demo"]
    assert body["transport"]
    (row,) = body["upstreams"]
    assert row.keys() >= ROW
    assert (row["name"], row["kind"], row["connected"], row["lastError"]) == ("demo", "stdio", True, None)
    assert row["toolCount"] == body["toolCount"] > 0
    assert TIME.fullmatch(row["lastConnectedAt"]) and TIME.fullmatch(row["lastToolRefreshAt"])


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_a_healthy_bridge_says_so(demo: Bridge, path: str) -> None:
    response = demo.get(path)
    assert response.status == 200
    assert response.content_type == "application/json"
    assert (response.headers.get("cache-control") or "no-store") == "no-store"


def test_the_lists_of_servers_and_tools(demo: Bridge) -> None:
    assert demo.get("/servers").json() == {"servers": ["demo"]}
    tools = demo.get("/tools").json()["tools"]
    assert tools.keys() == {"demo"}
    assert tools["demo"] == sorted(tools["demo"]) and "demo.echo" in tools["demo"]


def test_metrics_are_prometheus_text(demo: Bridge) -> None:
    demo.client().call("demo.echo", {"text": "counted"})
    response = demo.get("/metrics")
    assert response.status == 200
    assert response.content_type == "text/plain"
    sample = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEInfNa]+( \d+)?")
    lines = [line for line in response.body.decode().splitlines() if line]
    assert lines
    for line in lines:
        assert line.startswith(("# HELP ", "# TYPE ", "# ")) or sample.fullmatch(line), line


def test_the_page_names_every_metric(demo: Bridge) -> None:
    page = (ROOT / "docs/http.md").read_text(encoding="utf-8")
    named = re.findall(r"^# TYPE (\S+) ", demo.get("/metrics").body.decode(), re.MULTILINE)
    assert len(named) > 15 and not [name for name in named if f"`{name}`" not in page]


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready", "/tools", "/metrics"])
def test_these_routes_can_only_be_read(demo: Bridge, path: str) -> None:
    assert demo.manage("POST", path, {}).status == 405


def test_head_is_get_without_a_body(demo: Bridge) -> None:
    with demo.http() as connection:
        response = connection.request("HEAD", "/health/live")
        assert response.status in (200, 405)
        assert connection.request("GET", "/health/live").status == 200


# Changing


def test_a_server_can_be_added_used_and_removed(bridge: Bridge, extra: MisbehavingUpstream) -> None:
    client = bridge.client()
    with client.keep_stream_open() as stream:
        added = add(bridge, {"extra": extra.entry})
        assert (added.status, added.json()) == (200, {"added": ["extra"]})
        stream.wait_for_list(lambda names: "extra.echo" in names)
        assert bridge.get("/servers").json() == {"servers": ["demo", "extra"]}
        assert "extra.echo" in bridge.get("/tools").json()["tools"]["extra"]
        assert client.call("extra.echo", {"text": "x"}).result
        child = bridge.upstream_child("extra")

        with ProcessWatch([child, bridge.worker("upstream extra")]) as watch:
            removed = bridge.manage("DELETE", "/servers/extra")
            assert (removed.status, removed.json()) == (200, {"removed": "extra"})
            stream.wait_for_list(lambda names: "extra.echo" not in names)
            assert watch.wait_until_all_ended(PATIENCE), f"still running: {watch.alive}"
        assert client.call("extra.echo", {"text": "x"}).failure.code == -32602
        assert bridge.get("/servers").json() == {"servers": ["demo"]}
    assert client.call("demo.echo", {"text": "x"}).result


def test_an_added_server_is_called_by_its_prefixed_name(bridge: Bridge, folder: Path) -> None:
    """As mcp-proxy's own tests call it."""
    assert add(bridge, {"remote-echo": MisbehavingUpstream(folder, "remote-echo").entry}).status == 200
    client = bridge.client()
    assert text_of(client.call("remote-echo.ping", {"message": "hi"}).result) == "remote-echo:hi"
    assert text_of(client.call("remote-echo.server_name").result) == "remote-echo"


def test_several_are_added_at_once_and_told_sorted(bridge: Bridge, folder: Path) -> None:
    servers = {name: MisbehavingUpstream(folder, name).entry for name in ("zeta", "alpha")}
    assert add(bridge, servers).json() == {"added": ["alpha", "zeta"]}
    assert bridge.get("/servers").json() == {"servers": ["alpha", "demo", "zeta"]}


def test_a_server_of_the_same_name_is_replaced(bridge: Bridge, folder: Path) -> None:
    first, second = MisbehavingUpstream(folder, "one"), MisbehavingUpstream(folder, "two")
    client = bridge.client()
    add(bridge, {"extra": first.entry})
    before = client.call("extra.pid").result
    assert add(bridge, {"extra": second.entry}).json() == {"added": ["extra"]}
    assert client.call("extra.pid").result != before
    assert second.received("tools/call") and len(first.received("tools/call")) == 1


def test_additions_and_removals_survive_a_restart(bridge: Bridge, extra: MisbehavingUpstream) -> None:
    assert add(bridge, {"extra": extra.entry}).status == 200
    assert bridge.manage("DELETE", "/servers/demo").status == 200
    assert bridge.stop() == 0
    bridge.start()
    assert bridge.get("/servers").json() == {"servers": ["extra"]}
    bridge.wait_upstream("extra")
    assert bridge.client().call("extra.echo", {"text": "again"}).result
    saved = bridge.state / "servers.json"
    assert saved.stat().st_mode & 0o077 == 0


def test_additions_survive_the_death_of_the_supervisor(bridge: Bridge, extra: MisbehavingUpstream) -> None:
    assert add(bridge, {"extra": extra.entry}).status == 200
    bridge.kill()
    bridge.start()
    assert bridge.get("/servers").json() == {"servers": ["demo", "extra"]}


def test_a_vault_that_takes_its_time_holds_up_nobody_but_who_adds(
    bridges: Bridges, folder: Path, extra: MisbehavingUpstream
) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    (folder / "op").write_text(f'#!/bin/sh\nread secret < {gate}\nprintf %s "$secret"\n')
    (folder / "op").chmod(0o755)
    bridge = bridges.make({"demo": demo_upstream()})
    bridge.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    bridge.start()
    bridge.wait_upstream("demo")
    entry = {**extra.entry, "env": {**extra.entry.get("env", {}), "API_KEY": "${op://v/i/f}"}}
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add, bridge, {"extra": entry})
        # Opened once `op` reads, which waits for what is written.
        with open(gate, "w", encoding="utf-8") as secret:
            assert bridge.health()["servers"] == ["demo"]
            assert bridge.manage("DELETE", "/servers/demo").status == 503, "one change at a time"
            assert not adding.done()
            secret.write("told-by-the-vault\n")
        added = adding.result(PATIENCE)
    assert (added.status, added.json()) == (200, {"added": ["extra"]})
    assert "told-by-the-vault" in text_of(bridge.client().call("extra.environment").result)
    assert "told-by-the-vault" not in (bridge.state / "servers.json").read_text(encoding="utf-8")
    assert bridge.manage("DELETE", "/servers/demo").json() == {"removed": "demo"}
    assert bridge.get("/servers").json() == {"servers": ["extra"]}


def test_unknown_keys_of_an_added_server_are_ignored(bridge: Bridge, extra: MisbehavingUpstream) -> None:
    assert add(bridge, {"extra": {**extra.entry, "gallery": True, "version": "1"}}).status == 200


# Refusals, in the words of the gateway that came before


@pytest.mark.parametrize("body", [b"", b"{", b"{'mcpServers': 1}", b"\xff", b"[" * 5000])
def test_what_is_no_json_is_400(bridge: Bridge, body: bytes) -> None:
    response = bridge.manage("POST", "/servers", body)
    assert response.status == 400
    assert re.fullmatch(r"Invalid JSON payload: .+\.", response.json()["error"], re.DOTALL), response.json()


@pytest.mark.parametrize(
    "body",
    [
        [],
        7,
        {"mcpServers": []},
        {"mcpServers": {"x": 1}},
        {"mcpServers": {"x": {"command": 1}}},
        {"mcpServers": {"x": {"command": "true", "args": "no list"}}},
        {"mcpServers": {"x": {}}},
        {"mcpServers": {"x": {"type": "carrier-pigeon", "url": "http://127.0.0.1:1"}}},
    ],
)
def test_what_is_no_configuration_is_422(bridge: Bridge, body: object) -> None:
    response = bridge.manage("POST", "/servers", body)
    assert response.status == 422
    assert response.json()["error"] == "Invalid server configuration."
    assert response.json()["details"]
    assert bridge.get("/servers").json() == {"servers": ["demo"]}


@pytest.mark.parametrize("body", [{}, {"mcpServers": {}}])
def test_adding_nothing_is_422(bridge: Bridge, body: object) -> None:
    response = bridge.manage("POST", "/servers", body)
    assert (response.status, response.json()) == (
        422,
        {
            "error": "Invalid server configuration.",
            "details": ["At least one server must be provided in 'mcpServers'."],
        },
    )


def test_a_server_that_does_not_start_is_502_and_leaves_nothing_behind(bridge: Bridge, folder: Path) -> None:
    good, bad = MisbehavingUpstream(folder, "good"), MisbehavingUpstream(folder, "bad", "--exit-at-start", "3")
    response = add(bridge, {"good": good.entry, "bad": bad.entry, "none": {"command": "/no/such/file"}})
    assert (response.status, response.json()) == (502, {"error": "Failed to add backend servers."})
    assert bridge.get("/servers").json() == {"servers": ["demo"]}
    eventually(
        lambda: (
            sorted(each.label for each in bridge.tree() if "worker" in each.command)
            == ["http", "session", "upstream demo"]
        ),
        "only the workers from before are left",
    )


def test_removing_an_unknown_server_is_404(bridge: Bridge) -> None:
    response = bridge.manage("DELETE", "/servers/nobody")
    assert (response.status, response.json()) == (404, {"error": "Unknown server 'nobody'."})
