"""`mcp-bridge token-bridge`, which is the command of MCPTokenBridge: a test is named by its line in docs/moving.md.

What its HTTP routes say (C11 to C21) is in test_parity_chat.py.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chat_http
import command_line
import pytest
from http_raw import RawConnection
from lender import Lender, failed, said
from places import BINARY
from ports import free_port
from waiting import PATIENCE, best_of, eventually

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class TokenBridge(Lender):
    """One, and the client that has started it."""

    def __init__(self, home: Path, *arguments: str, variables: dict[str, str] | None = None, **options: Any) -> None:
        self.home = home
        self.port = free_port()
        self.folder = home
        environment = {
            "HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(home / "run"),
            **(variables or {}),
        }
        (home / "run").mkdir(mode=0o700, exist_ok=True)
        self.environment = environment
        super().__init__("--port", str(self.port), *arguments, environment=environment, folder=home, **options)

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def state(self) -> Path:
        """Its own, of which there is one."""
        [folder] = (self.home / ".config/mcp-bridge/instances").iterdir()
        return folder

    def wait_up(self) -> TokenBridge:
        eventually(self.listens, "HTTP is up")
        return self

    def listens(self, host: str = "127.0.0.1") -> bool:
        assert self.process.poll() is None, self.said
        return _accepts(host, self.port)

    def wait_said(self, pattern: str) -> re.Match[str]:
        """The first line on stderr that has this."""
        return eventually(
            lambda: next((found for line in list(self.said) if (found := re.search(pattern, line))), None), f"it says {pattern}")

    def ready(self) -> TokenBridge:
        self.wait_up().open()
        chat_http.wait_ready(self.address)
        return self

    def one_question(self, text: str = "hello", **more: Any) -> dict[str, Any]:
        """What the client is asked for a request."""
        assert chat_http.text_of(chat_http.ask(self.address, text, **more)) == f"echo: {text}"
        return self.next_question().params


def _accepts(host: str, port: int) -> bool:
    try:
        RawConnection((host, port), 2).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    yield from _home()


@pytest.fixture
def home() -> Iterator[Path]:
    yield from _home()


def _home() -> Iterator[Path]:
    # Unix socket paths end at 108 bytes: a short folder, not pytest's.
    folder = Path(tempfile.mkdtemp(prefix="mcptb-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def bridge(shared_home: Path) -> Iterator[TokenBridge]:
    with TokenBridge(shared_home) as bridge:
        yield bridge.ready()
        assert bridge.close() == []


def help_of(home: Path) -> str:
    said = subprocess.run(
        [BINARY, "token-bridge", "--help"], env={"HOME": str(home), "PATH": os.environ["PATH"]}, capture_output=True,
        text=True, check=True)
    return " ".join(said.stdout.split())


def other_address() -> str | None:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


# How it is started


def test_C01_it_is_started_by_its_client_and_goes_with_it(home: Path) -> None:
    words = help_of(home)
    assert "(default: 0.0.0.0)" in words and re.search(r"\(default: 8[_,]?000\)", words)

    def seconds_to_end() -> float:
        with TokenBridge(home) as bridge:
            # HTTP is there before its client has said a word.
            bridge.wait_up()
            with RawConnection(bridge.address) as connection:
                models = connection.request("GET", "/v1/models")
            assert (models.status, models.headers.get("X-MCP-Session-Ready")) == (200, "false")
            bridge.open().hook()
            chat_http.wait_ready(bridge.address)
            bridge.answer_with = lambda _: None
            waiting = chat_http.begin(bridge.address, "never answered")
            assert bridge.next_question().text == "never answered"
            begun = time.monotonic()
            assert bridge.process.stdin is not None
            bridge.process.stdin.close()
            assert bridge.process.wait(PATIENCE) == 0, bridge.said
            taken = time.monotonic() - begun
            assert not _accepts("127.0.0.1", bridge.port)
            # Whoever waited for the model was told, not dropped.
            assert waiting.result(PATIENCE).status in (502, 503)
        return taken

    best_of(3, 1.0, seconds_to_end)


def test_C01_without_a_token_it_listens_on_loopback_and_says_what_to_do(home: Path) -> None:
    with TokenBridge(home, "--host", "0.0.0.0") as bridge:
        bridge.wait_up()
        words = bridge.wait_said(r"listening on (\S+) instead.* (mcp-bridge token create --name NAME .*)$")
        assert words[1] == f"127.0.0.1:{bridge.port}"
        assert words[2].endswith(f"--scope chat --state {bridge.state}")
        # Its client is served in any case.
        bridge.open()
        chat_http.wait_ready(bridge.address)
        assert bridge.one_question()
        elsewhere = other_address()
        assert elsewhere is None or not bridge.listens(elsewhere)
        assert bridge.close() == []


def test_C01_it_is_installed_under_its_own_name(home: Path) -> None:
    (home / "bin").mkdir()
    program = home / "bin/mcptb"
    program.symlink_to(BINARY)
    with TokenBridge(home, program=(program,)) as bridge:
        assert bridge.wait_up().open().server["serverInfo"]["name"] == "MCPTokenBridge"
        assert bridge.close() == []


# Its variables


@pytest.mark.parametrize(("value", "limit"), [(None, 327_680), ("1000", 1_000), ("0", 1), ("many", 327_680)])
def test_C02_the_most_tokens_of_an_answer(home: Path, value: str | None, limit: int) -> None:
    with TokenBridge(home, variables={} if value is None else {"MCPTB_MAX_TOKENS": value}) as bridge:
        bridge.ready()
        assert bridge.one_question()["maxTokens"] == limit
        # A request may want less.
        assert bridge.one_question(max_tokens=1)["maxTokens"] == 1
        assert bridge.close() == []


def test_C03_how_long_an_answer_is_waited_for(home: Path) -> None:
    with TokenBridge(home, variables={"MCPTB_HTTP_TIMEOUT": "2"}, answer=lambda _: None) as bridge:
        bridge.ready()
        late = chat_http.ask(bridge.address, "hello")
        assert late.status == 504 and late.headers.get("x-should-retry") == "false", late
        question = bridge.next_question()
        assert bridge.withdrawn.get(timeout=PATIENCE)["requestId"] == question.id
        assert bridge.close() == []


@pytest.mark.parametrize(("value", "shown"), [(None, "30.0"), ("none", "none"), ("INF", "none"), ("2.5", "2.5")])
def test_C03_what_may_be_written_for_it(home: Path, value: str | None, shown: str) -> None:
    with TokenBridge(home, "--log-level", "DEBUG", variables={} if value is None else {"MCPTB_HTTP_TIMEOUT": value}) as bridge:
        assert bridge.wait_said(r"An answer is waited for so many seconds timeout=(\S+)")[1] == shown
        bridge.wait_up()
        assert bridge.close() == []


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, (0.5, 0.5, 0.5)),
        ({"INTELLIGENCE": "0.8", "SPEED": "7", "COST": "-1"}, (0.8, 1, 0)),
        ({"INTELLIGENCE": "clever"}, (0.5, 0.5, 0.5)),
    ],
)
def test_C04_what_is_important_in_a_model_is_really_sent(home: Path, variables: dict[str, str], wanted: tuple[float, ...]) -> None:
    with TokenBridge(home, variables={f"MCPTB_PREF_{name}": value for name, value in variables.items()}) as bridge:
        bridge.ready()
        params = bridge.one_question(model="gpt-4o", messages=[
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"}, {"role": "user", "content": "hello"}])
        told = params["modelPreferences"]
        assert tuple(told[f"{name}Priority"] for name in ("intelligence", "speed", "cost")) == wanted
        assert told["hints"][0] == {"name": "gpt-4o"}
        # Roles arrive as they are, and not as one text.
        assert params["systemPrompt"] == "Be brief."
        assert [message["role"] for message in params["messages"]] == ["user", "assistant", "user"]
        assert bridge.close() == []


@pytest.mark.parametrize(
    ("variables", "isColoured"),
    [({}, False), ({"MCPTB_FORCE_COLOR": "yes"}, True), ({"MCPTB_FORCE_COLOR": "1", "MCPTB_NO_COLOR": "on"}, False)],
    ids=["no terminal", "forced", "both"],
)
def test_C05_what_comes_is_cyan_and_what_goes_is_magenta(home: Path, variables: dict[str, str], isColoured: bool) -> None:
    with TokenBridge(home, variables=variables) as bridge:
        bridge.ready()
        bridge.one_question()
        bridge.wait_said("Model answer")
        coloured = {sign for line in bridge.said for sign in re.findall("\x1b\\[9([56])m\\[", line)}
        assert coloured == ({"5", "6"} if isColoured else set())
        assert isColoured or not any("\x1b" in line for line in bridge.said)
        assert bridge.close() == []


def test_C06_streaming_is_always_on(home: Path) -> None:
    with TokenBridge(home, variables={"MCPTB_DISABLE_STREAMING": "1", "MCPTB_ENABLE_STREAMING": "0"}) as bridge:
        bridge.ready()
        streamed = chat_http.ask(bridge.address, "hello", stream=True)
        assert streamed.status == 200 and streamed.is_event_stream and streamed.body.endswith(b"data: [DONE]\n\n")
        assert bridge.close() == []


# MCP


def test_C07_its_one_tool_is_hook_which_stays_open(bridge: TokenBridge) -> None:
    assert bridge.server["serverInfo"]["name"] == "MCPTokenBridge"
    [tool] = bridge.ask("tools/list")["result"]["tools"]
    assert tool["name"] == "hook"
    assert set(tool["inputSchema"]["properties"]) == {"input", "messages", "model"} and not tool["inputSchema"].get("required")
    calls = [
        bridge.hook(), bridge.hook(input="start"),
        bridge.hook(messages=[{"role": "user", "content": "hi"}], model="auto"),
    ]
    for text in ("one", "two"):
        bridge.one_question(text)
    for call in calls:
        bridge.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}})
    # None of them was answered before, and none is now that it is cancelled.
    assert bridge.ask("ping")["result"] == {}
    assert not [message for message in bridge.unclaimed if message.get("id") in calls]


def test_C08_it_is_warmed_up_until_it_answers(home: Path) -> None:
    answers = [failed(-32603, "not signed in yet"), said(".")]
    with TokenBridge(home, warms_up=lambda _: answers.pop(0)) as bridge:
        bridge.wait_up().open().hook()
        first = bridge.warm()
        assert first.params["maxTokens"] == 1 and first.text == "warmup"
        early = chat_http.ask(bridge.address, "too early")
        assert early.status == 503 or chat_http.text_of(early)
        bridge.warm()
        chat_http.wait_ready(bridge.address)
        assert bridge.one_question("now") and not answers
        assert bridge.close() == []


def test_C08_whoever_refuses_is_left_alone_until_somebody_wants_it(home: Path) -> None:
    answers = [failed(-1, "User rejected sampling request"), said(".")]
    with TokenBridge(home, warms_up=lambda _: answers.pop(0)) as bridge:
        bridge.wait_up().open().hook()
        bridge.warm()
        # A request is somebody who wants it.
        eventually(lambda: chat_http.ask(bridge.address, "hello").status in (200, 503) and not bridge.warmed.empty(), "it is asked again")
        chat_http.wait_ready(bridge.address)
        assert bridge.close() == []


def test_C09_several_at_once_and_nothing_is_lost(home: Path) -> None:
    with TokenBridge(home, answer=lambda _: None) as bridge:
        bridge.wait_up().open().hook()
        chat_http.wait_ready(bridge.address)
        waiting = {text: chat_http.begin(bridge.address, text, dialect) for text, dialect in (("a", "chat"), ("b", "messages"))}
        questions = {question.text: question for question in (bridge.next_question(), bridge.next_question())}
        # Another call of `hook` takes nothing away from the first, and the second is answered before it.
        bridge.hook()
        third = chat_http.begin(bridge.address, "c")
        questions["c"] = bridge.next_question()
        for text in ("c", "b", "a"):
            bridge.reply(questions[text], said(f"answer {text}"))
        assert chat_http.text_of(third.result(PATIENCE)) == "answer c"
        assert chat_http.text_of(waiting["b"].result(PATIENCE), "messages") == "answer b"
        assert chat_http.text_of(waiting["a"].result(PATIENCE)) == "answer a"
        assert bridge.close() == []


def test_C10_what_cannot_be_read_is_an_error(bridge: TokenBridge) -> None:
    assert bridge.server["protocolVersion"] == "2025-11-25"
    unknown = bridge.ask("tools/call", {"name": "nothing", "arguments": {}})["error"]
    assert (unknown["code"], unknown["message"]) == (-32602, "Unknown tool 'nothing'.")
    wrong = bridge.ask("tools/call", {"name": "hook", "arguments": [1]})["error"]
    assert wrong["code"] == -32602 and "Invalid hook arguments" in wrong["message"]
    missing = bridge.ask("no/such/method")["error"]
    assert missing["code"] == -32601 and "no/such/method" in missing["message"]
    assert bridge.process.stdin is not None
    # What shows no id asks for nothing, and is answered by nothing.
    bridge.process.stdin.write(b'{"jsonrpc": "2.0", "id": 77, "method": "ping", "params": {]}\n')
    bridge.process.stdin.flush()
    assert bridge.answer(77)["error"]["code"] == -32700
    # A bare text is taken as `input`.
    call = bridge.begin("tools/call", {"name": "hook", "arguments": "hello"})
    bridge.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}})
    assert bridge.ask("ping")["result"] == {}


# Requests that come too early


def test_C13_requests_before_anybody_could_answer_are_503(home: Path) -> None:
    too_early(home, "chat")


def test_C19_messages_before_anybody_could_answer_are_503(home: Path) -> None:
    too_early(home, "messages")


def too_early(home: Path, dialect: str) -> None:
    with TokenBridge(home, warms_up=lambda _: None) as bridge:
        bridge.wait_up()
        nobody = chat_http.ask(bridge.address, "hello", dialect)
        assert (nobody.status, nobody.json()["detail"]) == (503, "Hook not initialized - MCP context missing")
        bridge.open().hook()
        bridge.warm()
        cold = chat_http.ask(bridge.address, "hello", dialect)
        assert (cold.status, cold.json()["detail"]) == (503, "MCP session not ready - VS Code Copilot not available")
        assert all("message" in answer.json()["error"] for answer in (nobody, cold))
        assert not bridge.was_asked()


def test_what_vs_code_is_known_to_overlook_is_named(home: Path) -> None:
    with TokenBridge(home, name="Visual Studio Code") as bridge:
        bridge.ready()
        told = chat_http.ask(bridge.address, "hello", temperature=0, max_tokens=100)
        assert chat_http.text_of(told) == "echo: hello"
        assert told.headers["X-MCP-Bridge-Ignored"] == "temperature, max_tokens"
        # It was sent all the same.
        assert bridge.next_question().params["maxTokens"] == 100
        assert bridge.close() == []


# Its log, and what its README promises


def test_C22_every_request_is_logged_as_it_came_and_as_it_went(home: Path) -> None:
    with TokenBridge(home) as bridge:
        bridge.ready()
        long = "word " * 600
        bridge.one_question(long)
        assert chat_http.ask(bridge.address, long, stream=True).status == 200
        lines = eventually(
            lambda: lines if len(lines := [line for line in list(bridge.said) if "Model " in line]) >= 4 else None, "all is logged")
        found = [re.fullmatch(rf"\[[^\]]+\] INFO \[({UUID})\] Model (request|answer) (.*)", line) for line in lines]
        assert all(found), lines
        parts = [match.groups() for match in found if match]
        assert [what for _, what, _ in parts] == ["request", "answer", "request", "answer"]
        assert parts[0][0] == parts[1][0] != parts[2][0] == parts[3][0]
        # All that was said, of a stream as well.
        assert all(long.strip() in text for _, _, text in parts)
        assert all(re.match(r"\[[^\]]+\] (DEBUG|INFO|WARNING|ERROR|CRITICAL) \S", line) for line in bridge.said), bridge.said
        assert bridge.close() == []


def test_C23_tokens_with_scopes_and_ends_guard_what_others_reach(home: Path) -> None:
    with TokenBridge(home) as bridge:
        bridge.wait_up()
        make = bridge.wait_said(r"mcp-bridge (token create --name NAME .*)$")[1].replace("NAME", "guest").split()
        made = command_line.run(*make, "--quiet", environment=bridge.environment, folder=home)
        assert made.status == 0, made
        secret = made.out.strip()
        port = bridge.port
        assert bridge.close() == []
    with TokenBridge(home, "--port", str(port)) as bridge:
        bridge.port = port
        bridge.wait_up().open()
        assert not any("instead" in line for line in bridge.said)
        elsewhere = other_address()
        assert elsewhere is None or bridge.listens(elsewhere)
        # Everybody needs it now, but for the client.
        assert chat_http.ask(bridge.address, "hello").status == 401
        assert chat_http.ask(bridge.address, "hello", token="mcpb_" + "0" * 43).status == 401
        chat_http.wait_ready(bridge.address, secret)
        assert chat_http.text_of(chat_http.ask(bridge.address, "hello", token=secret)) == "echo: hello"
        state = str(bridge.state)
        audit = command_line.run("audit", "--state", state, "--json", environment=bridge.environment, folder=home)
        assert audit.status == 0 and '"outcome":"ok"' in audit.out
        revoked = command_line.run("token", "revoke", "guest", "--state", state, environment=bridge.environment, folder=home)
        assert revoked.status == 0, revoked
        assert chat_http.ask(bridge.address, "hello", token=secret).status == 401
        assert bridge.close() == []
