"""Not traded: every entry once."""

from builders import plans as sample
from steelyard.report.exhibits import stopped


@sample.every_plan
def test_every_entry_that_is_not_merged_is_shown_once(make):
    plan = make()
    exhibit = stopped.stopped(plan)
    entries = [entry for entry in plan.not_traded if entry.stage != "merge"]

    assert exhibit.merged == len(plan.not_traded) - len(entries)
    assert exhibit.rest_count == sum(rest.count for rest in exhibit.rest)
    named = sum(len(row.symbols.split(" and ")[0].split(", ")) for row in exhibit.rows)
    assert named + exhibit.rest_count == len(entries)
