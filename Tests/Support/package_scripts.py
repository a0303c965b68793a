"""Runs scripts that try the official packages of the model APIs, in the environments that have them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from places import MODELS_PYTHON, OLD_MODELS_PYTHON

#: The newest packages, and old ones.
EACH_ENVIRONMENT = [pytest.param(MODELS_PYTHON, id="newest"), pytest.param(OLD_MODELS_PYTHON, id="old")]


def scenarios(script: Path) -> list[str]:
    return re.findall(r"^@scenario\ndef (\w+)", script.read_text(encoding="utf-8"), re.MULTILINE)


def run(python: Path, script: Path, given: Any = None) -> dict[str, str | None]:
    """What each scenario said: nothing where all is well."""
    assert python.is_file(), f"no environment with the packages: {python} (scripts/python-env makes it)"
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [python, script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=300,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
