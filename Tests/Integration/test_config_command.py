"""`config check` and `config print`, on good files, bad ones, and those that other programs write."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import command_line
import pytest
from command_line import Said
from harness import Bridges
from replies import text_of
from upstreams import MisbehavingUpstream
from waiting import PATIENCE


@dataclass(frozen=True)
class Desk:
    """A user's home, and the configuration file on it."""

    home: Path

    @property
    def file(self) -> Path:
        return self.home / ".config/mcp-bridge/config.json"

    def write(self, text: str | dict[str, Any]) -> Path:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return self.file

    def run(self, *arguments: str | Path, **variables: str) -> Said:
        environment = {
            "HOME": str(self.home),
            "MCP_BRIDGE_CONFIG_DIR": str(self.home / "state"),
            "PATH": "/usr/bin:/bin",
            **variables,
        }
        return command_line.run("config", *arguments, environment=environment, folder=self.home)


@pytest.fixture
def desk(folder: Path) -> Desk:
    return Desk(folder)


GOOD = {"mcpServers": {"demo": {"command": "true"}, "other": {"command": "false", "disabled": False}}}

BAD = """{
  "mcpServers": {
    "time": { "comand": "uvx" },
    "deep": { "command": "x", "limits": { "memory": "much" } }
  },
  "bridge": { "nmes": "dot" },
}
"""


# check


def test_a_good_file_is_told_with_its_servers(desk: Desk) -> None:
    file = desk.write(GOOD)
    for arguments in (["--config", file], [file]):
        assert desk.run("check", *arguments) == Said(0, "ok: 2 upstreams (demo, other)\n", "")


def test_without_a_name_the_file_is_the_one_that_the_service_reads(desk: Desk) -> None:
    assert desk.run("check", MCP_BRIDGE_CONFIG=str(desk.write(GOOD))).out == "ok: 2 upstreams (demo, other)\n"


def test_a_file_that_was_not_named_is_named(desk: Desk) -> None:
    said = desk.run("check")
    wanted = "/etc/mcp-bridge/config.json" if os.geteuid() == 0 else str(desk.file)
    assert said.err == f"note: there is no {wanted}; the demo server alone is served\n", said
    desk.write(GOOD)
    said = desk.run("check")
    if os.geteuid() == 0:
        assert f"note: the service does not read {desk.file}; name it to have it checked" in said.err.splitlines(), said
    else:
        assert said == Said(0, "ok: 2 upstreams (demo, other)\n", f"note: this is {desk.file}\n")
    said = desk.run("check", MCP_BRIDGE_CONFIG=str(desk.file))
    assert said == Said(0, "ok: 2 upstreams (demo, other)\n", f"note: this is {desk.file}\n")


def test_each_error_has_its_place_its_key_and_what_to_do(desk: Desk) -> None:
    said = desk.run("check", desk.write(BAD))
    assert (said.status, said.out) == (1, "")
    found = [re.fullmatch(r"(.+):(\d+):(\d+): error: ([\w.]+): (.+)", line) for line in said.err.splitlines()]
    assert all(found), said
    assert [(match[1], int(match[2]), match[4]) for match in found if match] == [
        (str(desk.file), 3, "mcpServers.time"),
        (str(desk.file), 4, "mcpServers.deep.limits.memory"),
        (str(desk.file), 6, "bridge.nmes"),
    ]
    lines = BAD.splitlines()
    for match, word in zip(found, ('"comand"', '"much"', '"nmes"'), strict=True):
        assert match and abs(lines[int(match[2]) - 1].index(word) - int(match[3]) + 1) <= 3, (match, word)
    assert "'comand' meant to be 'command'" in said.err and "nearest known key is 'names'" in said.err


def test_what_is_not_json_has_its_place(desk: Desk) -> None:
    said = desk.run("check", desk.write('{\n  "mcpServers": {\n    "a": { "command": true tru }\n  }\n}'))
    assert (said.status, said.out) == (1, "")
    assert re.match(rf"{desk.file}:3:\d+: error: ", said.err), said


def test_a_file_that_is_not_there_is_named(desk: Desk) -> None:
    for command in ("check", "print"):
        said = desk.run(command, "--config", "/no/such/file.json")
        assert (said.status, said.out) == (1, "") and "/no/such/file.json" in said.err, said


def test_what_belongs_to_other_programs_is_a_warning(desk: Desk) -> None:
    said = desk.run("check", desk.write({**GOOD, "globalShortcut": "Ctrl+Space"}))
    assert (said.status, said.out) == (0, "ok: 2 upstreams (demo, other)\n")
    assert re.fullmatch(rf"{desk.file}:1:\d+: warning: globalShortcut: .+\n", said.err), said


def test_the_file_that_a_check_refuses_is_refused_by_serve_with_the_same_words(desk: Desk) -> None:
    file = desk.write(BAD)
    environment = {"HOME": str(desk.home), "MCP_BRIDGE_CONFIG_DIR": str(desk.home / "state"), "PATH": "/usr/bin:/bin"}
    environment["XDG_RUNTIME_DIR"] = str(desk.home)
    served = command_line.run("serve", "--config", file, environment=environment, folder=desk.home)
    assert served.status == 78
    for line in desk.run("check", file).err.splitlines():
        assert line.partition(" error: ")[2] in served.err, (line, served)


# print


def test_every_secret_is_masked_in_print(desk: Desk) -> None:
    secrets = [f"s3cret-{number}" for number in range(8)]
    (desk.home / "vars").write_text(f"FROM_FILE={secrets[0]}\n", encoding="utf-8")
    file = desk.write(
        {
            "mcpServers": {
                "one": {
                    "command": "true",
                    "args": ["--api-key", secrets[1], f"--token={secrets[2]}", "plain", "${WORD}"],
                    "env": {"API_KEY": secrets[4], "OTHER": "${WORD}"},
                    "envFile": str(desk.home / "vars"),
                },
                "two": {
                    "url": f"https://someone:{secrets[5]}@example.com/mcp?key={secrets[6]}",
                    "headers": {"Authorization": f"Bearer {secrets[7]}"},
                },
            }
        }
    )
    said = desk.run("print", "--config", file, WORD=secrets[3])
    assert said.status == 0, said
    shown = [secret for secret in secrets if secret in said.out + said.err]
    assert not shown, said
    (one, two) = json.loads(said.out)["mcpServers"].values()
    assert one["args"][0] == "--api-key" and one["args"][3] == "plain"
    assert set(one["env"]) >= {"API_KEY", "OTHER"} and set(one["env"].values()) == {"***"}
    assert "example.com" in two["url"] and two["headers"] == {"Authorization": "***"}


def test_print_shows_what_is_set_and_every_default(desk: Desk) -> None:
    file = desk.write({**GOOD, "bridge": {"timeouts": {"call": "2m"}}})
    said = desk.run("print", "--config", file)
    assert (said.status, said.err) == (0, "")
    printed = json.loads(said.out)
    assert list(printed["mcpServers"]) == ["demo", "other"]
    assert printed["bridge"]["timeouts"] == {
        "connect": 30, "list": 30, "call": 120, "ping": 30, "question": 600, "turn": 30,
    }
    assert printed["bridge"]["listen"] == ["127.0.0.1:8769"] and printed["bridge"]["drainTimeout"] == 20


def test_what_was_printed_is_a_configuration_again(desk: Desk, folder: Path) -> None:
    printed = desk.run("print", "--config", desk.write({**GOOD, "bridge": {"names": "safe"}})).out
    again = folder / "again.json"
    again.write_text(printed, encoding="utf-8")
    assert desk.run("check", again) == Said(0, "ok: 2 upstreams (demo, other)\n", "")
    assert desk.run("print", "--config", again).out == printed


def test_a_bad_file_is_not_printed(desk: Desk) -> None:
    said = desk.run("print", "--config", desk.write(BAD))
    assert (said.status, said.out) == (1, "")
    assert said.err == desk.run("check", desk.file).err


# Files that MCP clients have

CLIENT_FILES = {
    "Claude Desktop": """{
  "mcpServers": {
    "echo": { "command": "PYTHON", "args": ["SERVER", "--journal", "JOURNAL"], "env": { "WORD": "literal" } }
  },
  "globalShortcut": "Ctrl+Space",
  "preferences": { "menuBarEnabled": false }
}
""",
    "Cursor": """{
  "mcpServers": {
    "echo": {
      "command": "PYTHON", "args": ["${userHome}${/}SERVER", "--journal", "JOURNAL"],
      "env": { "WORD": "${env:CURSOR_WORD}" }, "envFile": "${userHome}/words.env"
    }
  }
}
""",
    "VS Code": """{
  // The user's own.
  "inputs": [],
  "servers": {
    "echo": {
      "type": "stdio", "command": "PYTHON", "args": ["SERVER", "--journal", "JOURNAL",],
      "env": { "WORD": "literal" }, /* for its maker */ "dev": { "watch": "src/**" },
    },
  },
}
""",
}


@pytest.mark.parametrize("client", CLIENT_FILES)
def test_the_file_of_an_mcp_client_is_checked_and_served(client: str, bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "echo")
    bridge = bridges.make(None, arguments=("--config", str(folder / "client.json")))
    home = bridge.folder / "home"
    home.mkdir(mode=0o700)
    (home / "words.env").write_text("SECOND=of the file\n", encoding="utf-8")
    server = upstream.entry["args"][0]
    if client == "Cursor":
        (home / "server.py").symlink_to(server)
        server = "server.py"
    text = CLIENT_FILES[client].replace("SERVER", server).replace("JOURNAL", str(upstream.journal))
    (folder / "client.json").write_text(text.replace("PYTHON", upstream.entry["command"]), encoding="utf-8")
    bridge.environment["CURSOR_WORD"] = "literal"

    said = command_line.beside(bridge, "config", "check", folder / "client.json")
    assert (said.status, said.out) == (0, "ok: 1 upstreams (echo)\n"), said
    assert all(": warning: " in line and ": ignored: " in line for line in said.err.splitlines()), said

    bridge.start().wait_upstream("echo")
    session = bridge.client()
    assert session.echoes("echo")
    environment = json.loads(text_of(session.call("echo.environment").result))
    assert environment["WORD"] == "literal"
    assert environment.get("SECOND") == ("of the file" if client == "Cursor" else None)


# What a shell does not have


def test_a_credential_is_not_missed_outside_of_the_service(desk: Desk) -> None:
    file = desk.write({"mcpServers": {"a": {"command": "x", "env": {"KEY": "${credential:github-token}"}}}})
    said = desk.run("check", file)
    assert (said.status, said.out) == (0, "ok: 1 upstreams (a)\n"), said
    assert "github-token" in said.err and "not checked" in said.err


def test_a_configuration_is_checked_from_a_pipe(desk: Desk) -> None:
    pipe = desk.home / "pipe"
    os.mkfifo(pipe)
    written = b'{"mcpServers": {"a": {"command": "x"}}}'
    writer = threading.Thread(target=pipe.write_bytes, args=(written,), daemon=True)
    writer.start()
    said = desk.run("check", pipe)
    writer.join(PATIENCE)
    assert (said.status, said.out) == (0, "ok: 1 upstreams (a)\n"), said
