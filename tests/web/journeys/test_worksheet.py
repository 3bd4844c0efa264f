"""Journeys: edit an order, see the cost, go back; export the worksheet."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from builders.browser import violations, visit

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
COSTS = re.compile("^Costs .* points against the calculated plan")
AS_CALCULATED = "These are the calculated orders."


def calculate(page: Page) -> None:
    page.get_by_role("button", name="Calculate", exact=True).last.click()


@BOTH
def test_an_order_is_edited_its_cost_seen_and_the_calculated_plan_is_back(
    browser: Browser, served, scripts
):
    context, page = visit(browser, served.site, "planner", scripts=scripts)
    page.goto(served.site.url(f"/plans/{served.plan_id}"))
    page.get_by_role("link", name="Worksheet").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(AS_CALCULATED)

    field = page.get_by_label("Shares of AAPL")
    field.fill("100")
    if not scripts:
        calculate(page)
    expect(heading).to_have_text(COSTS)
    expect(page.locator("#o1-more")).to_contain_text("now sell 100")
    if scripts:
        expect(field).to_be_focused()
        expect(page.locator("#status")).to_have_text(COSTS)

    page.reload()
    expect(heading).to_have_text(COSTS)
    expect(field).to_have_value("100")

    field.fill("-1 000")
    if not scripts:
        calculate(page)
    expect(page.locator("#o1-more")).to_contain_text("is no quantity")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("-1 000")

    page.get_by_role("link", name="Back to the calculated plan").click()
    expect(heading).to_have_text(AS_CALCULATED)
    page.get_by_role("link", name="Back to the plan").click()
    expect(heading).to_contain_text("Act.")
    context.close()


def test_one_back_leaves_the_sheet_after_edits_and_calculate(browser: Browser, served):
    context, page = visit(browser, served.site, "planner")
    page.goto(served.site.url(f"/plans/{served.plan_id}"))
    page.get_by_role("link", name="Worksheet").click()
    heading = page.get_by_role("heading", level=1)
    page.get_by_label("Shares of AAPL").fill("100")
    expect(heading).to_have_text(COSTS)
    calculate(page)
    page.get_by_label("Shares of AAPL").fill("90")
    calculate(page)
    expect(page).to_have_url(re.compile(r"quantity\.AAPL=90$"))
    page.go_back()
    expect(heading).to_contain_text("Act.")
    context.close()


@BOTH
def test_the_worksheet_is_exported_with_its_edits(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "planner", scripts=scripts, accept_downloads=True)
    page.goto(served.site.url(f"/plans/{served.plan_id}/worksheet"))
    page.get_by_role("button", name="Strike KO").click()
    expect(page.get_by_role("button", name="Restore KO")).to_be_visible()
    page.get_by_label("Shares of AAPL").fill("100")
    if scripts:
        expect(page.locator("#o1-more")).to_contain_text("now sell 100")
    else:
        calculate(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()

    assert re.fullmatch(r"worksheet-core-\w{12}\.csv", download.value.suggested_filename)
    with download.value.path().open(encoding="utf-8", newline="") as file:
        quantities = {row["symbol"]: row["quantity"] for row in csv.DictReader(file)}
    assert quantities["AAPL"] == "100"
    assert "KO" not in quantities
    context.close()


def test_the_fields_are_reached_by_keys_and_enter_calculates(browser: Browser, served):
    context, page = visit(browser, served.site, "planner", scripts=False)
    page.goto(served.site.url(f"/plans/{served.plan_id}/worksheet"))
    page.get_by_label("Shares of AAPL").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(COSTS)
    expect(page).to_have_url(re.compile(r"\?quantity\.AAPL=100$"))
    page.get_by_label("Shares of AAPL").focus()
    for name in ("locked.AAPL", "strike"):
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_attribute("name", name)
    context.close()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
def test_the_page_has_no_fault_and_nothing_scrolls_sideways(browser, served, width, theme):
    size = {"width": width, "height": 900}
    context, page = visit(browser, served.site, "planner", viewport=size, color_scheme=theme)
    plan = f"/plans/{served.plan_id}/worksheet"
    for query in ("?quantity.AAPL=10&quantity.KO=0&locked.JNJ=on", "?quantity.AAPL=x"):
        page.goto(served.site.url(plan + query))
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
