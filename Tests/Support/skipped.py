"""A pytest plugin for scripts/test: adds the reason of each skipped test, one a line, to the file $SKIPPED_TESTS."""

from __future__ import annotations

import os
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    with open(os.environ["SKIPPED_TESTS"], "a", encoding="utf-8") as file:
        for report in reports:
            # Of a skip: file, line, and reason; of an expected failure something else.
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            file.write(" ".join(reason.removeprefix("Skipped: ").split()) + "\n")
