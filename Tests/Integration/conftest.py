"""Fixtures of the integration tests. Run with `python -m pytest Tests/Integration`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Support"))

import processes  # noqa: E402
import secret_scan  # noqa: E402
from harness import Bridge, Bridges  # noqa: E402
from places import SDK_1_PYTHON, SDK_2_PYTHON  # noqa: E402
from sdk_runner import SDKRunner  # noqa: E402
from upstreams import CountingUpstream, MisbehavingUpstream, demo_upstream  # noqa: E402


#: The files that take longest. They come first, so that no process is left alone with one of them at the end.
_LONGEST = (
    "test_under_load.py", "test_memory.py", "test_suspend.py", "test_oauth_counterparts.py", "test_bad_upstreams.py",
    "test_chat_dialects.py", "test_http_upstreams.py", "test_bench_against.py", "test_transport_matrix.py", "test_bench.py",
    "test_survival.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _machine() -> None:
    processes.adopt_orphans()
    processes.allow_many_descriptors()


@pytest.fixture(scope="session", autouse=True)
def _secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the whole run wrote beside its bridges: a token's secret lies in a client's own file, or nowhere."""
    yield
    open_to_others = secret_scan.open_files(tmp_path_factory.getbasetemp())
    assert not open_to_others, f"a secret that others may read: {open_to_others}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the test's upstreams keep their files; not where the daemon does."""
    return tmp_path


def _discard(bridges: Bridges) -> None:
    left = bridges.discard_all()
    assert not left, f"outlived the daemon: {left}"
    assert not bridges.leaks, f"what is secret was written: {bridges.leaks}"


@pytest.fixture
def bridges(request: pytest.FixtureRequest) -> Iterator[Bridges]:
    """Bridges of one test."""
    made = Bridges()
    request.node.bridges = made.made
    yield made
    _discard(made)


@pytest.fixture(scope="module")
def shared_bridges(request: pytest.FixtureRequest) -> Iterator[Bridges]:
    """Bridges that the tests of one file share."""
    made = Bridges()
    request.node.bridges = made.made
    yield made
    _discard(made)


@pytest.fixture(scope="module")
def demo(shared_bridges: Bridges) -> Bridge:
    """A bridge with the demo upstream, shared by the tests of one file, which leave it as it was."""
    bridge = shared_bridges.start({"demo": demo_upstream()})
    bridge.wait_upstream("demo")
    return bridge


@pytest.fixture
def counting(folder: Path) -> list[CountingUpstream]:
    return [CountingUpstream(folder, name) for name in ("alpha", "beta", "gamma")]


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> MisbehavingUpstream:
    """An upstream that starts well and misbehaves only where a call asks for it."""
    return MisbehavingUpstream(tmp_path_factory.mktemp("misbehaving"), "bad")


@pytest.fixture(scope="module")
def demo_and_bad(shared_bridges: Bridges, misbehaving: MisbehavingUpstream) -> Bridge:
    """A bridge with the demo upstream and one that misbehaves where a call asks for it."""
    bridge = shared_bridges.start({"demo": demo_upstream(), "bad": misbehaving.entry})
    bridge.wait_upstream("demo")
    bridge.wait_upstream("bad")
    return bridge


@pytest.fixture(scope="session")
def runners() -> Iterator[dict[str, SDKRunner]]:
    """The official SDK, by its generation."""
    runners = {"1": SDKRunner(SDK_1_PYTHON), "2": SDKRunner(SDK_2_PYTHON)}
    yield runners
    for runner in runners.values():
        runner.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Shows what the daemons of a failed test wrote."""
    report = yield
    if report.failed:
        for node in (item, *item.listchain()):
            for bridge in getattr(node, "bridges", []):
                report.sections.append((f"daemon on port {bridge.port}", "\n".join(bridge.log[-60:])))
    return report
