"""Waterfalls: bars meet, and the last is the sum."""

import pytest

from builders import plans as sample
from steelyard.report.exhibits import waterfall


@sample.every_plan
def test_each_waterfall_bar_starts_where_the_last_one_ended_and_ends_at_the_sum(make):
    for fall in (waterfall.score(make()), waterfall.cost(make())):
        level = 0.0
        for bar in fall.bars:
            if bar.kind in {"gain", "loss"}:
                assert bar.begin == level
            else:
                assert bar.end == pytest.approx(level, abs=1e-9) or bar.kind == "start"
            level = bar.end
        assert fall.axis.low <= fall.axis.high
