"""Upstreams that come out of package runners: they want a home and a cache, and run the server as a grandchild."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from waiting import eventually
from replies import text_of
from processes import look_up
from systemd_service import CACHE, SERVICE, SOURCE, STATE, UPSTREAMS, Service, ends_within, systemctl

NODE = shutil.which("node")


@pytest.fixture(scope="module")
def uvx() -> dict[str, object]:
    """`uvx mcp-server-time` where there is no network: uv reads its packages from a folder. It still resolves them,
    unpacks them into its cache and runs the server from there, as the service's user."""
    for name in ("uv", "uvx"):
        shutil.copy(SOURCE / ".build/venv-mcp1/bin" / name, Path("/usr/local/bin") / name)
        (Path("/usr/local/bin") / name).chmod(0o755)
    wheels = UPSTREAMS / "wheels"
    wheels.mkdir(mode=0o755)
    for wheel in (SOURCE / ".build/wheels").glob("*.whl"):
        shutil.copy(wheel, wheels)
        (wheels / wheel.name).chmod(0o644)
    environment = {
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(wheels),
        "UV_OFFLINE": "1",
        "UV_PYTHON": "/usr/bin/python3",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return {"command": "uvx", "args": ["mcp-server-time", "--local-timezone=Europe/Berlin"], "env": environment}


def test_uvx_runs_a_server_out_of_the_services_cache(service: Service, uvx: dict[str, object]) -> None:
    service.configure(servers={"time": uvx})
    systemctl("start", SERVICE)
    client = service.client()
    eventually(lambda: "time.get_current_time" in client.tool_names(), "uvx has installed and started the server", 180)
    answer = text_of(client.call("time.get_current_time", {"timezone": "Europe/Berlin"}).result)
    assert json.loads(answer)["timezone"] == "Europe/Berlin"
    assert any((CACHE / "uv").iterdir())
    tree = service.tree()
    assert any("mcp-server-time" in " ".join(each.command) for each in tree), tree
    systemctl("stop", SERVICE)
    ends_within(tree)


@pytest.fixture
def npx() -> dict[str, object]:
    assert NODE, "node is not installed"
    return {"command": NODE, "args": [str(UPSTREAMS / "systemd_npx.js")]}


def test_a_server_that_npx_runs_as_its_grandchild(service: Service, npx: dict[str, object]) -> None:
    service.configure(servers={"packaged": npx})
    service.start()
    client = service.client()
    where = json.loads(text_of(client.call("packaged.where").result))
    worker = service.worker("upstream packaged")
    shell = look_up(where["parent"])
    assert shell is not None and where["pid"] != worker.pid
    assert (STATE / ".npm/_npx/a1b2c3/package.json").is_file()
    assert (CACHE / "node/package.json").is_file()
    tree = service.tree()
    assert where["pid"] in [each.pid for each in tree]
    systemctl("stop", SERVICE)
    ends_within(tree)


def test_a_removed_upstreams_grandchild_goes_with_it(service: Service, npx: dict[str, object]) -> None:
    service.configure(servers={"packaged": npx, "kept": npx})
    service.start()
    client = service.client()
    where = json.loads(text_of(client.call("packaged.where").result))
    server, kept = look_up(where["pid"]), json.loads(text_of(client.call("kept.where").result))
    assert server is not None
    service.configure(servers={"kept": npx})
    systemctl("reload", SERVICE)
    ends_within([server])
    assert json.loads(text_of(client.call("kept.where").result)) == kept
