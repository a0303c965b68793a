"""The demo server's questions, through the bridge, to whoever sits at the terminal."""

from __future__ import annotations

import pytest
from harness import Bridge, Bridges
from places import BINARY
from terminal import Terminal


@pytest.fixture(scope="module")
def every(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"every": {"command": str(BINARY), "args": ["demo-server", "--everything"]}})
    bridge.wait_upstream("every")
    return bridge


def call(bridge: Bridge, tool: str, arguments: str) -> Terminal:
    return Terminal("call", tool, arguments, environment=bridge.whole_environment(), folder=bridge.folder)


def test_a_form_of_every_shape_reaches_the_person_and_its_answer_the_server(every: Bridge) -> None:
    typed = ["hello", "2.5", "3", "yes", "green", "Green", "1,3", "Red", "", "y"]
    with call(every, "every.ask_person", '{"shape": "all"}') as terminal:
        assert "'every.ask_person' asks:\n  | Please fill this in (all)." in terminal.expect("1/9")
        for line in typed:
            terminal.expect("> ")
            terminal.type(line)
        status, out = terminal.end()
    assert status == 0 and out.startswith("The person answered: accept"), out
    for part in ('"text":"hello"', '"number":2.5', '"titled":"g"', '"several":["red","blue"]', '"defaults":"ada@example.com"'):
        assert part in out, out


@pytest.mark.parametrize(("typed", "action"), [("/decline", "decline"), ("^D", "cancel")])
def test_a_form_is_refused(every: Bridge, typed: str, action: str) -> None:
    with call(every, "every.ask_person", '{"shape": "text"}') as terminal:
        terminal.expect("> ")
        terminal.press("D") if typed == "^D" else terminal.type(typed)
        assert terminal.end() == (0, f"The person answered: {action}\n")


def test_a_page_is_agreed_to(every: Bridge) -> None:
    with call(every, "every.ask_page", "{}") as terminal:
        assert "Host: example.com" in terminal.expect("Do you agree to open it? [y/n] > ")
        terminal.type("y")
        assert terminal.end() == (0, "The person answered: accept\n")


def test_a_call_is_cancelled_in_the_middle_of_a_question(every: Bridge) -> None:
    with call(every, "every.ask_person", '{"shape": "text"}') as terminal:
        terminal.expect("> ")
        terminal.press("C")
        assert terminal.end() == (130, "")
    with call(every, "every.echo", '{"text": "still there"}') as terminal:
        assert terminal.end() == (0, "still there\n")
