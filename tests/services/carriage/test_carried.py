"""A step's result and report, where they come back."""

from __future__ import annotations

import pytest

from builders.demo import growth
from steelyard.errors import InputError, ServiceError
from steelyard.modules.candidates import Candidates
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.services.carriage.carried import identified, taken
from steelyard.services.carriage.context import Task


def test_a_step_whose_result_is_of_no_use_leaves_nothing_behind():
    world = growth()
    form = identified(Task.of(world.prepared.ctx, world.strategy, Guard()), lambda _: None)
    assert form.result is not None
    fields = {**form.result.fields, "priority": 10_000}
    torn = form.model_copy(update={"result": form.result.model_copy(update={"fields": fields})})
    bare = form.model_copy(update={"result": None})
    for useless, error in ((torn, InputError), (bare, ServiceError)):
        guard = Guard(findings=Findings())
        with pytest.raises(error):
            taken(Candidates, useless, guard)
        findings = guard.findings
        assert [*findings.stops, *findings.runs, *findings.warnings, *findings.timings] == []
