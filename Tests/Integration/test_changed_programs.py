"""Another program under the same name: what the old one listed is gone."""

from __future__ import annotations

from pathlib import Path

from command_line import beside
from harness import Bridges
from upstreams import MisbehavingUpstream, demo_upstream


def test_the_tools_of_the_old_program_are_not_listed_any_more(bridges: Bridges, folder: Path) -> None:
    bridge = bridges.start({"s": MisbehavingUpstream(folder, "s").entry})
    bridge.wait_upstream("s")
    client = bridge.client()
    assert "s.hold" in client.tool_names()
    assert bridge.config is not None
    bridge.config["mcpServers"]["s"] = demo_upstream()
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    assert "s.hold" not in client.tool_names()
    bridge.wait_tool("s.echo", client)
    bridge.stop()
    # The same again across a restart, where the list is known from the file. A program that never lists its tools replaces
    # nothing by itself.
    bridge.config["mcpServers"]["s"] = {"command": "sleep", "args": ["600"]}
    bridge.config["bridge"] = {**bridge.config.get("bridge", {}), "listWait": 1}
    bridge.start("live")
    assert bridge.client().tool_names() == []
    bridge.stop()
    bridge.config["mcpServers"]["s"] = MisbehavingUpstream(folder, "other").entry
    bridge.start()
    bridge.wait_tool("s.hold", bridge.client())


def test_a_program_that_lists_the_same_is_listed(bridges: Bridges, folder: Path) -> None:
    bridge = bridges.start({"s": demo_upstream()})
    bridge.wait_upstream("s")
    client = bridge.client()
    names = client.tool_names()
    assert bridge.config is not None
    bridge.config["mcpServers"]["s"]["cwd"] = str(folder)
    bridge.write_config()
    assert beside(bridge, "reload").status == 0
    assert client.tool_names() == names != []
