"""The topology as processes: each healthy, each replaced when it dies, nobody left over."""

from __future__ import annotations

from pathlib import Path

from builders.serving import serving


def test_every_instance_is_a_process_of_its_own_and_well(tmp_path: Path):
    with serving(tmp_path, evaluators=2) as served:
        members = served.household.members
        answers = [
            served.ask("GET", f"http://127.0.0.1:{each.port}/{each.name}/health").status_code
            for each in members
        ]

    assert [each.name for each in members] == [
        "opportunity", "generator", "evaluator", "evaluator", "coordinator",
    ]  # fmt: skip
    assert answers == [200] * 5
    assert len({each.pid for each in members}) == 5
    assert not any(each.process.is_alive() for each in members)
