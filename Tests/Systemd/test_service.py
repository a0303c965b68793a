"""The installed service in a real systemd: each file of inside/ in a system booted for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from systemd_boot import BINARY, BINARY_INSIDE, PYTHON_INSIDE, ROOT, SOURCE_INSIDE, Boot

INSIDE = Path(__file__).parent / "inside"
FILES = sorted(file.stem for file in INSIDE.glob("*.py") if file.stem != "conftest")
#: For a person who looks for something: further arguments to the pytest inside, such as `-k restart -x`.
ARGUMENTS = os.environ.get("MCP_BRIDGE_INSIDE_ARGUMENTS", "").split()

#: For all the tests of one file, and for one of them, on a machine that is busy with other things (seconds).
FILE_LIMIT, TEST_LIMIT = 1500, 300


@pytest.mark.timeout(FILE_LIMIT + 300)
@pytest.mark.parametrize("name", FILES)
def test_service(boot: Boot, name: str) -> None:
    assert BINARY.is_file(), f"build it first: {BINARY}"
    folder = f"{SOURCE_INSIDE}/{INSIDE.relative_to(ROOT)}"
    options = ["-q", "-ra", "--timeout", str(TEST_LIMIT), "-p", "no:cacheprovider"]
    options += ["--rootdir", folder, "--confcutdir", folder]
    result = boot(
        *(PYTHON_INSIDE, "-m", "pytest", *options, f"{folder}/{name}.py", *ARGUMENTS),
        options=(
            *("-r", f"{BINARY.resolve()}:{BINARY_INSIDE}", "-e", f"MCP_BRIDGE_BINARY={BINARY_INSIDE}"),
            *("-e", "PYTHONDONTWRITEBYTECODE=1"),
        ),
        limit=FILE_LIMIT,
    )
    print(result.stdout, result.stderr, sep="\n")
    if result.returncode != 0:
        pytest.fail(f"{name}: exit status {result.returncode}", pytrace=False)
    if "\nSKIPPED " in result.stdout:
        pytest.fail(f"{name}: a test inside was skipped, which nobody would see", pytrace=False)
