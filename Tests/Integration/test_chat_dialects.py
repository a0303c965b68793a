"""Bodies and streams of the model APIs, as the official packages read them. No daemon runs: see Tests/Support/chat_scenarios.py."""

from __future__ import annotations

import json
from pathlib import Path

import package_scripts
import pytest
import schema
from places import ROOT, SUPPORT

SCRIPT = SUPPORT / "chat_scenarios.py"
FILES = ROOT / "Tests/chat-streams"


@pytest.fixture(scope="module", params=package_scripts.EACH_ENVIRONMENT)
def said(request: pytest.FixtureRequest) -> dict[str, str | None]:
    return package_scripts.run(request.param, SCRIPT)


@pytest.mark.parametrize("scenario", package_scripts.scenarios(SCRIPT))
def test_the_official_packages(said: dict[str, str | None], scenario: str) -> None:
    assert said[scenario] is None, said[scenario]


@pytest.mark.parametrize("file", sorted(FILES.glob("sampling-*.json")), ids=lambda file: file.stem)
def test_params_of_a_sampling_are_valid_for_their_revision(file: Path) -> None:
    params = json.loads(file.read_text(encoding="utf-8"))
    revision = file.stem.removeprefix("sampling-")[:10]
    request = {"method": "sampling/createMessage", "params": params}
    if revision in schema.LEGACY_REVISIONS:
        schema.check({"jsonrpc": "2.0", "id": 1, **request}, revision)
    else:
        schema.check_as("CreateMessageRequest", request, revision)


@pytest.mark.parametrize("file", sorted(FILES.glob("result-*.json")), ids=lambda file: file.stem)
def test_results_of_a_sampling_are_valid_for_their_revision(file: Path) -> None:
    result = json.loads(file.read_text(encoding="utf-8"))
    schema.check_as("CreateMessageResult", result, file.stem.removeprefix("result-")[:10])
