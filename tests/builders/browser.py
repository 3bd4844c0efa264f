"""What drives the machine's Chromium at pages that really run: a server, a home, a browser.

with running(home) as site:
    page = visit(browser, site)
    page.goto(site.url("/plans"))
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from steelyard import importers
from steelyard.runs.stored import load
from steelyard.samples import sample
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.security.callers import Role
from steelyard.web.signing import new_link

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE_S = 60.0
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
"""A journey with scripts, and without."""


@dataclass(frozen=True)
class Site:
    """Pages that are served: their home and port."""

    home: Path
    port: int
    variables: Mapping[str, str]

    def url(self, path: str) -> str:
        """Of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    def link(self, role: Role = "admin") -> str:
        """An address that signs in once."""
        house = House(self.variables)
        try:
            return new_link(house.store(), role, self.url(""))
        finally:
            house.close()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(home: Path, **variables: str) -> Iterator[Site]:
    """`steelyard serve ui` over a home, as a process, until the block ends."""
    own = {**os.environ, "STEELYARD_HOME": str(home), **variables}
    site = Site(home, free_port(), own)
    command = [sys.executable, "-m", "steelyard", "serve", "ui", "--port", str(site.port)]
    with (home / "serve.log").open("w") as log:
        process = subprocess.Popen(command, env=own, stdout=log, stderr=subprocess.STDOUT)
        try:
            _await(site, process)
            yield site
        finally:
            process.terminate()
            process.wait(30)


def _await(site: Site, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(site.url("/ui/health"), timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise AssertionError((site.home / "serve.log").read_text())


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own; the test is skipped where there is none."""
    path = next((path for path in map(shutil.which, NAMES) if path), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


def visit(
    browser: Browser, site: Site, role: Role = "admin", *, scripts: bool = True, **options: Any
) -> tuple[BrowserContext, Page]:
    """A window of somebody who is signed in; errors of its console end the test."""
    context = browser.new_context(java_script_enabled=scripts, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(site.link(role))
    return context, page


def seeded(home: Path, bucket: str = "core") -> str:
    """The bundled portfolio as a bucket of a home, planned; the id of its plan."""
    house = House({**os.environ, "STEELYARD_HOME": str(home)})
    try:
        files = sample("growth")
        tables = importers.read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
        )
        load(house.store(), bucket, importers.assemble(tables, base_currency="USD"), ())
        return planned(house, bucket, 0).plan.plan_id
    finally:
        house.close()


AXE = Axe()
NO_FAULT = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def violations(page: Page) -> list[str]:
    """What axe has against a page: rule, and where."""
    response = AXE.run(page, options=NO_FAULT).response
    return [
        f"{rule['id']}: {', '.join(str(node['target'][0]) for node in rule['nodes'][:3])}"
        for rule in response["violations"]
    ]
