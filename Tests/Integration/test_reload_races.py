"""Changes of the configuration that come while something else is going on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from callers import Callers
from command_line import Said, beside
from harness import Bridge, Bridges
from http_raw import Response
from outcomes import NOTHING, SERVER_IS_REMOVED, STOP, assert_nothing_twice
from processes import ProcessWatch
from stopped import stopped
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually


def write(bridge: Bridge, servers: dict[str, Any]) -> None:
    """As an editor does it: the file is whole at every moment."""
    bridge.config = {"mcpServers": servers}
    new = bridge.config_path.with_suffix(".new")
    new.write_text(json.dumps(bridge.config), encoding="utf-8")
    new.replace(bridge.config_path)


def hang_up(bridge: Bridge) -> None:
    os.kill(bridge.supervisor.pid, signal.SIGHUP)


def reload(bridge: Bridge) -> None:
    said = beside(bridge, "reload")
    assert said.status == 0, said


@pytest.mark.parametrize("tell", [reload, hang_up], ids=["reload", "SIGHUP"])
def test_an_upstream_that_goes_and_comes_back_answers_each_call_once(
    bridges: Bridges, counting: list[CountingUpstream], tell: Any
) -> None:
    stays, returns = counting[:2]
    both = {each.name: each.entry for each in (stays, returns)}
    bridge = bridges.start(both)
    for name in both:
        bridge.wait_upstream(name)
    child = bridge.upstream_child(stays.name)
    with Callers(bridge, [stays, returns]) as callers:
        for _ in range(6):
            callers.wait_for_results(1, since=time.monotonic())
            for servers in ({stays.name: stays.entry}, both):
                write(bridge, servers)
                tell(bridge)
        callers.wait_for_results(2, since=time.monotonic())
    assert not callers.surprises, callers.surprises[:5]
    assert not NOTHING.forbidden(each for each in callers.outcomes if each.upstream == stays.name)
    assert not SERVER_IS_REMOVED.forbidden(callers.outcomes)
    assert_nothing_twice(callers.outcomes, [stays, returns])
    assert bridge.upstream_child(stays.name) == child, "the one that stayed was started anew"


def test_what_reaches_a_worker_that_is_about_to_end_is_told_that_it_did_not_run(
    bridges: Bridges, counting: list[CountingUpstream]
) -> None:
    """Its server is taken out and put back while it is stopped: it hears of the end after it has been dialled again."""
    stays, returns = counting[:2]
    both = {each.name: each.entry for each in (stays, returns)}
    bridge = bridges.start(both)
    for name in both:
        bridge.wait_upstream(name)
    with Callers(bridge, [stays, returns], count=48, milliseconds=1) as callers:
        for _ in range(20):
            callers.wait_for_results(1, since=time.monotonic())
            leaving = bridge.worker(f"upstream {returns.name}")
            with stopped(leaving):
                for servers in ({stays.name: stays.entry}, both):
                    write(bridge, servers)
                    hang_up(bridge)
                    names = {"servers": sorted(servers)}
                    eventually(lambda names=names: bridge.get("/servers").json() == names, "the signal is obeyed")
        callers.wait_for_results(2, since=time.monotonic())
    assert not callers.surprises, callers.surprises[:5]
    assert not SERVER_IS_REMOVED.forbidden(callers.outcomes)
    assert_nothing_twice(callers.outcomes, [stays, returns])


def test_a_call_under_way_is_answered_by_the_server_that_is_taken_out_and_put_back(
    bridges: Bridges, folder: Path
) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    upstream = MisbehavingUpstream(folder, "bad")
    servers = {"demo": demo_upstream(), "bad": upstream.entry}
    bridge = bridges.start(servers)
    bridge.wait_upstream("bad")
    bridge.wait_upstream("demo")
    client = bridge.client()
    first = bridge.upstream_child("bad")
    with client.open_call("bad.hold", {"gate": str(gate)}, progress_token=1) as stream:
        stream.wait_for("notifications/progress")
        write(bridge, {"demo": demo_upstream()})
        hang_up(bridge)
        eventually(lambda: bridge.get("/servers").json() == {"servers": ["demo"]}, "bad is taken out")
        write(bridge, servers)
        hang_up(bridge)
        gate.write_text("done", encoding="utf-8")
        message = stream.next_message()
        assert "result" in message, message
    eventually(lambda: bridge.get("/servers").json() == {"servers": ["bad", "demo"]}, "bad is back")
    bridge.wait_upstream("bad")
    eventually(lambda: client.beside().call("bad.pid").message.get("result"), "bad answers again")
    assert bridge.upstream_child("bad") != first
    held = [each for each in upstream.received("tools/call") if each["params"]["name"] == "hold"]
    assert len(held) == 1


def test_a_signal_during_the_addition_of_a_server_is_obeyed_after_it(bridges: Bridges, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    slow = MisbehavingUpstream(folder, "slow", "--start-gate", str(gate))
    two = MisbehavingUpstream(folder, "two")
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    answers: list[Response] = []
    body = {"mcpServers": {"slow": slow.entry}}
    adding = threading.Thread(target=lambda: answers.append(bridge.manage("POST", "/servers", body)))
    adding.start()
    bridge.upstream_child("slow")
    write(bridge, {"demo": demo_upstream(), "two": two.entry})
    hang_up(bridge)
    said = beside(bridge, "reload")
    assert (said.status, said.out) == (1, "") and "Another change is in progress; try again." in said.err
    assert not answers
    gate.write_text("go", encoding="utf-8")
    adding.join(PATIENCE)
    assert [(each.status, each.json()) for each in answers] == [(200, {"added": ["slow"]})]
    eventually(lambda: bridge.get("/servers").json() == {"servers": ["demo", "slow", "two"]}, "the signal is obeyed")
    client = bridge.client()
    for name in ("demo", "slow", "two"):
        bridge.wait_upstream(name)
        assert client.echoes(name)


def test_a_signal_during_an_addition_that_fails_is_obeyed_after_it(bridges: Bridges, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    two = MisbehavingUpstream(folder, "two")
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    answers: list[Response] = []
    body = {"mcpServers": {"doomed": {"command": "/bin/sh", "args": ["-c", f"read word < '{gate}'; exit 3"]}}}
    adding = threading.Thread(target=lambda: answers.append(bridge.manage("POST", "/servers", body)))
    adding.start()
    bridge.upstream_child("doomed")
    write(bridge, {"demo": demo_upstream(), "two": two.entry})
    hang_up(bridge)
    gate.write_text("go\n", encoding="utf-8")
    adding.join(3 * PATIENCE)
    assert [each.status for each in answers] == [502]
    eventually(lambda: bridge.get("/servers").json() == {"servers": ["demo", "two"]}, "the signal is obeyed")
    bridge.wait_upstream("two")
    assert bridge.client().echoes("two")


def test_a_stop_answers_a_reload_whose_server_is_still_ending(bridges: Bridges, folder: Path) -> None:
    gate = folder / "gate"
    os.mkfifo(gate)
    busy = MisbehavingUpstream(folder, "busy")
    bridge = bridges.start({"demo": demo_upstream(), "busy": busy.entry}, bridge={"drainTimeout": "1s"})
    bridge.wait_upstream("busy")
    answers: list[Said] = []
    with bridge.client().open_call("busy.hold", {"gate": str(gate)}, progress_token=1) as stream:
        stream.wait_for("notifications/progress")
        write(bridge, {"demo": demo_upstream()})
        reloading = threading.Thread(target=lambda: answers.append(beside(bridge, "reload")), daemon=True)
        reloading.start()
        # Its worker lets the call go on for six seconds; so long the reload is not over.
        eventually(lambda: bridge.get("/servers").json() == {"servers": ["demo"]}, "busy is taken out")
        assert not answers
        assert bridge.stop(3 * PATIENCE) == 0
    reloading.join(PATIENCE)
    [said] = answers
    assert (said.status, said.out) == (0, "removed: busy\n"), said


@pytest.mark.parametrize("change", ["nothing", "added", "removed", "broken"])
def test_a_stop_just_after_a_reload_is_a_clean_stop(
    bridges: Bridges, counting: list[CountingUpstream], change: str
) -> None:
    alpha, beta, gamma = counting
    before = {each.name: each.entry for each in (alpha, beta)}
    bridge = bridges.start(before)
    for name in before:
        bridge.wait_upstream(name)
    with Callers(bridge, [alpha, beta]) as callers:
        callers.wait_for_results(1)
        if change == "broken":
            bridge.config_path.write_text("{", encoding="utf-8")
        else:
            after = {"added": before | {gamma.name: gamma.entry}, "removed": {alpha.name: alpha.entry}}
            write(bridge, after.get(change, before))
        with ProcessWatch(bridge.tree()) as watch:
            hang_up(bridge)
            assert bridge.stop(3 * PATIENCE) == 0
            assert watch.wait_until_all_ended(PATIENCE), f"still alive: {watch.alive}"
        # Nobody listens any more: each caller has been told so, or that its connection ended.
        callers.wait_for(
            lambda outcomes: len({each.caller for each in outcomes if each.ending == "refused"}) == 16,
            "every caller is refused",
        )
    assert not callers.surprises, callers.surprises[:5]
    assert not (STOP | SERVER_IS_REMOVED).forbidden(callers.outcomes)
    assert_nothing_twice(callers.outcomes, [alpha, beta])
    if change != "broken":
        bridge.start()
        assert bridge.client().call(alpha.tool, {"tag": "again"}).result
