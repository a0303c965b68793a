"""`tools` and `call` against a server that is not the bridge: the official SDK's, over Streamable HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import command_line
import pytest
from command_line import Said
from ports import free_port

pytest.importorskip("mcp.server.fastmcp")

SERVER = """
import sys
from mcp.server.fastmcp import Context, FastMCP
server = FastMCP("elsewhere", port=int(sys.argv[1]), json_response=sys.argv[2] == "json", stateless_http=sys.argv[3] == "stateless")
@server.tool()
async def shout(text: str, context: Context) -> str:
    await context.info("shouting")
    return text.upper()
@server.tool()
def fail() -> str:
    raise ValueError("mine")
server.run("streamable-http")
"""


@pytest.fixture(scope="module", params=["sse stateful", "sse stateless", "json stateful", "json stateless"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port), *request.param.split()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)  # nothing announces that it listens
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def run(folder: Path, *arguments: str) -> Said:
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    return command_line.run(*arguments, environment=environment, folder=folder)


def test_its_tools_are_listed(url: str, folder: Path) -> None:
    said = run(folder, "tools", "--url", url)
    assert (said.status, said.err) == (0, "")
    assert [line.split()[0] for line in said.out.splitlines()] == ["TOOL", "shout", "fail"]


def test_a_call_is_answered(url: str, folder: Path) -> None:
    assert run(folder, "call", "--url", url, "shout", '{"text": "zwölf"}') == Said(0, "ZWÖLF\n", "")


def test_an_error_is_one(url: str, folder: Path) -> None:
    said = run(folder, "call", "--url", url, "fail")
    assert said.status == 1 and "mine" in said.err and said.out == ""


def test_a_redirect_to_the_same_server_is_followed(url: str, folder: Path) -> None:
    """Its framework sends a path with a slash at the end to the one without."""
    assert run(folder, "call", "--url", url + "/", "shout", '{"text": "a"}').out == "A\n"
