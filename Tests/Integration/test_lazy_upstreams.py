"""`start: lazy` and `idleStop`: a child runs only while somebody wants something of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from command_line import beside
from harness import Bridge, Bridges
from places import BINARY
from processes import ProcessWatch, children
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually


@pytest.fixture
def upstream(folder: Path) -> MisbehavingUpstream:
    return MisbehavingUpstream(folder, "lazy")


def start(bridges: Bridges, upstream: MisbehavingUpstream, **more: object) -> Bridge:
    """A bridge with this one and the demo, which is there at once."""
    bridge = bridges.start({"demo": demo_upstream(), "lazy": {**upstream.entry, **more}}, ready="live")
    bridge.wait_upstream("demo")
    return bridge


def phase(bridge: Bridge) -> str:
    status = json.loads(beside(bridge, "status", "--json").out)
    return next(str(row["phase"]) for row in status["upstreams"] if row["name"] == "lazy")


def has_child(bridge: Bridge) -> bool:
    return bool(children(bridge.worker("upstream lazy").pid))


def pid(bridge: Bridge) -> int:
    return int(text_of(bridge.client().call("lazy.pid").result))


def test_a_lazy_upstream_has_no_child_until_it_is_called(bridges: Bridges, upstream: MisbehavingUpstream) -> None:
    bridge = start(bridges, upstream, start="lazy")
    eventually(lambda: phase(bridge) == "idle", "the worker of the lazy upstream waits")
    assert bridge.client().echoes("demo")
    assert not has_child(bridge) and not upstream.received("initialize")
    assert beside(bridge, "status").status == 0, "a lazy upstream that waits is no trouble"
    assert pid(bridge) == bridge.upstream_child("lazy").pid
    eventually(lambda: phase(bridge) == "ready", "it has been listed")
    assert len(upstream.received("initialize")) == 1


def test_the_first_list_starts_a_lazy_upstream_that_was_never_listed(
    bridges: Bridges, upstream: MisbehavingUpstream
) -> None:
    bridge = start(bridges, upstream, start="lazy")
    assert {"demo.echo", "lazy.echo"} <= set(bridge.client().tool_names())
    assert has_child(bridge)


def test_a_lazy_upstream_whose_list_is_known_is_listed_without_a_child(
    bridges: Bridges, upstream: MisbehavingUpstream
) -> None:
    bridge = start(bridges, upstream, start="lazy")
    names = bridge.client().tool_names()
    assert "lazy.echo" in names and len(upstream.received("initialize")) == 1
    assert bridge.stop() == 0
    bridge.start("live").wait_upstream("demo")
    client = bridge.client()
    assert client.tool_names() == names
    eventually(lambda: phase(bridge) == "idle", "the worker of the lazy upstream waits")
    assert len(upstream.received("initialize")) == 1
    assert client.echoes("lazy")
    assert len(upstream.received("initialize")) == 2


@pytest.mark.parametrize("how", ["lazy", "eager"])
def test_an_idle_child_is_ended_and_the_next_call_starts_another(
    bridges: Bridges, upstream: MisbehavingUpstream, how: str
) -> None:
    bridge = start(bridges, upstream, start=how, idleStop="300ms")
    client = bridge.client()
    names = client.tool_names()
    assert "lazy.echo" in names
    seen = set()
    for _ in range(3):
        eventually(lambda: phase(bridge) == "idle" and not has_child(bridge), "the idle child has ended")
        assert client.tool_names() == names, "the tools went with the child"
        assert phase(bridge) == "idle", "a list woke it"
        assert beside(bridge, "status").status == 0, "an upstream that was let go is no trouble"
        seen.add(text_of(client.call("lazy.pid").result))
    assert len(seen) == 3, "a child was not ended, or the same one answered"
    assert bridge.worker("upstream lazy"), "the worker stays"


def test_a_child_is_not_idle_while_a_call_is_under_way(
    bridges: Bridges, upstream: MisbehavingUpstream, folder: Path
) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    bridge = start(bridges, upstream, start="lazy", idleStop="200ms")
    client = bridge.client()
    with client.open_call("lazy.hold", {"gate": str(gate)}, progress_token=1) as stream:
        stream.wait_for("notifications/progress")
        child = bridge.upstream_child("lazy")
        with ProcessWatch([child]) as watch:
            assert watch.wait_until_one_ended(1.0) is None, "it was ended in the middle of a call"
            gate.write_text("done", encoding="utf-8")
            assert "result" in stream.next_message()
            assert watch.wait_until_all_ended(PATIENCE), "it was not ended after the call"


def test_callers_that_wake_it_at_once_start_one_child(bridges: Bridges, upstream: MisbehavingUpstream) -> None:
    bridge = start(bridges, upstream, start="lazy")
    client = bridge.client()
    calls = [client.open_request("tools/call", {"name": "lazy.pid", "arguments": {}}) for _ in range(20)]
    answers = set()
    for connection in calls:
        with connection:
            answers.add(json.loads(connection.read_response().body)["result"]["content"][0]["text"])
    assert len(answers) == 1 and len(upstream.received("initialize")) == 1


@pytest.mark.parametrize("how", ["lazy", "eager"])
def test_a_child_stays_while_somebody_has_subscribed_and_is_started_for_who_comes_back(
    bridges: Bridges, how: str
) -> None:
    everything = {"command": str(BINARY), "args": ["demo-server", "--everything"], "start": how, "idleStop": "200ms"}
    bridge = bridges.start({"demo": demo_upstream(), "lazy": everything}, ready="live")
    client = bridge.client()
    uri = {"uri": "demo://notes/1"}
    client.request("resources/list")
    assert client.request("resources/subscribe", uri).result == {}
    with ProcessWatch([bridge.upstream_child("lazy")]) as watch:
        assert watch.wait_until_one_ended(1.0) is None, "it was ended though somebody waits for its news"
    # Nobody calls it after a restart: that the session is there is enough.
    assert bridge.stop() == 0
    client.close()
    bridge.start("live")
    with client.open_stream() as events:
        assert events.wait_for("notifications/resources/updated")["params"] == uri
        with ProcessWatch([bridge.upstream_child("lazy")]) as watch:
            assert watch.wait_until_one_ended(1.0) is None, "it was ended though somebody listens"
            beside_it = bridge.client()
            beside_it.call("lazy.touch", uri)
            assert events.wait_for("notifications/resources/updated")["params"] == uri
            assert client.request("resources/unsubscribe", uri).result == {}
            assert watch.wait_until_all_ended(PATIENCE), "it was not ended after the last had left"
