"""Every page can be used by everybody: no fault of axe, nothing wider than its window, and nothing
asked of another host.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from builders.browser import violations, visit

pytestmark = pytest.mark.browser
LOOKS = [(1280, "light"), (390, "dark")]
"""Both widths, and both colours; the tests of the tokens have every pair of colours."""


def addresses(plan_id: str) -> dict[str, str]:
    """Every page and state of the bundled portfolio."""
    plan = f"/plans/{plan_id}"
    tabs = ("weights", "score", "cash", "alternatives", "not-traded")
    return {
        "overview": "/",
        "plans": "/plans",
        "new plan": "/plans/new?bucket=core",
        "plan": plan,
        **{f"plan, {tab}": f"{plan}?tab={tab}" for tab in tabs},
        "why": f"{plan}/why/AAPL",
        "why not": f"{plan}/why/XOM?tab=not-traded",
        "no such plan": "/plans/" + 64 * "0",
        "worksheet": f"{plan}/worksheet",
        "worksheet with a fault": f"{plan}/worksheet?quantity.AAPL=lots",
        "compare": f"{plan}/vs/{plan_id}",
        "approve": f"{plan}/approve",
        "import": "/import",
        "buckets": "/buckets",
        "bucket": "/buckets/core",
        "no such bucket": "/buckets/none",
        "strategies": "/strategies",
        "new strategy": "/strategies/new",
        "a/b": "/strategies/ab",
        "runs": "/runs",
        "schedule": "/schedule",
        "a schedule": "/buckets/core/schedule",
        "health": "/modules",
        "settings": "/settings",
        "looks": "/settings/look",
        "sign out": "/sign-out",
        "nothing": "/nothing-here",
    }


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_page_has_a_fault_is_too_wide_or_asks_another_host(
    browser: Browser, served, width, theme
):
    context, page = visit(
        browser, served.site, viewport={"width": width, "height": 900}, color_scheme=theme
    )
    asked, said, faults = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    for name, address in addresses(served.plan_id).items():
        page.goto(served.site.url(address))
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name}: {fault}" for fault in violations(page)]
        faults += [f"{name}: {wide} px wide"] if wide > width else []
        said = [line for line in said if "404" not in line and "422" not in line]
        faults += [f"{name}: {line}" for line in said]
        said.clear()
    context.close()

    assert faults == []
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{served.site.port}"}


def test_the_way_in_and_a_refusal_have_no_fault(browser: Browser, served):
    context = browser.new_context()
    page = context.new_page()
    faults = []
    for address in ("/sign-in", "/sign-in/none", "/plans"):
        page.goto(served.site.url(address))
        faults += violations(page)
    context.close()

    assert faults == []


def test_pages_grow_with_the_text_and_fit_a_narrow_window_at_twice_the_size(
    browser: Browser, served
):
    context, page = visit(browser, served.site, viewport={"width": 640, "height": 900})
    wide = {}
    for name, address in addresses(served.plan_id).items():
        page.goto(served.site.url(address))
        page.evaluate("document.documentElement.style.zoom = '2'")
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert {name: width for name, width in wide.items() if width > 640} == {}


def test_a_plan_is_walked_by_keys_alone(browser: Browser, served):
    context, page = visit(browser, served.site)
    page.goto(served.site.url(f"/plans/{served.plan_id}"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer h2")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer h2")).to_have_count(0)
    page.keyboard.press("2")
    page.wait_for_url("**/*tab=weights*")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(served.site.url("/"))
    context.close()


def test_keys_list_themselves_and_find_and_give_the_focus_back(browser: Browser, served):
    context, page = visit(browser, served.site)
    page.goto(served.site.url(f"/plans/{served.plan_id}"))
    link = page.locator("#tab tbody th a").first
    link.focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(link).to_be_focused()

    page.keyboard.press("/")
    expect(page.get_by_label("Find a symbol")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator("#keys")).to_be_hidden()
    context.close()


EVERY_STOP = """() => {
    const shown = [...document.querySelectorAll("a, button, input, select, textarea, summary")]
        .filter((each) => each.checkVisibility() && !each.disabled && each.type !== "hidden");
    return new Set(shown.filter((each) => each.type !== "radio")).size;
}"""
NOW = """() => {
    const at = document.activeElement, style = getComputedStyle(at);
    if (at === document.body) return null;
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    at.dataset.met = "";
    return ring ? "" : at.outerHTML.slice(0, 80);
}"""


def test_tab_reaches_all_that_can_be_used_and_shows_where_it_is(browser: Browser, served):
    context, page = visit(browser, served.site)
    plan = f"/plans/{served.plan_id}"
    unseen, short = [], []
    for address in (plan, "/import", "/buckets/core/schedule"):
        page.goto(served.site.url(address))
        stops = page.evaluate(EVERY_STOP)
        page.keyboard.press("Tab")
        first = page.locator(":focus").inner_text()
        while (seen := page.evaluate(NOW)) is not None:
            unseen += [f"{address}: {seen}"] if seen else []
            page.keyboard.press("Tab")
        met = page.locator("[data-met]:not([type=radio])").count()
        short += [f"{address}: {met} of {stops}"] if met < stops else []
        assert first == "Skip to the content"
    context.close()

    assert unseen == []
    assert short == []
