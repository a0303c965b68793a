"""What mcp-proxy does, line by line: a test is named by its line in docs/moving.md.

One bridge serves the file of somebody who comes from there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import command_line
import pytest
from harness import Bridges
from mcp_http import MCPClient
from odd_http import OddHTTP, OddSSE
from places import BINARY, SUPPORT
from replies import text_of
from upstreams import MisbehavingUpstream, demo_upstream, python_upstream
from waiting import eventually

EVERYTHING = {"command": str(BINARY), "args": ["demo-server", "--everything"]}
#: Runs a server, whatever words stand behind it.
DEAF = "import runpy, sys; sys.argv = sys.argv[:1]; runpy.run_path(sys.orig_argv[3], run_name='__main__')"
WORDS = ["@scope/package", "https://example.org/x/y", "--flag", "word"]


class Gateway:
    """The bridge, and what its servers leave behind."""

    def __init__(self, bridges: Bridges, folder: Path) -> None:
        self.echo = MisbehavingUpstream(folder, "echo")
        self.pages = MisbehavingUpstream(folder, "pages", "--pages", "3", "--page-size", "2")
        self.http, self.sse = OddHTTP(), OddSSE()
        headers = {"headers": {"Authorization": "Bearer of-mine"}}
        self.bridge = bridges.make(
            {
                # As in that project's own test of paths.
                "echo": {
                    "transport": "stdio", "command": "./bin/python", "cwd": "./workspace", "env": {"WORD": "mine"},
                    "args": ["./tools/echo_server.py", "--name", "echo", "--journal", str(self.echo.journal)],
                },
                "words": {"command": sys.executable, "args": ["-c", DEAF, str(SUPPORT / "misbehaving_server.py"), *WORDS]},
                "calculator": {**demo_upstream(), "transport": "stdio"},
                "pages": {**self.pages.entry, "encoding": "utf-8", "encoding_error_handler": "replace"},
                "every": EVERYTHING,
                "again": EVERYTHING,
                "remote-http": {"transport": "streamable-http", "url": self.http.url, **headers},
                "remote-sse": {"transport": "sse", "url": self.sse.url, **headers},
                "bare": {"url": self.sse.url, **headers},
                "down": MisbehavingUpstream(folder, "down", "--exit-at-start", "3").entry,
                "misspelt": {**demo_upstream(), "colour": "red"},
            }
        )
        for name, target in (("bin/python", sys.executable), ("tools/echo_server.py", SUPPORT / "misbehaving_server.py")):
            place = self.bridge.folder / name
            place.parent.mkdir()
            place.symlink_to(target)
        (self.bridge.folder / "workspace").mkdir()
        self.bridge.start("live")
        #: Asked as soon as there was somebody to ask.
        self.first = self.bridge.get("/servers")
        self.up = [name for name in self.bridge.config["mcpServers"] if name not in ("down", "misspelt")]
        for name in self.up:
            self.bridge.wait_upstream(name)

    def status(self) -> dict[str, Any]:
        return json.loads(command_line.beside(self.bridge, "status", "--json").out)

    def check(self, file: Path, servers: dict[str, Any]) -> command_line.Said:
        """What `config check` says of a file with these servers."""
        file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
        return command_line.beside(self.bridge, "config", "check", file)


@pytest.fixture(scope="module")
def gateway(shared_bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(shared_bridges, tmp_path_factory.mktemp("gateway"))
    yield gateway
    for server in (gateway.http, gateway.sse):
        server.stop()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> MCPClient:
    client = gateway.bridge.client()
    eventually(lambda: "pages.page2_1" in client.tool_names(), "the last page is listed")
    return client


# The file


def test_A12_servers_stand_in_an_object_by_name(gateway: Gateway) -> None:
    assert gateway.first.json()["servers"] == sorted(gateway.bridge.config["mcpServers"])


def test_A13_an_entry_has_these_keys(gateway: Gateway, client: MCPClient, folder: Path) -> None:
    whole = {
        "transport": None, "command": "python", "args": [], "env": {}, "cwd": None, "url": None, "headers": {},
        "encoding": "utf-8", "encoding_error_handler": "strict",
    }
    assert gateway.check(folder / "c.json", {"a": whole}).status == 0
    for handler in ("ignore", "replace"):
        assert gateway.check(folder / "c.json", {"a": {**whole, "encoding_error_handler": handler}}).status == 0
    said = gateway.check(folder / "c.json", {"a": {**whole, "encoding": "latin-1"}})
    assert said.status == 1 and "UTF-8" in said.err.upper()
    assert text_of(client.call("pages.echo", {"text": "é"}).result) == "é"


def test_A14_how_a_server_is_reached_is_inferred(gateway: Gateway, folder: Path) -> None:
    assert gateway.bridge.upstream("words")["kind"] == "stdio"
    # A bare address: first asked by Streamable HTTP, and found by HTTP+SSE.
    assert [seen.method for seen in gateway.sse.seen if seen.path == "/sse"].count("POST") >= 1
    assert gateway.bridge.upstream("bare")["connected"]
    said = gateway.check(folder / "c.json", {"a": {}})
    assert said.status == 1 and "Server config must define either 'command' or 'url'." in said.err


@pytest.mark.parametrize(
    ("transport", "needs", "has"), [("stdio", "command", "url"), ("sse", "url", "command"), ("streamable-http", "url", "command")]
)
def test_A15_a_transport_needs_its_key(gateway: Gateway, folder: Path, transport: str, needs: str, has: str) -> None:
    entry = {"transport": transport, has: "http://127.0.0.1:1/" if has == "url" else "true"}
    words = f"{transport} transport requires '{needs}'."
    assert words in gateway.check(folder / "c.json", {"a": entry}).err
    assert words in json.dumps(gateway.bridge.manage("POST", "/servers", {"mcpServers": {"a": entry}}).json()["details"])


def test_A16_relative_paths_begin_at_the_folder_of_the_file(gateway: Gateway) -> None:
    child = gateway.bridge.upstream_child("echo")
    assert os.readlink(f"/proc/{child.pid}/cwd") == str(gateway.bridge.folder / "workspace")
    assert child.command[0] == str(gateway.bridge.folder / "bin/python")
    assert child.command[1] == str(gateway.bridge.folder / "tools/echo_server.py")
    assert child.command[2:4] == ("--name", "echo")
    # A package and an address are no paths, though they hold a slash.
    assert list(gateway.bridge.upstream_child("words").command[-4:]) == WORDS


def test_A17_unknown_keys_are_ignored_where_a_program_writes_them(gateway: Gateway, client: MCPClient) -> None:
    added = gateway.bridge.manage("POST", "/servers", {"mcpServers": {"coloured": {**demo_upstream(), "colour": "red"}}})
    assert added.status == 200
    assert gateway.bridge.manage("DELETE", "/servers/coloured").status == 200
    # In a file it may be a slip of the pen: that server is not served, with a word; the others are.
    assert "colour" in (gateway.bridge.upstream("misspelt")["lastError"] or "")
    assert client.echoes("calculator")


def test_A18_a_server_gets_its_own_variables_and_none_of_the_bridges(client: MCPClient) -> None:
    environment = json.loads(text_of(client.call("echo.environment").result))
    assert environment["WORD"] == "mine" and environment["PATH"]
    assert not [name for name in environment if name.startswith("MCP_BRIDGE")]


def test_A19_headers_go_to_both_kinds_of_remote_servers(gateway: Gateway, client: MCPClient) -> None:
    for name, server in (("remote-http", gateway.http), ("remote-sse", gateway.sse)):
        assert text_of(client.call(f"{name}.echo", {"text": "x"}).result) == "x"
        assert all(seen.headers["authorization"] == "Bearer of-mine" for seen in list(server.seen))
    # And they cost no time: the limit is that of any other server.
    printed = command_line.beside(gateway.bridge, "config", "print", "--config", gateway.bridge.config_path)
    servers = json.loads(printed.out)["mcpServers"]
    assert servers["remote-http"]["timeouts"] == servers["echo"]["timeouts"]


# MCP


def test_A20_names_are_prefixed_and_sorted(client: MCPClient) -> None:
    names = client.tool_names()
    assert {"calculator.add", "echo.ping", "every.ask_model"} <= set(names) and names == sorted(names)
    prompts = [prompt["name"] for prompt in client.request("prompts/list").result["prompts"]]
    assert "every.greeting" in prompts and prompts == sorted(prompts)


def test_A21_resources_keep_their_uris_and_the_first_server_has_them(gateway: Gateway, client: MCPClient) -> None:
    listed = client.request("resources/list").result["resources"]
    uris = [resource["uri"] for resource in listed]
    assert "demo://notes/1" in uris and len(uris) == len(set(uris))
    assert next(each["name"] for each in listed if each["uri"] == "demo://notes/1") == "note 1"
    collision = {"of": "resources", "name": "demo://notes/1", "kept": "every", "refused": "again"}
    eventually(lambda: collision in gateway.status()["collisions"], "status tells whose it is")


def test_A22_lists_have_every_page_and_a_server_that_fails_costs_only_itself(gateway: Gateway, client: MCPClient) -> None:
    names = client.tool_names()
    assert {"pages.page1_0", "pages.page2_1", "calculator.add"} <= set(names)
    assert not [name for name in names if name.startswith("down.")]
    # What is gone at the server is gone here.
    with client.keep_stream_open() as stream:
        client.call("pages.set_tools", {"names": ["short-lived"]})
        stream.wait_for_list(lambda names: "pages.short-lived" in names)
        client.call("pages.set_tools", {"names": []})
        stream.wait_for_list(lambda names: "pages.short-lived" not in names)


def test_A23_a_call_takes_its_arguments_and_meta_along(gateway: Gateway, client: MCPClient) -> None:
    params = {"name": "echo.echo", "arguments": {"text": "x", "deep": [1]}, "_meta": {"example.org/mine": {"a": 1}}}
    assert text_of(client.request("tools/call", params).result) == "x"
    assert gateway.echo.received("tools/call")[-1]["params"] == {**params, "name": "echo"}
    assert client.request("tools/call", {"name": "echo.ping", "arguments": {"message": "m"}}).result
    failure = client.call("echo.nothing").failure
    assert (failure.code, failure.message) == (-32602, "Unknown tool 'echo.nothing'.")


def test_A24_an_unknown_prompt_is_an_error(client: MCPClient) -> None:
    failure = client.request("prompts/get", {"name": "every.nothing"}).failure
    assert (failure.code, failure.message) == (-32602, "Unknown prompt 'every.nothing'.")


def test_A25_what_a_template_makes_can_be_read(client: MCPClient) -> None:
    assert client.request("resources/read", {"uri": "demo://numbers/7"}).result["contents"][0]["text"] == "7 squared is 49."
    failure = client.request("resources/read", {"uri": "nobody://has/it"}).failure
    assert failure.code == -32002


def test_A26_who_has_subscribed_hears_of_updates(client: MCPClient) -> None:
    assert client.server["capabilities"]["resources"]["subscribe"] is True
    uri = {"uri": "demo://notes/2"}
    with client.keep_stream_open() as stream:
        assert client.request("resources/subscribe", uri).result == {}
        client.call("every.touch", uri)
        assert stream.wait_for("notifications/resources/updated")["params"] == uri
        assert client.request("resources/unsubscribe", uri).result == {}
    assert client.request("resources/subscribe", {"uri": "nobody://has/it"}).failure.code == -32002
    assert client.request("resources/unsubscribe", {"uri": "nobody://has/it"}).result == {}


def test_A27_completions_go_to_the_server_of_their_prompt_or_template(client: MCPClient) -> None:
    def complete(reference: dict[str, str], name: str, value: str, **context: str) -> Any:
        params = {"ref": reference, "argument": {"name": name, "value": value}, "context": {"arguments": context}}
        return client.request("completion/complete", params)

    prompt = {"type": "ref/prompt", "name": "every.greeting"}
    assert complete(prompt, "style", "f").result["completion"]["values"] == ["formal", "friendly"]
    template = {"type": "ref/resource", "uri": "demo://numbers/{number}"}
    assert "7" in complete(template, "number", "7").result["completion"]["values"]
    failure = complete({"type": "ref/prompt", "name": "every.nothing"}, "x", "").failure
    assert failure.code == -32602


def test_A28_a_log_level_reaches_every_server(gateway: Gateway, client: MCPClient) -> None:
    assert client.request("logging/setLevel", {"level": "debug"}).result == {}
    for server in (gateway.echo, gateway.pages):
        eventually(lambda: any(each["params"]["level"] == "debug" for each in server.received("logging/setLevel")), "a level")
    gateway.http.wait_requests("logging/setLevel")


def test_A29_what_belongs_to_a_request_goes_where_it_belongs(gateway: Gateway, client: MCPClient) -> None:
    # A client's progress is nobody's but that of who has asked it.
    client.notify("notifications/progress", {"progressToken": "made-up", "progress": 1})
    assert client.echoes("echo") and client.echoes("pages")
    assert not gateway.echo.received("notifications/progress") and not gateway.pages.received("notifications/progress")
    # Back from servers: progress, log messages, questions, and what the client takes back.
    reply = client.call("echo.progress", {"count": 2}, progress_token="mine")
    assert [each["params"]["progressToken"] for each in reply.notifications] == ["mine", "mine"]
    asker = gateway.bridge.new_client().initialize({"roots": {}})
    stream = asker.open_call("every.ask_roots")
    question = stream.wait_for("roots/list")
    roots = {"jsonrpc": "2.0", "id": question["id"], "result": {"roots": [{"uri": "file:///work"}]}}
    assert asker.beside().exchange("POST", roots).status == 202
    assert text_of(stream.next_message()["result"]) == "The roots are: file:///work"
    stream = client.open_call("echo.never", progress_token=1, id="to-cancel")
    stream.wait_for("notifications/progress")
    client.beside().notify("notifications/cancelled", {"requestId": "to-cancel"})
    gateway.echo.wait_received("notifications/cancelled")


def test_A30_what_is_offered_is_declared(client: MCPClient) -> None:
    capabilities = client.server["capabilities"]
    assert {"tools", "prompts", "resources", "completions", "logging"} <= capabilities.keys()
    assert all(capabilities[kind]["listChanged"] is True for kind in ("tools", "prompts", "resources"))


# Management


def test_A32_health_tells_the_servers(gateway: Gateway) -> None:
    health = gateway.bridge.health()
    assert health["status"] == "ok" and health["transport"] == "streamable-http"
    assert health["servers"] == sorted(gateway.bridge.config["mcpServers"])


def test_A33_servers_are_listed(gateway: Gateway) -> None:
    assert gateway.bridge.get("/servers").json() == {"servers": sorted(gateway.bridge.config["mcpServers"])}


def test_A34_servers_are_added_and_replaced(gateway: Gateway, client: MCPClient, folder: Path) -> None:
    for name in ("first", "second"):
        entry = python_upstream(SUPPORT / "misbehaving_server.py", "--name", name)
        added = gateway.bridge.manage("POST", "/servers", {"mcpServers": {"zoo": entry, "ant": entry}})
        assert (added.status, added.json()) == (200, {"added": ["ant", "zoo"]})
        assert text_of(client.call("zoo.server_name").result) == name
    for name in ("zoo", "ant"):
        assert gateway.bridge.manage("DELETE", f"/servers/{name}").status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"{'mcpServers': {}}", b"nonsense"])
def test_A35_what_is_no_json_is_400(gateway: Gateway, body: bytes) -> None:
    refused = gateway.bridge.manage("POST", "/servers", body)
    assert refused.status == 400
    assert refused.json()["error"].startswith("Invalid JSON payload: ") and refused.json()["error"].endswith(".")


def test_A36_what_is_no_configuration_is_422(gateway: Gateway) -> None:
    refused = gateway.bridge.manage("POST", "/servers", {"mcpServers": {"x": {"command": 1}}})
    assert (refused.status, refused.json()["error"]) == (422, "Invalid server configuration.")
    assert isinstance(refused.json()["details"], list) and refused.json()["details"]


def test_A37_no_servers_are_422(gateway: Gateway) -> None:
    refused = gateway.bridge.manage("POST", "/servers", {"mcpServers": {}})
    details = ["At least one server must be provided in 'mcpServers'."]
    assert (refused.status, refused.json()) == (422, {"error": "Invalid server configuration.", "details": details})


def test_A38_what_cannot_be_connected_is_502_and_leaves_nothing_behind(gateway: Gateway) -> None:
    before = gateway.bridge.get("/servers").json()
    servers = {"good": demo_upstream(), "bad": {"command": "/no/such/program"}}
    refused = gateway.bridge.manage("POST", "/servers", {"mcpServers": servers})
    assert (refused.status, refused.json()) == (502, {"error": "Failed to add backend servers."})
    assert gateway.bridge.get("/servers").json() == before


def test_A39_servers_are_removed(gateway: Gateway) -> None:
    assert gateway.bridge.manage("POST", "/servers", {"mcpServers": {"gone": demo_upstream()}}).status == 200
    removed = gateway.bridge.manage("DELETE", "/servers/gone")
    assert (removed.status, removed.json()) == (200, {"removed": "gone"})
    unknown = gateway.bridge.manage("DELETE", "/servers/gone")
    assert (unknown.status, unknown.json()) == (404, {"error": "Unknown server 'gone'."})


def test_A40_tools_are_listed_by_server(gateway: Gateway, client: MCPClient) -> None:
    tools = gateway.bridge.get("/tools").json()["tools"]
    assert "calculator.add" in tools["calculator"] and "echo.ping" in tools["echo"]
    assert sorted(name for names in tools.values() for name in names) == client.tool_names()


def test_A41_who_asks_at_once_is_answered(gateway: Gateway) -> None:
    assert gateway.first.status == 200


def test_A42_changes_are_kept_and_told(gateway: Gateway, client: MCPClient) -> None:
    with client.keep_stream_open() as stream:
        assert gateway.bridge.manage("POST", "/servers", {"mcpServers": {"kept": demo_upstream()}}).status == 200
        stream.wait_for("notifications/tools/list_changed")
        assert "kept" in (gateway.bridge.state / "servers.json").read_text(encoding="utf-8")
        assert gateway.bridge.manage("DELETE", "/servers/kept").status == 200
        stream.wait_for_list(lambda names: "kept.echo" not in names)
