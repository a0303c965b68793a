"""`call` and `prompt` put a server's questions to whoever sits at the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import command_line
import pytest
import schema
from asking_server import Asking, AskingServer
from terminal import Terminal
from waiting import PATIENCE

NAME = {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}}, "required": ["name"]}
#: A property of each shape that 2025-11-25 has.
SHAPES = {
    "text": {"type": "string", "title": "Text", "description": "Any text", "maxLength": 9},
    "mail": {"type": "string", "format": "email", "default": "ada@example.com"},
    "number": {"type": "number", "minimum": 0, "maximum": 10},
    "integer": {"type": "integer", "default": 3},
    "boolean": {"type": "boolean"},
    "choice": {"type": "string", "enum": ["red", "green"]},
    "titled": {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]},
    "old": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]},
    "several": {"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}, "minItems": 1},
    "titledSeveral": {"type": "array", "items": {"anyOf": [{"const": "x", "title": "Ex"}, {"const": "y", "title": "Why"}]}},
    "left": {"type": "string"},
}


def form(message: str = "Who are you?", wanted: dict[str, Any] = NAME) -> dict[str, Any]:
    return {"mode": "form", "message": message, "requestedSchema": wanted}


def page(url: str, identifier: str = "page-1") -> dict[str, Any]:
    return {"mode": "url", "message": "Please sign in.", "url": url, "elicitationId": identifier}


def told(response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The result of a call that tells what it was answered."""
    return {"content": [{"type": "text", "text": json.dumps(response.get("result", response.get("error")))}], **more}


@contextmanager
def at_terminal(
    folder: Path, script: Callable[[Asking], dict[str, Any]], *more: str, revision: str = "2025-11-25", piped: bool = False
) -> Iterator[tuple[Terminal, AskingServer]]:
    """`mcp-bridge call demo.ask` on a terminal, at a server whose call is the script."""
    with AskingServer(script, revision) as server:
        words = more or ("call", "demo.ask")
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        command = (words[0], "--url", server.url, *words[1:])
        with Terminal(*command, environment=environment, folder=folder, piped=piped) as terminal:
            yield terminal, server


@pytest.mark.parametrize("by_get", [False, True], ids=["on the call's stream", "on the session's stream"])
def test_a_form_is_filled_in(folder: Path, by_get: bool) -> None:
    with at_terminal(folder, lambda call: told(call.ask(form(), by_get=by_get))) as (terminal, server):
        assert "'demo.ask' asks:\n  | Who are you?" in terminal.expect("name\n")
        terminal.expect("> ")
        terminal.type("A")
        terminal.expect("It must have 2 characters or more; this has 1.")
        terminal.type("Ada")
        assert "  name: Ada\n" in terminal.expect("Send it? [Y]es, [n]o, [a]gain > ")
        terminal.type("")
        status, out = terminal.end()
    assert (status, json.loads(out)) == (0, {"action": "accept", "content": {"name": "Ada"}})
    assert server.hello["capabilities"] == {"elicitation": {"form": {}, "url": {}}}


def test_a_form_of_every_shape_is_filled_in(folder: Path) -> None:
    wanted = {"type": "object", "properties": SHAPES, "required": ["text", "boolean", "several"]}
    typed = ["hello", "", "7.5", "", "y", "2", "Green", "1", "1, c", "0", "", "y"]
    with at_terminal(folder, lambda call: told(call.ask(form(wanted=wanted)))) as (terminal, server):
        for line in typed:
            terminal.expect("> ")
            terminal.type(line)
        status, out = terminal.end()
    answer = next(message for message in server.messages if "method" not in message)
    assert status == 0
    assert json.loads(out) == {
        "action": "accept",
        "content": {
            **{"text": "hello", "mail": "ada@example.com", "number": 7.5, "integer": 3, "boolean": True},
            **{"choice": "green", "titled": "g", "old": "r", "several": ["a", "c"], "titledSeveral": []},
        },
    }
    # The generated schema takes no fractions in a form, though a number may be asked for.
    answer["result"]["content"]["number"] = 7
    schema.check_as("ElicitResult", answer["result"], "2025-11-25")


@pytest.mark.parametrize(
    ("typed", "action"), [("/decline", "decline"), ("^D", "cancel"), ("/cancel", "cancel")]
)
def test_a_form_is_declined_or_cancelled_and_the_call_goes_on(folder: Path, typed: str, action: str) -> None:
    with at_terminal(folder, lambda call: told(call.ask(form()))) as (terminal, _):
        terminal.expect("> ")
        terminal.press("D") if typed == "^D" else terminal.type(typed)
        status, out = terminal.end()
    assert (status, json.loads(out)) == (0, {"action": action})


def test_a_page_is_shown_and_agreed_to_and_its_end_is_told(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        answer = call.ask(page("https://login.example.com/start?state=x"))
        call.say({"method": "notifications/elicitation/complete", "params": {"elicitationId": "page-1"}})
        return told(answer)

    with at_terminal(folder, script) as (terminal, _):
        text = terminal.expect("Do you agree to open it? [y/n] > ")
        assert "\n    https://login.example.com/start?state=x\n" in text and "  Host: login.example.com\n" in text
        terminal.type("")
        terminal.expect("Do you agree to open it? [y/n] > ")
        terminal.type("y")
        terminal.expect("'demo.ask' says that the page is done with.")
        status, out = terminal.end()
    assert (status, json.loads(out)) == (0, {"action": "accept"})


def test_a_page_with_a_trick_in_its_address_is_refused(folder: Path) -> None:
    url = "https://bank.example.com\\@evil.example.com/"
    with at_terminal(folder, lambda call: told(call.ask(page(url)))) as (terminal, _):
        terminal.expect("has asked something that cannot be asked here")
        status, out = terminal.end()
    assert status == 0 and json.loads(out)["code"] == -32602


def test_foreign_text_does_nothing_to_the_terminal(folder: Path) -> None:
    message = "Hello\x1b[2J\x07\nSend it? [Y]es \u202egnp.exe"
    with at_terminal(folder, lambda call: told(call.ask(form(message)))) as (terminal, _):
        text = terminal.expect("> ")
        terminal.press("D")
        terminal.end()
    assert "  | Hello\ufffd[2J\ufffd\n  | Send it? [Y]es \ufffdgnp.exe\n" in text
    assert not [sign for sign in text if sign < " " and sign != "\n"]


def test_questions_at_once_are_put_one_after_the_other(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        asked = [call.begin("elicitation/create", form(f"Question {number}")) for number in (1, 2)]
        return told({"result": [call.answer(one)["result"]["content"]["name"] for one in asked]})

    with at_terminal(folder, script) as (terminal, _):
        for number in (1, 2):
            assert f"| Question {number}" in terminal.expect("> ")
            terminal.type(f"Name {number}")
            terminal.expect("[a]gain > ")
            terminal.type("y")
        assert terminal.end() == (0, '["Name 1", "Name 2"]\n')


def test_a_question_that_is_taken_back_gets_no_answer(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        first = call.begin("elicitation/create", form("First"))
        call.say({"method": "notifications/cancelled", "params": {"requestId": first}})
        return told(call.ask(form("Second")))

    with at_terminal(folder, script) as (terminal, server):
        assert "| Second" in terminal.expect("| Second")
        terminal.expect("> ")
        terminal.type("Ada")
        terminal.expect("[a]gain > ")
        terminal.type("")
        status, out = terminal.end()
    assert (status, json.loads(out)["action"]) == (0, "accept")
    assert [message["id"] for message in server.messages if "method" not in message] == ["question-2"]


def test_a_call_that_ends_takes_its_question_along(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        call.begin("elicitation/create", form())
        return told({"result": "enough"})

    with at_terminal(folder, script) as (terminal, server):
        assert terminal.end() == (0, '"enough"\n')
    assert not [message for message in server.messages if "method" not in message]


def test_what_was_typed_before_a_question_is_no_answer_to_it(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        assert call.ask(form("First"))["result"]["action"] == "decline"
        return told(call.ask(page("https://example.com/")))

    with at_terminal(folder, script) as (terminal, _):
        terminal.expect("> ")
        terminal.type("/decline\ny")
        terminal.expect("Do you agree to open it? [y/n] > ")
        terminal.type("n")
        status, out = terminal.end()
    assert (status, json.loads(out)) == (0, {"action": "decline"})


def test_ctrl_c_cancels_the_call(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        call.begin("elicitation/create", form())
        call.server.stopped.wait()
        return {}

    with at_terminal(folder, script) as (terminal, server):
        terminal.expect("> ")
        terminal.press("C")
        assert terminal.end() == (130, "")
        terminal.expect("mcp-bridge: cancelled")
        call = next(message for message in server.messages if message.get("method") == "tools/call")
        assert server.cancelled.get(timeout=PATIENCE)["requestId"] == call["id"]


def test_other_questions_are_refused(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        asked = [call.begin(method, {}) for method in ("sampling/createMessage", "roots/list", "ping")]
        return told({"result": [{**call.answer(one), "id": 0} for one in asked]})

    with at_terminal(folder, script) as (terminal, _):
        status, out = terminal.end()
    sampling, roots, ping = json.loads(out)
    assert status == 0 and sampling["error"]["code"] == roots["error"]["code"] == -32601 and ping["result"] == {}


def test_the_terminal_of_the_process_is_used_where_the_streams_are_none(folder: Path) -> None:
    with at_terminal(folder, lambda call: told(call.ask(form())), piped=True) as (terminal, _):
        terminal.expect("> ")
        terminal.type("Ada")
        terminal.expect("[a]gain > ")
        terminal.type("y")
        status, out = terminal.end()
    assert (status, json.loads(out)["action"]) == (0, "accept")


def test_a_prompt_asks_too(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        name = call.ask(form())["result"]["content"]["name"]
        return {"messages": [{"role": "user", "content": {"type": "text", "text": f"I am {name}"}}]}

    with at_terminal(folder, script, "prompt", "demo.greeting") as (terminal, _):
        assert "'demo.greeting' asks:" in terminal.expect("> ")
        terminal.type("Ada")
        terminal.expect("[a]gain > ")
        terminal.type("y")
        assert terminal.end() == (0, "user: I am Ada\n")


def test_a_stream_that_breaks_off_while_somebody_thinks_is_taken_up_again(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        question = call.begin("elicitation/create", form())
        later = call.break_off("event-7")
        return told(call.answer(question), _on=later)

    with at_terminal(folder, script) as (terminal, _):
        terminal.expect("> ")
        terminal.type("Ada")
        terminal.expect("[a]gain > ")
        terminal.type("y")
        status, out = terminal.end()
    assert (status, json.loads(out)["content"]) == (0, {"name": "Ada"})


@pytest.mark.parametrize("words", [("call", "demo.ask"), ("call", "--no-questions", "demo.ask")])
def test_where_nobody_can_be_asked_that_is_said(folder: Path, words: tuple[str, ...]) -> None:
    def script(call: Asking) -> dict[str, Any]:
        return told(call.ask(form()))

    if "--no-questions" in words:
        with at_terminal(folder, script, *words) as (terminal, server):
            status, out = terminal.end()
    else:
        with AskingServer(script) as server:
            said = command_line.run(words[0], "--url", server.url, *words[1:], environment={}, folder=folder)
            status, out = said.status, said.out
    assert server.hello["capabilities"] == {}
    assert status == 0 and json.loads(out)["code"] == -32601
