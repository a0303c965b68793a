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
from command_line import beside
from harness import Bridges
from places import SUPPORT
from replies import text_of
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


def test_without_a_folder_of_its_own_a_server_runs_in_the_home_wherever_the_service_was_started(bridges: Bridges) -> None:
    # `env --chdir` starts the service there.
    for place in ("/", "/usr"):
        bridge = bridges.make({"demo": demo_upstream(), "empty": {**demo_upstream(), "cwd": ""}})
        bridge.prefix = ("env", f"--chdir={place}")
        bridge.start()
        for name in ("demo", "empty"):
            bridge.wait_upstream(name)
            assert os.readlink(f"/proc/{bridge.upstream_child(name).pid}/cwd") == str(bridge.folder / "home")


def test_what_would_keep_a_program_from_being_started_is_a_warning(folder: Path) -> None:
    file = folder / "config.json"
    servers = {
        "fine": {"command": "true"},
        "absent": {"command": "no-such-program"},
        "whole": {"command": "npx -y some-package"},
        "windows": {"command": "cmd", "args": ["/c", "npx"]},
        "path": {"command": "/no/such/program"},
        "file": {"command": str(file)},
        "folder": {"command": "true", "cwd": "/no/such/folder"},
        "beside": {"command": "true", "cwd": "gone"},
        "off": {"command": "no-such-program", "disabled": True},
    }
    file.write_text(json.dumps({"mcpServers": servers}, indent=1), encoding="utf-8")
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    said = command_line.run("config", "check", file, environment=environment, folder=folder)
    assert (said.status, said.out) == (0, f"ok: 8 upstreams ({', '.join(list(servers)[:8])})\n")
    found = re.findall(rf"^{file}:\d+:\d+: warning: mcpServers\.(\S+): (.*)$", said.err, re.MULTILINE)
    words = {
        "absent.command": "no-such-program was not found in /usr/bin:/bin. Install it, or write its whole path",
        "whole.command": "npx -y some-package was not found in /usr/bin:/bin. Arguments go under 'args'",
        "windows.command": "cmd was not found in /usr/bin:/bin. That is Windows' shell",
        "path.command": "/no/such/program does not exist. The server cannot be started",
        "file.command": f"{file} is not executable for this user. The server cannot",
        "folder.cwd": "there is no folder '/no/such/folder'. The server cannot be started",
        "beside.cwd": f"there is no folder '{folder}/gone'. The server cannot be started",
    }
    assert [key for key, _ in found] == list(words)
    for key, text in found:
        assert text.startswith(words[key]), (key, text)


def test_a_folder_that_is_not_there_is_named_by_the_service(bridges: Bridges, folder: Path) -> None:
    gone = folder / "gone"
    entry = MisbehavingUpstream(folder, "echo").entry
    bridge = bridges.start({"demo": demo_upstream(), "echo": {**entry, "cwd": str(gone)}}, ready="live")
    told = bridge.wait_error("echo")["lastError"]
    assert f"working directory {gone}: No such file or directory" in told, told
    assert str(gone) in bridge.wait_logged(f"working directory {gone}")
    gone.mkdir()
    bridge.wait_upstream("echo")
    assert bridge.client().echoes("echo")


# Files of other programs


EDITORS_FILES = {
    "Zed": '{"theme": "One Dark", /* mine */ "context_servers": {"echo": {"source": "custom", "enabled": true, %s}},}',
    "Zed, older": '{"vim_mode": true, "context_servers": {"echo": {"command": {"path": %s, "args": %s, "timeout": 60}, "settings": {}}}}',
    "VS Code": '{"editor.fontSize": 12, "mcp": {"inputs": [], "servers": {"echo": {"type": "stdio", %s}}}}',
    "VS Code, one file": '{"inputs": [], "servers": {"echo": {"type": "stdio", "gallery": true, %s}}}',
    "VS Code, workspace": '{"folders": [{"path": "."}], "settings": {"mcp": {"servers": {"echo": {%s}}}}}',
    "Cline": '{"mcpServers": {"echo": {"disabled": false, "timeout": 60, "transportType": "stdio", %s}}}',
    "Gemini CLI": '{"security": {"auth": {}}, "ui": {"theme": "x"}, "mcpServers": {"echo": {"timeout": 30000, %s}}}',
    "Cursor, Claude Desktop": '\ufeff{\r\n  "mcpServers": {\r\n    "echo": {%s}\r\n  }\r\n}\r\n',
    "Copilot CLI": '{"mcpServers": {"echo": {"type": "local", "tools": ["*"], %s}}}',
    "Claude Code": '{"numStartups": 9, "userID": "x", "projects": {"FOLDER": {"mcpServers": {"echo": {%s}}}}}',
}


#: What has no meaning outside of the program that wrote it is named once.
SAID_OF = {
    "VS Code, one file": ["inputs: ignored: an editor asks a person", ".gallery: ignored"],
    "Gemini CLI": ["is taken for milliseconds: a call may take 30.0 s."],
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
    assert (said.status, said.out) == (0, "ok: 1 upstreams (echo)\n")
    lines, words = said.err.splitlines(), SAID_OF.get(editor, [])
    assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines, strict=True)), said
    bridge.start().wait_upstream("echo")
    assert bridge.client().echoes("echo")
    if editor == "Claude Code":
        assert os.readlink(f"/proc/{bridge.upstream_child('echo').pid}/cwd") == str(folder)


def test_a_file_as_editors_leave_it_is_read_without_loss(bridges: Bridges, folder: Path) -> None:
    entry = MisbehavingUpstream(folder, "echo").entry
    (folder / "words.env").write_bytes(
        b"\xef\xbb\xbf# mine\r\nexport WORD='two words'\r\nOTHER=\"a=b # c\"\r\n\r\nPLAIN=x y  # not this\r\n"
    )
    lines = [
        "{",
        '  // "mcpServers": {},',
        '  "mcpServers": { /* one, */',
        '    "echo": {',
        f'      "command": {json.dumps(entry["command"])}, "args": {json.dumps(entry["args"])},',
        '      "env": {"NUMBER": 8080, "BIG": 12345678901234567890, "YES": true, "PATH_OF_WINDOWS": "C:\\\\temp\\\\x", "URL": "http://x//y",},',
        '      "envFile": "words.env", "autoApprove": [], "note": "// no comment",',
        "    },",
        "  },",
        '  "globalShortcut": "Ctrl+Space",',
        "}",
    ]
    file = folder / "config.json"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    bridge = bridges.make(None, arguments=("--config", str(file))).start()
    bridge.wait_upstream("echo")
    environment = json.loads(text_of(bridge.client().call("echo.environment").result))
    expected = {
        "NUMBER": "8080",
        "BIG": "12345678901234567890",
        "YES": "true",
        "PATH_OF_WINDOWS": "C:\\temp\\x",
        "URL": "http://x//y",
        "WORD": "two words",
        "OTHER": "a=b # c",
        "PLAIN": "x y",
    }
    assert {name: environment.get(name) for name in expected} == expected
    said = beside(bridge, "config", "check", file)
    assert said.status == 0 and said.err.count("ignored: ") == 3 == len(said.err.splitlines()), said


@pytest.mark.parametrize(
    ("origin", "is_served"),
    [
        ("chrome-extension://abcdef", False),
        ("app://obsidian.md", False),
        ("vscode-webview://panel", False),
        ("https://example.com", False),
        ("http://localhost:3000", True),
        ("app://localhost", True),
    ],
)
def test_check_and_door_agree_about_a_listed_origin(origin: str, is_served: bool, bridges: Bridges) -> None:
    bridge = bridges.make({"demo": demo_upstream()})
    assert bridge.config is not None
    bridge.config["bridge"] = {"origins": [origin]}
    bridge.start()
    said = beside(bridge, "config", "check", bridge.config_path)
    assert said.status == 0 and origin not in said.err, said
    answer = bridge.get("/tools", {"Origin": origin})
    if is_served:
        assert answer.status == 200
    else:
        assert answer.status == 401 and "needs a token" in answer.body.decode(), answer.body


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("config.toml", '[mcp_servers.time]\ncommand = "uvx"\n', "this is not JSON; it looks like TOML."),
        ("config.yaml", "mcpServers:\n  - name: time\n", "this is not JSON; it looks like YAML."),
        ("plain.json", '{"time": {"command": "uvx"}}', "has to stand under 'mcpServers'."),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_what_it_is(name: str, written: str, words: str, folder: Path) -> None:
    file = folder / name
    file.write_text(written, encoding="utf-8")
    said = command_line.run("config", "check", file, environment={"HOME": str(folder)}, folder=folder)
    assert words in said.err and said.err.startswith(f"{file}:1:1: "), said
    assert said.status == (0 if name == "plain.json" else 1)
