"""Write docs/pictures/: every page of the bundled portfolio, wide and narrow, light and dark.

    python scripts/make_pictures.py [FOLDER] [--only plan]

Starts the pages over a home of its own, signs in, and takes each page with the machine's Chromium.
The pictures are for looking at: no test compares them, since fonts differ between machines.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from playwright.sync_api import Browser  # noqa: E402

from builders.browser import Site, chromium, running, seeded, visit  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
HEIGHT = 900


class Look(NamedTuple):
    """A window and its colours."""

    width: int
    theme: str


LOOKS = (Look(1280, "light"), Look(1280, "dark"), Look(390, "light"), Look(390, "dark"))
SHOWN = (Look(1280, "light"), Look(390, "dark"))
"""Those that stand in the repository; --all takes the others too."""


def pages(plan_id: str) -> dict[str, str]:
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
        "runs": "/runs",
        "schedule": "/schedule",
        "modules": "/modules",
        "settings": "/settings",
    }


def take(browser: Browser, site: Site, folder: Path, addresses: dict[str, str], look: Look) -> None:
    """All pages in one look."""
    size = {"width": look.width, "height": HEIGHT}
    context, page = visit(browser, site, viewport=size, color_scheme=look.theme)
    for name, address in addresses.items():
        page.goto(site.url(address))
        page.screenshot(path=folder / f"{name}-{look.width}-{look.theme}.png", full_page=True)
        print(f"{name} {look.width} {look.theme}")
    context.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PICTURES)
    parser.add_argument("--only", help="names of pages, with commas")
    parser.add_argument("--all", action="store_true", help="every width in both themes")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        addresses = pages(seeded(Path(home)))
        if chosen.only:
            addresses = {name: addresses[name] for name in chosen.only.split(",")}
        with running(Path(home)) as site:
            for look in LOOKS if chosen.all else SHOWN:
                take(browser, site, chosen.folder, addresses, look)


if __name__ == "__main__":
    main()
