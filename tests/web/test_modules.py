"""Health as a page: its heading is what `steelyard health` finds."""

from __future__ import annotations

from builders.browsing import Visitor, heading, words
from steelyard.services.api.keeping import health_of
from steelyard.services.house import House


def test_all_modules_work(visitor: Visitor):
    page = visitor.get("/modules")

    assert heading(page) == "All 36 modules work"
    assert "not planned yet" in words(page)
    assert "core 10 Mar 2026" in words(page)


def test_the_module_that_is_off_is_named_with_why(house: House, visitor: Visitor):
    health = health_of(house)
    for _ in range(3):
        health.record([("filters.diversity", "1", "it <b>broke</b>")])
    key = next(iter(health.circuits()))
    page = visitor.get("/modules")

    assert key.startswith("filters.diversity@")
    assert heading(page) == "One module is off: filters.diversity"
    assert "it <b>broke</b>" in words(page)
    assert "<b>broke" not in page.text
