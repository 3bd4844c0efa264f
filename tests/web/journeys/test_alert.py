"""Journey: a band alert arrives at a loopback mail server, and its link opens the plan."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from builders.browser import Site, running, seeded, visit
from builders.told import Mails, mails

pytestmark = pytest.mark.browser

LINK = re.compile(r"http://127\.0\.0\.1:\d+/plans/[0-9a-f]{64}")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_band_alert_arrives_and_its_link_opens_the_plan(
    browser: Browser, tmp_path: Path, scripts
):
    seeded(tmp_path)
    with running(tmp_path) as site, mails() as server:
        context, page = visit(browser, site, scripts=scripts)
        channel_is_set(page, site, server)
        bands_are_watched(page, site)

        subprocess.run(
            [sys.executable, "-m", "steelyard", "watch", "--once"],
            env=dict(site.variables), check=True, capture_output=True, timeout=120,
        )  # fmt: skip

        trial, letter = server.letters
        assert trial["Subject"] == "Steelyard: a test message"
        assert server.recipients[1] == ["me@example.org"]
        assert letter["Subject"].startswith("Old prices: Steelyard core: Act.")
        text = letter.get_body().get_content()
        assert all(word in text for word in ("Drift: ", "Cost: ", "Turnover: ", "Out of band: "))
        (report,) = letter.iter_attachments()
        assert report.get_content_type() == "text/html"
        assert report.get_content().startswith("<!")
        (link,) = LINK.findall(text)
        assert link.startswith(site.url("/plans/"))

        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Act.")
        page.goto(site.url("/schedule"))
        expect(page.locator("main")).to_contain_text("smtp told")
        expect(page.locator("tbody a[href^='/plans/']")).to_have_attribute(
            "href", link.removeprefix(site.url(""))
        )
        context.close()


def channel_is_set(page: Page, site: Site, server: Mails) -> None:
    """The mail server, and what links begin with, set and tried in the browser."""
    page.goto(site.url("/schedule/channels"))
    page.get_by_text("Set mail").click()
    page.get_by_label("Server", exact=True).fill("127.0.0.1")
    page.get_by_label("Port", exact=True).fill(str(server.port))
    page.get_by_label("From", exact=True).fill("s@example.org")
    page.get_by_label("To", exact=True).fill("me@example.org")
    page.locator("form[action$='/smtp'] [name=allow_private]").check()
    page.get_by_role("button", name="Save mail").click()
    page.get_by_label("What links in messages begin with").fill(site.url(""))
    page.get_by_role("button", name="Save links").click()
    page.get_by_role("button", name="Send a test by mail").click()
    expect(page.get_by_role("status").first).to_contain_text("smtp took the test message.")


def bands_are_watched(page: Page, site: Site) -> None:
    """The bucket is due when out of a band, set in the browser."""
    page.goto(site.url("/schedule"))
    page.get_by_role("link", name="core", exact=True).click()
    page.get_by_label("By the calendar").select_option("never")
    page.get_by_label("Also whenever a holding").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("core is due when out of a band")
