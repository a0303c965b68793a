"""What the processor's time of a call goes to, in each of the bridge's processes: samples of `perf`, sorted by where they
were taken. The program must have its symbols, as a build has them; an installed one is stripped.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import Generator, Load, median_by_role
from rig import PATIENCE, Bridge, Unmeasurable

ROLES = ("http", "session", "upstream")
KINDS = (
    "reading and writing sockets and pipes",
    "waiting, and being woken",
    "checking JSON, finding members and lines",
    "copies in memory",
    "taking memory and giving it back",
    "everything else: event loop, HTTP, frames",
)
_SOCKETS, _WAITING, _JSON, _COPIES, _MEMORY, _REST = KINDS

_waits = re.compile(r"^(__schedule|finish_task_switch|.*sys_(epoll_.*|futex)|epoll_wait)")
_transfers = re.compile(
    r"^(\w*sys_|vfs_|do_)(read|write|readv|writev|iter_\w+|recv|send|recvfrom|sendto|recvmsg|sendmsg)$"
)
_kernel = re.compile(r"^(do_syscall_64|entry_SYSCALL|.*exc_page_fault|el0_svc|el0t_64_sync)")
_allocates = re.compile(r"^(malloc|calloc|realloc|c?free|_int_|swift_slow|swift_alloc|swift_dealloc|__libc_(malloc|free))")
_reads_json = re.compile(r"^(\$s10BridgeCore\d+(JSON|RPC)|__memchr|memchr|__memrchr)")


def kind(stack: list[str]) -> str:
    """Of one sample, given its functions from the innermost on."""
    if any(_waits.match(name) for name in stack):
        return _WAITING
    if any(_transfers.match(name) for name in stack):
        return _SOCKETS
    if any(_kernel.match(name) for name in stack) or _allocates.match(stack[0]):
        return _MEMORY
    if "memmove" in stack[0] or "memcpy" in stack[0]:
        return _COPIES
    if any(_reads_json.match(name) for name in stack[:6]):
        return _JSON
    return _REST


def stacks(script: str) -> Iterator[list[str]]:
    """Of what `perf script` prints: one function a line, an empty line behind each sample."""
    for sample in re.split(r"\n\s*\n", script):
        names = [line.split(None, 1)[1] for line in sample.splitlines() if len(line.split(None, 1)) == 2]
        if names:
            yield names


def _samples(file: Path) -> Counter[str]:
    done = subprocess.run(["perf", "script", "-i", file, "-F", "ip,sym"], capture_output=True, text=True)
    return Counter(map(kind, stacks(done.stdout)))


def of_calls(bridge: Bridge, generator: Generator, load: Load, rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds per call by process and kind. The time itself is that of runs without `perf`."""
    if shutil.which("perf") is None:
        raise Unmeasurable("it takes perf, which is not installed")
    cpu = median_by_role([generator.run(bridge, load) for _ in range(rounds)], lambda run: run.cpu)
    pids = {role: pid for pid, role in bridge.roles().items()}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpb-perf-")))
        recorders = [stack.enter_context(_recorder(pids[role], folder / role)) for role in ROLES]
        generator.run(bridge, load)
        for recorder in recorders:
            recorder.terminate()
            recorder.wait(PATIENCE)
        counts = {role: _samples(folder / role) for role in ROLES}
    for role, count in counts.items():
        if not count:
            raise Unmeasurable(f"perf has no samples of the {role} process")
    return {
        role: {each: cpu[role] * count[each] / count.total() for each in KINDS} for role, count in counts.items()
    }


@contextmanager
def _recorder(pid: int, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One that records. It is asked over a pipe, and answers over another as soon as it does; it ends with an error when
    either is closed meanwhile."""
    control, asking = os.pipe()
    listening, acknowledging = os.pipe()
    command = ["perf", "record", "--quiet", "-F", "1999", "-e", "cpu-clock", "-g", "-p", str(pid), "-o", str(file)]
    command += ["--control", f"fd:{control},{acknowledging}"]
    with ExitStack() as stack:
        for end in (asking, listening):
            stack.callback(os.close, end)
        try:
            recorder = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(control, acknowledging))
        finally:
            os.close(control)
            os.close(acknowledging)
        stack.callback(recorder.wait, PATIENCE)
        stack.callback(recorder.terminate)
        os.write(asking, b"ping\n")
        # perf's end of that pipe is the only one: when perf ends, there is nothing to read.
        if not select.select([listening], [], [], PATIENCE)[0] or not os.read(listening, 16).startswith(b"ack"):
            raise Unmeasurable("perf does not record here")
        yield recorder
