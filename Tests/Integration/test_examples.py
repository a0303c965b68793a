"""The files in docs/examples: each is checked, and what stands in it is started or asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chat_http
import command_line
import pytest
from harness import Bridge, Bridges
from http_raw import RawConnection
from lender import Lender
from places import BINARY, MODELS_PYTHON, ROOT, SDK_1_PYTHON, SUPPORT
from ports import free_port
from replies import text_of
from sse_client import SSEClient
from stdio_client import StdioClient
from upstreams import demo_upstream
from waiting import eventually

EXAMPLES = ROOT / "docs/examples"
CLIENTS = sorted((EXAMPLES / "clients").iterdir())


@contextmanager
def echo_server(transport: str) -> Iterator[int]:
    """The port of a running server with the tools `ping` and `server_name`."""
    port = free_port()
    process = subprocess.Popen(
        [SDK_1_PYTHON, SUPPORT / "echo_server.py", "--transport", transport, "--port", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: process.poll() is None and listens(port), "the server listens")
        yield port
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    try:
        RawConnection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


def served(bridges: Bridges, name: str, *, instead_of: str = "", port: int = 0) -> Bridge:
    """A bridge with an example as its configuration, after `config check` has said that it is good."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert instead_of in text
    bridge = bridges.make(json.loads(text.replace(instead_of, f"127.0.0.1:{port}") if instead_of else text)["mcpServers"])
    # The program is installed where people have it.
    (bridge.folder / "bin").mkdir()
    (bridge.folder / "bin/mcp-bridge").symlink_to(BINARY)
    bridge.environment["PATH"] = f"{bridge.folder / 'bin'}:{bridge.whole_environment()['PATH']}"
    bridge.write_config()
    said = command_line.beside(bridge, "config", "check", bridge.config_path)
    assert said.status == 0 and said.out.startswith("ok: ") and not said.err, said
    return bridge.start()


def test_programs_are_served(bridges: Bridges) -> None:
    bridge = served(bridges, "servers.json")
    client = bridge.client()
    bridge.wait_tool("echo.echo", client)
    bridge.wait_tool("calculator.add", client)
    assert "3" in text_of(client.call("calculator.add", {"a": 1, "b": 2}).result)
    assert text_of(client.call("echo.echo", {"text": "hello"}).result) == "hello"


@pytest.mark.parametrize(
    ("name", "transport", "address"),
    [
        ("sse-backend.json", "sse", "127.0.0.1:9090"),
        ("streamable-http-backend.json", "streamable-http", "127.0.0.1:9091"),
    ],
)
def test_a_remote_server_is_served(bridges: Bridges, name: str, transport: str, address: str) -> None:
    with echo_server(transport) as port:
        bridge = served(bridges, name, instead_of=address, port=port)
        client = bridge.client()
        bridge.wait_tool("remote-echo.ping", client)
        assert text_of(client.call("remote-echo.ping", {"message": "hi"}).result) == "remote-echo:hi"
        bridge.stop()


# Clients


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    bridge = shared_bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


def entry_of(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    whole = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    (servers,) = whole.values()
    (entry,) = servers.values()
    return entry


@pytest.mark.parametrize("file", CLIENTS, ids=[file.name for file in CLIENTS])
def test_a_client_that_is_told_so_finds_the_tools(bridge: Bridge, file: Path) -> None:
    entry = entry_of(file)
    url = next((entry[key] for key in ("url", "serverUrl", "httpUrl") if key in entry), None)
    if url is None:
        assert Path(entry["command"]).name == "mcp-bridge" and entry["args"][0] == "stdio"
        with StdioClient(*entry["args"][1:], environment=bridge.whole_environment(), folder=bridge.folder) as client:
            names = [tool["name"] for tool in client.open().ask("tools/list")["result"]["tools"]]
            assert client.close() == []
        assert ("demo__echo" if "safe" in entry["args"] else "demo.echo") in names
        return
    base, path = re.fullmatch(r"http://(127\.0\.0\.1:8769)(/\w+)", url).groups()
    assert base == "127.0.0.1:8769"
    if path == "/sse":
        with SSEClient(bridge.address, path=path) as client:
            assert "demo.echo" in client.initialize().tool_names()
    else:
        assert "demo.echo" in bridge.client(path=path).tool_names()


# The token bridge

TOKEN_BRIDGE = EXAMPLES / "token-bridge"


@pytest.fixture(scope="module")
def lent(shared_bridges: Bridges) -> Iterator[str]:
    """The address of a token bridge, started as VS Code's file says but for the port. Its client repeats what it is asked."""
    home = shared_bridges.make({})
    (home.folder / "run").mkdir(mode=0o700, exist_ok=True)
    entry, port = entry_of(TOKEN_BRIDGE / "vscode.mcp.json"), free_port()
    assert entry["type"] == "stdio" and entry["command"] == "mcp-bridge" and entry["args"].count("8000") == 1
    arguments = [str(port) if word == "8000" else word for word in entry["args"]]
    with Lender(*arguments, environment=home.whole_environment(), folder=home.folder, program=(BINARY,)) as lender:
        lender.open().hook()
        eventually(lambda: listens(port), "HTTP is up")
        chat_http.wait_ready(("127.0.0.1", port))
        yield f"http://127.0.0.1:{port}"


def test_windows_starts_the_same_in_wsl() -> None:
    entry = entry_of(TOKEN_BRIDGE / "wsl.mcp.json")
    option, program, *arguments = entry["args"]
    assert (entry["command"], option, Path(program).name) == ("wsl.exe", "--exec", "mcp-bridge")
    assert arguments == entry_of(TOKEN_BRIDGE / "vscode.mcp.json")["args"]


def test_a_client_that_joins_is_a_source_of_the_service(bridge: Bridge) -> None:
    entry = entry_of(TOKEN_BRIDGE / "vscode-join.mcp.json")
    with Lender(*entry["args"], environment=bridge.whole_environment(), folder=bridge.folder, program=(BINARY,)) as lender:
        lender.open().hook()
        chat_http.wait_ready(bridge.address)
        assert chat_http.text_of(chat_http.ask(bridge.address, "hello")) == "echo: hello"


@pytest.mark.parametrize("file", ["openai_sdk.py", "anthropic_sdk.py", "curl.sh"])
def test_a_program_that_is_told_so_is_answered(lent: str, file: str, tmp_path: Path) -> None:
    command = [MODELS_PYTHON if file.endswith(".py") else "sh", TOKEN_BRIDGE / file]
    variables = {"BRIDGE": lent, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == (3 if file == "curl.sh" else 1) and all("echo: Hello" in answer for answer in answers), answers


def test_agents_that_are_told_so_are_answered(lent: str) -> None:
    claude = json.loads((TOKEN_BRIDGE / "claude-code.settings.json").read_text(encoding="utf-8"))["env"]
    codex = tomllib.loads((TOKEN_BRIDGE / "codex.config.toml").read_text(encoding="utf-8"))
    provider = codex["model_providers"][codex["model_provider"]]
    aider = dict(line.split(": ", 1) for line in (TOKEN_BRIDGE / "aider.conf.yml").read_text(encoding="utf-8").splitlines())
    # Else it takes the window of a model that it does not know for a million tokens.
    assert int(claude["CLAUDE_CODE_AUTO_COMPACT_WINDOW"]) < 200_000
    assert provider["wire_api"] == "responses" and aider["model"] == "openai/auto"
    told = {
        "messages": (claude["ANTHROPIC_BASE_URL"] + "/v1", claude["ANTHROPIC_MODEL"]),
        "responses": (provider["base_url"], codex["model"]),
        "chat": (aider["openai-api-base"], aider["model"].removeprefix("openai/")),
    }
    address = ("127.0.0.1", int(lent.rpartition(":")[2]))
    for dialect, (base, model) in told.items():
        assert base == "http://127.0.0.1:8000/v1"
        answer = chat_http.ask(address, "hello", dialect, token=claude["ANTHROPIC_AUTH_TOKEN"], model=model)
        assert chat_http.text_of(answer, dialect) == "echo: hello"


def test_the_pages_name_every_example_and_say_the_same() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    linked = {link for link in re.findall(r"\]\(([^)]+)\)", page) if not link.startswith("../")}
    there = {str(file.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("*") if file.is_file()} - {"README.md"}
    assert linked == there
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, file in (("VS Code", "vscode.mcp.json"), ("Cursor", "cursor.mcp.json"), ("Desktop", "claude_desktop_config.json")):
        shown = re.search(rf"^{name}: *(\{{.+\}})$", readme, re.MULTILINE)
        assert shown and json.loads(shown[1]) == json.loads((EXAMPLES / "clients" / file).read_text(encoding="utf-8"))
