"""The model APIs, as programs with the official packages use them, against the sandbox: see Tests/Support/chat_route_scenarios.py."""

from __future__ import annotations

import json
import re
from typing import Any

import package_scripts
import pytest
from command_line import beside
from harness import Bridge, Bridges
from places import SUPPORT
from tokens import bearer, create, create_known
from waiting import eventually

SCRIPT = SUPPORT / "chat_route_scenarios.py"
SECRET = "the word that nobody but the model may know"


@pytest.fixture(scope="module")
def bridge(shared_bridges: Bridges) -> Bridge:
    return shared_bridges.start({}, bridge={"keepAlive": 0.2})


@pytest.fixture(scope="module", params=package_scripts.EACH_ENVIRONMENT)
def said(request: pytest.FixtureRequest, bridge: Bridge) -> dict[str, str | None]:
    def token(*arguments: str, scope: str = "chat") -> str:
        return create(bridge, scope, "--sandbox", *arguments)

    given = {
        "url": f"http://127.0.0.1:{bridge.port}",
        "sandbox": token(),
        "mcp": token(scope="mcp"),
        "only_gpt": token("--models", "gpt-*"),
        "spent": token("--budget", "1tokens/day"),
        "four": token("--concurrency", "4"),
        "slow": [token("--rate", "1/s") for _ in range(3)],
    }
    return package_scripts.run(request.param, SCRIPT, given)


@pytest.mark.parametrize("scenario", package_scripts.scenarios(SCRIPT))
def test_the_official_packages(said: dict[str, str | None], scenario: str) -> None:
    assert said[scenario] is None, said[scenario]


def rows(bridge: Bridge, *arguments: str) -> list[dict[str, Any]]:
    found = beside(bridge, "audit", "--json", *arguments)
    assert found.status == 0, found
    return [json.loads(line) for line in found.out.splitlines()]


@pytest.mark.parametrize("model", ["wait/61", "wait/62", "wait/63", "wait/64"])
def test_a_client_that_closes_or_gives_up_has_cancelled(
    bridge: Bridge, said: dict[str, str | None], model: str
) -> None:
    assert said["closing_cancels"] is None
    gone = eventually(lambda: rows(bridge, "--tool", model), f"a row for {model}")
    assert {row["outcome"] for row in gone} == {"client_gone"}, gone


def ask(bridge: Bridge, secret: str, text: str = "hello", model: str = "m", **more: Any) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    fields = {**bearer(secret), "Content-Type": "application/json"}
    with bridge.http() as connection:
        return connection.request("POST", "/v1/chat/completions", fields, json.dumps(body).encode())


def test_a_request_has_a_row_with_its_model_and_nothing_of_what_was_said(bridge: Bridge) -> None:
    answer = ask(bridge, create(bridge, "chat", "--sandbox"), SECRET, "gpt-named", user=f"user: {SECRET}")
    assert answer.status == 200
    row = eventually(lambda: rows(bridge, "--tool", "gpt-named"), "a row")[-1]
    assert row["request"] == answer.headers["x-request-id"]
    assert (row["method"], row["outcome"], row["status"]) == ("/v1/chat/completions", "ok", 200)
    assert row["requestBytes"] > len(SECRET) and row["responseBytes"] == len(answer.body)
    assert re.fullmatch("[0-9a-f]{16}", row["user"]) and "clientSession" not in row
    told = answer.json()["usage"]
    assert (row["inputTokens"], row["outputTokens"]) == (told["prompt_tokens"], told["completion_tokens"])
    for name in ("bridge.sqlite", "bridge.sqlite-wal"):
        assert SECRET.encode() not in (bridge.state / name).read_bytes()


@pytest.mark.parametrize("limit", [2**61, 2**63 - 1, 2**63, 1e300])
def test_a_limit_on_tokens_may_be_any_number(bridge: Bridge, limit: float) -> None:
    answer = ask(bridge, create(bridge, "chat", "--sandbox"), "hello", max_tokens=limit)
    assert answer.status == (200 if limit < 2**63 else 400), answer.body
    if answer.status == 200:
        assert answer.json()["choices"][0]["message"]["content"] == "hello"


def test_the_log_has_what_came_and_what_went_and_no_text_unless_it_is_asked_to(bridges: Bridges) -> None:
    bridge = bridges.start({})
    secret = create(bridge, "chat", "--sandbox")
    digests = []
    for content in ("digest", "full", "none"):
        assert bridge.config is not None
        bridge.config["bridge"] = {"audit": {"content": content}}
        bridge.write_config()
        assert beside(bridge, "reload").status == 0
        model = f"model-{content}"
        ask(bridge, secret, f"{SECRET}, and the key {secret}", model, stream=True)
        lines = [eventually(lambda way=way: line_of(bridge, model, way), f"{way} of {model}") for way in ("RX", "TX")]
        assert all(" request_id=" in line and " token=" in line for line in lines), lines
        assert all((SECRET in line) == (content == "full") for line in lines), lines
        assert all((" digest=" in line) == (content == "digest") for line in lines), lines
        assert " input_tokens=" in lines[1] and "http.status=200" in lines[1]
        digests += lines
    assert not any(secret in line for line in bridge.log), "secrets are never logged"


def line_of(bridge: Bridge, model: str, way: str) -> str | None:
    marks = (f" direction={way} ", f" model={model} ")
    return next((line for line in bridge.log if all(mark in line for mark in marks)), None)


def test_a_budget_of_tokens_counts_what_was_asked_and_what_was_answered(bridge: Bridge) -> None:
    # A text of 4,000 bytes is about 1,000 tokens, and so is its echo.
    secret = create(bridge, "chat", "--sandbox", "--budget", "5000tokens/day")
    found = [ask(bridge, secret, "x" * 4000).status for _ in range(4)]
    # What the third answer took was more than was left, once.
    assert found == [200, 200, 200, 429], found


def test_a_token_that_is_revoked_ends_what_waits_in_its_name(bridge: Bridge) -> None:
    secret, token = create_known(bridge, "chat", "--sandbox")
    body = {"model": "wait/60", "messages": [{"role": "user", "content": "hi"}]}
    with bridge.http() as connection:
        fields = {**bearer(secret), "Content-Type": "application/json"}
        connection.send("POST", "/v1/chat/completions", fields, json.dumps(body).encode())
        eventually(lambda: in_flight(bridge), "it is under way")
        assert beside(bridge, "token", "revoke", token["id"]).status == 0
        answer = connection.read_response()
        assert answer.status == 401 and answer.json()["error"]["code"] == "invalid_api_key"


def in_flight(bridge: Bridge) -> bool:
    text = bridge.get("/metrics").body.decode()
    # The question itself is one.
    return "mcp_bridge_http_requests_in_flight 2" in text


def test_probes_of_clients_are_answered(bridge: Bridge) -> None:
    with bridge.http() as connection:
        for path in ("/", "/api/hello"):
            assert connection.request("HEAD", path).status == 200, path
        assert connection.request("HEAD", "/v1/models").status == 200
        page = {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "x-stainless-lang"}
        assert connection.request("OPTIONS", "/v1/chat/completions", page).status == 204


def test_a_local_program_without_a_token_is_served_by_the_sources_and_not_by_the_sandbox(bridge: Bridge) -> None:
    with bridge.http() as connection:
        assert connection.request("GET", "/v1/models").json()["data"][0]["id"] == "mcp-external-sampling"
