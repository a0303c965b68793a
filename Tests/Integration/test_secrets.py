"""Secrets are where they are used, and nowhere else: not in a log, an answer, an argument list or an open file."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import secret_scan
from harness import Bridge, Bridges
from places import BINARY
from replies import text_of
from tokens import bearer, create
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE

SECRET = "s3cr3t-5f1d0c9a"


def told(bridge: Bridge) -> dict[str, str]:
    """Everything that somebody could ask the bridge, or read of it."""
    found = {"log": "\n".join(bridge.log)}
    for path in ("/", "/health", "/health/ready", "/servers", "/tools", "/metrics"):
        found[path] = bridge.get(path, local=True).body.decode()
    for command in (["status"], ["status", "--json"], ["config", "print", "--config", str(bridge.config_path)]):
        shown = subprocess.run(
            [BINARY, *command],
            env=bridge.whole_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        found[" ".join(command)] = shown.stdout + shown.stderr
    return found


def of_process(pid: int, file: str) -> str:
    return Path(f"/proc/{pid}/{file}").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def test_what_was_expanded_is_told_nowhere(bridges: Bridges, misbehaving: MisbehavingUpstream) -> None:
    entry = {**misbehaving.entry, "env": {**misbehaving.entry.get("env", {}), "API_KEY": "${THE_SECRET}"}}
    missing = {
        "no-command": {"command": "/opt/${THE_SECRET}/server"},
        "no-name": {"command": "server-${THE_SECRET}"},
        "no-folder": {"command": "true", "cwd": "/srv/${THE_SECRET}"},
        "no-server": {"command": "false", "args": ["--key=${THE_SECRET}"]},
    }
    servers = {"demo": demo_upstream(), "bad": entry, **missing}
    bridge = bridges.make(servers, bridge={"log": {"level": "debug"}})
    bridge.environment["THE_SECRET"] = SECRET
    bridge.start("live")
    bridge.wait_upstream("bad")
    client = bridge.client()
    assert SECRET in text_of(client.call("bad.environment").result), "the server itself gets it"
    for name in missing:
        assert SECRET not in str(client.call(f"{name}.tool").message)
        bridge.wait_error(name)
    for place, text in told(bridge).items():
        assert SECRET not in text, f"the secret is in {place}"
    for process in bridge.tree():
        if process.pid == bridge.supervisor.pid or "worker" in process.command:
            assert SECRET not in of_process(process.pid, "cmdline")
        if "worker" in process.command:
            assert SECRET not in of_process(process.pid, "environ"), "workers are told over their link"


def test_what_is_kept_is_nobody_elses_to_read(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    assert bridge.client().exchange("DELETE").status == 204
    create(bridge, "mcp")
    more = {**demo_upstream(), "env": {"KEY": SECRET}}
    added = bridge.manage("POST", "/servers", {"mcpServers": {"more": more}})
    assert added.status == 200, added
    assert bridge.stop() == 0
    files = [path for path in bridge.state.rglob("*") if path.is_file()]
    assert {"sealing.key", "token.key", "bridge.sqlite", "sessions.journal", "servers.json"} <= {path.name for path in files}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_sealing_key_that_others_could_read_is_closed_and_reported(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    assert bridge.stop() == 0
    key = bridge.state / "sealing.key"
    os.chmod(key, 0o644)
    bridge.start()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "WARN" in bridge.wait_logged("sealing key")
    assert key.read_text().strip() not in "\n".join(bridge.log)


def test_what_each_bridge_of_this_run_is_searched_for_at_its_end_is_found(bridges: Bridges) -> None:
    """Every bridge that a test has started is searched when it ends: its log, its processes' arguments, and all files."""
    bridge = bridges.start({"demo": demo_upstream()}, bridge={"log": {"level": "trace"}})
    secret = create(bridge, "mcp")
    assert bridge.get("/tools", bearer(secret)).status == 200
    assert secret_scan.leaks(bridge.folder, bridge.log, [each.command for each in bridge.tree()]) == []
    key = bridge.state / "token.key"
    for text in (secret, secret.removeprefix("mcpb_"), "mcpb_" + "B" * 43):
        assert secret_scan.leaks(bridge.folder, [f"a line with {text} in it"]) == ["its log has a secret"]
        assert len(secret_scan.leaks(bridge.folder, [], [("mcp-bridge", "call", text)])) == 1
        (bridge.folder / "tmp/file").write_text(f"…{text}…", encoding="utf-8")
        assert secret_scan.leaks(bridge.folder, []) == ["tmp/file has a secret"]
        (bridge.folder / "tmp/file").unlink()
    key.chmod(0o640)
    assert secret_scan.leaks(bridge.folder, []) == ["state/token.key can be read by others"]
    key.chmod(0o600)


def test_a_file_beside_the_bridges_with_a_secret_that_others_may_read_is_found(folder: Path) -> None:
    """The folder that this run's tests write to is searched when the run ends."""
    file = folder / "deep/token"
    file.parent.mkdir()
    file.write_text("mcpb_" + "B" * 43, encoding="utf-8")
    file.chmod(0o640)
    assert secret_scan.open_files(folder) == ["deep/token"]
    file.chmod(0o600)
    assert secret_scan.open_files(folder) == []
