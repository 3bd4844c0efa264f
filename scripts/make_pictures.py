"""Write docs/pictures/: every page of the bundled portfolio, wide and narrow, light and dark.

    python scripts/make_pictures.py [FOLDER] [--only plan]

Starts the pages over a home of its own, signs in, does what a person would (a run on paper, a
deposit, a strategy), and takes each page with the machine's Chromium, from its top on. The
pictures are for looking at: no test compares them, since fonts differ between machines.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from playwright.sync_api import Browser, Page, expect  # noqa: E402

from builders.browser import PATIENCE_MS, Site, chromium, running, seeded, visit  # noqa: E402
from builders.stored import running as runner_of  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
SCHWAB = ROOT / "tests" / "importers" / "brokers" / "files" / "schwab" / "plain.csv"
HEIGHT = 900
MOST = 1500
"""Pixels; what is longer is cut."""


class Look(NamedTuple):
    """A window and its colours."""

    width: int
    theme: str


LOOKS = (Look(1280, "light"), Look(1280, "dark"), Look(390, "light"), Look(390, "dark"))
SHOWN = (Look(1280, "light"), Look(390, "dark"))
"""Those that stand in the repository; --all takes the others too."""


def pages(plan_id: str, deposit: str) -> dict[str, str]:
    """Name -> address of every page that the bundled portfolio shows."""
    plan = f"/plans/{plan_id}"
    return {
        "overview": "/",
        "import": "/import",
        "plans": "/plans",
        "plan": plan,
        "plan-weights": f"{plan}?tab=weights",
        "plan-score": f"{plan}?tab=score",
        "plan-not-traded": f"{plan}?tab=not-traded",
        "why": f"{plan}/why/AAPL",
        "worksheet": f"{plan}/worksheet",
        "approve": f"{plan}/approve",
        "buckets": "/buckets",
        "bucket": "/buckets/core",
        "strategies": "/strategies",
        "compare": f"{plan}/vs/{deposit}",
        "editor": "/strategies/mine/edit",
        "history": "/strategies/mine/history",
        "ab": "/strategies/mine/ab/momentum_hunter",
        "schedule": "/schedule",
        "modules": "/modules",
        "settings": "/settings",
    }


def run_on_paper(page: Page, site: Site, plan_id: str) -> str:
    """Approve a plan and wait for its end; the address of the run."""
    page.goto(site.url(f"/plans/{plan_id}/approve"))
    label = page.get_by_text(re.compile("Type .* to confirm")).inner_text()
    page.locator('[name="confirm"]').fill(label.split()[1])
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Done")
    return page.url.removeprefix(site.url(""))


def deposited(page: Page, site: Site) -> str:
    """A second plan, of money that comes in; its id."""
    page.goto(site.url("/plans/new?bucket=core"))
    page.get_by_label("Invest").check()
    page.get_by_label("Amount").fill("5,000")
    page.get_by_role("button", name="Plan", exact=True).click()
    page.wait_for_url(re.compile(r"/plans/[0-9a-f]{64}"))
    return page.url.rsplit("/", 1)[-1]


def strategy(page: Page, site: Site) -> None:
    """One of two versions."""
    page.goto(site.url("/strategies/new"))
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_role("button", name="Save and edit").click()
    page.locator('[name="limits.max_position_weight"]').fill("15")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()


def previewed(page: Page) -> None:
    """A setting changed, and what that does to the plan."""
    page.locator('[name="limits.max_orders"]').fill("4")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("main")).to_contain_text("What it does to today’s plan")


def read(page: Page) -> None:
    """A broker's file."""
    page.locator('[name="holdings"]').set_input_files(SCHWAB)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("holdings read")


DONE: dict[str, Callable[[Page], None]] = {"editor": previewed, "import": read}
"""What is done on a page before it is taken."""


def take(browser: Browser, site: Site, folder: Path, addresses: dict[str, str], look: Look) -> None:
    """All pages in one look."""
    size = {"width": look.width, "height": HEIGHT}
    context, page = visit(browser, site, viewport=size, color_scheme=look.theme)
    for name, address in addresses.items():
        page.goto(site.url(address))
        if name in DONE:
            DONE[name](page)
        long = min(MOST, int(page.evaluate("document.documentElement.scrollHeight")))
        # as high as the page: what sticks to an edge of the window stands where the page ends
        page.set_viewport_size({"width": look.width, "height": long})
        page.screenshot(path=folder / f"{name}-{look.width}-{look.theme}.png")
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        print(f"{name} {look.width} {look.theme}")
    context.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PICTURES)
    parser.add_argument("--only", help="names of pages, with commas")
    parser.add_argument("--all", action="store_true", help="every width in both themes")
    chosen = parser.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        plan_id = seeded(Path(home))
        with running(Path(home)) as site:
            context, page = visit(browser, site)
            strategy(page, site)
            addresses = pages(plan_id, deposited(page, site))
            names = set(chosen.only.split(",")) if chosen.only else {*addresses, "runs", "run"}
            looks = LOOKS if chosen.all else SHOWN
            for look in looks:
                take(browser, site, chosen.folder, picked(addresses, names), look)
            # last: after a run the bucket has what its plan wanted, and nothing is left to trade
            with runner_of(Path(home)):
                ran = {"runs": "/runs", "run": run_on_paper(page, site, plan_id)}
            for look in looks:
                take(browser, site, chosen.folder, picked(ran, names), look)
            context.close()


def picked(addresses: dict[str, str], names: set[str]) -> dict[str, str]:
    """Those that are asked for."""
    return {name: at for name, at in addresses.items() if name in names}


if __name__ == "__main__":
    main()
