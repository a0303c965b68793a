"""What mcp-bridge for Node does, line by line: a test is named by its line in docs/moving.md.

One bridge is started as that one was: from the environment alone.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import command_line
import pytest
from asking_server import Asking, AskingServer
from harness import Bridges
from http_raw import ConnectionEnded
from mcp_http import MCPClient
from odd_http import Exchange, OddHTTP
from outcomes import MAY_HAVE_RUN
from places import ROOT, SUPPORT
from processes import ProcessWatch
from replies import text_of
from stdio_client import HELLO, StdioClient
from upstreams import MisbehavingUpstream, demo_upstream
from waiting import PATIENCE, eventually

#: What a server's environment may hold besides what its entry says.
CLEAN = {"HOME", "PATH", "TERM", "LANG", "USER", "LOGNAME", "SHELL", "TMPDIR"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Daemon:
    """The bridge, its two servers, and its files."""

    def __init__(self, bridges: Bridges, folder: Path) -> None:
        self.overseer = OddHTTP()
        self.sentinel = MisbehavingUpstream(folder, "sentinel")
        self.log = folder / "log/mcp-bridge.log"
        self.log.parent.mkdir()
        self.cache = folder / "cache.json"
        arguments = f"  {SUPPORT / 'misbehaving_server.py'} --journal\t{self.sentinel.journal}  --pages 2 --page-size 2 "
        self.bridge = bridges.start(
            None,
            # Where the state lies is left to be found out.
            prefix=("env", "-u", "MCP_BRIDGE_CONFIG_DIR"),
            environment={
                "MCP_BRIDGE_HOST": "127.0.0.1",
                "MCP_BRIDGE_MCP_PATH": "/bridge",
                "MCP_BRIDGE_OVERSEER_URL": self.overseer.url,
                "MCP_BRIDGE_SENTINEL_COMMAND": sys.executable,
                "MCP_BRIDGE_SENTINEL_ARGS": arguments,
                "MCP_BRIDGE_OAUTH_STATE_PATH": str(folder / "oauth.json"),
                "MCP_BRIDGE_TOOL_CACHE_PATH": str(self.cache),
                "MCP_BRIDGE_LOG_PATH": str(self.log),
                "MCP_BRIDGE_LOG_MAX_BYTES": "4000",
                "MCP_BRIDGE_LOG_BACKUPS": "2",
            },
        )
        for name in ("overseer", "sentinel"):
            self.bridge.wait_upstream(name)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.bridge.port}/bridge"

    @property
    def logged(self) -> list[dict[str, Any]]:
        """All that was written to the log, from the oldest file on."""

        def read() -> list[dict[str, Any]] | None:
            # It may be written, and its files renamed, while it is read.
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                files = sorted(self.log.parent.iterdir(), reverse=True)
                return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
            return None

        return eventually(read, "the log is read")

    def at(self, *arguments: str, **environment: str) -> StdioClient:
        environment = {"MCP_BRIDGE_PROXY_URL": self.url, **environment}
        return StdioClient(*arguments, environment=environment, folder=self.bridge.folder)


@pytest.fixture(scope="module")
def daemon(shared_bridges: Bridges, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(shared_bridges, tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.overseer.stop()


@pytest.fixture(scope="module")
def client(daemon: Daemon) -> MCPClient:
    client = daemon.bridge.client(path="/bridge")
    eventually(lambda: {"count", "page1_1"} <= set(client.tool_names()), "the tools of both servers are listed")
    return client


def printed(folder: Path, **environment: str) -> dict[str, Any]:
    """The configuration of a bridge that has this environment and no file."""
    said = command_line.run("config", "print", environment={"HOME": str(folder), **environment}, folder=folder)
    assert said.status == 0, said
    return json.loads(said.out)


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return printed(tmp_path_factory.mktemp("defaults"))["bridge"]


# The environment


def test_B01_the_port(daemon: Daemon, defaults: dict[str, Any]) -> None:
    assert defaults["listen"] == ["127.0.0.1:8769"]
    assert daemon.bridge.get("/health/live").status == 200


def test_B02_the_address(defaults: dict[str, Any], folder: Path) -> None:
    assert defaults["listen"][0].startswith("127.0.0.1:")
    assert printed(folder, MCP_BRIDGE_HOST="::1")["bridge"]["listen"] == ["[::1]:8769"]


def test_B03_the_path_of_MCP(daemon: Daemon, client: MCPClient, defaults: dict[str, Any]) -> None:
    assert defaults["mcpPath"] == "/mcp"
    assert client.session_id and daemon.bridge.get("/mcp").status == 404


def test_B04_the_overseer(client: MCPClient, folder: Path) -> None:
    assert text_of(client.call("count", {"tag": "B04"}).result) == "B04"
    assert "overseer" not in printed(folder, MCP_BRIDGE_OVERSEER_URL="")["mcpServers"]


def test_B05_the_sentinel(client: MCPClient, folder: Path) -> None:
    assert text_of(client.call("ping", {"message": "B05"}).result).endswith(":B05")
    assert "sentinel" not in printed(folder, MCP_BRIDGE_SENTINEL_COMMAND="")["mcpServers"]


def test_B06_the_sentinels_arguments_end_at_white_space(daemon: Daemon, folder: Path) -> None:
    words = daemon.bridge.upstream_child("sentinel").command[1:]
    assert words[1:3] == ("--journal", str(daemon.sentinel.journal)) and len(words) == 7
    quoted = printed(folder, MCP_BRIDGE_SENTINEL_COMMAND="x", MCP_BRIDGE_SENTINEL_ARGS="'b c'")
    assert quoted["mcpServers"]["sentinel"]["args"] == ["'b", "c'"]


def test_B07_the_folder_of_the_state(daemon: Daemon) -> None:
    state = daemon.bridge.folder / "home/.config/mcp-bridge"
    assert (state / "sealing.key").is_file()


def test_B08_where_the_sign_in_is_kept(daemon: Daemon) -> None:
    assert not [line for line in daemon.bridge.log if "OAUTH_STATE_PATH" in line]


def test_B09_where_the_tools_are_kept(daemon: Daemon, client: MCPClient) -> None:
    eventually(daemon.cache.is_file, "the cache is written")
    assert not (daemon.bridge.folder / "home/.config/mcp-bridge/tools-cache.json").exists()


def test_B10_where_the_log_is(daemon: Daemon) -> None:
    assert daemon.log.is_file() and daemon.logged


def test_B11_the_size_of_a_log(daemon: Daemon, client: MCPClient, defaults: dict[str, Any]) -> None:
    assert defaults["log"]["maxBytes"] == 5_242_880
    fill(daemon, client)
    old = [daemon.log.with_name(f"mcp-bridge.log.{number}") for number in (1, 2)]

    def sizes() -> list[int] | None:
        try:
            return [file.stat().st_size for file in old]
        except FileNotFoundError:  # they are just being renamed
            return None

    assert max(eventually(sizes, "both old logs at once")) <= 4_000 + 1_000


def test_B12_the_number_of_old_logs(daemon: Daemon, client: MCPClient, defaults: dict[str, Any]) -> None:
    assert defaults["log"]["backups"] == 5
    fill(daemon, client)
    kept = {"mcp-bridge.log", "mcp-bridge.log.1", "mcp-bridge.log.2"}

    def names() -> set[str] | None:
        found = {file.name for file in daemon.log.parent.iterdir()}
        return found if kept <= found else None  # else they are just being renamed

    assert "mcp-bridge.log.3" not in eventually(names, "all logs at once")


def fill(daemon: Daemon, client: MCPClient) -> None:
    """Writes so much to the log that two old ones are there."""

    def is_full() -> bool:
        client.call("nothing")
        return daemon.log.with_name("mcp-bridge.log.2").exists()

    eventually(is_full, "two old logs")


def test_B15_the_proxy_finds_the_bridge_by_its_address(daemon: Daemon) -> None:
    with daemon.at() as proxy:
        assert "count" in [tool["name"] for tool in proxy.open().ask("tools/list")["result"]["tools"]]
        assert proxy.close() == []


def test_B16_the_proxy_waits_for_so_long(folder: Path) -> None:
    def script(call: Asking) -> dict[str, Any]:
        call.server.stopped.wait()
        return {}

    with AskingServer(script) as server:
        environment = {"MCP_BRIDGE_PROXY_URL": server.url, "MCP_BRIDGE_PROXY_TIMEOUT_MS": "4000"}
        with StdioClient(environment=environment, folder=folder) as proxy:
            assert "MCP_BRIDGE_PROXY_TIMEOUT_MS" in proxy.open().call("x")["error"]["message"]


# Servers


def test_B17_connect_introduce_list_and_stay(daemon: Daemon, client: MCPClient, defaults: dict[str, Any]) -> None:
    entries = map(json.loads, daemon.sentinel.journal.read_text(encoding="utf-8").splitlines())
    methods = [entry["method"] for entry in entries]
    assert methods[:2] == ["initialize", "notifications/initialized"] and "tools/list" in methods
    assert methods.count("initialize") == 1
    assert {key: defaults["timeouts"][key] for key in ("connect", "list", "ping")} == {"connect": 30, "list": 30, "ping": 30}
    assert defaults["timeouts"]["call"] == 300


def test_B18_what_fails_is_tried_again_ever_later(bridges: Bridges, folder: Path, defaults: dict[str, Any]) -> None:
    assert defaults["reconnect"] == {"base": 1, "maximum": 60}
    down = MisbehavingUpstream(folder, "down", "--exit-at-start", "3")
    bridge = bridges.start({"down": down.entry}, ready="live", bridge={"reconnect": {"base": "10ms", "maximum": "20ms"}})
    seen = eventually(lambda: row if (row := bridge.upstream("down")).get("reconnectAttempts", 0) >= 4 else None, "tries")
    assert seen["lastError"] and not seen["connected"]
    eventually(lambda: TIME.fullmatch(bridge.upstream("down")["nextReconnectAt"] or ""), "the time of the next")


def test_B19_servers_are_pinged_listed_again_and_brought_back(
    bridges: Bridges, folder: Path, defaults: dict[str, Any]
) -> None:
    assert (defaults["pingInterval"], defaults["refreshInterval"]) == (60, 300)
    bad = MisbehavingUpstream(folder, "bad")
    bridge = bridges.start({"bad": bad.entry}, bridge={"pingInterval": "100ms", "refreshInterval": "100ms"})
    bad.wait_received("ping", 2)
    bad.wait_received("tools/list", 3)
    child = bridge.upstream_child("bad")
    with ProcessWatch([child]) as watch:
        bridge.client().call("bad.die")
        assert watch.wait_until_all_ended(PATIENCE)
    bridge.wait_upstream("bad")
    assert bridge.client().echoes("bad") and len(bad.received("initialize")) == 2


def test_B20_who_comes_at_once_shares_one_attempt(bridges: Bridges, folder: Path) -> None:
    lazy = MisbehavingUpstream(folder, "lazy")
    bridge = bridges.start({"lazy": {**lazy.entry, "start": "lazy"}})
    client = bridge.client()
    calls = [client.open_request("tools/call", {"name": "lazy.pid", "arguments": {}}) for _ in range(16)]
    for connection in calls:
        with connection:
            assert "result" in json.loads(connection.read_response().body)
    assert len(lazy.received("initialize")) == 1


def test_B21_a_stream_that_ends_is_opened_again(daemon: Daemon, client: MCPClient) -> None:
    daemon.overseer.wait_listener()
    before = len(daemon.overseer.requests("GET"))
    daemon.overseer.end_streams()
    daemon.overseer.wait_requests("GET", before + 1)
    assert text_of(client.call("count", {"tag": "B21"}).result) == "B21"


def test_B22_a_program_has_a_clean_environment_and_its_errors_are_logged(daemon: Daemon, client: MCPClient) -> None:
    environment = json.loads(text_of(client.call("environment").result))
    assert {"HOME", "PATH"} <= environment.keys()
    assert not [name for name in environment if name not in CLEAN and not name.startswith("XDG_")]
    client.call("flood_stderr", {"bytes": 200})
    daemon.bridge.wait_logged("eeee")
    assert all("upstream stderr" in line for line in daemon.bridge.log if "eeee" in line)


def test_B23_what_a_server_refused_before_any_work_is_sent_once_more(daemon: Daemon, client: MCPClient) -> None:
    daemon.overseer.sessions.clear()
    assert text_of(client.call("count", {"tag": "B23"}).result) == "B23"
    assert daemon.overseer.counted["B23"] == 1


def test_B24_what_may_have_run_is_never_sent_again(daemon: Daemon, client: MCPClient) -> None:
    def drop(exchange: Exchange) -> None:
        daemon.overseer.count(exchange)
        exchange.cut()

    daemon.overseer.hooks["tools/call:count"] = drop
    try:
        assert client.call("count", {"tag": "B24"}).failure.word == MAY_HAVE_RUN
    finally:
        daemon.overseer.hooks.clear()
    assert daemon.overseer.counted["B24"] == 1


def test_B25_how_servers_are_told_who_asks(daemon: Daemon) -> None:
    (hello,) = daemon.sentinel.received("initialize")
    assert hello["params"]["clientInfo"] == {"name": "mcp-bridge-sentinel-client", "version": "0.1.0"}
    assert {"sampling", "elicitation", "roots"} <= hello["params"]["capabilities"].keys()
    assert daemon.overseer.requests("initialize")[0].message["params"]["clientInfo"]["name"] == "mcp-bridge-overseer-client"


def test_B26_names_are_bare_and_the_first_server_has_one_that_both_want(daemon: Daemon, client: MCPClient) -> None:
    assert client.tool_names().count("echo") == 1
    before = len(daemon.overseer.requests("tools/call"))
    assert text_of(client.call("echo", {"text": "whose"}).result) == "whose"
    assert len(daemon.overseer.requests("tools/call")) == before + 1
    collision = {"of": "tools", "name": "echo", "kept": "overseer", "refused": "sentinel"}
    eventually(
        lambda: collision in json.loads(command_line.beside(daemon.bridge, "status", "--json").out)["collisions"],
        "the status tells of it",
    )


def test_B27_lists_that_no_server_has_are_empty(client: MCPClient) -> None:
    lists = {"prompts/list": "prompts", "resources/list": "resources", "resources/templates/list": "resourceTemplates"}
    for method, key in lists.items():
        assert client.request(method).result == {key: []}


def test_B28_what_fails_is_told_as_an_error(client: MCPClient) -> None:
    unknown = client.call("nothing").failure
    assert (unknown.code, unknown.message) == (-32602, "Unknown tool 'nothing'.")
    failed = client.call("error", {"code": -32050, "message": "as it came"}).failure
    assert (failed.code, failed.message) == (-32050, "as it came")


def test_B29_every_page_is_listed(client: MCPClient) -> None:
    assert {"page1_0", "page1_1"} <= set(client.tool_names())


# Tools that are kept


def kept_by(cache: Path) -> set[str]:
    """The servers whose tools are in a file of tools."""
    return set(json.loads(cache.read_text(encoding="utf-8"))["toolsByUpstream"]) if cache.exists() else set()


def test_B30_the_file_of_tools(daemon: Daemon, client: MCPClient) -> None:
    eventually(lambda: kept_by(daemon.cache) == {"overseer", "sentinel"}, "the tools of both are kept")
    text = daemon.cache.read_text(encoding="utf-8")
    kept = json.loads(text)
    assert TIME.fullmatch(kept["updatedAt"])
    assert {tool["name"] for tool in kept["toolsByUpstream"]["overseer"]} == {"echo", "count", "odd"}
    assert text.startswith('{\n  "') and text.endswith("}\n") and daemon.cache.stat().st_mode & 0o777 == 0o600
    eventually(lambda: not list(daemon.cache.parent.glob("cache.json.*")), "nothing is left beside it")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"toolsByUpstream": 7}', "\0" * 100])
def test_B31_a_file_of_tools_that_cannot_be_read_is_as_none(bridges: Bridges, content: str) -> None:
    bridge = bridges.make({"demo": demo_upstream()})
    (bridge.folder / "state").mkdir(mode=0o700)
    (bridge.state / "tools-cache.json").write_text(content, encoding="utf-8")
    bridge.start().wait_upstream("demo")
    client = bridge.client()
    assert "demo.echo" in bridge.wait_tool("demo.echo", client)


def test_B32_tools_are_kept_from_the_first_list_on_and_a_call_of_one_connects(bridges: Bridges, folder: Path) -> None:
    lazy = MisbehavingUpstream(folder, "lazy")
    nothing = {"command": sys.executable, "args": [str(SUPPORT / "strange_server.py"), "no_tools"]}
    bridge = bridges.start({"lazy": {**lazy.entry, "start": "lazy"}, "down": nothing}, ready="live")
    bridge.wait_tool("lazy.echo", bridge.client())
    cache = bridge.state / "tools-cache.json"
    eventually(lambda: kept_by(cache) == {"lazy"}, "the tools are kept, and nothing of who has none")
    assert bridge.stop() == 0
    bridge.start("live")
    client = bridge.client()
    assert "lazy.echo" in client.tool_names() and len(lazy.received("initialize")) == 1
    assert client.echoes("lazy") and len(lazy.received("initialize")) == 2


# HTTP


def test_B40_the_front_page(daemon: Daemon) -> None:
    page = daemon.bridge.get("/").json()
    assert (page["ok"], page["service"], page["mcp"]) == (True, "mcp-bridge", daemon.url)
    assert page["health"] == f"http://127.0.0.1:{daemon.bridge.port}/health"


def test_B41_health(daemon: Daemon, client: MCPClient) -> None:
    health = daemon.bridge.health()
    assert (health["service"], health["ok"]) == ("mcp-bridge", True)
    assert [(row["name"], row["kind"]) for row in health["upstreams"]] == [("overseer", "http"), ("sentinel", "stdio")]
    for row in health["upstreams"]:
        assert row["connected"] is True and row["toolCount"] > 0
        assert TIME.fullmatch(row["lastConnectedAt"]) and TIME.fullmatch(row["lastToolRefreshAt"])
        assert (row["lastError"], row["reconnectAttempts"], row["nextReconnectAt"]) == (None, 0, None)
    assert health["toolCount"] == sum(row["toolCount"] for row in health["upstreams"])


def test_B42_a_stream_without_a_session_is_refused(daemon: Daemon) -> None:
    with daemon.bridge.http() as connection:
        refused = connection.request("GET", "/bridge", {"Accept": "text/event-stream"})
    assert (refused.status, refused.json()["error"]["code"]) == (400, -32000)
    assert "www-authenticate" not in refused.headers


def test_B43_each_initialize_opens_a_session_that_ends_by_delete(daemon: Daemon) -> None:
    one, other = (daemon.bridge.client(path="/bridge") for _ in range(2))
    assert one.session_id != other.session_id
    assert all(0x21 <= ord(sign) <= 0x7E for sign in one.session_id or "")
    assert one.delete().status == 204
    assert one.exchange("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 404
    assert other.request("ping").result == {}


def test_B44_unknown_sessions_and_none(daemon: Daemon) -> None:
    stranger = daemon.bridge.new_client(path="/bridge")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for session, status, words in (
        ("unknown", 404, "Unknown MCP session ID"),
        (None, 400, "Bad Request: initialize request or MCP-Session-Id is required"),
    ):
        stranger.session_id = session
        refused = stranger.exchange("POST", ping)
        assert (refused.status, refused.json()["error"]["code"], refused.json()["error"]["message"]) == (status, -32000, words)


def test_B45_a_fault_of_the_bridge() -> None:
    rows = (ROOT / "docs/errors.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row.startswith("| `internal` | 500, 200 | -32603 |")]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.mcp+json"])
def test_B46_bodies(daemon: Daemon, client: MCPClient, defaults: dict[str, Any], kind: str) -> None:
    assert defaults["limits"]["bodyBytes"] == 4 << 20
    taken = client.exchange("POST", {"jsonrpc": "2.0", "id": "b46", "method": "ping"}, {"Content-Type": kind})
    assert (taken.status, taken.json()["result"]) == (200, {})
    large = {"jsonrpc": "2.0", "id": "big", "method": "tools/call", "params": {"name": "odd", "arguments": {"x": "x" * 1_100_000}}}
    assert client.exchange("POST", large).status == 200
    too_large = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x" * (5 << 20)}}).encode()
    with daemon.bridge.http() as connection:
        connection.send("POST", client.path, {**client.headers("POST"), "Content-Length": str(len(too_large))})
        # It stops listening before all has been said.
        with contextlib.suppress(ConnectionEnded):
            connection.send_bytes(too_large)
        assert connection.read_head().status == 413


def test_B47_what_the_bridge_says_of_itself(client: MCPClient) -> None:
    assert client.server["serverInfo"]["name"] == "mcp-bridge" and client.server["serverInfo"]["version"] == "0.1.0"
    assert client.server["instructions"]
    assert {"tools", "resources", "prompts"} <= client.server["capabilities"].keys()


# Log and signals


def test_B51_a_log_is_one_object_a_line(daemon: Daemon) -> None:
    for record in daemon.logged:
        assert {"ts", "level", "message"} <= record.keys() <= {"ts", "level", "message", "meta"}
        assert TIME.fullmatch(record["ts"]) and record["level"] in ("debug", "info", "notice", "warning", "error")


def test_B52_what_happens_is_logged_in_these_words(bridges: Bridges, folder: Path) -> None:
    bad, log = MisbehavingUpstream(folder, "bad"), folder / "log"
    bridge = bridges.start({"bad": bad.entry}, environment={"MCP_BRIDGE_LOG_PATH": str(log)})
    bridge.wait_upstream("bad")
    client = bridge.client()
    client.call("bad.die")
    client.delete()
    assert bridge.stop() == 0
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    meta = {record["message"]: record.get("meta", {}) for record in records}
    assert f"127.0.0.1:{bridge.port}" in meta["mcp-bridge listening"]["addresses"]
    assert (meta["mcp-bridge listening"]["mcp.path"], meta["mcp-bridge listening"]["upstreams"]) == ("/mcp", "bad")
    assert meta["upstream connected"]["mcp.upstream"] == "bad" and int(meta["upstream connected"]["toolCount"]) > 0
    assert meta["upstream closed; scheduling reconnect"]["mcp.upstream"] == "bad"
    # A session's id is a secret: its digest is told.
    session = meta["MCP session initialized"]["mcp.session"]
    assert session == meta["MCP session closed"]["mcp.session"] and session not in (client.session_id or "")
    assert meta["shutting down"]["signal"] == "SIGTERM"
    said = command_line.run("serve", environment={"HOME": str(folder), "MCP_BRIDGE_PORT": "x"}, folder=folder)
    assert said.status != 0 and "startup failed" in said.err + said.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_B53_a_signal_ends_everything_well(bridges: Bridges, number: int) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    assert bridge.process is not None
    with ProcessWatch(bridge.tree()) as watch:
        bridge.process.send_signal(number)
        assert bridge.process.wait(PATIENCE) == 0
        assert watch.wait_until_all_ended(PATIENCE)


# The proxy on standard input and output


def test_B54_the_proxy_is_the_bridge_and_says_on_stderr_what_happens(daemon: Daemon, folder: Path) -> None:
    with daemon.at() as proxy:
        hello = proxy.ask("initialize", HELLO)["result"]
        assert hello["serverInfo"] == {"name": "mcp-bridge", "version": "0.1.0"}
    with StdioClient("--url", "http://127.0.0.1:1/mcp", environment={}, folder=folder) as proxy:
        proxy.begin("initialize", HELLO)
        said = eventually(lambda: next((line for line in proxy.said if "no bridge" in line), None), "a line")
    match = re.fullmatch(r"\[mcp-bridge-stdio\] [^{]+ (\{.*\})", said)
    assert match and json.loads(match[1])


def test_B55_lists_are_answered_while_the_bridge_is_away(bridges: Bridges) -> None:
    bridge = bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    with StdioClient(environment=bridge.whole_environment(), folder=bridge.folder) as proxy:
        tools = proxy.open().ask("tools/list")["result"]
        eventually(lambda: kept_by(bridge.state / "tools-cache.json") == {"demo"}, "the tools are kept")
        assert bridge.stop() == 0
        # What this client was shown before; and, for one that comes now, the file.
        assert proxy.ask("tools/list")["result"] == tools
    with StdioClient(environment=bridge.whole_environment(), folder=bridge.folder) as proxy:
        assert proxy.open().ask("tools/list")["result"]["tools"] == tools["tools"]


def test_B56_the_proxy_never_sends_a_call_again(folder: Path) -> None:
    with AskingServer(lambda call: call.drop()) as server:
        with StdioClient("--url", server.url, environment={}, folder=folder) as proxy:
            assert proxy.open().call("x")["error"]["data"]["code"] == MAY_HAVE_RUN
            assert len(server.received("tools/call")) == 1


def test_B57_the_proxy_opens_its_stream_again(folder: Path) -> None:
    server = OddHTTP()
    try:
        with StdioClient("--url", server.url, environment={}, folder=folder) as proxy:
            proxy.open()
            server.wait_listener()
            server.end_streams()
            server.wait_requests("GET", 2)
            server.say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            proxy.hear("notifications/tools/list_changed")
    finally:
        server.stop()


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "end of input"])
def test_B58_the_proxy_ends_well(daemon: Daemon, end: str) -> None:
    with daemon.at() as proxy:
        proxy.open()
        if end == "end of input":
            assert proxy.close() == []
        else:
            proxy.process.send_signal(signal.Signals[end])
            assert proxy.process.wait(PATIENCE) == 0
