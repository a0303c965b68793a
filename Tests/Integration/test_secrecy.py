"""The bridge's own processes are closed to others of their user; what they start is as it would be anyway."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import bridge_memory
import pytest
from authorization_server import AuthorizationServer
from harness import Bridge, Bridges
from processes import Process, ProcessWatch, look_up
from replies import text_of
from signing_in import guarded, sign_in
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually

#: Any user but root, who may look everywhere.
USER = 65534 if os.geteuid() == 0 else os.geteuid()
AS_USER = (
    ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all") if os.geteuid() == 0 else ()
)


def give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, USER, USER)


def make(bridges: Bridges, folder: Path, *options: str, limits: tuple[str, ...] = ()) -> Bridge:
    """A bridge of the user's, not started yet, with a server whose files the user may write."""
    # pytest's own folders are closed to others.
    home = Path(bridges.make({}).folder)
    upstream = MisbehavingUpstream(home, "bad", *options)
    entry = {**upstream.entry}
    bridge = bridges.make({"bad": entry, "demo": demo_upstream()}, prefix=(*limits, *AS_USER))
    for name in ("home", "run", "state", "tmp"):
        (bridge.folder / name).mkdir(mode=0o700)
    give_away(home)
    give_away(bridge.folder)
    return bridge


def is_own(process: Process) -> bool:
    return process.label == "supervisor" or "worker" in process.command


def may_read(process: Process, file: str) -> bool:
    """Whether another process of the user may."""
    command = [*AS_USER, "head", "-c", "1", f"/proc/{process.pid}/{file}"]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0


@pytest.fixture
def bridge(bridges: Bridges, folder: Path) -> Bridge:
    bridge = make(bridges, folder).start()
    bridge.wait_upstream("bad")
    bridge.wait_upstream("demo")
    return bridge


def test_nobody_else_of_the_user_looks_into_the_bridge(bridge: Bridge) -> None:
    tree = bridge.tree()
    assert len([process for process in tree if is_own(process)]) == 5
    for process in tree:
        for file in ("environ", "smaps_rollup", "maps", "auxv"):
            assert may_read(process, file) is not is_own(process), (process, file)
        owner = os.stat(f"/proc/{process.pid}/environ").st_uid
        assert owner == (0 if is_own(process) else USER), process


def test_every_process_tells_its_own_memory(bridge: Bridge) -> None:
    found = bridge_memory.by_process(bridge)
    assert list(found) == ["supervisor", "http", "session", "upstream@bad", "upstream@demo"]
    assert all(1 << 20 < used < 64 << 20 for used in found.values()), found
    told = bridge.get("/metrics").body.decode()
    for name in found:
        assert f'mcp_bridge_process_pss_bytes{{process="{name}"}} ' in told
        assert f'mcp_bridge_process_anonymous_bytes{{process="{name}"}} ' in told
        assert f'mcp_bridge_log_dropped_records_total{{process="{name}"}} 0\n' in told


def test_a_crash_leaves_no_core(bridges: Bridges, folder: Path) -> None:
    bridge = make(bridges, folder, limits=("prlimit", "--core=unlimited:unlimited")).start()
    bridge.wait_upstream("bad")
    os.kill(bridge.worker("session").pid, signal.SIGABRT)
    line = bridge.wait_logged("Worker ended")
    assert f"killed by signal {signal.SIGABRT.value}" in line and "core dumped" not in line


def test_children_have_the_limits_that_the_bridge_was_started_with(bridges: Bridges, folder: Path) -> None:
    limits = ("prlimit", "--nofile=1024:4096", "--core=0:1048576")
    bridge = make(bridges, folder, limits=limits).start()
    bridge.wait_upstream("demo")

    def limits_of(process: Process) -> dict[str, tuple[str, str]]:
        lines = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii").splitlines()[1:]
        return {line[:26].strip(): (line[26:47].strip(), line[47:68].strip()) for line in lines}

    found = limits_of(bridge.upstream_child("demo"))
    assert found["Max open files"] == ("1024", "4096")
    assert found["Max core file size"] == ("0", "1048576")
    assert limits_of(bridge.worker("http"))["Max open files"] == ("4096", "4096")


def test_what_a_killed_worker_leaves_is_ended_by_a_supervisor_that_may_not_look_into_it(
    bridges: Bridges, folder: Path
) -> None:
    pid_file = Path(bridges.make({}).folder) / "grandchild"
    give_away(pid_file.parent)
    bridge = make(bridges, folder, "--grandchild", str(pid_file)).start()
    bridge.wait_upstream("bad")
    eventually(pid_file.exists, "a grandchild")
    grandchild = look_up(int(pid_file.read_text(encoding="ascii")))
    assert grandchild is not None
    worker, child = bridge.worker("upstream bad"), bridge.upstream_child("bad")
    with ProcessWatch([worker, child, grandchild]) as watch:
        os.kill(worker.pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE), watch.alive
    eventually(lambda: bridge.client().echoes("bad"), "bad is served again")
    bridge.kill()


def test_an_orderly_stop_leaves_nothing(bridge: Bridge) -> None:
    with ProcessWatch(bridge.tree()) as watch:
        assert bridge.stop() == 0
        assert watch.wait_until_all_ended(PATIENCE), watch.alive


# The user's own sockets


def environment_of(bridge: Bridge) -> str:
    return text_of(bridge.client().call("bad.environment").result)


def test_a_server_learns_where_the_users_sockets_are_only_when_its_entry_says_so(bridges: Bridges, folder: Path) -> None:
    entry = MisbehavingUpstream(folder, "bad").entry
    bridge = bridges.start({"bad": entry}, environment={"XDG_CACHE_HOME": "/var/cache/x"})
    bridge.wait_upstream("bad")
    assert "XDG_CACHE_HOME" in environment_of(bridge)
    assert "XDG_RUNTIME_DIR" not in environment_of(bridge)
    named = {**entry, "env": {**entry.get("env", {}), "XDG_RUNTIME_DIR": "${XDG_RUNTIME_DIR}"}}
    bridge = bridges.start({"bad": named})
    bridge.wait_upstream("bad")
    assert f"{bridge.folder}/run" in environment_of(bridge)


def memory_of(process: Process) -> bytes:
    """All that it can write to, one piece after the other."""
    found = []
    maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8").splitlines()
    with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights, *_, name = (*line.split(maxsplit=5), "")[:7]
            if not rights.startswith("rw") or name in ("[vvar]", "[vsyscall]"):
                continue
            begin, end = (int(number, 16) for number in place.split("-"))
            with contextlib.suppress(OSError):  # guard pages
                memory.seek(begin)
                found.append(memory.read(end - begin))
    return b"\n".join(found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a worker's memory")
def test_what_was_a_token_once_is_nowhere_in_memory(bridges: Bridges) -> None:
    # The next ones are for good, so that nothing is on its way when we look.
    server = AuthorizationServer(life=[8, 3600])
    try:
        bridge = guarded(bridges, {"guarded": server}).start("live")
        sign_in(bridge, "guarded")
        bridge.wait_upstream("guarded")
        assert text_of(bridge.client().call("guarded.echo", {"text": "hello"}).result) == "hello"
        server.wait("token:refresh_token", 1)
        grant = server.grants[-1]
        newest = eventually(lambda: grant.access[-1] if len(grant.access) == 2 else None, "there are new tokens")

        def is_used() -> bool:
            bridge.client().call("guarded.echo", {"text": "hello"})
            return any(newest in json.dumps(seen.headers) for seen in server.requests("mcp"))

        eventually(is_used, "the new token is sent")
        memory = memory_of(bridge.worker("upstream guarded"))
        assert newest.encode() in memory, "where it has to be, it is found"
        assert not [old for old in (*grant.access[:-1], *grant.refresh[:-1]) if old.encode() in memory]
    finally:
        server.stop()
