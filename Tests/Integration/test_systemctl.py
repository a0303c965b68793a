"""`mcp-bridge status` on a machine whose systemd does not answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import processes
import pytest
from places import BINARY
from waiting import PATIENCE, eventually

WITHOUT_ANSWER = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
SYSTEMCTL = shutil.which("systemctl", path="/usr/local/bin:/usr/bin:/bin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can put another systemctl in its place")
@pytest.mark.skipif(SYSTEMCTL is None, reason="there is no systemctl here")
def test_a_systemctl_that_hangs_is_not_waited_for(folder: Path) -> None:
    told = folder / "told"
    hanging = folder / "systemctl"
    hanging.write_text(f"#!/bin/sh\necho $$ > {told}\nexec sleep infinity\n", encoding="utf-8")
    hanging.chmod(0o755)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", WITHOUT_ANSWER, "sh"]
        + [str(hanging), str(SYSTEMCTL), str(BINARY), "status"],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert told.exists(), "it was never asked"
    assert done.returncode != 0 and done.stderr, done
    hung = int(told.read_text(encoding="utf-8"))
    eventually(lambda: processes.look_up(hung) is None, "what hangs is ended with who asked it")
