"""A server over HTTP that is signed in to, for the benchmark, beside the same server without anything to sign in to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from authorization_server import AuthorizationServer
from load import Generator, Load, Run, median
from rig import Bridge, Direct

#: A client that needs nobody: its token lives for an hour, so that none is renewed meanwhile.
CLIENT = {"clientId": "bench", "clientSecret": "of-the-bench", "grant": "client_credentials"}


@contextmanager
def bridge(binary: Path, programs: Path) -> Iterator[Bridge]:
    """To an echo server that lets nobody in without a token, with one."""
    authorization = AuthorizationServer(
        clients={CLIENT["clientId"]: {"secret": CLIENT["clientSecret"]}}, registration="closed")
    try:
        with Direct(programs, challenge=f'Bearer resource_metadata="{authorization.prm_url}"') as server:
            authorization.settings["resource"] = server.url
            with Bridge(binary, programs, url=server.url, oauth=CLIENT) as signed_in:
                yield signed_in
    finally:
        authorization.stop()


def beside(generator: Generator, without: Bridge, signed_in: Bridge, load: Load, rounds: int) -> dict[str, Any]:
    """In turns with two runs of the one without, which tell how far apart two runs of the same are: as a rule, since one that
    something else came into must not make it easy."""
    first, using, again = generator.alternate([(without, load), (signed_in, load), (without, load)], rounds)

    def figures(of: Any) -> dict[str, float]:
        neighbours = [(of(one), of(other)) for one, other in zip(first, again, strict=True)]
        # 0 where a kernel counts in ticks and there were too few calls to take one.
        ratios = [of(run) * 2 / sum(pair) if sum(pair) else 0.0 for run, pair in zip(using, neighbours, strict=True)]
        apart = [max(pair) / min(pair) - 1 if min(pair) else 0.0 for pair in neighbours]
        return {"value": median(of(run) for run in using), "ratio": median(ratios), "spread": median(apart)}

    def rate(run: Run) -> float:
        return run.rate

    def cpu(run: Run) -> float:
        return run.bridge_cpu

    return {"rate": figures(rate), "cpu": figures(cpu)}
