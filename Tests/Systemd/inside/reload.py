"""`systemctl reload` applies the difference, and only that, while calls run."""

from __future__ import annotations

from waiting import eventually
from processes import children
from replies import text_of
from systemd_service import SERVICE, Counting, Service, calling_clients, check_outcomes, ends_within, run, systemctl


def test_an_upstream_comes_and_goes_while_calls_run(service: Service, counting: Counting) -> None:
    service.start()
    other, client = Counting("other"), service.client()
    before = {each.label: each.pid for each in service.tree()}
    with calling_clients(service, counting) as callers:
        for _ in range(3):
            for caller in callers:
                caller.wait_for_answers(2)
            service.configure(counting, other)
            systemctl("reload", SERVICE)
            eventually(lambda: other.tool in client.tool_names(), "the new upstream's tools are listed")
            assert text_of(client.call(other.tool, {"tag": "hello"}).result) == "hello"
            removed = [service.worker("upstream other")]

            for caller in callers:
                caller.wait_for_answers(2)
            service.configure(counting)
            systemctl("reload", SERVICE)
            ends_within(removed)
            eventually(lambda: other.tool not in client.tool_names(), "the removed upstream's tools are gone")
            assert client.call(other.tool, {"tag": "gone"}).failure.word == "unknown_tool"
        for caller in callers:
            caller.wait_for_answers(2)
    check_outcomes(callers, counting)
    assert {each.label: each.pid for each in service.tree()} == before, "a process that did not change was replaced"


def test_an_invalid_file_changes_nothing_and_says_why(service: Service, counting: Counting) -> None:
    service.start()
    before = service.tree()
    service.write_config('{\n  "mcpServers": {\n    "counting": { "command": 7 }\n  }\n}\n')
    assert run("systemctl", "reload", SERVICE, check=False).returncode != 0
    told = "\n".join(str(record["MESSAGE"]) for record in service.journal())
    assert "config.json:3" in told and "command" in told, told
    assert service.state == "active" and service.tree() == before
    assert text_of(service.client().call(counting.tool, {"tag": "still"}).result) == "still"


def test_a_reload_answers_once_the_new_configuration_is_in_force(service: Service, counting: Counting) -> None:
    service.start()
    for number in range(10):
        other = Counting(f"other{number}")
        service.configure(counting, other)
        systemctl("reload", SERVICE)
        # The supervisor's own children: a worker's child bears the worker's name until it executes its program.
        workers = children(service.supervisor.pid)
        with_worker = [each.label for each in workers if each.label.startswith("upstream ")]
        assert sorted(with_worker) == ["upstream counting", f"upstream {other.name}"]
