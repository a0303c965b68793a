"""The commands that speak to the supervisor: `status` and `reload`."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges
from stopped import stopped
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import eventually


@pytest.fixture
def bridge(bridges: Bridges) -> Bridge:
    """A bridge that the test may change."""
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


def rewrite(bridge: Bridge, servers: dict[str, Any], **settings: Any) -> Said:
    """Another configuration, and `reload`."""
    bridge.config = {"mcpServers": servers, "bridge": settings}
    bridge.write_config()
    return beside(bridge, "reload")


def tables(text: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The upstreams and the workers as `status` prints them."""
    lines = text.splitlines()
    upstreams = next(index for index, line in enumerate(lines) if line.startswith("UPSTREAM"))
    workers = next(index for index, line in enumerate(lines) if line.startswith("WORKER"))
    return table(lines[upstreams : workers - 1]), table(lines[workers:])


# status


def test_the_status_of_a_healthy_bridge(demo: Bridge) -> None:
    said = beside(demo, "status")
    assert (said.status, said.err) == (0, "")
    head, text, *listening = said.out.partition("\n\n")[0].splitlines()
    assert re.fullmatch(rf"mcp-bridge \d+\.\d+\.\d+, pid {demo.supervisor.pid}, up \d+ (s|min), memory \d+\.\d MiB", head)
    assert re.fullmatch(r"1/1 upstreams ready, \d+ sessions?", text)
    assert listening == [f"  listening on {demo.url}", f"  listening on {demo.local_socket}"]
    upstreams, workers = tables(said.out)
    child = demo.upstream_child("demo")
    tools = len(demo.client().tool_names())
    assert upstreams == [
        {"UPSTREAM": "demo", "STATE": "ready", "TOOLS": f"{tools}", "PID": f"{child.pid}", "TROUBLE": ""}
    ]
    assert [(row["WORKER"], row["STATE"], row["RESTARTS"]) for row in workers] == [
        ("http", "ready", "0"),
        ("session", "ready", "0"),
        ("upstream@demo", "ready", "0"),
    ]
    assert all(re.fullmatch(r"\d+\.\d MiB", row["MEMORY"]) for row in workers), workers
    assert [int(row["PID"]) for row in workers] == [
        demo.worker(label).pid for label in ("http", "session", "upstream demo")
    ]


def test_the_status_as_json_says_what_health_says_and_more(demo: Bridge) -> None:
    said = beside(demo, "status", "--json")
    assert (said.status, said.err) == (0, "")
    status = json.loads(said.out)
    (row,), (health,) = status["upstreams"], demo.health()["upstreams"]
    assert {key: row[key] for key in health} == health
    assert (status["ok"], status["ready"], status["reasons"]) == (True, True, [])
    assert (status["pid"], row["pid"]) == (demo.supervisor.pid, demo.upstream_child("demo").pid)
    assert status["listen"] == [f"127.0.0.1:{demo.port}", demo.local_socket]
    assert {worker["name"] for worker in status["workers"]} == {"http", "session", "upstream@demo"}


def test_an_upstream_in_trouble_is_shown_with_its_reason(bridges: Bridges, folder: Path) -> None:
    bad = MisbehavingUpstream(folder, "bad", "--exit-at-start", "3")
    bridge = bridges.start({"demo": demo_upstream(), "bad": bad.entry}, ready="live")
    bridge.wait_upstream("demo")
    bridge.wait_error("bad")

    def waiting() -> Said | None:
        said = beside(bridge, "status")
        return said if re.search(r"^bad +(backoff|failed) ", said.out, re.MULTILINE) else None

    said = eventually(waiting, "the status shows that bad is down")
    assert (said.status, said.err) == (1, "")
    assert "1/2 upstreams ready" in said.out.splitlines()[1] and "bad: " in said.out.splitlines()[1]
    row = next(row for row in tables(said.out)[0] if row["UPSTREAM"] == "bad")
    assert (row["TOOLS"], row["PID"]) == ("0", "-") and row["TROUBLE"], row
    said = beside(bridge, "status", "--json")
    assert said.status == 1
    assert [row["connected"] for row in json.loads(said.out)["upstreams"] if row["name"] == "bad"] == [False]


def test_a_name_that_two_upstreams_offer_is_shown_with_its_owner(bridges: Bridges, folder: Path) -> None:
    twins = {name: {**MisbehavingUpstream(folder, name).entry, "prefix": "twin"} for name in ("left", "right")}
    bridge = bridges.start(twins)
    for name in twins:
        bridge.wait_upstream(name)
    said = eventually(
        lambda: said if "twin.echo" in (said := beside(bridge, "status")).out else None, "the status tells of a collision"
    )
    assert "The name twin.echo belongs to left; right's tool of that name is left out." in said.out.splitlines()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_status_of_what_does_not_run_has_a_status_of_its_own(folder: Path, options: list[str]) -> None:
    said = command_line.run("status", *options, environment={"XDG_RUNTIME_DIR": str(folder)}, folder=folder)
    assert (said.status, said.out) == (3, "")
    assert f"no service answers on {folder}/mcp-bridge/control.sock" in said.err and "mcp-bridge serve" in said.err


def test_a_bridge_that_was_stopped_is_not_running(bridge: Bridge) -> None:
    assert bridge.stop() == 0
    assert beside(bridge, "status").status == 3


def test_a_control_socket_elsewhere_can_be_named(demo: Bridge, folder: Path) -> None:
    control = Path(demo.local_socket).with_name("control.sock")
    environment = {"XDG_RUNTIME_DIR": str(folder)}
    for command in (["status"], ["reload"]):
        said = command_line.run(*command, "--control", control, environment=environment, folder=folder)
        assert (said.status, said.err) == (0, "") and said.out, said


# reload


def test_a_reload_tells_what_it_changed(bridge: Bridge, folder: Path) -> None:
    one, two = (MisbehavingUpstream(folder, name).entry for name in ("one", "two"))
    demo = demo_upstream()
    assert rewrite(bridge, {"demo": demo}) == Said(0, "reloaded; no upstream changed\n", "")
    assert rewrite(bridge, {"demo": demo, "one": one, "two": two}) == Said(0, "added: one, two\n", "")
    said = rewrite(bridge, {"demo": demo, "one": {**one, "env": {"NEW": "1"}}})
    assert said == Said(0, "removed: two\nchanged: one\n", "")
    assert bridge.get("/servers").json() == {"servers": ["demo", "one"]}


def test_a_reload_is_over_when_the_front_has_taken_it(bridge: Bridge) -> None:
    front = bridge.worker("http")
    assert bridge.config is not None
    with stopped(front):
        bridge.config["gallery"] = True
        bridge.write_config()
        os.kill(bridge.supervisor.pid, signal.SIGHUP)
        # It is said when the others are told.
        bridge.wait_logged("gallery")
        bridge.config_path.write_text("{", encoding="utf-8")
        os.kill(bridge.supervisor.pid, signal.SIGHUP)
        bridge.wait_logged("Configuration refused")
        early = [line for line in bridge.log if "Configuration reloaded" in line]
    assert not early
    bridge.wait_logged("Configuration reloaded")
    assert bridge.worker("http") == front


def test_a_reload_tells_what_waits_for_a_restart(bridge: Bridge) -> None:
    said = rewrite(bridge, {"demo": demo_upstream()}, mcpPath="/elsewhere")
    assert said.status == 0 and "needs a restart: " in said.out and "mcpPath" in said.out, said
    assert bridge.client().echoes("demo"), "it was applied all the same"
    assert "mcpPath" in str(json.loads(beside(bridge, "status", "--json").out)["needsRestart"])


def test_a_refused_reload_gives_its_reasons_and_changes_nothing(bridge: Bridge) -> None:
    before = bridge.tree()
    bridge.config_path.write_text('{\n  "mcpServers": {\n    "demo": { "comand": "x" }\n  }\n}\n', encoding="utf-8")
    said = beside(bridge, "reload")
    assert (said.status, said.out) == (1, "")
    assert re.search(rf"{bridge.config_path}:3:\d+: .*mcpServers\.demo: .*'comand' .*'command'", said.err), said
    assert bridge.tree() == before
    assert bridge.client().echoes("demo")


def test_a_reload_of_what_does_not_run_fails(folder: Path) -> None:
    said = command_line.run("reload", environment={"XDG_RUNTIME_DIR": str(folder)}, folder=folder)
    assert (said.status, said.out) == (1, "")
    assert "no service answers on" in said.err and "mcp-bridge serve" in said.err
