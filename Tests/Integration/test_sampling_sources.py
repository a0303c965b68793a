"""Clients of the official SDK that lend their models, over HTTP and stdio, and programs that ask the model APIs for them."""

from __future__ import annotations

import json
import os
import queue
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import chat_http
import pytest
from command_line import beside
from harness import Bridge, Bridges
from http_raw import Response
from places import BINARY, SDK_1_PYTHON, SDK_2_PYTHON, SUPPORT
from ports import free_port
from tokens import bearer, create
from waiting import PATIENCE, eventually

CHAT: dict[str, Any] = {
    "sources": ["over-http", {"client": "over-stdio", "name": "stdio"}, "in-hook", "with-tools", "warming", "twin-1", "twin-2", "never-there",
        "roamer"],
    "models": {
        "http-model": {"source": "over-http", "model": "big-model", "priorities": {"speed": 1}},
        "stdio-model": "stdio",
        "hook-model": "in-hook",
        "tool-model": "with-tools",
        "warm-model": "warming",
        "twin-model": ["twin-1", "twin-2"],
        "nobody's": "never-there",
        "roam-*": "roamer",
        # What is refused stays refused for a minute.
        "refused-model": "over-http",
    },
    "warmup": False,
}


class Client:
    """A process of `sampling_client.py`, and what it says."""

    def __init__(self, name: str, *arguments: str, python: Path = SDK_1_PYTHON) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self.process = subprocess.Popen(
            [python, SUPPORT / "sampling_client.py", "--name", name, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**environment, "PYTHONDONTWRITEBYTECODE": "1"}, text=True)
        self.said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(json.loads(line))

    def next(self, key: str) -> Any:
        while key not in (said := self.said.get(timeout=PATIENCE)):
            pass
        return said[key]

    def all(self) -> list[dict[str, Any]]:
        found = []
        while not self.said.empty():
            found.append(self.said.get())
        return found

    def release(self) -> None:
        """What it holds is answered."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return shared_bridges.start({}, bridge={"chat": CHAT})


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    made: list[Client] = []
    yield made
    for client in made:
        client.close()


def sources(bridge: Bridge) -> dict[str, str]:
    """What `mcp-bridge status` says of each; of several with one name, of one that is ready if there is one."""
    said = beside(bridge, "status", "--json")
    rows = sorted(json.loads(said.out).get("sources", []), key=lambda source: source["state"] == "ready")
    return {source["name"]: source["text"] for source in rows}


def reload(bridge: Bridge, chat: dict[str, Any]) -> None:
    assert bridge.config is not None
    bridge.config["bridge"]["chat"] = chat
    bridge.write_config()
    said = beside(bridge, "reload")
    assert said.status == 0, said


def join(
    bridge: Bridge, clients: list[Client], name: str, *arguments: str, source: str | None = None, python: Path = SDK_1_PYTHON
) -> Client:
    """A client that lends, once the bridge counts on it."""
    client = Client(name, *(arguments or ("--url", bridge.url)), python=python)
    clients.append(client)
    assert client.next("tools") == ["hook"]
    eventually(lambda: sources(bridge).get(source or name, "").startswith("ready"), f"{name} is a source")
    return client


def ask(bridge: Bridge, model: str, text: str, headers: dict[str, str | None] | None = None, **more: Any) -> Response:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    with bridge.http() as connection:
        return connection.request(
            "POST", "/v1/chat/completions", {"Content-Type": "application/json", **(headers or {})},
            json.dumps(body).encode())


def content(response: Response) -> str:
    assert response.status == 200, response
    return response.json()["choices"][0]["message"]["content"]


def error(response: Response) -> tuple[int, str]:
    return response.status, response.json()["error"]["code"]


def test_a_client_over_http_answers_with_what_the_configuration_wants(bridge: Bridge, clients: list[Client]) -> None:
    client = join(bridge, clients, "over-http")
    answer = ask(bridge, "http-model", "hello", max_tokens=17, temperature=0.5, stop=["END"])
    assert content(answer) == "over-http: hello"
    params = client.next("params")
    assert params["maxTokens"] == 17 and params["temperature"] == 0.5 and params["stopSequences"] == ["END"]
    assert params["modelPreferences"] == {
        "hints": [{"name": "big-model"}], "costPriority": 0.5, "speedPriority": 1, "intelligencePriority": 0.5}


def test_a_client_behind_the_stdio_proxy_answers(bridge: Bridge, clients: list[Client]) -> None:
    command = shlex.join([str(BINARY), "stdio", "--url", bridge.url])
    join(bridge, clients, "over-stdio", "--command", command, source="stdio")
    assert content(ask(bridge, "stdio-model", "hello")) == "over-stdio: hello"


def test_many_requests_are_answered_inside_a_call_of_hook(bridge: Bridge, clients: list[Client]) -> None:
    client = join(bridge, clients, "in-hook", "--url", bridge.url, "--hook")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: ask(bridge, "hook-model", f"question {number}"), range(12)))
    assert [content(answer) for answer in answers] == [f"in-hook: question {number}" for number in range(12)]
    assert not [said for said in client.all() if "hook" in said], "the call stays open"


def test_tools_go_there_and_back(bridge: Bridge, clients: list[Client]) -> None:
    join(bridge, clients, "with-tools", "--url", bridge.url, "--tools")
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    answer = ask(bridge, "tool-model", "use weather", tools=tools)
    assert answer.status == 200, answer
    message = answer.json()["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    history = [
        {"role": "user", "content": "use weather"}, message,
        {"role": "tool", "tool_call_id": call["id"], "content": "rain"}]
    answer = ask(bridge, "tool-model", "", tools=tools, messages=history)
    assert content(answer) == "with-tools: the tool said rain"


WEATHER = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
#: `auto` asks for a newer revision than there is here, before it shakes hands.
GENERATIONS = {"SDK 1": (SDK_1_PYTHON, "legacy"), "SDK 2": (SDK_2_PYTHON, "legacy"), "SDK 2, auto": (SDK_2_PYTHON, "auto")}


@pytest.mark.parametrize("inside", [False, True], ids=["on its stream", "inside hook"])
@pytest.mark.parametrize("transport", ["http", "stdio", "sse"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_both_generations_lend_over_every_transport(
    bridge: Bridge, clients: list[Client], generation: str, transport: str, inside: bool
) -> None:
    python, mode = GENERATIONS[generation]
    way = {
        "http": ("--url", bridge.url),
        "stdio": ("--command", shlex.join([str(BINARY), "stdio", "--url", bridge.url])),
        "sse": ("--url", bridge.url.removesuffix("/mcp") + "/sse"),
    }[transport]
    client = join(
        bridge, clients, "roamer", *way, "--tools", "--mode", mode, *(["--hook"] if inside else []), python=python)
    assert content(ask(bridge, "roam-text", "hello", max_tokens=17, temperature=0.5, stop=["END"])) == "roamer: hello"
    params = client.next("params")
    assert (params["maxTokens"], params["temperature"], params["stopSequences"]) == (17, 0.5, ["END"])
    # Errors, and a refusal that no other test has heard.
    assert error(ask(bridge, "roam-text", "fail")) == (502, "bad_answer")
    for _ in range(2):
        assert error(ask(bridge, f"roam-{generation}-{transport}-{inside}", "refuse")) == (403, "sampling_refused")
    assert [client.next("asked") for _ in range(2)] == ["fail", "refuse"]
    # A tool there and back.
    message = ask(bridge, "roam-text", "use weather", tools=WEATHER).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}
    answer = ask(bridge, "roam-text", "", tools=WEATHER, messages=[{"role": "user", "content": "?"}, message, result])
    assert content(answer) == "roamer: the tool said rain"
    assert [client.next("asked") for _ in range(2)] == ["use weather", ""]
    # All of these are sent at once. The second generation also takes them so.
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, bridge, "roam-text", f"hold {number}") for number in range(3)]
        seen: list[str] = []
        at_once = 1 if python == SDK_1_PYTHON else 3
        while len(seen) < 3:
            seen += [client.next("asked") for _ in range(at_once)]
            assert client.all() == []
            for _ in range(at_once):
                client.release()
        assert sorted(seen) == [f"hold {number}" for number in range(3)]
        assert [content(answer.result(PATIENCE)) for answer in answers] == [f"roamer: hold {number}" for number in range(3)]
    assert not [said for said in client.all() if "hook" in said], "the call stays open"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_both_generations_start_the_token_bridge_themselves(clients: list[Client], tmp_path: Path, generation: str) -> None:
    port = free_port()
    command = ["env", f"HOME={tmp_path}", str(BINARY), "token-bridge", "--port", str(port)]
    python, mode = GENERATIONS[generation]
    client = Client("editor", "--command", shlex.join(command), "--hook", "--mode", mode, python=python)
    clients.append(client)
    assert client.next("tools") == ["hook"]
    assert client.next("asked") == "warmup"
    chat_http.wait_ready(("127.0.0.1", port))
    answers = [chat_http.begin(("127.0.0.1", port), f"question {number}", dialect)
               for number, dialect in enumerate(chat_http.PATHS)]
    for number, (answer, dialect) in enumerate(zip(answers, chat_http.PATHS, strict=True)):
        assert chat_http.text_of(answer.result(PATIENCE), dialect) == f"editor: question {number}"
        streamed = chat_http.ask(("127.0.0.1", port), "in pieces", dialect, stream=True)
        assert streamed.is_event_stream and b"editor: in pieces" in streamed.body
    assert not [said for said in client.all() if "hook" in said], "the call stays open"


def test_tools_are_refused_where_the_source_takes_none(bridge: Bridge, clients: list[Client]) -> None:
    client = join(bridge, clients, "over-http")
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    assert error(ask(bridge, "http-model", "hello", tools=tools)) == (400, "tools_not_supported")
    assert client.all() == []


def test_errors_of_a_source_are_told(bridge: Bridge, clients: list[Client]) -> None:
    client = join(bridge, clients, "over-http")
    assert error(ask(bridge, "http-model", "fail")) == (502, "bad_answer")
    assert error(ask(bridge, "refused-model", "refuse")) == (403, "sampling_refused")
    assert error(ask(bridge, "refused-model", "refuse again")) == (403, "sampling_refused")
    assert [client.next("asked") for _ in range(2)] == ["fail", "refuse"]
    assert not [said for said in client.all() if "asked" in said]
    assert error(ask(bridge, "no-such-model", "hello")) == (404, "model_not_found")


def test_two_sources_share_the_load(bridge: Bridge, clients: list[Client]) -> None:
    twins = [join(bridge, clients, name) for name in ("twin-1", "twin-2")]
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(ask, bridge, "twin-model", "hold") for _ in range(2)]
        for twin in twins:
            assert twin.next("asked") == "hold"
        for twin in twins:
            twin.release()
        said = {content(answer.result(PATIENCE)) for answer in answers}
    assert said == {"twin-1: hold", "twin-2: hold"}


def test_without_a_source_there_is_an_answer_at_once(bridge: Bridge) -> None:
    answer = ask(bridge, "nobody's", "hello")
    assert error(answer) == (503, "no_source")
    assert answer.json()["detail"] == "Hook not initialized - MCP context missing"


def test_nobody_is_a_source_by_accident(bridge: Bridge, clients: list[Client]) -> None:
    """Whoever declares sampling is asked nothing, unless the configuration names it and its token has `source`."""
    named = Client("over-http", "--url", bridge.url, "--token", create(bridge, "mcp,chat"), "--hook")
    unnamed = Client("stranger", "--url", bridge.url, "--token", create(bridge, "mcp,source"), "--hook", "--tools")
    clients += [named, unnamed]
    for client in (named, unnamed):
        assert client.next("tools") == []
        client.next("hook")
    chat = bearer(create(bridge, "chat"))
    for model in ("http-model", "twin-model", "hook-model"):
        # Clients of earlier tests are not forgotten yet.
        assert error(ask(bridge, model, "a secret prompt", chat)) in [(503, "no_source"), (503, "source_not_ready")]
    lender = Client("over-http", "--url", bridge.url, "--token", create(bridge, "source"))
    clients.append(lender)
    assert lender.next("tools") == ["hook"]
    eventually(lambda: sources(bridge).get("over-http", "").startswith("ready"), "the one with the scope is a source")
    assert content(ask(bridge, "http-model", "a secret prompt", chat)) == "over-http: a secret prompt"
    for client in (named, unnamed):
        assert not [said for said in client.all() if "asked" in said]


def test_a_lost_session_worker_asks_nobody_twice(bridge: Bridge, clients: list[Client]) -> None:
    client = join(bridge, clients, "over-http")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, bridge, "http-model", "hold")
        assert client.next("asked") == "hold"
        os.kill(bridge.worker("session").pid, signal.SIGKILL)
        assert error(answer.result(PATIENCE)) == (502, "source_lost")
    client.release()
    eventually(lambda: sources(bridge).get("over-http", "").startswith("ready"), "its session goes on")
    assert content(ask(bridge, "http-model", "hello")) == "over-http: hello"
    assert client.next("asked") == "hello"
    assert not [said for said in client.all() if "asked" in said]


def test_reload_makes_a_client_a_source_and_takes_it_back(bridge: Bridge, clients: list[Client]) -> None:
    client = Client("latecomer", "--url", bridge.url)
    clients.append(client)
    assert client.next("tools") == []
    reload(bridge, {**CHAT, "sources": [*CHAT["sources"], "latecomer"], "models": {"*": "latecomer"}})
    assert client.next("changed")
    assert content(ask(bridge, "anything", "hello")) == "latecomer: hello"
    reload(bridge, CHAT)
    assert client.next("changed")
    assert error(ask(bridge, "anything", "hello")) == (404, "model_not_found")
    assert [said["asked"] for said in client.all() if "asked" in said] == []


def test_warming_up_asks_for_one_word_before_anything_else(bridges: Bridges, clients: list[Client]) -> None:
    bridge = bridges.start({}, bridge={"chat": {"sources": ["warming"]}})
    client = Client("warming", "--url", bridge.url, "--hook")
    clients.append(client)
    params = client.next("params")
    assert params["maxTokens"] == 1
    eventually(lambda: sources(bridge).get("warming") == "ready", "it is warm")
    response = bridge.get("/v1/models")
    assert response.headers["x-mcp-session-ready"] == "true"
    assert content(ask(bridge, "auto", "hello")) == "warming: hello"
