"""`stdio_tap.py JOURNAL COMMAND…`: runs a server on stdio and writes down every line between it and its client.

Each is a JSON line of the journal, `{"to": …}` for the server or `{"from": …}` it. Where JOURNAL is a folder, each run has
a journal of its own in it. Standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import IO


def main() -> int:
    lock = threading.Lock()
    place = sys.argv[1]
    if os.path.isdir(place):
        place = os.path.join(place, f"{os.getpid()}.journal")
    with open(place, "a", encoding="utf-8", buffering=1) as journal:
        child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None and child.stdout is not None

        def copy(source: IO[bytes], target: IO[bytes], direction: str) -> None:
            try:
                while line := source.readline():
                    with lock:
                        journal.write(json.dumps({direction: line.decode()}) + "\n")
                    target.write(line)
                    target.flush()
                target.close()
            except OSError:
                pass

        threading.Thread(target=copy, args=(sys.stdin.buffer, child.stdin, "to"), daemon=True).start()
        copy(child.stdout, sys.stdout.buffer, "from")
        return child.wait()


if __name__ == "__main__":
    sys.exit(main())
