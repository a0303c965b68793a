"""What bad upstreams do, and that it hurts nobody but their own callers."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bridge_memory
import pytest
from callers import MAY_HAVE_RUN
from harness import Bridge, Bridges
from mcp_http import MCPClient
from processes import ProcessWatch, look_up
from replies import Reply, text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, best_of, eventually

TIMED_OUT = "timeout"
LINE_LIMIT = 64 << 20


@pytest.fixture
def bridge(demo_and_bad: Bridge) -> Bridge:
    return demo_and_bad


@pytest.fixture
def client(bridge: Bridge) -> Iterator[MCPClient]:
    """A client of the bad upstream; the good one has to be as good afterwards."""
    with bridge.client() as client:
        yield client
        assert text_of(client.call("demo.echo", {"text": "unharmed"}).result) == "unharmed"


def assert_outcome(reply: Reply, *words: str) -> None:
    failure = reply.failure
    assert failure.word in words, failure
    assert "bad" in failure.message, "the message names the upstream"


class Others:
    """Calls the good upstream all the while, on connections of its own; each of them has to succeed."""

    def __init__(self, bridge: Bridge, clients: int = 4) -> None:
        self.count = 0
        self.failures: list[str] = []
        self._clients = [bridge.client() for _ in range(clients)]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(client,)) for client in self._clients]

    def __enter__(self) -> Others:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: MCPClient) -> None:
        while not self._stop.is_set():
            try:
                assert text_of(client.call("demo.echo", {"text": "x"}).result) == "x"
                self.count += 1
            except Exception as error:  # noqa: BLE001 - told by the test
                self.failures.append(repr(error))
                return


# Noise


def test_garbage_on_stdout_is_skipped(client: MCPClient, bridge: Bridge) -> None:
    child = bridge.upstream_child("bad")
    assert text_of(client.call("bad.garbage").result) == "after the garbage"
    assert bridge.upstream_child("bad") == child, "noise is no reason to start it anew"


def test_a_flood_on_stderr_is_drained(client: MCPClient, bridge: Bridge) -> None:
    before = bridge_memory.total(bridge)
    with Others(bridge) as others:
        assert text_of(client.call("bad.flood_stderr", {"bytes": 20_000_000}).result) == "flooded"
    assert not others.failures
    assert bridge_memory.total(bridge) - before < 64 << 20


def test_stderr_is_told_as_the_upstreams_own(bridges: Bridges, folder: Path) -> None:
    upstream = MisbehavingUpstream(folder, "bad", "--exit-at-start", "3")
    bridge = bridges.start({"bad": upstream.entry}, ready="live")
    assert "bad" in bridge.wait_logged("cannot start")


# Answers that are wrong


def test_a_second_answer_is_ignored(client: MCPClient) -> None:
    for _ in range(5):
        assert text_of(client.call("bad.twice").result) == "first"
    assert client.echoes("bad")


def test_an_answer_to_an_unknown_id_is_ignored(client: MCPClient) -> None:
    for _ in range(5):
        reply = client.call("bad.unknown_id", progress_token="t")
        assert text_of(reply.result) == "yours"
        assert not reply.notifications, "somebody else's progress"
    assert client.echoes("bad")


def test_an_answer_with_both_a_result_and_an_error_is_no_answer_or_an_error(client: MCPClient) -> None:
    reply = client.call("bad.wrong_shape")
    if "result" in reply.message:
        assert text_of(reply.result) == "after both"
    assert client.echoes("bad")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"result": "x"}, "The result is not an object: x"),
        ({"result": ["x"]}, 'The result is not an object: ["x"]'),
        ({"error": "boom"}, "boom"),
        ({"error": {"message": "no code"}}, "no code"),
        ({"error": {"code": "1", "message": "no number"}}, "no number"),
        ({"error": {"code": 1}}, '{"code": 1}'),
    ],
    ids=str,
)
def test_an_answer_of_no_known_shape_is_an_error_in_its_own_words(
    client: MCPClient, members: dict[str, Any], words: str
) -> None:
    failure = client.call("bad.shapeless", members).failure
    assert (failure.code, failure.message) == (-32603, words)
    assert client.echoes("bad")


@pytest.mark.parametrize("members", [{"result": None}, {"result": []}], ids=str)
def test_a_result_of_nothing_is_an_empty_one(client: MCPClient, members: dict[str, Any]) -> None:
    """Which the schema of tools/call does not have: it is the server's."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    response = client.exchange("POST", {**body, "params": {"name": "bad.shapeless", "arguments": members}})
    assert response.json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert client.echoes("bad")


def test_answers_never_reach_the_wrong_caller(bridge: Bridge, client: MCPClient) -> None:
    """Many callers side by side, while answers to unknown ids and second answers fly about."""
    wrong: list[str] = []

    def one(number: int) -> None:
        with client.beside() as own:
            for index in range(20):
                text = f"{number}/{index}"
                if text_of(own.call("bad.echo", {"text": text}).result) != text:
                    wrong.append(text)
                own.call("bad.unknown_id" if index % 2 else "bad.twice")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# No answer


@pytest.fixture
def hasty(bridges: Bridges, folder: Path) -> tuple[Bridge, MisbehavingUpstream]:
    """A bridge that waits four seconds for calls."""
    upstream = MisbehavingUpstream(folder, "bad")
    entry = {**upstream.entry, "timeouts": {"call": 4}}
    bridge = bridges.start({"demo": demo_upstream(), "bad": entry})
    bridge.wait_upstream("bad")
    return bridge, upstream


def test_a_call_that_is_never_answered_times_out_and_is_cancelled(hasty: tuple[Bridge, MisbehavingUpstream]) -> None:
    bridge, upstream = hasty
    client = bridge.client()
    assert_outcome(client.call("bad.never"), TIMED_OUT)
    (cancelled,) = upstream.wait_received("notifications/cancelled")
    assert cancelled["params"]["requestId"] == upstream.received("tools/call")[0]["id"]
    assert client.echoes("bad")


def test_each_progress_starts_the_time_limit_anew(hasty: tuple[Bridge, MisbehavingUpstream]) -> None:
    """Longer than the limit altogether, never nearly as long in silence."""
    bridge, _ = hasty
    client = bridge.client()
    reply = client.call("bad.progress", {"count": 12, "ms": 500}, progress_token=1)
    assert text_of(reply.result) == "12"
    reply = client.call("bad.progress", {"count": 12, "ms": 500})
    assert_outcome(reply, TIMED_OUT)


def test_a_server_that_hangs_is_started_anew_however_many_call_it(bridges: Bridges, folder: Path) -> None:
    """Within the limit of a call and a ping, and what a start takes; nobody is told what is not true meanwhile."""
    call, ping, slack = 2, 1 + 1, 4
    numbers = itertools.count()

    def measure() -> float:
        upstream = MisbehavingUpstream(folder, f"bad{next(numbers)}")
        entry = {**upstream.entry, "timeouts": {"call": call, "ping": 1}}
        bridge = bridges.start({"demo": demo_upstream(), upstream.name: entry}, bridge={"pingInterval": 1})
        bridge.wait_upstream(upstream.name)
        hung = bridge.upstream_child(upstream.name).pid
        outcomes: list[str] = []
        served: list[tuple[float, str]] = []

        def insist(client: MCPClient) -> None:
            while not served and time.monotonic() - begun < PATIENCE:
                reply = client.call(upstream.tool("pid"))
                if "result" in reply.message:
                    served.append((time.monotonic(), text_of(reply.result)))
                else:
                    outcomes.append(reply.failure.word)

        client = bridge.client()
        clients = [bridge.client() for _ in range(3)]
        begun = time.monotonic()
        assert_outcome(client.call(upstream.tool("hang")), TIMED_OUT)
        callers = [threading.Thread(target=insist, args=(each,)) for each in clients]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert served, f"never started anew: {outcomes}"
        when, pid = served[0]
        assert int(pid) != hung
        assert set(outcomes) <= {TIMED_OUT, "upstream_unavailable"}
        sent = [each for each in upstream.received("tools/call") if each["params"]["name"] == "pid"]
        read = [each for each in sent if each["pid"] == hung]
        assert len(read) <= outcomes.count(TIMED_OUT), "a call that it had read was said not to have run"
        assert text_of(client.call("demo.echo", {"text": "unharmed"}).result) == "unharmed"
        bridge.stop()
        return when - begun

    best_of(2, call + ping + slack, measure)


# Death


@pytest.mark.parametrize("tool", ["die", "die_mid_line", "close_stdout"])
def test_a_death_in_the_middle_of_a_call_is_one_clear_error(
    client: MCPClient, bridge: Bridge, misbehaving: MisbehavingUpstream, tool: str
) -> None:
    before = len([each for each in misbehaving.received("tools/call") if each["params"]["name"] == tool])
    reply = client.call(f"bad.{tool}")
    assert_outcome(reply, MAY_HAVE_RUN)
    assert reply.failure.code == -32004
    assert client.echoes("bad"), "the next call brings it back"
    after = len([each for each in misbehaving.received("tools/call") if each["params"]["name"] == tool])
    assert after == before + 1, "it was sent again"


def test_a_death_ends_each_call_in_flight_with_one_error(bridge: Bridge, client: MCPClient) -> None:
    replies: list[Reply] = []
    sent = threading.Barrier(9)

    def hang() -> None:
        with client.beside() as own, own.open_call("bad.never", progress_token=own.next_id()) as stream:
            stream.wait_for("notifications/progress")
            sent.wait()
            messages = [event.message for event in stream if event.message is not None]
            replies.extend(Reply(stream.head, message) for message in messages)

    threads = [threading.Thread(target=hang) for _ in range(8)]
    for thread in threads:
        thread.start()
    sent.wait(PATIENCE)
    client.call("bad.die")
    for thread in threads:
        thread.join(PATIENCE)
    assert len(replies) == 8
    for reply in replies:
        assert_outcome(reply, MAY_HAVE_RUN)
    assert client.echoes("bad")


def test_a_server_that_dies_soon_after_each_start_is_started_ever_more_slowly(bridges: Bridges, folder: Path) -> None:
    """By the table of the backoff: 1, 2, 4, 8, 16 s, each drawn from its upper half. Half a minute of real time, and as much more
    as a busy machine needs for five starts."""
    upstream = MisbehavingUpstream(folder, "bad", "--exit-after-list", "200")
    bridge = bridges.start({"demo": demo_upstream(), "bad": upstream.entry})

    def starts() -> list[float]:
        return [entry["at"] for entry in upstream.received("initialize")]

    first = eventually(starts, "its first start")[0]
    eventually(lambda: time.monotonic() - first >= 30 and len(starts()) >= 5, "half a minute has passed", within=180)
    found = starts()
    assert len([at for at in found if at - first < 30]) <= 6, [at - first for at in found]
    for index, (before, after) in enumerate(itertools.pairwise(found)):
        assert after - before >= 0.2 + 2**index / 2, f"start {index + 2}"
    eventually(lambda: bridge.upstream("bad")["reconnectAttempts"] >= 4, "each of its deaths has counted")


def test_an_upstream_that_forks_and_exits_leaves_nothing_behind(
    client: MCPClient, bridge: Bridge, folder: Path
) -> None:
    pid_file = folder / "pid"
    first = bridge.upstream_child("bad")
    with ProcessWatch([first]) as watch:
        reply = client.call("bad.fork_and_exit", {"pid_file": str(pid_file)})
        assert_outcome(reply, MAY_HAVE_RUN)
        assert watch.wait_until_all_ended(PATIENCE)
    grandchild = int(eventually(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii"), "a grandchild"))
    eventually(lambda: look_up(grandchild) is None, "the grandchild is ended although it is deaf to SIGTERM")
    assert client.echoes("bad")


# Size


def test_sixty_four_megabytes_come_whole_while_others_call(client: MCPClient, bridge: Bridge) -> None:
    size = LINE_LIMIT - 4096
    with Others(bridge) as others:
        before = others.count
        text = text_of(client.call("bad.big", {"bytes": size}).result)
        during = others.count - before
    assert not others.failures
    assert during > 20, f"the others got only {during} answers meanwhile"
    assert len(text) == size and hashlib.sha256(text.encode()).digest() == hashlib.sha256(b"x" * size).digest()


def test_more_than_a_line_may_have_is_one_clear_error(client: MCPClient, bridge: Bridge) -> None:
    with Others(bridge) as others:
        reply = client.call("bad.big", {"bytes": LINE_LIMIT + 4096})
    assert not others.failures
    assert_outcome(reply, MAY_HAVE_RUN)
    assert client.echoes("bad")


def test_a_result_that_some_clients_do_not_take_is_passed_on_and_said(client: MCPClient, bridge: Bridge) -> None:
    assert len(text_of(client.call("bad.big", {"bytes": 16 << 20}).result)) == 16 << 20
    eventually(lambda: any("larger than some clients take" in line for line in bridge.log), "the log says it")


def test_memory_is_given_back_after_big_results(client: MCPClient, bridge: Bridge) -> None:
    client.call("bad.big", {"bytes": 16 << 20})
    before = bridge_memory.total(bridge)
    for _ in range(6):
        assert len(text_of(client.call("bad.big", {"bytes": 16 << 20}).result)) == 16 << 20
    assert bridge_memory.total(bridge) - before < 64 << 20


# Floods


def test_a_flood_of_progress_reaches_its_caller_and_hurts_nobody(client: MCPClient, bridge: Bridge) -> None:
    with Others(bridge) as others:
        reply = client.call("bad.progress", {"count": 5_000, "bytes": 100}, progress_token="flood")
    assert not others.failures
    told = [each["params"]["progress"] for each in reply.notifications]
    assert told == sorted(told), "progress only grows"
    assert text_of(reply.result) == "5000"


def test_progress_nobody_asked_for_is_dropped(client: MCPClient) -> None:
    reply = client.call("bad.progress", {"count": 5})
    assert not reply.notifications and reply.head.content_type == "application/json"


def test_a_flood_of_log_messages_hurts_nobody(client: MCPClient, bridge: Bridge) -> None:
    with client.keep_stream_open(), Others(bridge) as others:
        assert client.call("bad.log", {"level": "info", "count": 5_000, "data": "x" * 100}).result
    assert not others.failures
