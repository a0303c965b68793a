"""Bodies and streams of the model APIs, as the official packages read them. No daemon runs: see Tests/Support/chat_scenarios.py."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import schema
from places import MODELS_PYTHON, OLD_MODELS_PYTHON, ROOT, SUPPORT

SCRIPT = SUPPORT / "chat_scenarios.py"
SCENARIOS = re.findall(r"^@scenario\ndef (\w+)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
FILES = ROOT / "Tests/chat-streams"


@pytest.fixture(scope="module", params=[MODELS_PYTHON, OLD_MODELS_PYTHON], ids=["newest", "old"])
def said(request: pytest.FixtureRequest) -> dict[str, str | None]:
    python = request.param
    assert python.is_file(), f"no environment with the packages: {python} (scripts/python-env makes it)"
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    run = subprocess.run(
        [python, SCRIPT],
        capture_output=True,
        text=True,
        timeout=300,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("scenario", SCENARIOS)
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
