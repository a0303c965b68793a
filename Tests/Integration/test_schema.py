"""Everything the bridge says, held against the schema of each legacy revision. `MCPClient` does the holding."""

from __future__ import annotations

from collections.abc import Iterator

import demo_tools
import pytest
import schema
from harness import Bridge
from mcp_http import MCPClient
from replies import text_of


@pytest.fixture
def bridge(demo_and_bad: Bridge) -> Bridge:
    return demo_and_bad


@pytest.fixture(params=schema.LEGACY_REVISIONS)
def client(request: pytest.FixtureRequest, bridge: Bridge) -> Iterator[MCPClient]:
    with bridge.client(request.param) as client:
        yield client


def test_initialize(client: MCPClient) -> None:
    assert client.server["protocolVersion"] == client.revision
    assert client.server["serverInfo"]["name"] == "mcp-bridge"
    assert client.server["capabilities"]["tools"]["listChanged"] is True


def test_lists(client: MCPClient) -> None:
    assert client.request("ping").result == {}
    tools = client.request("tools/list").result["tools"]
    assert {"demo.echo", "bad.echo"} <= {tool["name"] for tool in tools}
    for capability, method in (
        ("prompts", "prompts/list"),
        ("resources", "resources/list"),
        ("resources", "resources/templates/list"),
    ):
        reply = client.request(method)
        if capability in client.server["capabilities"]:
            assert "result" in reply.message, reply.message
        else:
            assert reply.failure.code == -32601


def test_a_plain_call_is_plain_json(client: MCPClient) -> None:
    reply = client.call("demo.echo", {"text": "plain"})
    assert text_of(reply.result) == "plain"
    assert reply.head.content_type == "application/json"


def test_a_call_with_progress_is_a_stream(client: MCPClient) -> None:
    reply = client.call("demo.sleep", demo_tools.sleep(50, steps=3), progress_token="mine")
    assert reply.head.is_event_stream
    assert {each["method"] for each in reply.notifications} == {"notifications/progress"}
    assert {each["params"]["progressToken"] for each in reply.notifications} == {"mine"}
    assert "content" in reply.result


@pytest.mark.parametrize("token", [7, 0, "7", "", "tökén \u2028"])
def test_progress_carries_the_token_of_its_caller(client: MCPClient, token: str | int) -> None:
    reply = client.call("bad.progress", {"count": 3, "bytes": 5}, progress_token=token)
    tokens = [each["params"]["progressToken"] for each in reply.notifications]
    assert tokens == [token] * 3 and {type(each) for each in tokens} == {type(token)}


@pytest.mark.parametrize("identifier", [0, -1, 2**53 - 1, "1", "", 'quo"te\\ \u00e9\u2028'])
def test_the_answer_carries_the_id_of_its_request(client: MCPClient, identifier: str | int) -> None:
    reply = client.request("tools/call", {"name": "demo.echo", "arguments": {"text": "x"}}, id=identifier)
    assert reply.message["id"] == identifier and type(reply.message["id"]) is type(identifier)


def test_errors(client: MCPClient) -> None:
    assert client.call("demo.fail", demo_tools.fail("no")).result["isError"] is True
    unknown = client.call("demo.nothing")
    # Some clients give up the whole session over a status other than 200.
    assert unknown.head.status == 200
    assert (unknown.failure.code, unknown.failure.message) == (-32602, "Unknown tool 'demo.nothing'.")
    assert unknown.failure.word == "unknown_tool"
    missing = client.request("no/such/method")
    assert (missing.head.status, missing.failure.code) == (200, -32601)
    nameless = client.request("tools/call", {"arguments": {}})
    assert (nameless.head.status, nameless.failure.code) == (200, -32602)


def test_log_messages(client: MCPClient) -> None:
    assert client.request("logging/setLevel", {"level": "info"}).result == {}
    with client.keep_stream_open() as stream:
        reply = client.call("bad.log", {"level": "warning", "data": {"deep": [1, None]}}, progress_token=1)
        heard = [each for each in reply.notifications if each["method"] == "notifications/message"]
        message = heard[0] if heard else stream.wait_for("notifications/message")
        assert message["params"]["data"] == {"deep": [1, None]}
        assert message["params"]["level"] == "warning"


def test_a_changed_list(client: MCPClient) -> None:
    with client.keep_stream_open() as stream:
        client.call("bad.set_tools", {"names": ["extra"]})
        stream.wait_for_list(lambda names: "bad.extra" in names)
        client.call("bad.set_tools", {"names": []})
        stream.wait_for_list(lambda names: "bad.extra" not in names)


def test_a_result_reaches_the_client_as_it_came(client: MCPClient) -> None:
    text = 'order "kept", 1.0 and 1e2, \u0000 \ud7ff \U0001f600 </script>'
    assert text_of(client.call("bad.echo", {"text": text}).result) == text
