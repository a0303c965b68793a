"""Event streams: their shape, their event ids, and fetching what was missed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import schema
from harness import Bridge, Bridges
from http_raw import ConnectionEnded
from mcp_http import MCPClient
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE

EVERY_REVISION = pytest.mark.parametrize("revision", schema.LEGACY_REVISIONS)


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges, misbehaving: MisbehavingUpstream) -> Bridge:
    bridge = shared_bridges.start({"bad": misbehaving.entry})
    bridge.wait_upstream("bad")
    return bridge


@pytest.fixture
def gate(folder: Path) -> Path:
    """A FIFO that holds a call of `bad.hold` until something is written to it."""
    path = folder / "gate"
    os.mkfifo(path)
    return path


def release(gate: Path, text: str) -> None:
    gate.write_text(text, encoding="utf-8")


def held_call(client: MCPClient, gate: Path) -> tuple[str, Callable[[], None]]:
    """Starts a call, reads its first progress, and gives the id of that event and how to leave without a word."""
    stream = client.open_call("bad.hold", {"gate": str(gate)}, progress_token="held")
    first = stream.wait_for("notifications/progress")
    assert first["params"]["progressToken"] == "held"
    assert stream.last_event_id, "the stream has no event ids"
    return stream.last_event_id, stream.close


@EVERY_REVISION
def test_a_stream_says_what_it_is_and_that_nobody_may_keep_it(bridge: Bridge, revision: str) -> None:
    with bridge.client(revision).keep_stream_open() as stream:
        assert stream.head.headers["content-type"].startswith("text/event-stream")
        control = stream.head.headers["cache-control"]
        assert "no-cache" in control or "no-store" in control


@EVERY_REVISION
def test_the_events_of_a_call_are_messages_with_ids_of_their_own(bridge: Bridge, revision: str) -> None:
    client = bridge.client(revision)
    reply = client.call("bad.progress", {"count": 5}, progress_token=1)
    assert {event.event for event in reply.events} == {"message"}
    identifiers = [event.id for event in reply.events]
    assert all(identifiers), "every event can be resumed after"
    more = client.call("bad.progress", {"count": 5}, progress_token=2)
    identifiers += [event.id for event in more.events]
    assert len(set(identifiers)) == len(identifiers), "an id means one event in the whole session"


def test_a_quiet_call_of_2025_11_25_becomes_a_stream_to_come_back_to(bridge: Bridge, gate: Path) -> None:
    """Without progress there is nothing to tell, but after a while an id, so that the answer can be fetched."""
    client = bridge.client("2025-11-25")
    with client.open_call("bad.hold", {"gate": str(gate)}) as stream:
        first = next(iter(stream))
        assert (first.data, bool(first.id)) == ("", True)
    with client.open_stream(first.id, answers="tools/call") as stream:
        release(gate, "fetched")
        assert text_of(stream.next_message()["result"]) == "fetched"


@EVERY_REVISION
def test_what_a_caller_missed_is_fetched_with_the_last_event_id(bridge: Bridge, gate: Path, revision: str) -> None:
    client = bridge.client(revision)
    last_seen, leave = held_call(client, gate)
    leave()
    with client.open_stream(last_seen, answers="tools/call") as stream:
        release(gate, "while you were away")
        messages = [event.message for event in stream if event.message is not None]
    assert [text_of(message["result"]) for message in messages] == ["while you were away"]


def test_a_result_that_came_while_nobody_listened_waits(
    bridge: Bridge, misbehaving: MisbehavingUpstream, gate: Path
) -> None:
    client = bridge.client()
    last_seen, leave = held_call(client, gate)
    leave()
    release(gate, "kept")
    # Through the same upstream, after the held call's answer: by now that has come.
    client.call("bad.echo", {"text": "behind it"})
    with client.open_stream(last_seen, answers="tools/call") as stream:
        assert text_of(stream.next_message()["result"]) == "kept"
        with pytest.raises(ConnectionEnded):
            stream.next_message()


def test_a_caller_that_left_early_gets_the_rest_and_nothing_twice(bridge: Bridge) -> None:
    """The daemon may have written everything by then: only the client knows what it has read."""
    client = bridge.client()
    with client.open_call("bad.progress", {"count": 6}, progress_token=1) as stream:
        seen = [stream.wait_for("notifications/progress")["params"]["progress"] for _ in range(3)]
        last_seen = stream.last_event_id
    with client.open_stream(last_seen, answers="tools/call") as stream:
        rest = [event.message for event in stream if event.message is not None]
    assert seen + [message["params"]["progress"] for message in rest[:-1]] == [1, 2, 3, 4, 5, 6]
    assert text_of(rest[-1]["result"]) == "6"


def test_another_session_fetches_nothing(bridge: Bridge, gate: Path) -> None:
    client, stranger = bridge.client(), bridge.client()
    last_seen, leave = held_call(client, gate)
    leave()
    connection = bridge.http()
    with connection:
        connection.send("GET", "/mcp", {**stranger.headers("GET"), "Last-Event-ID": last_seen})
        head = connection.read_head()
        release(gate, "private")
        with client.open_stream(last_seen, answers="tools/call") as stream:
            assert text_of(stream.next_message()["result"]) == "private"
        if head.status == 200:
            # Taken as a stream of the stranger's own; nothing private comes until the stranger's session ends.
            assert stranger.delete().status in (200, 204)
            assert all("private" not in event.data for event in connection.read_events(head))
        else:
            assert head.status in (400, 404)


@pytest.mark.parametrize("unknown", ["nonsense", "0", "x" * 300, "1-1", "-1"])
def test_an_unknown_event_id_is_refused_or_starts_afresh(bridge: Bridge, unknown: str) -> None:
    client = bridge.client()
    with bridge.http() as connection:
        connection.send("GET", "/mcp", {**client.headers("GET"), "Last-Event-ID": unknown})
        assert connection.read_head().status in (200, 400, 404)
    assert client.request("ping").result == {}


def test_leaving_a_call_is_not_cancelling_it(bridge: Bridge, misbehaving: MisbehavingUpstream, gate: Path) -> None:
    """2025-11-25, Streamable HTTP: a disconnect is not a cancellation."""
    client = bridge.client()
    before = len(misbehaving.received("notifications/cancelled"))
    last_seen, leave = held_call(client, gate)
    leave()
    client.call("bad.echo", {"text": "later"})
    release(gate, "done")
    with client.open_stream(last_seen, answers="tools/call") as stream:
        assert text_of(stream.next_message()["result"]) == "done"
    assert len(misbehaving.received("notifications/cancelled")) == before


@EVERY_REVISION
def test_a_cancelled_call_is_cancelled_upstream_and_its_stream_ends(
    bridge: Bridge, misbehaving: MisbehavingUpstream, revision: str
) -> None:
    client = bridge.client(revision)
    before = len(misbehaving.received("notifications/cancelled"))
    with client.open_call("bad.never", progress_token="p", id="to be cancelled") as stream:
        stream.wait_for("notifications/progress")
        client.notify("notifications/cancelled", {"requestId": "to be cancelled", "reason": "enough"})
        cancelled = misbehaving.wait_received("notifications/cancelled", before + 1)[-1]
        call = [each for each in misbehaving.received("tools/call") if each["params"]["name"] == "never"][-1]
        assert cancelled["params"]["requestId"] == call["id"]
        rest = [event.message for event in stream if event.message is not None]
    assert rest == []


def test_cancelling_what_is_not_there_harms_nobody(bridge: Bridge) -> None:
    client, other = bridge.client(), bridge.client()
    with client.open_call("bad.never", progress_token=1, id=5) as stream:
        stream.wait_for("notifications/progress")
        other.notify("notifications/cancelled", {"requestId": 5})
        client.notify("notifications/cancelled", {"requestId": "5"})
        client.notify("notifications/cancelled", {"requestId": 6})
        assert text_of(other.call("bad.echo", {"text": "fine"}).result) == "fine"
        client.notify("notifications/cancelled", {"requestId": 5})
        list(stream)


def test_many_streams_run_side_by_side(bridge: Bridge) -> None:
    client = bridge.client()
    outcomes: dict[int, list[int]] = {}

    def one(number: int) -> None:
        with client.beside() as own:
            reply = own.call("bad.progress", {"count": 20, "bytes": 200}, progress_token=number)
            outcomes[number] = [each["params"]["progressToken"] for each in reply.notifications]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {number: [number] * 20 for number in range(16)}


@pytest.fixture
def stopping(bridges: Bridges, folder: Path) -> Iterator[tuple[Bridge, MisbehavingUpstream]]:
    upstream = MisbehavingUpstream(folder, "bad")
    bridge = bridges.start({"bad": upstream.entry, "demo": demo_upstream()})
    bridge.wait_upstream("bad")
    yield bridge, upstream


def test_stopping_lets_calls_finish_and_ends_streams_properly(
    stopping: tuple[Bridge, MisbehavingUpstream], gate: Path
) -> None:
    bridge, _ = stopping
    client = bridge.client()
    listening = client.open_stream()
    stream = client.open_call("bad.hold", {"gate": str(gate)}, progress_token=1)
    stream.wait_for("notifications/progress")
    assert bridge.process is not None
    bridge.process.terminate()
    # The listening stream ends with its last chunk, not with a cut; reading to the end proves it.
    assert {event.message["method"] for event in listening if event.message} <= {"notifications/tools/list_changed"}
    release(gate, "finished")
    assert text_of(stream.next_message()["result"]) == "finished"
    with pytest.raises(ConnectionEnded, match="the stream ended"):
        stream.next_message()
    assert bridge.process.wait(PATIENCE) == 0
