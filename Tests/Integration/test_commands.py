"""The executable's commands, as somebody types them at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from places import BINARY
from upstreams import demo_upstream

Finished = subprocess.CompletedProcess[str]


def run(bridge: Bridge, *arguments: str) -> Finished:
    return subprocess.run(
        [BINARY, *arguments],
        env=bridge.full_environment(),
        cwd=bridge.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def stopped(bridges: Bridges) -> Bridge:
    """A bridge's folders, and nothing that runs."""
    bridge = bridges.make({"demo": demo_upstream()})
    for name in ("home", "run", "state", "tmp"):
        (bridge.folder / name).mkdir(mode=0o700)
    bridge.write_config()
    return bridge


# What the service has, and what it does


def test_tools_are_listed_with_what_they_do(demo: Bridge) -> None:
    shown = run(demo, "tools")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["TOOL", "DESCRIPTION"]
    assert {"demo.echo", "demo.add", "demo.fail"} <= {line.split()[0] for line in lines[1:]}
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines[1:])


def test_tools_as_json_are_what_a_client_gets(demo: Bridge) -> None:
    tools = json.loads(run(demo, "tools", "--json").stdout)
    assert "demo.echo" in [tool["name"] for tool in tools]
    assert all(tool["inputSchema"]["type"] == "object" for tool in tools)


@pytest.mark.parametrize(
    ("arguments", "status", "out", "err"),
    [
        (["demo.add", '{"a": 1, "b": 2}'], 0, '{"sum":3}', ""),
        (["demo.echo", '{"text": "two\\nlines"}'], 0, "two\nlines", ""),
        (["demo.fail", '{"message": "on purpose"}'], 1, "", "on purpose"),
        (["demo.nothing"], 1, "", "Unknown tool 'demo.nothing'"),
        (["demo.add", "[1, 2]"], 2, "", "must be a JSON object"),
        (["demo.add", "{"], 2, "", "must be a JSON object"),
    ],
)
def test_a_call_prints_its_result_or_says_why_there_is_none(
    demo: Bridge, arguments: list[str], status: int, out: str, err: str
) -> None:
    called = run(demo, "call", *arguments)
    assert called.returncode == status, called
    assert called.stdout.strip() == out
    assert err in called.stderr and bool(called.stderr) == bool(err)


def test_a_call_prints_the_whole_result_as_json(demo: Bridge) -> None:
    result = json.loads(run(demo, "call", "demo.echo", '{"text": "x"}', "--json").stdout)
    assert result["content"][0] == {"type": "text", "text": "x"}


def test_status_is_a_table_of_upstreams_and_workers(demo: Bridge) -> None:
    shown = run(demo, "status")
    assert shown.returncode == 0, shown
    rows = [line.split() for line in shown.stdout.splitlines() if line]
    assert rows[0][0] == "mcp-bridge"
    assert f"http://127.0.0.1:{demo.port}/mcp" in shown.stdout
    assert ["demo", "ready"] in [row[:2] for row in rows]
    for worker in ("http", "session", "upstream@demo"):
        assert [worker, "ready"] in [row[:2] for row in rows]


def test_status_as_json_says_the_same(demo: Bridge) -> None:
    status = json.loads(run(demo, "status", "--json").stdout)
    assert status["ready"] is True
    assert [(each["name"], each["phase"]) for each in status["upstreams"]] == [("demo", "ready")]


def test_status_of_a_service_in_trouble_says_which_and_exits_with_1(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream(), "gone": {"command": "/nowhere/at/all"}}, ready="live")
    bridge.wait_upstream("demo")
    shown = run(bridge, "status")
    assert shown.returncode == 1
    row = next(line for line in shown.stdout.splitlines() if line.startswith("gone"))
    assert "/nowhere/at/all does not exist" in row


@pytest.mark.parametrize("command", [["status"], ["tools"], ["call", "demo.echo"], ["reload"]])
def test_without_a_service_each_says_so(stopped: Bridge, command: list[str]) -> None:
    asked = run(stopped, *command)
    assert asked.returncode == (3 if command == ["status"] else 1), asked
    assert asked.stdout == ""
    assert asked.stderr.startswith("mcp-bridge: ")
    assert "serve" in asked.stderr, "what to do about it"


def test_reload_says_what_became_of_it(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    assert run(bridge, "reload").stdout == "reloaded; no upstream changed\n"
    assert bridge.config is not None
    bridge.config["mcpServers"]["more"] = demo_upstream()
    bridge.write_config()
    assert run(bridge, "reload").stdout == "added: more\n"
    bridge.config_path.write_text('{"mcpServers": {"demo": {"command": 7}}}', encoding="utf-8")
    refused = run(bridge, "reload")
    assert refused.returncode == 1
    assert f"{bridge.config_path}:1:" in refused.stderr
    assert set(json.loads(bridge.get("/servers").body)["servers"]) == {"demo", "more"}, "nothing changed"


# The configuration


def check(bridge: Bridge, configuration: Any) -> Finished:
    text = configuration if isinstance(configuration, str) else json.dumps(configuration, indent=2)
    bridge.config_path.write_text(text, encoding="utf-8")
    return run(bridge, "config", "check", str(bridge.config_path))


@pytest.mark.parametrize(
    "file",
    [
        {"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time"], "env": {"TZ": "UTC"}}}},
        {"mcpServers": {"time": {"type": "stdio", "command": "uvx", "args": [], "envFile": "${userHome}/.env"}}},
        {"servers": {"time": {"type": "stdio", "command": "uvx"}}, "inputs": []},
    ],
    ids=["Claude Desktop", "Cursor", "VS Code"],
)
def test_the_files_of_clients_are_good_as_they_are(stopped: Bridge, file: dict[str, Any]) -> None:
    (stopped.folder / "home/.env").write_text("A=b\n", encoding="utf-8")
    checked = check(stopped, file)
    assert checked.returncode == 0, checked
    assert checked.stdout == "ok: 1 upstreams (time)\n"


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        ('{\n  "mcpServers": {\n    "a": {"comand": "x"}\n  }\n}', 3, ["comand", "command"]),
        ('{\n  "mcpServers": {\n    "a": {"command": ""}\n  }\n}', 3, ["command"]),
        ('{\n  "bridge": {\n    "listn": ["127.0.0.1:1"]\n  }\n}', 3, ["listn", "listen"]),
        ('{\n  "bridge": {"limits": {"bodyBytes": "lots"}}\n}', 2, ["limits.bodyBytes", "must be a size"]),
        ('{\n  "mcpServers": {,}\n}', 2, []),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(stopped: Bridge, file: str, line: int, words: list[str]) -> None:
    checked = check(stopped, file)
    assert checked.returncode == 1
    assert f"{stopped.config_path}:{line}:" in checked.stderr
    for word in words:
        assert word in checked.stderr


def test_a_credential_is_not_missed_outside_of_the_service(stopped: Bridge) -> None:
    checked = check(stopped, {"mcpServers": {"a": {"command": "x", "env": {"KEY": "${credential:github-token}"}}}})
    assert checked.returncode == 0, checked
    assert "github-token" in checked.stderr and "not checked" in checked.stderr


def test_a_configuration_is_checked_from_a_pipe(stopped: Bridge) -> None:
    reader, writer = os.pipe()
    os.write(writer, b'{"mcpServers": {"a": {"command": "x"}}}')
    os.close(writer)
    checked = subprocess.run(
        [BINARY, "config", "check", f"/dev/fd/{reader}"],
        env=stopped.full_environment(), pass_fds=[reader], capture_output=True, text=True, timeout=30, check=False,
    )
    os.close(reader)
    assert checked.stdout == "ok: 1 upstreams (a)\n", checked


def test_print_shows_defaults_and_hides_secrets(stopped: Bridge) -> None:
    stopped.environment["SECRET"] = "s3cr3t-value"
    servers = {"a": {"command": "x", "args": ["--key", "${SECRET}"], "env": {"KEY": "s3cr3t-too"}}}
    stopped.config_path.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    printed = run(stopped, "config", "print", "--config", str(stopped.config_path))
    assert printed.returncode == 0, printed
    shown = json.loads(printed.stdout)
    assert shown["mcpServers"]["a"]["command"] == "x"
    assert shown["bridge"]["limits"]["bodyBytes"] == 4 << 20
    assert "s3cr3t" not in printed.stdout + printed.stderr


# Learning it


def test_version_is_a_word(stopped: Bridge) -> None:
    shown = run(stopped, "version")
    assert shown.returncode == 0
    assert shown.stdout.split()[0] == "mcp-bridge"


def test_help_names_every_command_and_each_command_helps(stopped: Bridge) -> None:
    general = run(stopped, "--help").stdout
    for command in ("serve", "status", "tools", "call", "reload", "config", "demo-server", "version"):
        assert command in general
        own = run(stopped, command, "--help")
        assert own.returncode == 0
        assert own.stdout.startswith("OVERVIEW: ")
        assert f"USAGE: mcp-bridge {command}" in own.stdout


def test_an_unknown_command_is_a_mistake_that_is_explained(stopped: Bridge) -> None:
    unknown = run(stopped, "stauts")
    assert unknown.returncode == 64
    assert "stauts" in unknown.stderr


def test_a_file_of_a_client_is_served_as_it_is(bridges: Bridges, tmp_path: Path) -> None:
    """VS Code's, with its comments."""
    file = tmp_path / "mcp.json"
    server = json.dumps(demo_upstream())
    file.write_text('{\n  // mine\n  "inputs": [],\n  "servers": {"demo": ' + server + ",},\n}\n", encoding="utf-8")
    bridge = bridges.make()
    bridge.config = None
    bridge.arguments = ("--config", str(file))
    bridge.start()
    assert run(bridge, "call", "demo.add", '{"a": 20, "b": 22}').stdout == '{"sum":42}\n'
