"""Questions that wait: who may answer them, what ends them, who is told, and what a death leaves of them."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import Bridge, Bridges
from http_raw import ConnectionEnded
from mcp_http import EventStream, MCPClient
from places import SUPPORT
from replies import RPCFailure, text_of
from rpc import response
from waiting import eventually

FORM = {
    "mode": "form",
    "message": "Which?",
    "requestedSchema": {"type": "object", "properties": {"which": {"type": "string"}}},
}
ELICIT = {"method": "elicitation/create", "params": FORM}
SAMPLE = {
    "method": "sampling/createMessage",
    "params": {"messages": [{"role": "user", "content": {"type": "text", "text": "?"}}], "maxTokens": 1},
}
EVERYTHING = {"sampling": {}, "elicitation": {"form": {}, "url": {}}, "roots": {}}
ACCEPTED = {"action": "accept", "content": {"which": "this"}}


def asking(*arguments: str, **entry: Any) -> dict[str, Any]:
    return {"command": sys.executable, "args": [str(SUPPORT / "questioning_server.py"), *arguments], "asks": True, **entry}


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"u": asking()})
    bridge.wait_upstream("u")
    return bridge


def started(bridges: Bridges, **entry: Any) -> Bridge:
    bridge = bridges.start({"u": asking(**entry)})
    bridge.wait_upstream("u")
    return bridge


def client_of(bridge: Bridge, capabilities: dict[str, Any] | None = None, revision: str = "2025-11-25") -> MCPClient:
    client = bridge.new_client(revision)
    return client.initialize(EVERYTHING if capabilities is None else capabilities)


def asked(client: MCPClient, question: dict[str, Any] = ELICIT) -> tuple[EventStream, dict[str, Any]]:
    """A call whose question has come."""
    stream = client.open_call("u.ask", question)
    return stream, stream.wait_for(question["method"])


def answer(client: MCPClient, question: dict[str, Any], result: dict[str, Any] | None = None) -> None:
    """Whatever becomes of an answer, its POST is accepted."""
    message = response(question, result=ACCEPTED if result is None else result)
    accepted = client.beside().exchange("POST", message)
    assert (accepted.status, accepted.body) == (202, b"")


def said(message: dict[str, Any]) -> Any:
    """What came back to the server."""
    return json.loads(message["result"]["content"][0]["text"])


def test_an_answer_counts_once_and_only_from_who_was_asked(bridge: Bridge) -> None:
    client, other = client_of(bridge), client_of(bridge)
    stream, question = asked(client)
    assert len(question["id"]) >= 20 and question["id"] != "s1"
    answer(other, question, {"action": "accept", "content": {"which": "theirs"}})
    answer(client, {"id": question["id"] + "x"}, {"action": "cancel"})
    answer(client, question)
    answer(client, question, {"action": "decline"})
    assert said(stream.next_message()) == {"result": ACCEPTED}
    answer(client, question, {"action": "decline"})
    assert text_of(client.call("u.count").result).isdigit()


def test_a_client_that_answers_with_an_error(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream, question = asked(client, SAMPLE)
    error = {"code": -1, "message": "User rejected sampling request"}
    client.beside().exchange("POST", response(question, error=error))
    assert said(stream.next_message()) == {"error": error}


@pytest.mark.parametrize(
    ("capabilities", "question", "told"),
    [
        ({}, ELICIT, {"result": {"action": "decline"}}),
        ({"elicitation": {"url": {}}}, ELICIT, {"result": {"action": "decline"}}),
        ({"elicitation": {}}, {**ELICIT, "params": {**FORM, "mode": "url"}}, {"result": {"action": "decline"}}),
        ({"elicitation": {}}, SAMPLE, {"error": {"code": -32601}}),
        ({"sampling": {}}, {**SAMPLE, "params": {**SAMPLE["params"], "tools": []}}, {"error": {"code": -32602}}),
        ({"sampling": {}}, {"method": "roots/list"}, {"result": {"roots": [{"uri": "file:///srv"}]}}),
        ({}, {"method": "roots/list"}, {"result": {"roots": [{"uri": "file:///srv"}]}}),
    ],
)
def test_who_did_not_declare_it_is_not_asked(
    shared_bridges: Bridges, capabilities: dict[str, Any], question: dict[str, Any], told: dict[str, Any]
) -> None:
    bridge = shared_bridges.start({"u": asking(roots=["file:///srv"])})
    bridge.wait_upstream("u")
    reply = client_of(bridge, capabilities).call("u.ask", question)
    assert reply.notifications == []
    found = said(reply.message)
    if "error" in told:
        assert found["error"]["code"] == told["error"]["code"]
    else:
        assert found == told


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26"])
def test_an_old_client_is_asked_what_its_revision_has(bridge: Bridge, revision: str) -> None:
    client = client_of(bridge, revision=revision)
    assert said(client.call("u.ask", ELICIT).message) == {"result": {"action": "decline"}}
    blocks = [{"role": "user", "content": [{"type": "text", "text": "one"}]}]
    stream, question = asked(client, {**SAMPLE, "params": {**SAMPLE["params"], "messages": blocks}})
    assert question["params"]["messages"][0]["content"] == {"type": "text", "text": "one"}
    result = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "two"}}
    answer(client, question, result)
    assert said(stream.next_message()) == {"result": result}


def test_a_form_is_put_in_the_words_of_2025_06_18(bridge: Bridge) -> None:
    client = client_of(bridge, revision="2025-06-18")
    titled = {"type": "string", "title": "T", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]}
    form = {"message": "?", "requestedSchema": {"type": "object", "properties": {"x": titled}}}
    stream, question = asked(client, {"method": "elicitation/create", "params": form})
    field = question["params"]["requestedSchema"]["properties"]["x"]
    assert field == {"type": "string", "title": "T", "enum": ["a", "b"], "enumNames": ["A", "B"]}
    answer(client, question, {"action": "accept", "content": {"x": "b"}})
    assert said(stream.next_message())["result"]["content"] == {"x": "b"}
    several = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
    form = {"message": "?", "requestedSchema": {"type": "object", "properties": {"x": several}}}
    told = said(client.call("u.ask", {"method": "elicitation/create", "params": form}).message)
    assert told["error"]["code"] == -32602 and "'x'" in told["error"]["message"]


def test_a_question_is_fetched_by_who_lost_the_stream(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream, question = asked(client)
    # As if it had not been seen: the event before it was the last.
    first = stream.last_event_id
    assert first is not None
    number, sequence = first.rsplit("-", 1)
    stream.close()
    again = client.open_stream(f"{number}-{int(sequence) - 1}", answers="tools/call")
    assert again.wait_for("elicitation/create") == question
    answer(client, question)
    assert said(again.next_message()) == {"result": ACCEPTED}


def test_a_question_that_was_answered_is_not_asked_again(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream, question = asked(client)
    number, _ = (stream.last_event_id or "").rsplit("-", 1)
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}
    again = client.open_stream(f"{number}-1", answers="tools/call")
    assert said(again.next_message()) == {"result": ACCEPTED}


def test_nobody_answers_in_time(bridges: Bridges) -> None:
    client = client_of(started(bridges, timeouts={"question": 1, "call": 300}))
    stream, question = asked(client)
    withdrawn = stream.wait_for("notifications/cancelled")
    assert withdrawn["params"]["requestId"] == question["id"]
    assert said(stream.next_message()) == {"result": {"action": "cancel"}}
    stream, _ = asked(client, SAMPLE)
    stream.wait_for("notifications/cancelled")
    assert "1 s (timeouts.question)" in said(stream.next_message())["error"]["message"]


@pytest.mark.parametrize("tool", ["ask_and_leave", "ask_and_withdraw"])
def test_a_question_that_nobody_waits_for_any_more_is_withdrawn(bridge: Bridge, tool: str) -> None:
    client = client_of(bridge)
    stream = client.open_call(f"u.{tool}", ELICIT)
    question = stream.wait_for("elicitation/create")
    assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
    assert "result" in stream.next_message()
    answer(client, question)
    assert text_of(client.call("u.count").result).isdigit()


def test_a_cancelled_call_takes_its_question_with_it(bridge: Bridge) -> None:
    client = client_of(bridge)
    stream = client.open_call("u.ask", ELICIT, id=77)
    question = stream.wait_for("elicitation/create")
    client.beside().notify("notifications/cancelled", {"requestId": 77})
    assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
    assert list(stream) == []
    # It is the next one's turn.
    assert text_of(client.call("u.count").result).isdigit()


def test_what_a_cancelled_call_asks_reaches_nobody_else(bridges: Bridges, tmp_path: Path) -> None:
    journal = tmp_path / "answers"
    bridge = bridges.start({"u": asking(str(journal))})
    bridge.wait_upstream("u")
    client, other = client_of(bridge), client_of(bridge)
    connection = client.open_request("tools/call", {"name": "u.stubborn", "arguments": ELICIT})
    # A cancellation comes over another connection: before its call, it would be of nothing.
    eventually(lambda: journal.exists() and "stubborn" in journal.read_text(), "the call has begun")
    client.notify("notifications/cancelled", {"requestId": client.next_id() - 1})
    connection.close()
    # Its question may come now; so may the next caller's. Nothing says which is which: nobody is asked.
    reply = other.call("u.ask", ELICIT)
    assert reply.notifications == [] and "take turns" in said(reply.message)["error"]["message"]
    told = eventually(lambda: journal.read_text().splitlines()[1:], "the answer to the stubborn one")
    assert "take turns" in told[0] or "decline" in told[0]


def test_whoever_waits_behind_a_question_is_told(bridges: Bridges) -> None:
    bridge = started(bridges, timeouts={"turn": 1})
    client, other = client_of(bridge), client_of(bridge)
    stream, question = asked(client)
    failure = other.call("u.count").failure
    assert failure.code == -32007
    for words in ("elicitation/create", "1 s (timeouts.turn)", "did not run", '"share": "session"', '"asks": false'):
        assert words in failure.message
    shown = eventually(lambda: bridge.upstream("u").get("question"), "who is asked is told")
    assert shown["method"] == "elicitation/create" and len(shown["session"]) >= 8
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}
    assert text_of(other.call("u.count").result) == "1"
    eventually(lambda: "question" not in bridge.upstream("u"), "that nobody is asked any more")


def test_with_a_child_each_nobody_waits(bridges: Bridges) -> None:
    bridge = started(bridges, share="session", lanes=2)
    client, other, third = client_of(bridge), client_of(bridge), client_of(bridge)
    stream, question = asked(client)
    # Another session's call runs, in a process of its own; and so does another one of the same session.
    assert text_of(other.call("u.count").result) == "0"
    assert text_of(client.call("u.count").result) == "1"
    eventually(lambda: bridge.upstream("u").get("lanes") == 2, "two lanes")
    # There is room for two, and one of them is not at work: it goes, and nothing of anybody else's with it.
    idle = text_of(other.call("u.pid").result)
    assert text_of(third.call("u.count").result) == "0"
    eventually(lambda: not Path(f"/proc/{idle}").exists(), "that the idle one is gone")
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}


def test_what_has_asked_somebody_is_not_sent_again_though_it_only_reads(bridges: Bridges, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    bridge = bridges.start({"u": asking(str(journal))})
    bridge.wait_upstream("u")
    client = client_of(bridge)
    connection = client.open_request("prompts/get", {"name": "u.ask"})
    stream = EventStream(client, connection, connection.read_head(), "prompts/get")
    question = stream.wait_for("elicitation/create")
    os.kill(bridge.worker("upstream u").pid, signal.SIGKILL)
    assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
    assert stream.next_message()["error"]["data"]["code"] == "outcome_unknown"
    assert text_of(client.call("u.count").result) == "0", "another one is there"
    assert journal.read_text().splitlines() == ['"prompt"'], "and has not been asked for that"


def test_a_child_that_dies_takes_no_other_with_it(bridges: Bridges) -> None:
    bridge = started(bridges, share="session")
    client, other = client_of(bridge), client_of(bridge)
    stream, question = asked(client)
    mine, theirs = (text_of(each.call("u.pid").result) for each in (client, other))
    for _ in range(2):
        os.kill(int(theirs), signal.SIGKILL)
        dead, theirs = theirs, eventually(lambda: next_pid(other, theirs), "another child of the other session")
        assert not Path(f"/proc/{dead}").exists()
    assert text_of(client.call("u.pid").result) == mine
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}


def next_pid(client: MCPClient, last: str) -> str | None:
    """The process that a session has now; none where the last one is still there, or was when it was asked."""
    try:
        pid = text_of(client.call("u.pid").result)
    except RPCFailure:
        return None
    return pid if pid != last else None


def test_a_question_is_open_until_no_call_is_left_that_may_have_asked_it(bridges: Bridges, tmp_path: Path) -> None:
    """Of a child that is one session's, any of its calls may be the one that asks."""
    journal = tmp_path / "journal"
    bridge = bridges.start({"u": {**asking(str(journal)), "share": "session"}})
    bridge.wait_upstream("u")
    client = client_of(bridge)
    stream = client.open_call("u.ask_later", ELICIT)
    eventually(lambda: journal.exists() and "later" in journal.read_text(), "the call has begun")
    going = client.open_call("u.go")
    question = going.wait_for("elicitation/create")
    assert text_of(going.next_message()["result"]) == "gone"
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}

    journal.unlink()
    stream = client.open_call("u.ask_later", ELICIT)
    eventually(lambda: journal.exists() and "later" in journal.read_text(), "the call has begun")
    going = client.open_call("u.go")
    question = going.wait_for("elicitation/create")
    os.kill(int(text_of(client.call("u.pid").result)), signal.SIGKILL)
    told = stream.wait_for("notifications/cancelled")
    assert told["params"]["requestId"] == question["id"], "nobody waits for it any more"
    assert stream.next_message()["error"]["data"]["code"] == "outcome_unknown"


def test_a_server_that_is_known_to_ask_has_lanes_all_the_same(bridges: Bridges) -> None:
    """What was learnt of it comes back with the session worker's next life, and with each new lane."""
    bridge = started(bridges, share="session")
    assert text_of(client_of(bridge).call("u.count").result) == "0"
    eventually(lambda: bridge.upstream("u").get("asks"), "that it asks")
    os.kill(bridge.worker("session").pid, signal.SIGKILL)
    client = client_of(eventually(lambda: answering(bridge), "a new session worker"))
    for each in (client, client_of(bridge)):
        stream, question = asked(each)
        answer(each, question)
        assert said(stream.next_message()) == {"result": ACCEPTED}


def answering(bridge: Bridge) -> Bridge | None:
    try:
        client_of(bridge)
    except (AssertionError, KeyError, OSError, RPCFailure):
        return None
    return bridge


def test_pages_of_each_child_are_its_own(bridges: Bridges) -> None:
    bridge = started(bridges, share="session")
    client, other = client_of(bridge), client_of(bridge)
    events, others = client.open_stream(), other.open_stream()
    pages = [each.call("u.need_page", {"id": "1"}).message["error"]["data"]["elicitations"][0] for each in (client, other)]
    for each, stream, page in ((client, events, pages[0]), (other, others, pages[1])):
        each.call("u.done", {"id": "1"})
        told = stream.wait_for("notifications/elicitation/complete")
        assert told["params"]["elicitationId"] == page["elicitationId"]


def test_without_a_lane_a_call_is_refused(bridges: Bridges) -> None:
    bridge = started(bridges, share="session", lanes=1)
    client, other = client_of(bridge), client_of(bridge)
    stream, question = asked(client)
    failure = other.call("u.count").failure
    assert "'lanes'" in failure.message and "did not run" in failure.message
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}


def test_one_that_asks_nobody(bridges: Bridges) -> None:
    bridge = started(bridges, asks=False)
    assert said(client_of(bridge).call("u.ask", ELICIT).message) == {"result": {"action": "decline"}}


def test_sixty_four_questions_are_open_at_once(bridges: Bridges) -> None:
    bridge = started(bridges, share="session")
    client = client_of(bridge)
    open_ones = [asked(client) for _ in range(64)]
    told = said(client.call("u.ask", ELICIT).message)
    assert "64 questions are open" in told["error"]["message"]
    for stream, question in reversed(open_ones):
        answer(client, question)
        assert said(stream.next_message()) == {"result": ACCEPTED}


def test_pages_that_have_to_be_opened_first(bridge: Bridge) -> None:
    client, other = client_of(bridge), client_of(bridge)
    events, others = client.open_stream(), other.open_stream()
    error = client.call("u.need_page", {"id": "one"}).message["error"]
    page = error["data"]["elicitations"][0]
    assert error["code"] == -32042 and page["url"] == "https://example.com/in" and page["elicitationId"] != "one"
    client.call("u.done", {"id": "one"})
    assert events.wait_for("notifications/elicitation/complete")["params"]["elicitationId"] == page["elicitationId"]
    # The other session hears of its own only.
    theirs = other.call("u.need_page", {"id": "two"}).message["error"]["data"]["elicitations"][0]
    client.call("u.done", {"id": "two"})
    heard = others.wait_for("notifications/elicitation/complete")
    assert heard["params"]["elicitationId"] == theirs["elicitationId"]


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-03-26", "2024-11-05"])
def test_older_clients_are_told_of_pages_in_words(bridge: Bridge, revision: str) -> None:
    failure = client_of(bridge, revision=revision).call("u.need_page", {"id": "one"}).failure
    assert failure.code == -32603
    assert "Sign in first" in failure.message and "https://example.com/in" in failure.message


@pytest.mark.parametrize("victim", ["upstream", "child"])
def test_a_death_with_a_question_open(bridges: Bridges, victim: str) -> None:
    bridge = started(bridges)
    client = client_of(bridge)
    stream, question = asked(client)
    process = bridge.upstream_child("u") if victim == "child" else bridge.worker("upstream u")
    os.kill(process.pid, signal.SIGKILL)
    assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
    assert stream.next_message()["error"]["code"] == -32004
    answer(client, question)
    bridge.wait_upstream("u")
    # Nothing was asked a second time.
    assert text_of(client.call("u.count").result) == "0"


def test_the_front_dies_with_a_question_open(bridges: Bridges) -> None:
    bridge = started(bridges)
    client = client_of(bridge)
    stream, question = asked(client)
    seen = stream.last_event_id
    os.kill(bridge.worker("http").pid, signal.SIGKILL)
    with pytest.raises(ConnectionEnded):
        stream.next_message()
    answer(eventually(lambda: reachable(client), "a new front"), question)
    again = client.beside().open_stream(seen, answers="tools/call")
    assert said(again.next_message()) == {"result": ACCEPTED}


def reachable(client: MCPClient) -> MCPClient | None:
    try:
        client.close()
        client.request("ping").result  # noqa: B018 (it raises where there is an error)
    except (OSError, ConnectionEnded, RPCFailure):
        return None
    return client


def test_the_session_worker_dies_with_a_question_open(bridges: Bridges) -> None:
    bridge = started(bridges)
    client = client_of(bridge)
    stream, question = asked(client)
    os.kill(bridge.worker("session").pid, signal.SIGKILL)
    try:
        assert "error" in stream.next_message()
    except ConnectionEnded:
        pass
    answer(eventually(lambda: reachable(client), "a new session worker"), question)
    assert text_of(client.call("u.count").result) == "1"


# What users of gateways report


@pytest.fixture(scope="module")
def quiet(shared_bridges: Bridges) -> Bridge:
    """One at which no call was cancelled, so that nothing that is asked is in doubt."""
    bridge = shared_bridges.start({"u": asking()})
    bridge.wait_upstream("u")
    return bridge


def test_the_answer_to_a_cancelled_calls_question_reaches_nobody(bridges: Bridges, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    bridge = bridges.start({"u": asking(str(journal))})
    bridge.wait_upstream("u")
    client = client_of(bridge)
    stream = client.open_call("u.ask", ELICIT, id=77)
    question = stream.wait_for("elicitation/create")
    client.beside().notify("notifications/cancelled", {"requestId": 77})
    # First whoever is asked hears that nobody waits any more; then the call is over.
    assert stream.wait_for("notifications/cancelled")["params"]["requestId"] == question["id"]
    assert list(stream) == []
    answer(client, question)
    stream, question = asked(client)
    answer(client, question, {"action": "decline"})
    assert said(stream.next_message()) == {"result": {"action": "decline"}}
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert "cancelled" in lines and {"result": ACCEPTED} not in lines


def test_a_calls_time_stands_still_while_its_client_is_asked(bridges: Bridges) -> None:
    # So long a server may take to begin to ask, and to answer.
    limit = {"tools": {"ask": "4s", "stubborn": "4s"}}
    bridge = bridges.start({name: asking(timeouts=limit) for name in ("u", "v")})
    for name in ("u", "v"):
        bridge.wait_upstream(name)
    client = client_of(bridge)
    stream, question = asked(client)
    # A call of another server that was begun later, with the same limit and nothing to ask, is late.
    assert client.beside().call("v.stubborn").failure.word == "timeout"
    answer(client, question)
    assert said(stream.next_message()) == {"result": ACCEPTED}


def test_whoever_wants_progress_hears_of_it_while_its_client_is_asked(quiet: Bridge) -> None:
    client = client_of(quiet)
    stream = client.open_call("u.ask", ELICIT, progress_token="mine")
    question = stream.wait_for("elicitation/create")
    told = stream.wait_for("notifications/progress")["params"]
    assert told["progressToken"] == "mine" and told["progress"] >= 0
    answer(client, question)
    while "result" not in (message := stream.next_message()):
        assert message["method"] == "notifications/progress"
    assert said(message) == {"result": ACCEPTED}


def test_two_questions_at_once_each_have_their_own_answer(quiet: Bridge) -> None:
    client = client_of(quiet)
    stream = client.open_call("u.ask_all", {"questions": [ELICIT, SAMPLE, ELICIT]})
    first, second, third = [stream.next_message() for _ in range(3)]
    assert [each["method"] for each in (first, second, third)] == [each["method"] for each in (ELICIT, SAMPLE, ELICIT)]
    # In reverse order, and one of them is refused.
    answer(client, third, {"action": "cancel"})
    refusal = {"code": -1, "message": "User rejected sampling request"}
    client.beside().exchange("POST", response(second, error=refusal))
    answer(client, first)
    assert said(stream.next_message()) == [{"result": ACCEPTED}, {"error": refusal}, {"result": {"action": "cancel"}}]


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_what_a_form_has_filled_in_already_is_shown(quiet: Bridge, revision: str) -> None:
    client = client_of(quiet, revision=revision)
    fields = {
        "text": {"type": "string", "default": "as before"},
        "number": {"type": "number", "default": 1.5},
        "yes": {"type": "boolean", "default": True},
        "choice": {"type": "string", "enum": ["a", "b"], "default": "b"},
    }
    form = {"message": "?", "requestedSchema": {"type": "object", "properties": fields}}
    stream, question = asked(client, {"method": "elicitation/create", "params": form})
    assert question["params"]["requestedSchema"]["properties"] == fields
    answer(client, question, {"action": "decline"})
    assert said(stream.next_message()) == {"result": {"action": "decline"}}


@pytest.mark.parametrize("number", [1.5, -0.25, 1e300])
def test_an_answer_may_be_a_fraction(quiet: Bridge, number: float) -> None:
    """Though the schema of the protocol says that an answer's numbers are integers: a form may ask for any number."""
    client = client_of(quiet)
    form = {"message": "?", "requestedSchema": {"type": "object", "properties": {"x": {"type": "number"}}}}
    stream, question = asked(client, {"method": "elicitation/create", "params": form})
    answer(client, question, {"action": "accept", "content": {"x": number}})
    assert said(stream.next_message()) == {"result": {"action": "accept", "content": {"x": number}}}


def test_that_a_page_is_done_is_told_to_whoever_was_shown_it(quiet: Bridge) -> None:
    client, other = client_of(quiet), client_of(quiet)
    events, others = client.open_stream(), other.open_stream()
    shown = {}
    for each, name in ((client, "p"), (other, "q")):
        page = {"mode": "url", "message": "Sign in.", "url": "https://example.com/in", "elicitationId": name}
        stream, question = asked(each, {"method": "elicitation/create", "params": page})
        shown[name] = question["params"].pop("elicitationId")
        assert question["params"] == {key: page[key] for key in ("mode", "message", "url")} and shown[name] != name
        answer(each, question, {"action": "accept"})
        assert said(stream.next_message()) == {"result": {"action": "accept"}}
    # Whoever's call brings it. The first that the other one hears of is its own.
    other.call("u.done", {"id": "p"})
    assert events.wait_for("notifications/elicitation/complete")["params"] == {"elicitationId": shown["p"]}
    client.call("u.done", {"id": "q"})
    assert others.wait_for("notifications/elicitation/complete")["params"] == {"elicitationId": shown["q"]}
