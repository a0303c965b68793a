"""Files that other programs write, and what is relative in them."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Said, beside
from harness import Bridges
from places import SUPPORT
from upstreams import MisbehavingUpstream, demo_upstream

# Relative words and folders


def test_a_relative_word_is_looked_for_in_the_entrys_folder_and_then_beside_the_file(bridges: Bridges, folder: Path) -> None:
    app = folder / "app"
    (app / "src").mkdir(parents=True)
    bridge = bridges.make({})
    server = SUPPORT / "misbehaving_server.py"
    shutil.copy(server, app / "near.py")
    shutil.copy(server, app / "src/near.py")
    # The wrong program, where the right one is not looked for first.
    for place in ("near.py", "src/near.py"):
        (bridge.folder / place).parent.mkdir(exist_ok=True)
        (bridge.folder / place).write_text("raise SystemExit('the wrong program')\n", encoding="utf-8")
    shutil.copy(server, bridge.folder / "beside.py")
    entries: dict[str, Any] = {}
    for name, word in (("dot", "./near.py"), ("bare", "near.py"), ("deep", "src/near.py"), ("beside", "./beside.py")):
        entry = MisbehavingUpstream(folder, name).entry
        entries[name] = {**entry, "args": [word, *entry["args"][1:]], "cwd": str(app)}
    bridge.config = {"mcpServers": entries}
    bridge.start()
    client = bridge.client()
    for name in entries:
        bridge.wait_upstream(name)
        assert client.echoes(name)
        assert os.readlink(f"/proc/{bridge.upstream_child(name).pid}/cwd") == str(app)
    printed = json.loads(beside(bridge, "config", "print", "--config", bridge.config_path).out)["mcpServers"]
    assert {name: entry["args"][0] for name, entry in printed.items()} == {
        "dot": f"{app}/near.py",
        "bare": "near.py",
        "deep": f"{app}/src/near.py",
        "beside": f"{bridge.folder}/beside.py",
    }


def test_without_a_folder_of_its_own_a_server_runs_in_the_home(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    assert os.readlink(f"/proc/{bridge.upstream_child('demo').pid}/cwd") == str(bridge.folder / "home")


# Files of other programs


EDITORS_FILES = {
    "Zed": '{"theme": "One Dark", /* mine */ "context_servers": {"echo": {"source": "custom", "enabled": true, %s}},}',
    "Zed, older": '{"vim_mode": true, "context_servers": {"echo": {"command": {"path": %s, "args": %s}, "settings": {}}}}',
    "VS Code": '{"editor.fontSize": 12, "mcp": {"inputs": [], "servers": {"echo": {"type": "stdio", %s}}}}',
    "Copilot CLI": '{"mcpServers": {"echo": {"type": "local", "tools": ["*"], %s}}}',
    "Claude Code": '{"numStartups": 9, "userID": "x", "projects": {"FOLDER": {"mcpServers": {"echo": {%s}}}}}',
}


@pytest.mark.parametrize("editor", EDITORS_FILES)
def test_the_servers_in_another_programs_file_are_served_without_a_word_about_the_rest(
    editor: str, bridges: Bridges, folder: Path
) -> None:
    entry = MisbehavingUpstream(folder, "echo").entry
    words = (json.dumps(entry["command"]), json.dumps(entry["args"]))
    text = EDITORS_FILES[editor].replace("FOLDER", str(folder))
    file = folder / "settings.json"
    file.write_text(text % (words if text.count("%s") == 2 else '"command": %s, "args": %s' % words), encoding="utf-8")
    bridge = bridges.make(None, arguments=("--config", str(file)))
    said = beside(bridge, "config", "check", file)
    assert said == Said(0, "ok: 1 upstreams (echo)\n", "")
    bridge.start().wait_upstream("echo")
    assert bridge.client().echoes("echo")
    if editor == "Claude Code":
        assert os.readlink(f"/proc/{bridge.upstream_child('echo').pid}/cwd") == str(folder)


def test_a_listed_origin_that_can_do_nothing_yet_is_said_by_config_check(folder: Path) -> None:
    file = folder / "config.json"
    origins = ["http://localhost:*", "chrome-extension://abcdef"]
    file.write_text(json.dumps({"mcpServers": {}, "bridge": {"origins": origins}}), encoding="utf-8")
    said = command_line.run("config", "check", file, environment={"HOME": str(folder)}, folder=folder)
    assert said.status == 0
    assert re.fullmatch(rf"{file}:1:\d+: warning: bridge\.origins\[1\]: 'chrome-extension://abcdef' .+ token.+\n", said.err)
