"""Servers that come into trouble, and out of it, while the service runs: by a reload, and by HTTP."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from command_line import Said, beside
from harness import Bridge, Bridges
from replies import text_of
from troubles import TROUBLES
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import eventually


def rewrite(bridge: Bridge, servers: dict[str, Any]) -> Said:
    bridge.config = {"mcpServers": servers}
    bridge.write_config()
    return beside(bridge, "reload")


@pytest.fixture
def folder_of_words(folder: Path) -> Path:
    """Where an environment file may come and go."""
    (folder / "words.env").write_text("WORD=hello\n", encoding="utf-8")
    return folder


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


def test_a_call_under_way_is_answered_when_its_server_comes_into_trouble(
    bridges: Bridges, folder_of_words: Path
) -> None:
    gate = folder_of_words / "gate"
    os.mkfifo(gate)
    words = folder_of_words / "words.env"
    entry = {**MisbehavingUpstream(folder_of_words, "words").entry, "envFile": str(words)}
    bridge = bridges.start({"good": demo_upstream(), "words": entry})
    bridge.wait_upstream("words")
    client = bridge.client()
    with client.open_call("words.hold", {"gate": str(gate)}, progress_token="t") as call:
        assert call.next_message()["method"] == "notifications/progress"
        words.unlink()
        # `reload` would wait for its end.
        os.kill(bridge.supervisor.pid, signal.SIGHUP)
        eventually(lambda: bridge.upstream("words")["phase"] == "failed", "words has failed")
        gate.write_text("through", encoding="utf-8")
        answer = call.next_message()
        assert answer["result"]["content"][0]["text"] == "through", answer
    assert client.call("words.echo", {"text": "x"}).message["error"]["data"]["code"] == "upstream_unavailable"
    assert bridge.upstream("words")["phase"] == "failed"
    assert not [name for name in client.tool_names() if name.startswith("words.")]
    assert text_of(client.call("good.echo", {"text": "y"}).result) == "y"


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
    assert row["phase"] == "failed" and "cannot be read" in row["lastError"], row
    # Where that stands is for whoever may read it.
    assert "servers.json" not in row["lastError"] and "servers.json" in beside(bridge, "status").out
    assert bridge.client().echoes("good")
