"""Requests for a model when whoever lends it is in trouble, or the bridge is: each has one honest end, and nothing is asked twice.

The sources are clients that have joined a running service (`token-bridge --join`). What each was asked, it keeps.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import chat_http
import command_line
import pytest
from chat_http import begin, code_of, text_of
from harness import Bridge, Bridges
from http_raw import ConnectionEnded, RawConnection, Response
from lender import Answer, Lender, echo, failed, said
from mcp_http import EventStream, MCPClient
from places import MODELS_PYTHON, OLD_MODELS_PYTHON, SUPPORT
from processes import ProcessWatch
from tokens import create
from waiting import PATIENCE, eventually

#: Nothing: the test answers itself, or nobody does.
SILENT: Answer = lambda _: None  # noqa: E731


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return shared_bridges.start({})


@pytest.fixture
def lender(bridge: Bridge) -> Iterator[Lender]:
    with joined(bridge, SILENT) as lender:
        wait_sources(bridge, lender)
        yield lender


class Joined(AbstractContextManager["Lender"]):
    """A client that has joined, and goes before the next test begins."""

    def __init__(self, bridge: Bridge, answer: Answer, name: str) -> None:
        self.bridge = bridge
        self.lender = Lender(
            "--join", environment=bridge.whole_environment(), folder=bridge.folder, answer=answer, name=name)

    def __enter__(self) -> Lender:
        lender = self.lender.open()
        lender.hook()
        return lender

    def __exit__(self, *_: object) -> None:
        if self.lender.process.poll() is None:
            self.lender.process.terminate()
            self.lender.process.wait(PATIENCE)
        eventually(lambda: self.lender.name not in sources(self.bridge), f"{self.lender.name} has gone")


def joined(bridge: Bridge, answer: Answer = echo, name: str = "lender") -> Joined:
    return Joined(bridge, answer, name)


def sources(bridge: Bridge) -> dict[str, str]:
    """The state of each source that can be asked, by the name of its client. A killed one is remembered, and away."""
    told = command_line.beside(bridge, "status", "--json")
    assert told.status == 0, told
    return {row["client"]: row["state"] for row in json.loads(told.out).get("sources", []) if "client" in row and row["state"] != "away"}


def wait_sources(bridge: Bridge, *lenders: Lender) -> None:
    wanted = {lender.name: "ready" for lender in lenders}
    eventually(lambda: sources(bridge) == wanted, f"ready: {', '.join(wanted)}")


def is_over(answer: Future[Response]) -> Response:
    return answer.result(PATIENCE)


def works(bridge: Bridge, lender: Lender) -> None:
    """The next request is answered, by one question."""
    lender.answer_with = echo
    chat_http.wait_ready(bridge.address)
    assert text_of(chat_http.ask(bridge.address, "and now?")) == "echo: and now?"
    assert [question.text for question in lender.was_asked()] == ["and now?"]


# Nobody, and too many


def test_without_a_source_there_is_503_at_once(bridge: Bridge) -> None:
    for dialect in chat_http.PATHS:
        answer = chat_http.ask(bridge.address, "hello", dialect)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) <= 5, answer
        assert "Hook not initialized - MCP context missing" in answer.body.decode()


def test_two_share_the_load(bridge: Bridge) -> None:
    with joined(bridge, SILENT, "one") as one, joined(bridge, SILENT, "two") as two:
        wait_sources(bridge, one, two)
        answers = {f"{number}": begin(bridge.address, f"{number}") for number in range(6)}
        # All have been asked before the first is answered, and is free for more.
        asked = [(lender, lender.next_question()) for lender in (one, two) for _ in range(3)]
        for lender, question in asked:
            lender.reply(question, said(f"{lender.name} {question.text}"))
        assert {text_of(is_over(answer)).split()[1] for answer in answers.values()} == set(answers)
        assert one.was_asked() == two.was_asked() == []


def test_what_was_not_asked_yet_goes_to_another_when_a_source_is_lost(bridges: Bridges) -> None:
    bridge = bridges.start({}, bridge={"chat": {"parallel": 1}})
    with joined(bridge, SILENT, "goes") as goes, joined(bridge, SILENT, "stays") as stays:
        wait_sources(bridge, goes, stays)
        asked = {text: begin(bridge.address, text) for text in ("first", "second")}
        (lost, answered) = (goes.next_question(), stays.next_question())
        waiting = begin(bridge.address, "third")
        eventually(lambda: waits(bridge) == 1, "one request waits")
        goes.process.terminate()
        assert code_of(is_over(asked[lost.text])) == "source_lost"
        stays.reply(answered, said("here"))
        assert text_of(is_over(asked[answered.text])) == "here"
        third = stays.next_question()
        assert third.text == "third"
        stays.reply(third, said("here as well"))
        assert text_of(is_over(waiting)) == "here as well"
        assert goes.was_asked() == []


def waits(bridge: Bridge) -> int:
    return json.loads(command_line.beside(bridge, "status", "--json").out).get("requestsWaiting", 0)


# A source


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "end", [lambda lender: lender.process.stdin.close(), lambda lender: lender.process.kill()], ids=["leaves", "is killed"]
)
def test_a_source_that_is_lost_is_told_of(bridge: Bridge, lender: Lender, end: Callable[[Lender], None], stream: bool) -> None:
    answer = begin(bridge.address, "hello", stream=stream)
    assert lender.next_question().text == "hello"
    end(lender)
    told = is_over(answer)
    assert told.status == 502 and code_of(told) == "source_lost", told
    # The packages repeat by themselves what is not forbidden.
    assert told.headers["x-should-retry"] == "false"
    assert lender.was_asked() == []


def test_a_source_that_hangs_is_told_to_stop_and_what_it_says_later_is_nobodys(bridges: Bridges) -> None:
    bridge = bridges.start({}, bridge={"chat": {"timeout": 4}})
    with joined(bridge, SILENT) as lender:
        wait_sources(bridge, lender)
        late = chat_http.ask(bridge.address, "hello")
        assert late.status == 504 and late.headers["x-should-retry"] == "false", late
        question = lender.next_question()
        assert lender.withdrawn.get(timeout=PATIENCE)["requestId"] == question.id
        lender.reply(question, said("too late"))
        works(bridge, lender)


class Listening:
    """A client over HTTP that lends its model, and listens anew without saying what it has read."""

    def __init__(self, bridge: Bridge) -> None:
        self.client = MCPClient(bridge.address, name="listening", validate=False).initialize({"sampling": {}})

    def open(self) -> EventStream:
        """A stream, of which the beginning has been read."""
        stream = self.client.open_stream()
        assert next(iter(stream)).id is not None
        return stream

    @staticmethod
    def asked(stream: EventStream) -> dict[str, Any]:
        """The next question."""
        return stream.wait_for("sampling/createMessage")

    def reply(self, question: dict[str, Any], text: str) -> None:
        message = {"jsonrpc": "2.0", "id": question["id"], "result": said(text)["result"]}
        assert self.client.exchange("POST", message).status == 202


@pytest.fixture
def listening(bridges: Bridges) -> tuple[Bridge, Listening]:
    bridge = bridges.start({}, bridge={"chat": {"sources": ["listening"], "warmup": False}})
    return bridge, Listening(bridge)


def text_asked(question: dict[str, Any]) -> str:
    return question["params"]["messages"][0]["content"]["text"]


def test_what_has_not_left_for_a_source_is_asked_on_its_next_stream(listening: tuple[Bridge, Listening]) -> None:
    bridge, source = listening
    stream = source.open()
    # More than sockets hold: some of it has come when the client goes.
    long = "x" * (24 << 20)
    answer = begin(bridge.address, long)
    assert stream.connection.socket.recv(1_000)
    stream.close()
    with source.open() as again:
        question = source.asked(again)
        assert text_asked(question) == long
        source.reply(question, "here")
    assert text_of(is_over(answer)) == "here"


def test_what_a_source_may_have_read_is_not_asked_again_and_its_answer_counts(listening: tuple[Bridge, Listening]) -> None:
    bridge, source = listening
    with source.open() as stream:
        answer = begin(bridge.address, "first")
        question = source.asked(stream)
    with source.open() as again:
        other = begin(bridge.address, "second")
        next_question = source.asked(again)
        assert [text_asked(question), text_asked(next_question)] == ["first", "second"]
        source.reply(next_question, "two")
        source.reply(question, "one")
    assert [text_of(is_over(each)) for each in (answer, other)] == ["one", "two"]


def test_a_slow_source_holds_up_nobody_else(bridge: Bridge, lender: Lender) -> None:
    slow = begin(bridge.address, "slow", stream=True)
    question = lender.next_question()
    quick = begin(bridge.address, "quick", "messages")
    lender.reply(lender.next_question(), said("at once"))
    assert text_of(is_over(quick), "messages") == "at once"
    assert not slow.done()
    lender.reply(question, said("in the end"))
    assert b"in the end" in is_over(slow).body


def test_a_refusal_is_final_and_not_asked_for_again(bridge: Bridge, lender: Lender) -> None:
    lender.answer_with = lambda _: failed(-1, "User rejected sampling request")
    for _ in range(3):
        told = chat_http.ask(bridge.address, "hello")
        assert told.status == 403 and code_of(told) == "sampling_refused", told
    assert len(lender.was_asked()) == 1


def test_an_error_of_a_source_is_told_in_its_words(bridge: Bridge, lender: Lender) -> None:
    lender.answer_with = lambda _: failed(-32603, "the model is on holiday")
    told = chat_http.ask(bridge.address, "hello")
    assert told.status == 502 and "the model is on holiday" in told.body.decode(), told
    assert told.headers["x-should-retry"] == "false"
    assert len(lender.was_asked()) == 1
    works(bridge, lender)


@pytest.mark.parametrize(
    "answer",
    [{"result": {}}, {"result": {"role": "user", "model": "m", "content": {"type": "text", "text": "?"}}}, said("", content=7)],
    ids=["nothing in it", "another role", "no content"],
)
def test_an_answer_that_is_none_is_an_error(bridge: Bridge, lender: Lender, answer: dict[str, Any]) -> None:
    lender.answer_with = lambda _: answer
    told = chat_http.ask(bridge.address, "hello")
    assert told.status == 502, told
    assert len(lender.was_asked()) == 1
    works(bridge, lender)


def test_the_second_of_two_answers_is_nobodys(bridge: Bridge, lender: Lender) -> None:
    answer, other = begin(bridge.address, "one"), None
    question = lender.next_question()
    lender.reply(question, said("first"))
    lender.reply(question, said("second"))
    assert text_of(is_over(answer)) == "first"
    other = begin(bridge.address, "two")
    lender.reply(question, said("third"))
    lender.reply(lender.next_question(), said("the other's"))
    assert text_of(is_over(other)) == "the other's"
    works(bridge, lender)


def test_a_program_that_leaves_has_its_question_taken_back(bridge: Bridge, lender: Lender) -> None:
    with RawConnection(bridge.address) as connection:
        connection.send("POST", "/v1/chat/completions", {"Content-Type": "application/json"}, json.dumps(chat_http.body("hello")).encode())
        question = lender.next_question()
    assert lender.withdrawn.get(timeout=PATIENCE)["requestId"] == question.id
    works(bridge, lender)


# The bridge


def test_the_session_worker_is_killed(bridge: Bridge, lender: Lender) -> None:
    answer = begin(bridge.address, "hello")
    assert lender.next_question().text == "hello"
    kill(bridge, "session")
    told = is_over(answer)
    assert told.status == 502 and code_of(told) == "source_lost", told
    assert lender.was_asked() == []
    # Its call of `hook` is over with that worker; its session is not.
    works(bridge, lender)


def test_the_front_is_killed(bridge: Bridge, lender: Lender) -> None:
    answer = begin(bridge.address, "hello", stream=True)
    question = lender.next_question()
    kill(bridge, "http")
    with pytest.raises((ConnectionEnded, OSError)):
        is_over(answer)
    # Nobody waits for it any more, and it is not asked for again.
    assert lender.withdrawn.get(timeout=PATIENCE)["requestId"] == question.id
    assert lender.was_asked() == []
    works(bridge, lender)


@pytest.mark.parametrize("python", [MODELS_PYTHON, OLD_MODELS_PYTHON], ids=["newest", "old"])
def test_the_official_packages_see_that_a_stream_is_cut(bridges: Bridges, python: Path) -> None:
    """A stream that ends without its end is an error to them, and no short answer."""
    bridge = bridges.start({}, bridge={"keepAlive": 0.2})
    given = {"url": f"http://127.0.0.1:{bridge.port}", "token": create(bridge, "chat", "--sandbox")}
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with subprocess.Popen(
        [python, SUPPORT / "cut_streams.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        print(json.dumps(given), file=program.stdin, flush=True)
        assert program.stdout.readline() == "begun\n"
        kill(bridge, "http")
        raised = json.loads(program.stdout.readline())
    assert set(raised) == {"completions", "responses", "messages"} and all(raised.values()), raised


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_fifty_at_once_are_answered_each_with_its_own(bridge: Bridge, stream: bool) -> None:
    """More than two sources take at once: the others wait for them."""
    with joined(bridge, echo, "one") as one, joined(bridge, echo, "two") as two:
        wait_sources(bridge, one, two)
        dialects = list(chat_http.PATHS)
        waiting = [begin(bridge.address, f"question-{number}", dialects[number % 3], stream=stream) for number in range(50)]
        for number, answer in enumerate(waiting):
            told = is_over(answer)
            assert told.status == 200, told
            said_there = {found.decode() for found in re.findall(rb"echo: question-\d+", told.body)}
            assert said_there == {f"echo: question-{number}"}, told
        asked = [question.text for lender in (one, two) for question in lender.was_asked()]
        assert sorted(asked) == sorted(f"question-{number}" for number in range(50))


def test_the_service_stops(bridges: Bridges) -> None:
    bridge = bridges.start({}, bridge={"drainTimeout": 0.5})
    with joined(bridge, SILENT) as lender:
        wait_sources(bridge, lender)
        answer = begin(bridge.address, "hello")
        lender.next_question()
        assert bridge.stop() == 0
        try:
            assert is_over(answer).status in (502, 503)
        except (ConnectionEnded, OSError):
            pass
        assert lender.was_asked() == []
        bridge.start()


def kill(bridge: Bridge, label: str) -> None:
    worker = bridge.worker(label)
    with ProcessWatch([worker]) as watch:
        os.kill(worker.pid, signal.SIGKILL)
        assert watch.wait_until_all_ended(PATIENCE)
