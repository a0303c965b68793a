"""What the executable's commands say of themselves, and those that are clients: `tools`, `call` and their like."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import command_line
import pytest
from command_line import Said, beside, table
from harness import Bridge, Bridges
from places import BINARY, ROOT
from ports import free_port
from upstreams import demo_upstream

#: Every command a person may give, the main one first. A test holds this to what `--help` lists.
COMMANDS = (
    *("", "serve", "status", "tools", "call", "prompts", "prompt", "resources", "read", "stdio", "gateway", "reload"),
    *("token", "token create", "token list", "token show", "token revoke", "token rotate", "token usage", "audit"),
    *("config", "config check", "config print", "demo-server", "version", "token-bridge"),
    *("auth", "auth login", "auth status", "auth logout"),
)


@pytest.fixture(scope="module")
def everything(shared_bridges: Bridges) -> Bridge:
    """The demo server, and one that has something of all that servers can have."""
    every = {"command": str(BINARY), "args": ["demo-server", "--everything"]}
    bridge = shared_bridges.start({"demo": demo_upstream(), "every": every})
    for name in ("demo", "every"):
        bridge.wait_upstream(name)
    return bridge


def alone(folder: Path, *arguments: str) -> Said:
    """A command where no bridge runs."""
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return command_line.run(*arguments, environment=environment, folder=folder)


def flat(text: str) -> str:
    return " ".join(text.split())


# Help


def test_the_help_lists_every_command(folder: Path) -> None:
    listed = []
    for parent in ("", "auth", "config", "token"):
        help_text = alone(folder, *parent.split(), "--help").out
        found = re.findall(r"^  ([a-z-]+)(?: \(default\))?  ", help_text.partition("SUBCOMMANDS:")[2], re.MULTILINE)
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


@pytest.mark.parametrize("command", ["serve", "status", "call", "prompt", "read", "reload", "config check"])
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
    for arguments in (["bogus"], ["tools", "--bogus"], ["call"], ["prompt"], ["read"]):
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


def test_what_a_bridge_has_none_of_is_said_to_be_none(bridges: Bridges) -> None:
    bridge = bridges.start({})
    for kind in ("tools", "prompts", "resources"):
        assert beside(bridge, kind) == Said(0, f"There are no {kind}.\n", "")
        assert json.loads(beside(bridge, kind, "--json").out) == []


def test_a_bridge_elsewhere_is_named_by_its_address(demo: Bridge, folder: Path) -> None:
    assert alone(folder, "tools", "--url", demo.url).out == beside(demo, "tools").out
    said = alone(folder, "call", "--url", demo.url, "demo.echo", '{"text": "over TCP"}')
    assert said == Said(0, "over TCP\n", "")


def test_without_a_bridge_that_is_said(folder: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/mcp"
    commands = (["tools"], ["prompts"], ["resources"], ["prompt", "demo.any"], ["read", "demo://any"])
    for command in (*commands, ["call", "--url", address, "demo.echo", "{}"]):
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


# prompts, prompt


def test_prompts_are_a_table_as_tools_are(everything: Bridge) -> None:
    said = beside(everything, "prompts")
    assert (said.status, said.err) == (0, "")
    rows = table(said.out.splitlines())
    assert [row["PROMPT"] for row in rows] == ["every.content", "every.greeting", "every.plain"]
    assert all(row["DESCRIPTION"] for row in rows)
    sent = everything.client().request("prompts/list").result["prompts"]
    assert json.loads(beside(everything, "prompts", "--json").out) == sent


def test_a_prompt_is_shown_as_who_says_what(everything: Bridge) -> None:
    formal = "user: Write a formal greeting for Ada.\n"
    assert beside(everything, "prompt", "every.greeting", "name=Ada", "style=formal") == Said(0, formal, "")
    plain = "user: What is the Model Context Protocol for?\n"
    assert beside(everything, "prompt", "every.plain") == Said(0, plain, "")


def test_the_value_of_an_argument_may_hold_anything(everything: Bridge) -> None:
    for value in ("", "a=b", "zwölf Leute", "--json", '{"a": 1}'):
        said = beside(everything, "prompt", "every.greeting", f"name={value}")
        assert said == Said(0, f"user: Write some greeting for {value}.\n", "")


def test_every_kind_of_content_is_shown_in_words(everything: Bridge) -> None:
    said = beside(everything, "prompt", "every.content")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert len(lines) == 5 and all(line.startswith("user: ") for line in lines), said
    assert re.fullmatch(r"user: \[image, image/png, about \d+ bytes\]", lines[1]), said
    assert lines[4] == "user: [link to demo://handed-out] handed-out"


def test_a_prompt_as_json_is_the_whole_result(everything: Bridge) -> None:
    said = beside(everything, "prompt", "every.greeting", "name=Ada", "--json")
    assert (said.status, said.err) == (0, "")
    (message,) = json.loads(said.out)["messages"]
    assert message == {"role": "user", "content": {"type": "text", "text": "Write some greeting for Ada."}}


@pytest.mark.parametrize("argument", ["name", "=Ada", ""])
def test_an_argument_that_is_no_pair_is_refused_before_anything_is_sent(everything: Bridge, argument: str) -> None:
    said = beside(everything, "prompt", "every.greeting", argument)
    assert said == Said(2, "", f"mcp-bridge: '{argument}' is not KEY=VALUE\n")


def test_a_prompt_that_cannot_be_had_is_told_why(everything: Bridge) -> None:
    said = beside(everything, "prompt", "every.greeting")
    assert (said.status, said.out) == (1, "") and "'name' is missing" in said.err, said
    said = beside(everything, "prompt", "every.nothing")
    assert (said.status, said.out) == (1, ""), said
    assert re.match(r"mcp-bridge: .*'every\.nothing'.*-32602", said.err), said


# resources, read


def test_resources_are_a_table_with_their_templates(everything: Bridge) -> None:
    said = beside(everything, "resources")
    assert (said.status, said.err) == (0, "")
    rows = {row["RESOURCE"]: row["DESCRIPTION"] for row in table(said.out.splitlines())}
    assert len(rows) == 26 + 2
    assert rows["demo://notes/25"] == "note 25" and rows["demo://picture"] == "picture"
    assert list(rows)[-2:] == ["demo://numbers/{number}", "demo://paths/{+path}"]


def test_resources_as_json_are_what_a_client_is_sent(everything: Bridge) -> None:
    client = everything.client()
    sent = client.request("resources/list").result["resources"]
    sent += client.request("resources/templates/list").result["resourceTemplates"]
    assert json.loads(beside(everything, "resources", "--json").out) == sent


def test_a_resource_is_read(everything: Bridge) -> None:
    assert beside(everything, "read", "demo://numbers/7") == Said(0, "7 squared is 49.\n", "")
    assert beside(everything, "read", "demo://notes/3").out.startswith("This is demo://notes/3.")
    said = beside(everything, "read", "demo://picture")
    assert (said.status, said.err) == (0, "")
    assert re.fullmatch(r"\[demo://picture, image/png, about \d+ bytes\]\n", said.out), said


def test_a_resource_as_json_is_the_whole_result(everything: Bridge) -> None:
    said = beside(everything, "read", "demo://picture", "--json")
    assert (said.status, said.err) == (0, "")
    (contents,) = json.loads(said.out)["contents"]
    assert contents["uri"] == "demo://picture" and contents["blob"]


def test_a_resource_that_is_not_there_is_an_error(everything: Bridge) -> None:
    for uri in ("demo://nothing", "elsewhere://nothing", "nonsense"):
        said = beside(everything, "read", uri)
        assert (said.status, said.out) == (1, ""), said
        assert re.match(r"mcp-bridge: .*-32002", said.err), said


# The README


def readme_blocks(*languages: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(\S*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for language, block in found if language in languages]


def test_the_readme_says_plainly_what_protects_nobody() -> None:
    """Under its own heading: that a silent proxy is no stranger, what to do about it, and that one user's processes are one."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    security = " ".join(text.partition("\n## Security\n")[2].partition("\n## ")[0].split())
    for words in (
        "A proxy that says nothing of itself cannot be told from a local program.",
        "(docs/http.md#a-web-server-on-the-same-machine)",
        "mask `mcp-bridge.socket`",
        "Processes of the same user are not protected from each other.",
        "`podman run",
    ):
        assert words in security, words
    assert "\n## A web server on the same machine\n" in (ROOT / "docs/http.md").read_text(encoding="utf-8")
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert '"env": {"XDG_RUNTIME_DIR": "${XDG_RUNTIME_DIR}"}' in page, "what rootless podman needs"


def test_the_commands_in_the_readme_are_there(folder: Path) -> None:
    blocks = "".join(readme_blocks("sh", "console"))
    shown = re.findall(r"^(?:\$ )?(?:\S*/)?mcp-bridge ([a-z][a-z-]*(?: [a-z]+)?)", blocks, re.MULTILINE)
    assert len(shown) >= 10, shown
    for words in shown:
        assert words in COMMANDS or words.split()[0] in COMMANDS, words


def test_what_the_readme_says_of_a_command_is_what_it_says(everything: Bridge) -> None:
    """Those whose answer is the same everywhere."""
    examples = []
    for block in readme_blocks("console"):
        for example in re.split(r"^\$ mcp-bridge ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = example.partition("\n")
            if command.split()[0] in ("call", "prompt", "read"):
                examples.append((shlex.split(command), answer))
    assert {command[0] for command, _ in examples} == {"call", "prompt", "read"}
    for command, answer in examples:
        assert beside(everything, *command) == Said(0, answer, ""), command


# Workers


def test_a_worker_whose_configuration_cannot_be_read_asks_not_to_be_started_again(folder: Path) -> None:
    """78: the supervisor starts such a worker again only for another configuration."""
    frame = folder / "frame.json"
    frame.write_text('{"sessionSocket": 1}', encoding="utf-8")
    said = alone(folder, "worker", "http", "--config-frame", str(frame))
    assert said.status == 78, said
    assert "Configuration refused" in said.err, said
