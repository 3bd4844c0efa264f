"""Journey: plan and read why."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from builders.browser import visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_plan_is_read_and_a_symbol_asked_about(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "viewer", scripts=scripts)
    page.get_by_role("link", name="Plans", exact=True).click()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Act.")
    page.goto(served.site.url(f"/plans/{served.plan_id}/why/AAPL"))
    expect(page.locator("#drawer h2")).to_contain_text("AAPL")
    context.close()
