"""Journeys: a broker's file, a plan and why, money in, money out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from builders.browser import both, visit
from builders.paths import TESTS

pytestmark = pytest.mark.browser
SCHWAB = TESTS / "importers" / "brokers" / "files" / "schwab" / "plain.csv"


def of_plan(page: Page) -> None:
    """Wait until a plan is shown, however long planning takes."""
    page.wait_for_url(re.compile(r"/plans/[0-9a-f]{64}"))


@both
def test_a_schwab_file_becomes_a_plan_in_three_steps(browser: Browser, empty, scripts):
    context, page = visit(browser, empty, "planner", scripts=scripts)
    page.goto(empty.url("/import"))
    page.locator('[name="holdings"]').set_input_files(SCHWAB)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("read")
    expect(page.locator("main")).to_contain_text("Schwab")
    page.get_by_label("Use these weights as targets").check()
    page.get_by_role("button", name="Load and plan").click()
    of_plan(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(r"Act\.|Hold\."))
    context.close()


@both
def test_a_plan_is_read_and_a_symbol_asked_about(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "viewer", scripts=scripts)
    page.goto(served.site.url(f"/plans/{served.plan_id}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Act.")
    page.locator("#tab").get_by_role("link", name="AAPL", exact=True).first.click()
    expect(page.locator("#drawer h2")).to_contain_text("AAPL")
    expect(page.locator("#drawer")).to_contain_text("Every test it met")
    assert urlsplit(page.url).path.endswith("/why/AAPL")
    page.reload()
    expect(page.locator("#drawer h2")).to_contain_text("AAPL")
    if scripts:
        page.keyboard.press("Escape")
        expect(page.locator("#drawer h2")).to_have_count(0)
    context.close()


@both
def test_five_thousand_are_invested_without_a_sale(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "planner", scripts=scripts)
    page.goto(served.site.url("/plans/new?bucket=core"))
    page.get_by_label("Invest").check()
    page.get_by_label("Amount").fill("-5")
    page.get_by_role("button", name="Plan", exact=True).click()
    expect(page.locator("#f-amount")).to_have_value("-5")
    expect(page.locator("#f-amount")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Amount").fill("5,000")
    page.get_by_role("button", name="Plan", exact=True).click()
    of_plan(page)
    expect(page.locator("#tab")).not_to_contain_text("Sell")
    expect(page.locator("#tab")).to_contain_text("deposits 5,000.00")
    context.close()


@both
def test_twelve_thousand_are_withdrawn_by_a_date(browser: Browser, served, scripts):
    context, page = visit(browser, served.site, "planner", scripts=scripts)
    page.goto(served.site.url("/plans/new?bucket=core"))
    page.get_by_label("Withdraw").check()
    page.get_by_label("Amount").fill("12000")
    page.get_by_label("By", exact=True).fill("2023-01-20")
    page.get_by_role("button", name="Plan", exact=True).click()
    of_plan(page)
    expect(page.locator("#tab")).to_contain_text("withdrawals 12,000.00")
    expect(page.locator("#tab")).to_contain_text("Sell")
    context.close()
