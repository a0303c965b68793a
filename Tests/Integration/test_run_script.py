"""`scripts/run`, a newcomer's first command: it says what there is and what to try, and that works.

Its build has nothing to do where the binary is up to date, as in `scripts/test`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge
from places import ROOT
from ports import free_port
from processes import ProcessWatch, descendants, look_up
from upstreams import demo_upstream

#: The last line of what it says when it is ready.
LAST = "claude mcp add"
#: For a command that it says to try (seconds).
LIMIT = 180.0


@pytest.fixture
def place() -> Iterator[Path]:
    """A short one: sockets lie in it."""
    place = Path(tempfile.mkdtemp(prefix="mcpb-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


def environment(place: Path, port: int) -> dict[str, str]:
    """The caller's own, so that its build stays up to date; what the bridge keeps is elsewhere."""
    return {
        **os.environ,
        "XDG_RUNTIME_DIR": str(place),
        "MCP_BRIDGE_CONFIG_DIR": str(place / "state"),
        "MCP_BRIDGE_PORT": str(port),
        "NO_COLOR": "1",
    }


def run(place: Path, variables: dict[str, str], configuration: dict[str, Any]) -> subprocess.Popen[str]:
    config = place / "config.json"
    config.write_text(json.dumps(configuration), encoding="utf-8")
    return subprocess.Popen(
        [ROOT / "scripts/run", "--config", config],
        env=variables,
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(process: subprocess.Popen[str]) -> str:
    """All that it says until it has said what to try."""
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line.rstrip("\n"))
        if said[-1].strip().startswith(LAST):
            break
    text = "\n".join(said)
    assert LAST in said[-1], f"it ended before it was ready: {text}"
    return text


def test_it_says_what_to_try_and_that_works(place: Path) -> None:
    port = free_port()
    variables = environment(place, port)
    process = run(place, variables, {"mcpServers": {"demo": demo_upstream()}})
    try:
        text = read(process)
        assert "mcp-bridge is ready." in text.splitlines(), text
        assert f"http://127.0.0.1:{port}/mcp" in text.partition("listens on")[2].splitlines()[0], text
        serves = text.partition("serves")[2].splitlines()[0].split()
        assert {"demo.add", "demo.echo"} <= set(serves), text

        tried = try_all(text.partition("try next")[2].splitlines()[1:], variables, place)
        assert tried.keys() >= {"status", "tools", "call"}, text
        assert tried["call"] == "hello\n"
        assert set(serves) == {line.split()[0] for line in tried["tools"].splitlines()[1:]}

        below = [each for each in [look_up(process.pid), *descendants(process.pid)] if each is not None]
        with ProcessWatch(below) as watch:
            process.terminate()
            assert process.wait(LIMIT) == 0
            assert watch.wait_until_all_ended(LIMIT), f"still alive: {watch.alive}"
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_cannot_be_reached_is_named_and_keeps_nobody_waiting(place: Path) -> None:
    configuration = {
        "mcpServers": {"demo": demo_upstream(), "gone": {"command": "/no/such/program"}},
        "bridge": {"listWait": 0},
    }
    process = run(place, environment(place, free_port()), configuration)
    try:
        text = read(process)
        assert "mcp-bridge runs; not ready: gone (status says why)." in text.splitlines(), text
        assert "demo.echo" in text.partition("serves")[2].splitlines()[0].split(), text
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT)


def try_all(lines: list[str], variables: dict[str, str], place: Path) -> dict[str, str]:
    """What each command printed whose program is there, by the word that says what it is about."""
    printed: dict[str, str] = {}
    for line in lines:
        words = shlex.split(line)
        if not words or words[0] == "claude" or shutil.which(words[0]) is None:
            continue
        done = subprocess.run(
            ["bash", "-c", line], env=variables, cwd=place, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, (line, done)
        printed["health" if words[0] == "curl" else words[1]] = done.stdout
    return printed


def test_it_does_not_start_beside_something_that_already_answers(demo: Bridge, place: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts/run"],
        env=environment(place, demo.port),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 1
    assert re.search(rf"already answers on 127\.0\.0\.1:{demo.port}; .*MCP_BRIDGE_PORT", done.stderr), done
