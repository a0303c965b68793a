"""What the executable's commands say of themselves, and the two that are clients: `tools` and `call`."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import command_line
import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges, free_port

#: Every command a person may give, the main one first. A test holds this to what `--help` lists.
COMMANDS = (
    *("", "serve", "status", "tools", "call", "reload"),
    *("config", "config check", "config print", "demo-server", "version"),
)


def alone(folder: Path, *arguments: str) -> Said:
    """A command where no bridge runs."""
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return command_line.run(*arguments, environment=environment, folder=folder)


def flat(text: str) -> str:
    return " ".join(text.split())


# Help


def test_the_help_lists_every_command(folder: Path) -> None:
    listed = []
    for parent in ("", "config"):
        help_text = alone(folder, *parent.split(), "--help").out
        found = re.findall(r"^  ([a-z-]+)  ", help_text.partition("SUBCOMMANDS:")[2], re.MULTILINE)
        listed += [f"{parent} {name}".strip() for name in found]
    assert sorted(["", *listed]) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_says_what_it_does_and_how_it_is_written(command: str, folder: Path) -> None:
    said = alone(folder, *command.split(), "--help")
    assert (said.status, said.err) == (0, ""), said
    overview, _, rest = said.out.partition("\nUSAGE: ")
    assert re.match(r"OVERVIEW: [A-Z].{10,}\.", flat(overview)), said
    assert rest.startswith(f"mcp-bridge {command}".strip()), said
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", rest, re.MULTILINE)
    assert "--help" in options, said
    for option in options:
        explained = re.search(rf"{option}\b(?: <[a-z-]+>)?\s+(\S.+)", rest)
        assert explained, f"{option} is not explained"


@pytest.mark.parametrize("command", ["serve", "status", "call", "reload", "config check"])
def test_the_help_of_a_command_that_can_fail_tells_its_exit_statuses(command: str, folder: Path) -> None:
    assert re.search(r"exit status", alone(folder, *command.split(), "--help").out, re.IGNORECASE)


def test_the_examples_in_the_help_work(demo: Bridge) -> None:
    examples = []
    for command in COMMANDS:
        text = flat(beside(demo, *command.split(), "--help").out)
        examples += re.findall(r"For example: mcp-bridge (.+?\}')", text)
        examples += re.findall(r"'mcp-bridge ((?:call \S+ '\{.*?\}')|tools)'", text)
    assert len(examples) >= 3, examples
    for example in examples:
        said = beside(demo, *shlex.split(example))
        assert said.status == 0 and said.out and not said.err, (example, said)


def test_the_version_is_told_by_both_spellings_and_by_the_service(demo: Bridge, folder: Path) -> None:
    version = alone(folder, "version").out
    assert re.fullmatch(r"mcp-bridge \d+\.\d+\.\d+\n", version)
    number = version.split()[1]
    assert alone(folder, "--version") == Said(0, f"{number}\n", "")
    assert json.loads(beside(demo, "status", "--json").out)["version"] == number


def test_an_unknown_command_or_option_is_refused_with_the_way_to_the_help(folder: Path) -> None:
    for arguments in (["bogus"], ["tools", "--bogus"], ["call"]):
        said = alone(folder, *arguments)
        assert said.status not in (0, 1) and said.out == "", said
        assert "--help" in said.err and "Usage: mcp-bridge" in said.err, said


# tools


def test_tools_are_a_table_in_the_order_of_their_names(demo: Bridge) -> None:
    said = beside(demo, "tools")
    assert (said.status, said.err) == (0, "")
    rows = table(said.out.splitlines())
    names = [row["TOOL"] for row in rows]
    assert names == sorted(demo.client().tool_names())
    assert all(row["DESCRIPTION"] for row in rows)


def test_tools_as_json_are_what_a_client_is_sent(demo: Bridge) -> None:
    said = beside(demo, "tools", "--json")
    assert (said.status, said.err) == (0, "")
    sent = demo.client().request("tools/list").result["tools"]
    assert sorted(json.loads(said.out), key=lambda tool: tool["name"]) == sorted(sent, key=lambda tool: tool["name"])


def test_tools_of_a_bridge_without_any_are_said_to_be_none(bridges: Bridges) -> None:
    assert beside(bridges.start({}), "tools") == Said(0, "There are no tools.\n", "")


def test_a_bridge_elsewhere_is_named_by_its_address(demo: Bridge, folder: Path) -> None:
    assert alone(folder, "tools", "--url", demo.url).out == beside(demo, "tools").out
    said = alone(folder, "call", "--url", demo.url, "demo.echo", '{"text": "over TCP"}')
    assert said == Said(0, "over TCP\n", "")


def test_without_a_bridge_that_is_said(folder: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/mcp"
    for command in (["tools"], ["call", "--url", address, "demo.echo", "{}"]):
        said = alone(folder, *command)
        assert (said.status, said.out) == (1, ""), said
        assert said.err.startswith("mcp-bridge: no service answers "), said
    assert address in said.err


def test_without_a_bridge_the_way_to_one_is_told_in_plain_words(folder: Path) -> None:
    """As `status` does it: the place, and what to do; no error of a library, no encoded address."""
    for command in (["tools"], ["call", "demo.echo", "{}"]):
        said = alone(folder, *command)
        assert f"{folder}/mcp-bridge/http.sock" in said.err and "mcp-bridge serve" in said.err, said


@pytest.mark.parametrize("address", ["nonsense", "", "ftp://127.0.0.1/mcp", "http://"])
def test_an_address_that_is_none_is_refused_with_an_example(folder: Path, address: str) -> None:
    said = alone(folder, "tools", "--url", address)
    assert said.status != 0 and said.out == "", said
    assert f"'{address}'" in said.err and "http://127.0.0.1:8769/mcp" in said.err, said


# call


def test_a_call_prints_the_result(demo: Bridge) -> None:
    assert beside(demo, "call", "demo.add", '{"a": 1, "b": 2}') == Said(0, '{"sum":3}\n', "")
    assert beside(demo, "call", "demo.echo", '{"text": "zwölf\\nlines"}') == Said(0, "zwölf\nlines\n", "")


def test_a_call_without_arguments_has_none(demo: Bridge) -> None:
    said = beside(demo, "call", "demo.clock")
    assert said.status == 0 and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", said.out), said


def test_a_call_as_json_prints_the_whole_result(demo: Bridge) -> None:
    said = beside(demo, "call", "demo.add", '{"a": 1, "b": 2}', "--json")
    assert (said.status, said.err) == (0, "")
    assert json.loads(said.out)["structuredContent"] == {"sum": 3}


def test_a_tools_own_error_is_an_error(demo: Bridge) -> None:
    assert beside(demo, "call", "demo.fail", '{"message": "mine"}') == Said(1, "", "mine\n")
    said = beside(demo, "call", "demo.fail", '{"message": "mine"}', "--json")
    assert (said.status, json.loads(said.out)["isError"], said.err) == (1, True, "")


def test_an_unknown_tool_is_named(demo: Bridge) -> None:
    said = beside(demo, "call", "demo.nothing", "{}")
    assert (said.status, said.out) == (1, "")
    assert re.match(r"mcp-bridge: .*'demo\.nothing'.*-32602", said.err), said


@pytest.mark.parametrize("arguments", ["", "{", "[]", "7", '"text"', "{'text': 1}", '{"a": 1} {"b": 2}'])
def test_arguments_that_are_no_object_are_refused_before_anything_is_sent(demo: Bridge, arguments: str) -> None:
    said = beside(demo, "call", "demo.echo", arguments)
    assert (said.status, said.out) == (2, "")
    assert re.match(r"mcp-bridge: .*JSON object, such as '\{", said.err), said


def test_a_worker_whose_configuration_cannot_be_read_asks_not_to_be_started_again(folder: Path) -> None:
    """78: the supervisor starts such a worker again only for another configuration."""
    frame = folder / "frame.json"
    frame.write_text('{"sessionSocket": 1}', encoding="utf-8")
    said = alone(folder, "worker", "http", "--config-frame", str(frame))
    assert said.status == 78, said
    assert "Configuration refused" in said.err, said
