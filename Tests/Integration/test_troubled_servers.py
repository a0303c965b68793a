"""One server's trouble is its own: the others are served, and everybody who asks is told what is wrong and what to do."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import eventually


@dataclass(frozen=True)
class Trouble:
    """An entry that cannot run, and what is said of it."""

    entry: Any
    #: Where it is: the end of the key's path, from the server's name on.
    key: str
    wrong: str
    remedy: str


TROUBLES = {
    "variable": Trouble(
        {"command": "true", "env": {"TOKEN": "${NOTES_TOKEN}"}},
        ".env.TOKEN",
        "the environment variable NOTES_TOKEN is not set.",
        "Set it for the service",
    ),
    "header": Trouble(
        {"url": "https://api.example.com/mcp", "headers": {"Authorization": "Bearer ${NOTES_TOKEN}"}},
        ".headers.Authorization",
        "the environment variable NOTES_TOKEN is not set.",
        "Set it for the service",
    ),
    "credential": Trouble(
        {"command": "true", "env": {"KEY": "${credential:github}"}},
        ".env.KEY",
        "there is no credential 'github'.",
        "LoadCredential=github:",
    ),
    "file": Trouble(
        {"command": "true", "envFile": "no-such.env"},
        ".envFile",
        "the file cannot be read.",
        "It must exist and be readable",
    ),
    "input": Trouble(
        {"command": "true", "env": {"KEY": "${input:api-key}"}},
        ".env.KEY",
        "'${input:api-key}' asks a person",
        "Put the value into a credential",
    ),
    "editor": Trouble(
        {"command": "${workspaceFolder}/server"},
        ".command",
        "'${workspaceFolder}' is known only to an editor.",
        "Write the path itself",
    ),
    "extension": Trouble(
        {"source": "extension", "settings": {}}, "", "an extension of the editor starts this server", "Write its 'command'"
    ),
    "nul": Trouble({"command": "true", "env": {"KEY": "a\0b"}}, ".env.KEY", "contains a NUL character", ""),
    "break": Trouble(
        {"serverUrl": "https://api.example.com/mcp", "headers": {"X": "a\r\nY: b"}},
        ".headers.X",
        "a header's value has no line break.",
        "Write the value as one line.",
    ),
    "typo": Trouble({"command": "true", "agrs": []}, ".agrs", "unknown key 'agrs'.", "The nearest known key is 'args'."),
    "type": Trouble({"command": "true", "type": "pigeon"}, ".type", "must be one of 'stdio'", "The nearest is"),
    "nothing": Trouble({}, "", "must define either 'command' or 'url'.", ""),
    "null": Trouble(None, "", "must be an object, not null.", ""),
}


def troubled(bridges: Bridges) -> Bridge:
    bridge = bridges.make({"good": demo_upstream(), **{name: trouble.entry for name, trouble in TROUBLES.items()}})
    bridge.environment["CREDENTIALS_DIRECTORY"] = str(bridge.folder)
    return bridge


def rewrite(bridge: Bridge, servers: dict[str, Any]) -> Said:
    bridge.config = {"mcpServers": servers}
    bridge.write_config()
    return beside(bridge, "reload")


@pytest.fixture
def folder_of_words(folder: Path) -> Path:
    """Where an environment file may come and go."""
    (folder / "words.env").write_text("WORD=hello\n", encoding="utf-8")
    return folder


# At the start


def test_the_good_server_is_served_and_of_each_other_it_is_said_what_is_wrong_and_what_to_do(bridges: Bridges) -> None:
    bridge = troubled(bridges).start("live")
    bridge.wait_upstream("good")
    assert bridge.client().echoes("good")
    assert {name.partition(".")[0] for name in bridge.client().tool_names()} == {"good"}

    health = bridge.health()
    rows = {row["name"]: row for row in health["upstreams"]}
    assert set(rows) == {"good", *TROUBLES} and health["ready"] is True and health["ok"] is False
    said = beside(bridge, "status")
    assert (said.status, said.err) == (1, "")
    shown = {row["UPSTREAM"]: row for row in _upstreams(said)}
    assert f"1/{len(TROUBLES) + 1} upstreams ready" in said.out
    for name, trouble in TROUBLES.items():
        row = rows[name]
        assert (row["phase"], row["connected"], row["toolCount"]) == ("failed", False, 0), row
        for words in (trouble.wrong, trouble.remedy, f"mcpServers.{name}{trouble.key}", str(bridge.config_path)):
            assert words in row["lastError"], (words, row)
            assert words in said.out, (words, said)
            assert words in bridge.wait_logged(f"upstream={name} "), words
        assert shown[name]["STATE"] == "failed" and trouble.wrong[:60] in shown[name]["TROUBLE"], shown[name]

    # No worker is started for them.
    assert {worker["name"] for worker in json.loads(beside(bridge, "status", "--json").out)["workers"]} == {
        "http",
        "session",
        "upstream@good",
    }
    assert bridge.get("/servers").json() == {"servers": sorted(["good", *TROUBLES])}


def test_config_check_names_file_line_and_column_of_each(bridges: Bridges) -> None:
    bridge = troubled(bridges)
    bridge.write_config()
    said = beside(bridge, "config", "check", bridge.config_path)
    assert said.status == 1
    assert said.out == f"served: good\nnot served: {', '.join(TROUBLES)}\n"
    lines = bridge.config_path.read_text(encoding="utf-8").splitlines()
    for name, trouble in TROUBLES.items():
        path = re.escape(f"mcpServers.{name}{trouble.key}")
        found = re.search(rf"^{bridge.config_path}:(\d+):(\d+): error: {path}: (.*)$", said.err, re.MULTILINE)
        assert found and trouble.wrong in found[3] and trouble.remedy in found[3], (name, said)
        line = lines[int(found[1]) - 1]
        assert (trouble.key.rpartition(".")[2] or name) in line and int(found[2]) <= len(line), (name, line, found)


def test_config_print_shows_those_that_are_served(bridges: Bridges) -> None:
    bridge = troubled(bridges)
    bridge.write_config()
    said = beside(bridge, "config", "print", "--config", bridge.config_path)
    assert said.status == 1 and list(json.loads(said.out)["mcpServers"]) == ["good"]
    assert said.err.count(": error: ") == len(TROUBLES)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"", "the file is empty."),
        (b"\xef\xbb\xbf\n", "the file is empty."),
        ('{"mcpServers": {}}'.encode("utf-16"), "the file is UTF-16."),
        ('{"mcpServers": {}}'.encode("utf-16-be"), "the file is UTF-16."),
        ('{"mcpServers": {}}'.encode("utf-32"), "the file is UTF-32."),
        (b'{"mcpServers": []}', "must be an object, not an array."),
        (b'{"mcpServers": {"good": {"command": "true"}}', "this is not JSON"),
        (b'{"mcpServers": {"good": {"command": "true"}}, "bridge": {"nmes": "dot"}}', "unknown key 'nmes'."),
    ],
    ids=["empty", "mark", "UTF-16", "UTF-16 big", "UTF-32", "array", "cut off", "setting"],
)
def test_only_a_file_that_cannot_be_read_as_a_whole_stops_the_start(bridges: Bridges, written: bytes, words: str) -> None:
    bridge = bridges.make({})
    for name in ("home", "run"):
        (bridge.folder / name).mkdir()
    bridge.config_path.write_bytes(written)
    for command, status in ((["config", "check", bridge.config_path], 1), (["serve", "--config", bridge.config_path], 78)):
        said = beside(bridge, *command)
        assert (said.status, said.out) == (status, "") and words in said.err, said
        assert re.search(rf"{bridge.config_path}:\d+:\d+: error: ", said.err), said


# Later


def test_a_reload_mends_one_and_leaves_the_others_alone(bridges: Bridges, folder: Path) -> None:
    servers = {"good": demo_upstream(), "bad": TROUBLES["variable"].entry, "worse": TROUBLES["file"].entry}
    bridge = bridges.start(servers, ready="live")
    bridge.wait_upstream("good")
    child = bridge.upstream_child("good")
    mended = MisbehavingUpstream(folder, "bad").entry
    said = rewrite(bridge, {**servers, "bad": mended})
    assert said.status == 0 and "added: bad\n" in said.out, said
    assert "failed: worse: the file cannot be read." in said.out, said
    bridge.wait_upstream("bad")
    assert bridge.client().echoes("bad") and bridge.upstream_child("good") == child
    assert bridge.upstream("worse")["phase"] == "failed"
    # What was known is not logged again.
    bridge.wait_logged("upstream=worse")
    assert sum("upstream=worse" in line for line in bridge.log) == 1, bridge.log


def test_a_server_that_comes_into_trouble_ends_and_starts_again_when_it_is_mended(
    bridges: Bridges, folder_of_words: Path
) -> None:
    upstream = MisbehavingUpstream(folder_of_words, "words")
    words = folder_of_words / "words.env"
    servers = {"good": demo_upstream(), "words": {**upstream.entry, "envFile": str(words)}}
    bridge = bridges.start(servers)
    bridge.wait_upstream("good")
    bridge.wait_upstream("words")
    child, other = bridge.upstream_child("words"), bridge.upstream_child("good")
    words.rename(words.with_suffix(".away"))
    said = beside(bridge, "reload")
    assert said.status == 0 and "removed: words\n" in said.out and "failed: words: the file cannot be read." in said.out
    assert bridge.upstream("words")["phase"] == "failed"
    eventually(lambda: not os.path.exists(f"/proc/{child.pid}"), "the child of words has ended")
    assert bridge.client().echoes("good") and bridge.upstream_child("good") == other
    words.with_suffix(".away").rename(words)
    assert beside(bridge, "reload") == Said(0, "added: words\n", "")
    bridge.wait_upstream("words")
    assert bridge.client().echoes("words") and bridge.upstream_child("good") == other


def test_a_reload_with_a_mistake_in_the_text_of_an_entry_changes_nothing(bridges: Bridges) -> None:
    bridge = bridges.start({"good": demo_upstream()})
    bridge.wait_upstream("good")
    child = bridge.upstream_child("good")
    said = rewrite(bridge, {"good": {**demo_upstream(), "agrs": []}})
    assert (said.status, said.out) == (1, "") and "unknown key 'agrs'." in said.err, said
    assert bridge.upstream_child("good") == child and bridge.client().echoes("good")


@pytest.mark.parametrize("name", ["variable", "credential", "input", "file", "nul", "break", "nothing"])
def test_a_server_in_trouble_cannot_be_added(bridges: Bridges, name: str) -> None:
    bridge = bridges.start({"good": demo_upstream()})
    refused = bridge.manage("POST", "/servers", {"mcpServers": {"new": TROUBLES[name].entry}})
    assert refused.status == 422 and TROUBLES[name].wrong in json.dumps(refused.json(), ensure_ascii=False), refused
    assert bridge.get("/servers").json() == {"servers": ["good"]}


def test_a_server_in_trouble_can_be_replaced_and_removed(bridges: Bridges, folder: Path) -> None:
    servers = {"good": demo_upstream(), **{name: TROUBLES[name].entry for name in ("variable", "input")}}
    bridge = bridges.start(servers, ready="live")
    bridge.wait_upstream("good")
    added = bridge.manage("POST", "/servers", {"mcpServers": {"variable": MisbehavingUpstream(folder, "variable").entry}})
    assert (added.status, added.json()) == (200, {"added": ["variable"]})
    assert bridge.client().echoes("variable")
    removed = bridge.manage("DELETE", "/servers/input")
    assert (removed.status, removed.json()) == (200, {"removed": "input"})
    bridge.stop()
    bridge.start()
    assert bridge.get("/servers").json() == {"servers": ["good", "variable"]}
    bridge.wait_upstream("variable")
    assert beside(bridge, "status").status == 0


def test_a_server_that_was_added_fails_when_what_it_needs_is_gone(bridges: Bridges, folder_of_words: Path) -> None:
    words = folder_of_words / "words.env"
    entry = {**MisbehavingUpstream(folder_of_words, "added").entry, "envFile": str(words)}
    bridge = bridges.start({"good": demo_upstream()})
    assert bridge.manage("POST", "/servers", {"mcpServers": {"added": entry}}).status == 200
    bridge.stop()
    words.unlink()
    bridge.start("live")
    bridge.wait_upstream("good")
    row = bridge.upstream("added")
    assert row["phase"] == "failed" and "servers.json" in row["lastError"], row
    assert bridge.client().echoes("good")


def _upstreams(said: Said) -> list[dict[str, str]]:
    """The upstreams' table of `status`."""
    lines = said.out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("UPSTREAM"))
    end = next(index for index in range(start, len(lines)) if not lines[index])
    return table(lines[start:end])
