"""One server's trouble is its own: the others are served, and everybody who asks is told what is wrong and what to do."""

from __future__ import annotations

import json
import re
import socket
import threading

import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges
from troubles import TROUBLES, troubled
from upstreams import demo_upstream
from waiting import eventually


@pytest.fixture(scope="module")
def troubled_bridge(shared_bridges: Bridges) -> Bridge:
    bridge = troubled(shared_bridges).start("live")
    bridge.wait_upstream("good")
    return bridge


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
        places = (f"mcpServers.{name}{trouble.key}", str(bridge.config_path))
        for words in (trouble.wrong, trouble.remedy, *places):
            # Where files lie is for whoever may read them.
            assert (words in row["lastError"]) == (words not in places), (words, row)
            assert words in said.out, (words, said)
            assert words in bridge.wait_logged(f"upstream={name} "), words
        assert shown[name]["STATE"] == "failed" and trouble.wrong[:60] in shown[name]["TROUBLE"], shown[name]

    not_ready = bridge.get("/health/ready")
    assert not_ready.status == 503 and all(trouble.wrong in json.dumps(not_ready.json()) for trouble in TROUBLES.values())
    told = json.loads(beside(bridge, "status", "--json").out)
    for row in told["upstreams"]:
        wanted = TROUBLES.get(row["name"])
        assert (wanted is None) == ("troubles" not in row), row
        assert wanted is None or wanted.wrong in row["troubles"][0] and wanted.remedy in row["troubles"][0], row

    # Once, however often somebody asks.
    assert sum("cannot run with its configuration" in line for line in bridge.log) == len(TROUBLES), bridge.log

    # No worker is started for them.
    assert {worker["name"] for worker in told["workers"]} == {
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


def test_systemd_is_told_in_its_line_of_status(bridges: Bridges) -> None:
    bridge = troubled(bridges)
    address = str(bridge.folder / "notify")
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(address)
        notify.settimeout(0.2)
        bridge.environment["NOTIFY_SOCKET"] = address
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    said.extend(notify.recv(65_536).decode().splitlines())
                except TimeoutError:
                    continue

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            bridge.start("live")
            words = "variable: the environment variable NOTES_TOKEN is not set."
            eventually(
                lambda: "READY=1" in said and any(f"1/{len(TROUBLES) + 1} upstreams ready" in line and words in line for line in said),
                "the line of status",
            )
        finally:
            done.set()
            listener.join()
    assert "READY=1" in said


# What clients are told


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("spelling", ["{}.any", "{}__any"])
def test_a_call_of_its_tools_is_told_why_they_are_not_there(
    troubled_bridge: Bridge, name: str, spelling: str
) -> None:
    client = troubled_bridge.client()
    trouble = TROUBLES[name]
    error = client.call(spelling.format(name)).message["error"]
    assert (error["code"], error["data"]["code"]) == (-32003, "upstream_unavailable"), error
    assert f"Upstream '{name}' is not available (" in error["message"] and "did not run" in error["message"]
    assert trouble.wrong.removesuffix(".") in error["message"]
    # Where files lie is no client's business.
    assert str(troubled_bridge.folder) not in error["message"]
    assert client.call(f"{name}-not.any").message["error"]["data"]["code"] == "unknown_tool"


def test_secrets_are_in_nothing_that_is_said(bridges: Bridges) -> None:
    secret = "s3cret-w0rd"
    bridge = bridges.make(
        {
            "good": demo_upstream(),
            "env": {"command": "true", "env": {"A": f"{secret}${{NOPE}}", "B": "${WORD}\0", "C": secret}},
            "url": {"url": f"https://u:{secret}@x/${{NOPE}}?key={secret}", "headers": {"A": f"{secret}\n", "B": "${WORD}\n"}},
            "args": {"command": f"{secret}${{input:x}}", "args": [f"--token={secret}", "${WORD}${NOPE}"], "cwd": "${WORD}"},
            "file": {"command": "true", "envFile": f"/{secret}/.env"},
            "extension": {"source": "extension", "settings": {"key": secret}},
        }
    )
    bridge.environment["WORD"] = secret
    bridge.start("live")
    bridge.wait_upstream("good")
    told = [json.dumps(bridge.health()), json.dumps(bridge.get("/servers").json()), *bridge.log]
    for command in (("status",), ("status", "--json"), ("config", "check", bridge.config_path), ("reload",)):
        said = beside(bridge, *command)
        told += [said.out, said.err]
    told += [json.dumps(bridge.client().call(f"{name}.x").message["error"]) for name in ("env", "url", "args", "file")]
    assert [row["phase"] for row in bridge.health()["upstreams"]].count("failed") == 5
    assert not [line for line in told if secret in line]


def _upstreams(said: Said) -> list[dict[str, str]]:
    """The upstreams' table of `status`."""
    lines = said.out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("UPSTREAM"))
    end = next(index for index in range(start, len(lines)) if not lines[index])
    return table(lines[start:end])
