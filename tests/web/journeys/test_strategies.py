"""Journeys: change a strategy, see what it does, save, go back; compare two presets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from builders.browser import both, visit

pytestmark = pytest.mark.browser


@both
def test_a_strategy_is_changed_previewed_saved_and_rolled_back(browser: Browser, served, scripts):
    name = f"mine-{'scripts' if scripts else 'none'}"
    context, page = visit(browser, served.site, "planner", scripts=scripts)
    page.goto(served.site.url("/strategies/new"))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Save and edit").click()
    page.locator('[name="limits.max_position_weight"]').fill("10")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("main")).to_contain_text("What it does to today’s plan")
    expect(page.locator("main")).to_contain_text("limits.max_position_weight")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(served.site.url(f"/strategies/{name}/history"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("version")
    page.get_by_role("link", name="Go back to it").last.click()
    page.get_by_role("button", name="Go back to version 1").click()
    page.goto(served.site.url(f"/strategies/{name}/history"))
    expect(page.locator("tbody tr")).to_have_count(3)
    context.close()


@both
def test_two_presets_are_compared_and_the_answer_is_the_heading(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "viewer", scripts=scripts)
    page.goto(served.site.url("/strategies"))
    sides = page.get_by_label("Strategy A"), page.get_by_label("Strategy B")
    for side, place in zip(sides, (1, 2), strict=True):
        side.select_option(index=place)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main")).to_contain_text("snapshot")
    assert "/ab" in page.url
    assert page.get_by_role("heading", level=1).inner_text().strip()
    context.close()
