"""What processes there are, how long they live, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from harness import Bridge, Bridges
from processes import Process, ProcessWatch, look_up
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, best_of, eventually

#: After the supervisor's death nothing of its tree is alive for longer (seconds).
TREE_DEATH = 1.0
#: Long enough for the threads of a pool to be ended for idleness (seconds).
IDLE = 15.0


def with_grandchild(bridges: Bridges, folder: Path) -> tuple[Bridge, Process]:
    """A bridge whose upstream left behind a double-forked grandchild in a session of its own, deaf to SIGTERM."""
    pid_file = folder / f"grandchild-{time.monotonic_ns()}"
    upstream = MisbehavingUpstream(folder, "bad", "--grandchild", str(pid_file))
    bridge = bridges.start({"bad": upstream.entry, "demo": demo_upstream()})
    bridge.wait_upstream("bad")
    bridge.wait_upstream("demo")
    eventually(pid_file.exists, "a grandchild")
    grandchild = look_up(int(pid_file.read_text(encoding="ascii")))
    assert grandchild is not None
    return bridge, grandchild


def test_there_is_one_process_for_each_part(demo: Bridge) -> None:
    labels = sorted(process.label for process in demo.tree())
    assert [label for label in labels if "demo-server" not in label] == [
        "http",
        "session",
        "supervisor",
        "upstream demo",
    ]
    assert demo.upstream_child("demo").command[1:] == ("demo-server",)


def test_nothing_secret_is_in_arguments_or_environments(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad")
    entry = {**upstream.entry, "env": {"API_KEY": "kept-from-the-others"}}
    bridge = bridges.start({"bad": entry}, environment={"BRIDGE_SECRET": "kept-from-children"})
    bridge.wait_upstream("bad")
    child = bridge.upstream_child("bad")
    for process in bridge.tree():
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert "kept-from-the-others" not in " ".join(process.command)
        assert (b"kept-from-the-others" in environment) is (process == child), process
    assert b"kept-from-children" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    environment_of_child = bridge.client().call("bad.environment").result["content"][0]["text"]
    assert "LISTEN_" not in environment_of_child and "NOTIFY_SOCKET" not in environment_of_child
    assert "MCP_BRIDGE" not in environment_of_child


def test_a_child_inherits_no_descriptor_but_its_pipes(demo: Bridge) -> None:
    child = demo.upstream_child("demo")
    listening = {os.readlink(f"/proc/{child.pid}/fd/{number}") for number in (0, 1, 2)}
    assert all(target.startswith(("pipe:", "socket:")) for target in listening)
    sockets = [
        number
        for number in os.listdir(f"/proc/{child.pid}/fd")
        if int(number) > 2 and os.readlink(f"/proc/{child.pid}/fd/{number}").startswith(("pipe:", "socket:"))
    ]
    ours = {
        os.readlink(f"/proc/{worker.pid}/fd/{number}")
        for worker in demo.tree()
        if worker != child
        for number in os.listdir(f"/proc/{worker.pid}/fd")
        if _is_link(worker, number)
    }
    shared = {os.readlink(f"/proc/{child.pid}/fd/{number}") for number in sockets} & ours
    assert not shared, f"the child holds the daemon's own {shared}"


def _is_link(process: Process, number: str) -> bool:
    return os.path.islink(f"/proc/{process.pid}/fd/{number}")


def test_everything_idle_stays_alive(bridges: Bridges, folder: Path) -> None:
    """Nobody calls for a while, and every process is still there under its first pid."""
    upstream = MisbehavingUpstream(folder, "bad")
    bridge = bridges.start({"demo": demo_upstream(), "bad": upstream.entry})
    bridge.wait_upstream("demo")
    bridge.wait_upstream("bad")
    before = bridge.tree()
    assert len(before) >= 7
    with ProcessWatch(before) as watch:
        assert watch.wait_until_one_ended(IDLE) is None
        assert bridge.tree() == before
    client = bridge.client()
    assert client.call("bad.echo", {"text": "x"}).result and client.call("demo.echo", {"text": "x"}).result
    assert bridge.tree() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_nothing_outlives_the_supervisor(bridges: Bridges, folder: Path, number: signal.Signals) -> None:
    def measure() -> float:
        bridge, grandchild = with_grandchild(bridges, folder)
        tree = bridge.tree()
        assert grandchild in tree and len(tree) >= 8
        with ProcessWatch(tree) as watch:
            moment = time.monotonic()
            os.kill(bridge.supervisor.pid, number)
            assert watch.wait_until_all_ended(PATIENCE), f"still alive: {watch.alive}"
            return time.monotonic() - moment

    best_of(2, TREE_DEATH, measure)


def test_a_dead_worker_leaves_nothing_of_its_tree_behind(bridges: Bridges, folder: Path) -> None:
    bridge, grandchild = with_grandchild(bridges, folder)
    child, worker = bridge.upstream_child("bad"), bridge.worker("upstream bad")
    with ProcessWatch([child, grandchild]) as watch:
        os.kill(worker.pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE), f"still alive: {watch.alive}"
    bridge.wait_upstream("demo")
    assert bridge.client().call("bad.echo", {"text": "again"}).result


def test_stopping_ends_everything(bridges: Bridges, folder: Path) -> None:
    bridge, grandchild = with_grandchild(bridges, folder)
    tree = bridge.tree()
    assert grandchild in tree
    with ProcessWatch(tree) as watch:
        assert bridge.stop() == 0
        assert watch.wait_until_all_ended(PATIENCE), f"still alive: {watch.alive}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_polite_signals_stop_it(bridges: Bridges, number: signal.Signals) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    assert bridge.process is not None
    os.kill(bridge.process.pid, number)
    assert bridge.process.wait(PATIENCE) == 0


def test_a_signal_to_the_whole_group_is_as_good_as_one_to_the_supervisor(bridges: Bridges, folder: Path) -> None:
    """Ctrl-C in a terminal reaches the foreground group; workers and children are in groups of their own."""
    bridge, _ = with_grandchild(bridges, folder)
    groups = {process.label: os.getpgid(process.pid) for process in bridge.tree()}
    supervisors = groups.pop("supervisor")
    assert supervisors not in groups.values()


def test_the_zombies_are_collected(bridges: Bridges, folder: Path) -> None:
    bridge, _ = with_grandchild(bridges, folder)
    client = bridge.client()
    for _ in range(3):
        client.call("bad.die")
        assert client.call("demo.echo", {"text": "x"}).result

    def zombies() -> list[str]:
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                fields = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) in {process.pid for process in bridge.tree()}:
                found.append(entry)
        return found

    eventually(lambda: not zombies(), "no zombie is left below the daemon")
