"""A program that only calls async-http-client: what a bridge that speaks to an HTTP server cannot be without."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from rig import PATIENCE, Unmeasurable, end_with_parent


def run(programs: Path, port: int, connections: int, calls: int) -> dict[str, float]:
    """Its calls a second, and its CPU per call in microseconds."""
    program = programs / "bare_caller"
    if not program.exists():
        raise Unmeasurable("the bare caller is not built")
    try:
        done = subprocess.run(
            [program, str(port), str(connections), str(calls)],
            capture_output=True,
            timeout=2 * PATIENCE,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
    except subprocess.TimeoutExpired:
        raise Unmeasurable("the bare caller did not end in time") from None
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise Unmeasurable(f"the bare caller said {done.stderr[-200:]!r}") from None
    return {key: float(value) for key, value in found.items()}
