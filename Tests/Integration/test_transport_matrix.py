"""Every kind of client with every kind of server, written with the official SDK at both ends.

One bridge has all the servers, and so has the one that a gateway is of its own; each client goes through all that there is
with each of them. Every message, on either side of
the bridge and in either direction, is held against the schema. The table in docs/http.md is what comes of it.
"""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import everything
import pytest
from harness import Bridge, Bridges
from places import BINARY, ROOT, SDK_1_PYTHON, SDK_2_PYTHON, SUPPORT
from ports import free_port
from recorder import Recorder
from sdk_runner import SDKRunner
from test_sdk_matrix import ROWS, SLOW, named
from upstreams import Journal, SDKUpstream, python_upstream
from waiting import eventually

Facts = dict[str, Any]
PYTHONS = {"1": SDK_1_PYTHON, "2": SDK_2_PYTHON}
GENERATIONS = {"1": "1.30", "2": "2.3"}

#: By kind: how the page calls it.
SERVERS = {
    "stdio": "stdio",
    "stateful": "Streamable HTTP",
    "stateless": "the same without sessions",
    "sse": "HTTP+SSE",
}
#: By kind: how the page calls it, and the generation of its SDK.
CLIENTS = {
    "http1": ("Streamable HTTP, SDK 1.30", "1"),
    "http2": ("Streamable HTTP, SDK 2.3", "2"),
    "sse": ("HTTP+SSE, SDK 1.30", "1"),
    "stdio": ("`mcp-bridge stdio`, SDK 2.3", "2"),
    "gateway": ("`mcp-bridge gateway --transport stdio`, SDK 1.30", "1"),
}
NAMES = [f"{kind}{generation}" for generation in PYTHONS for kind in SERVERS]

SAID = {"role": "assistant", "model": "m1", "content": {"type": "text", "text": "four"}, "stopReason": "endTurn"}
USED = {**SAID, "content": {"type": "tool_use", "id": "u1", "name": "look_up", "input": {"word": "four"}}, "stopReason": "toolUse"}
ROOTS = {"roots": [{"uri": "file:///work", "name": "work"}]}
ANSWERS = {"sampling/createMessage": SAID, "with tools": USED, "roots/list": ROOTS}

#: What makes it impossible that a server without sessions asks, hears that a call is cancelled, or tells of a change.
NO_SESSION = (
    "Every JSON-RPC message sent from the client MUST be a new HTTP POST request to the MCP endpoint.",
    "2025-11-25, basic/transports: without a session an answer or a cancellation belongs to no request, and a `GET` to no "
    "client",
)


# Servers


class HTTPUpstream:
    """The server with everything over HTTP, and a proxy in front of it that hears what it and the bridge say."""

    def __init__(self, name: str, mode: str, python: Path) -> None:
        self.name, self.mode = name, mode
        self.port = free_port()
        self.process = subprocess.Popen(
            [python, SUPPORT / "sdk_server.py", name, mode, str(self.port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.recorder = Recorder(("127.0.0.1", self.port))
        self.recorder.__enter__()

    def listens(self) -> bool:
        assert self.process.poll() is None, f"{self.name} has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def entry(self) -> Facts:
        if self.mode == "sse":
            return {"type": "sse", "url": self.recorder.sse_url, **SLOW}
        return {"type": "http", "url": self.recorder.url, **SLOW}

    def check(self) -> int:
        return self.recorder.check() and self.recorder.check_client()

    def close(self) -> None:
        self.recorder.__exit__()
        self.process.kill()
        self.process.wait()


class PipedUpstream(SDKUpstream):
    def check(self) -> int:  # type: ignore[override]
        super().check()
        return self.checked

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, HTTPUpstream | PipedUpstream]]:
    folder = tmp_path_factory.mktemp("upstreams")
    upstreams: dict[str, HTTPUpstream | PipedUpstream] = {}
    for name in NAMES:
        kind, python = name[:-1], PYTHONS[name[-1]]
        upstreams[name] = PipedUpstream(folder, name, python, **SLOW) if kind == "stdio" else HTTPUpstream(name, kind, python)
    for upstream in upstreams.values():
        if isinstance(upstream, HTTPUpstream):
            eventually(upstream.listens, f"{upstream.name} listens")
    yield upstreams
    for upstream in upstreams.values():
        upstream.close()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, upstreams: dict[str, HTTPUpstream | PipedUpstream]) -> Iterator[Bridge]:
    bridge = shared_bridges.start({name: each.entry for name, each in upstreams.items()}, bridge={"pageSize": 3})
    for name in upstreams:
        bridge.wait_upstream(name)
    yield bridge
    bridge.stop()


# Clients


class Client:
    """One kind of client, what it has found, and what was said to it and by it."""

    def __init__(self, kind: str, runner: SDKRunner, bridge: Bridge, folder: Path) -> None:
        self.kind, self._runner, self._folder = kind, runner, folder
        self.recorder = Recorder(bridge.address) if kind in ("http1", "http2", "sse") else None
        self._found: Facts = {}
        if self.recorder is not None:
            self.recorder.__enter__()
            self._url = self.recorder.sse_url if kind == "sse" else self.recorder.url
            return
        folder.mkdir()
        command = [str(BINARY), "stdio", "--url", bridge.url]
        if kind == "gateway":
            file, config = folder.with_suffix(".json"), bridge.config
            assert config is not None
            file.write_text(json.dumps({**config, "mcpServers": {**config["mcpServers"], **own_programs()}}))
            # A home of its own: it keeps a state.
            command = ["env", f"HOME={folder.parent}", str(BINARY), "gateway", "--config", str(file)]
        self._url = "stdio:" + shlex.join([sys.executable, str(SUPPORT / "stdio_tap.py"), str(folder), *command])

    def found(self, scenario: str, servers: dict[str, Facts]) -> Facts:
        if scenario not in self._found:
            self._found[scenario] = self._runner.run(scenario, self._url, "legacy", servers=servers, answers=ANSWERS)
        return self._found[scenario]

    def check(self) -> int:
        if self.recorder is not None:
            return self.recorder.check() and self.recorder.check_client()
        journals = [Journal(file) for file in sorted(self._folder.iterdir())]
        for journal in journals:
            journal.check()
        return sum(journal.checked for journal in journals)

    def close(self) -> None:
        if self.recorder is not None:
            self.recorder.__exit__()


def own_programs() -> Facts:
    """The programs of another bridge, which are not the first one's, and are heard by nobody but it."""
    names = [name for name in NAMES if name.startswith("stdio")]
    return {name: python_upstream(SUPPORT / "sdk_server.py", name, python=PYTHONS[name[-1]], **SLOW) for name in names}


@pytest.fixture(scope="module")
def clients(
    runners: dict[str, SDKRunner], bridge: Bridge, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Client]]:
    folder = tmp_path_factory.mktemp("clients")
    clients = {kind: Client(kind, runners[sdk], bridge, folder / kind) for kind, (_, sdk) in CLIENTS.items()}
    yield clients
    for client in clients.values():
        client.close()


def has_sessions(server: str) -> bool:
    return not server.startswith("stateless")


def rows_of(server: str) -> Facts:
    """What is to be done with a server."""
    rows = [row for row in ROWS if has_sessions(server) or row.name != "subscriptions"]
    asks = [*everything.QUESTIONS, "ask_several"] if has_sessions(server) else []
    return {"steps": {row.name: named(row.steps, server) for row in rows}, "hears": has_sessions(server), "asks": asks}


# What is looked at


def are_lists(cell: Facts, server: str) -> None:
    mine = {kind: [entry["name"] for entry in entries if entry["name"].startswith(f"{server}.")] for kind, entries in cell["lists"].items()}
    assert [name for name in mine["tools"] if not name.endswith(".extra")] == sorted(f"{server}.{tool}" for tool in everything.Everything.TOOLS)
    assert {f"{server}.{name}" for name in ("content", "greeting", "plain", "third")} <= set(mine["prompts"])
    uris = [entry["uri"] for entry in cell["lists"]["resources"]]
    assert {f"{server}://notes/{number}" for number in range(1, everything.NOTES + 1)} <= set(uris) and len(uris) == len(set(uris))
    templates = [entry["uriTemplate"] for entry in cell["lists"]["templates"]]
    assert {f"{server}://squares/{{number}}", f"{server}://paths/{{+path}}"} <= set(templates)


def is_progress(cell: Facts, server: str) -> None:
    assert cell["progress"]["told"] == [[step / 2, 2, f"step {step}"] for step in (1, 2, 3)]
    assert cell["progress"]["result"]["content"][0]["text"] == "done"


def are_log_messages(cell: Facts, server: str) -> None:
    heard = [(each["level"], each["data"], each["logger"]) for each in cell["log messages"]]
    assert heard == [(level, {"said": server}, "everything") for level in ("warning", "error")]


def are_updates(cell: Facts, server: str) -> None:
    assert cell["updates"]["touched"]["content"][0]["text"] == "touched"
    assert cell["updates"]["left"]["content"][0]["text"] == "nobody has subscribed"


def are_changed_lists(cell: Facts, server: str) -> None:
    assert cell["changed lists"] == ["tools", "prompts", "resources"]


def came_back(cell: Facts, tool: str) -> Any:
    result = cell["questions"][tool]["result"]
    assert not result.get("isError"), result
    return json.loads(result["content"][0]["text"])


def is_asked(tool: str, answer: Facts) -> Callable[[Facts, str], None]:
    def check(cell: Facts, server: str) -> None:
        method, wanted = everything.QUESTIONS[tool]
        [[asked, params]] = cell["questions"][tool]["asked"]
        assert asked == method and {key: params.get(key) for key in wanted if key != "elicitationId"} == {
            key: value for key, value in wanted.items() if key != "elicitationId"
        }
        assert came_back(cell, tool) == answer

    return check


def is_page(cell: Facts, server: str) -> None:
    is_asked("ask_page", {"action": "accept"})(cell, server)
    [[_, params]] = cell["questions"]["ask_page"]["asked"]
    assert cell["questions"]["ask_page"]["pages"] == [{"elicitationId": params["elicitationId"]}]


def are_several(cell: Facts, server: str) -> None:
    assert len(cell["questions"]["ask_several"]["asked"]) == 3
    forms = [{"action": "accept", "content": {"text": words}} for words in ("first", "second")]
    assert came_back(cell, "ask_several") == [*forms, SAID]


def row(name: str) -> Callable[[Facts, str], None]:
    (found,) = [each for each in ROWS if each.name == name]
    return lambda cell, server: found.check(cell[name], server, "2025-11-25")


THINGS: dict[str, Callable[[Facts, str], None]] = {
    "lists, page by page": are_lists,
    "calls with content of each kind": row("content"),
    "structured output": row("structured output"),
    "prompts": row("prompts"),
    "completion": row("completions"),
    "resources and templates": row("resources"),
    "errors": row("errors"),
    "progress": is_progress,
    "log messages": are_log_messages,
    "subscriptions": row("subscriptions"),
    "updates": are_updates,
    "changed lists": are_changed_lists,
    "sampling": is_asked("ask_model", SAID),
    "sampling with tools": is_asked("ask_model_with_tools", USED),
    "forms": is_asked("ask_person", {"action": "accept", "content": {"text": "What is it?"}}),
    "pages to open": is_page,
    "roots": is_asked("ask_roots", ROOTS),
    "several questions at once": are_several,
}
CANCELLED = "cancelled calls"
#: What needs a session, or a stream of one.
NEED_SESSIONS = [*list(THINGS)[list(THINGS).index("subscriptions") :], CANCELLED]


def cells(thing: str) -> list[str]:
    return [name for name in NAMES if has_sessions(name) or thing not in NEED_SESSIONS]


CASES = [(client, server, thing) for client in CLIENTS for thing in THINGS for server in cells(thing)]


def found_in_cells(clients: dict[str, Client], client: str) -> Facts:
    """What a client has found at each server. The clients go through them in one order, whichever test comes first: the last one's
    bridge changes the lists of servers that the first bridge has as well."""
    for kind in CLIENTS:
        found = clients[kind].found("cells", {name: rows_of(name) for name in NAMES})
        if kind == client:
            break
    return found


@pytest.mark.parametrize(("client", "server", "thing"), CASES, ids=["-".join(case) for case in CASES])
def test_it_is_as_without_a_bridge(clients: dict[str, Client], client: str, server: str, thing: str) -> None:
    cell = found_in_cells(clients, client)[server]
    assert "failed" not in cell, cell["failed"]
    THINGS[thing](cell, server)


def found_of_cancelled_calls(clients: dict[str, Client], client: str) -> Facts:
    """Comes last: for a while behind a call that was given up, nobody is asked what a server asks."""
    found_in_cells(clients, list(CLIENTS)[-1])
    return clients[client].found("cancelled_cells", dict.fromkeys(cells(CANCELLED), {}))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_server_hears_of_a_call_that_its_client_cancels_or_the_bridge_gives_up(
    clients: dict[str, Client], client: str
) -> None:
    found = found_of_cancelled_calls(clients, client)
    assert found.keys() == set(cells(CANCELLED))
    for given_up in found.values():
        assert given_up["error"]["data"]["code"] == "timeout"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_message_between_a_client_and_the_bridge_is_valid(clients: dict[str, Client], client: str) -> None:
    found_in_cells(clients, client)
    assert clients[client].check() > 0, "nothing was heard"


@pytest.mark.parametrize("server", NAMES)
def test_every_message_between_the_bridge_and_a_server_is_valid(
    clients: dict[str, Client], upstreams: dict[str, HTTPUpstream | PipedUpstream], server: str
) -> None:
    found_in_cells(clients, "http1")
    assert upstreams[server].check() > 0, "nothing was heard"


# The page


def works(clients: dict[str, Client], client: str, server: str, thing: str) -> bool:
    if thing == CANCELLED:
        return server in found_of_cancelled_calls(clients, client)
    try:
        THINGS[thing](found_in_cells(clients, client)[server], server)
    except (AssertionError, KeyError, ValueError):
        return False
    return True


def table(clients: dict[str, Client]) -> str:
    """As the page shows it: of each client and kind of server, what works with servers of both generations."""
    things = [*THINGS, CANCELLED]
    lines = ["| client | " + " | ".join(SERVERS.values()) + " |", "|---" * (len(SERVERS) + 1) + "|"]
    for kind in clients:
        shown = []
        for server in SERVERS:
            missing = [thing for thing in things if not all(works(clients, kind, server + each, thing) for each in PYTHONS)]
            shown.append("everything" if not missing else "the first nine" if missing == NEED_SESSIONS else "not " + ", ".join(missing))
        lines.append(f"| {CLIENTS[kind][0]} | " + " | ".join(shown) + " |")
    return "\n".join([*lines, "", f"Everything is: {', '.join(things)}."])


def test_the_page_shows_what_works(clients: dict[str, Client]) -> None:
    page = (ROOT / "docs/http.md").read_text(encoding="utf-8")
    wanted = table(clients)
    assert " ".join(wanted.split()) in " ".join(page.split()), f"to paste:\n\n{wanted}\n"
    assert NO_SESSION[0] in " ".join(page.split()) and NO_SESSION[1].split(":")[0] in page
