"""Commands in an administrator's shell, about the installed service."""

from __future__ import annotations

from pathlib import Path

from systemd_service import Counting, Service, bridge


def test_the_services_configuration_is_checked_as_the_service_reads_it(service: Service, counting: Counting) -> None:
    """Its environment file, its credentials and its own home are not those of the shell."""
    entry = counting.entry
    entry["env"] = {**entry.get("env", {}), "A": "${ONLY_THE_SERVICE_HAS_IT}", "B": "${credential:token}"}
    service.configure(servers={counting.name: entry})
    assert "ONLY_THE_SERVICE_HAS_IT" in bridge("config", "check", check=False).stderr
    file = Path("/etc/mcp-bridge/environment")
    file.write_text("ONLY_THE_SERVICE_HAS_IT=yes\n", encoding="utf-8")
    checked = bridge("config", "check")
    assert checked.stdout == f"ok: 1 upstreams ({counting.name})\n"
    assert "'token'" in checked.stderr
    file.unlink()
