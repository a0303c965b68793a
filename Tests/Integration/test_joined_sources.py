"""`mcp-bridge token-bridge --join`: whose word that they lend a model is believed, and whose is not."""

from __future__ import annotations

import json

import command_line
import pytest
from chat_http import ask, is_ready, text_of, wait_ready
from harness import Bridge, Bridges
from lender import Lender
from places import BINARY


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return shared_bridges.start({})


def joined(bridge: Bridge, *arguments: str, token: str | None = None) -> Lender:
    environment = bridge.whole_environment() | ({} if token is None else {"MCP_BRIDGE_TOKEN": token})
    return Lender("--join", *arguments, environment=environment, folder=bridge.folder)


def secret(bridge: Bridge, scope: str) -> str:
    made = command_line.beside(bridge, "token", "create", "--name", scope, "--scope", scope, "--quiet")
    assert made.status == 0, made
    return made.out.strip()


def tools(lender: Lender) -> list[str]:
    return [tool["name"] for tool in lender.ask("tools/list")["result"]["tools"]]


def test_over_the_services_socket_its_own_user_may(bridge: Bridge) -> None:
    with joined(bridge) as lender:
        assert tools(lender.open()) == ["hook"]
        wait_ready(bridge.address)
        assert text_of(ask(bridge.address, "hello")) == "echo: hello"
        [source] = json.loads(command_line.beside(bridge, "status", "--json").out)["sources"]
        assert (source["name"], source["client"]) == ("joined", "lender")
        lender.process.terminate()
        lender.process.wait()


@pytest.mark.parametrize("scope", [None, "mcp", "mcp,chat", "admin"])
def test_elsewhere_nobody_may_without_the_scope(bridge: Bridge, scope: str | None) -> None:
    token = None if scope is None else secret(bridge, scope)
    with joined(bridge, "--url", bridge.url, token=token) as lender:
        assert tools(lender.open()) == []
        assert lender.call("hook")["error"]["code"] == -32602
        assert ask(bridge.address, "for nobody's eyes").status == 503
        assert not is_ready(bridge.address)
        assert lender.was_asked() == [] and lender.warmed.empty()


def test_with_the_scope_a_token_may_wherever_it_comes_from(bridge: Bridge) -> None:
    with joined(bridge, "--url", bridge.url, token=secret(bridge, "mcp,source")) as lender:
        assert tools(lender.open()) == ["hook"]
        lender.hook()
        wait_ready(bridge.address)
        assert text_of(ask(bridge.address, "hello")) == "echo: hello"


def test_a_client_of_stdio_that_says_nothing_is_none(bridge: Bridge) -> None:
    with Lender(environment=bridge.whole_environment(), folder=bridge.folder, program=(BINARY, "stdio")) as lender:
        assert tools(lender.open()) == []
        assert ask(bridge.address, "for nobody's eyes").status == 503
        assert lender.was_asked() == []

