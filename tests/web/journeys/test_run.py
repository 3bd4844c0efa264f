"""Journeys: approve on paper and follow; a runner that is killed; a halt. Real processes, a real
journal, the paper broker.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from builders.browser import Site, both, running, seeded, visit
from builders.stored import command, until
from builders.stored import running as runner_of

pytestmark = pytest.mark.browser
SLOWLY = 0.05
"""Real seconds for each of the paper broker's: slowly enough to be looked at half way."""


def approve(page: Page, site: Site, plan_id: str) -> None:
    """Type what the page asks for."""
    page.goto(site.url(f"/plans/{plan_id}/approve"))
    label = page.get_by_text(re.compile(r"Type [\d,]+ to confirm"))
    number = re.search(r"[\d,]+", label.inner_text())
    assert number
    page.locator('[name="confirm"]').fill(number.group())
    with page.expect_navigation():
        page.get_by_role("button", name="Approve").click()
    said = page.locator("main").inner_text()
    if "/runs/" not in page.url:
        assert "its run may begin" in said, said
        until(lambda: begun(page, site), 60)


def begun(page: Page, site: Site) -> bool:
    """A runner on a slow machine may begin a run after the page stopped waiting for it."""
    page.goto(site.url("/runs"))
    runs = page.locator("tbody th a")
    if runs.count():
        runs.first.click()
        page.wait_for_url(re.compile("/runs/"))
    return "/runs/" in page.url


def sent(home: Path) -> Counter[str]:
    """How often the broker has each order."""
    with sqlite3.connect(home / "paper.db") as broker:
        tables = {row[0] for row in broker.execute("SELECT name FROM sqlite_master")}
        name = next(table for table in ("paper_order", "orders", "order_") if table in tables)
        column = next(
            row[1] for row in broker.execute(f"PRAGMA table_info({name})") if "client" in row[1]
        )
        return Counter(row[0] for row in broker.execute(f"SELECT {column} FROM {name}"))


@both
def test_a_plan_is_approved_on_paper_and_its_run_followed_to_the_end(
    browser: Browser, tmp_path: Path, scripts
):
    plan_id = seeded(tmp_path)
    with running(tmp_path) as site, runner_of(tmp_path):
        context, page = visit(browser, site, "operator", scripts=scripts)
        page.goto(site.url(f"/plans/{plan_id}/approve"))
        page.locator('[name="confirm"]').fill("1")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator('[name="confirm"]')).to_have_value("1")
        approve(page, site, plan_id)
        if not scripts:
            until(lambda: not page.reload() or "Done" in page.content(), 60)
        expect(page.locator("main")).to_contain_text("Done")
        assert set(sent(tmp_path).values()) == {1}
        context.close()


def test_a_runner_killed_on_the_way_goes_on_and_sends_every_order_once(
    browser: Browser, tmp_path: Path
):
    plan_id = seeded(tmp_path)
    with running(tmp_path) as site:
        with runner_of(tmp_path, pace=SLOWLY) as runner:
            context, page = visit(browser, site, "operator")
            approve(page, site, plan_id)
            until(lambda: (tmp_path / "paper.db").exists() and sent(tmp_path))
            os.kill(runner.pid, signal.SIGKILL)
        page.reload()
        expect(page.locator("main")).not_to_contain_text("Done")
        assert command(tmp_path, "resume").returncode == 0
        expect(page.locator("main")).to_contain_text("Done")
        assert set(sent(tmp_path).values()) == {1}
        context.close()


def test_a_halt_on_the_page_of_a_run_stops_it(browser: Browser, tmp_path: Path):
    plan_id = seeded(tmp_path)
    with running(tmp_path) as site, runner_of(tmp_path, pace=SLOWLY):
        context, page = visit(browser, site, "operator")
        approve(page, site, plan_id)
        page.get_by_text("Halt: send nothing new").click()
        page.get_by_label("Why").fill("prices look wrong")
        page.get_by_role("button", name="Halt now").click()
        expect(page.locator("main")).to_contain_text("prices look wrong")
        expect(page.locator("main")).to_contain_text(re.compile("halt", re.IGNORECASE))
        page.goto(site.url("/"))
        expect(page.locator("main")).to_contain_text(re.compile("halt", re.IGNORECASE))
        context.close()
