"""Time and weigh the pages: what the server takes for each, and what a first visit loads.

    python -m benchmarks.pages [--rounds N]     prints the tables of docs/web.md, Figures

50 holdings, warm, in this process, one request at a time: milliseconds from the request to the last
byte, median and 95th percentile. What planning takes is not in it. The first visit is counted in
Chromium, with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from fastapi.testclient import TestClient

from steelyard import importers
from steelyard.runs.stored import load
from steelyard.services.api.keeping import planned
from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.services.security.limits import Limits
from steelyard.services.topology import Topology
from steelyard.web.signing import new_link

DAY = date(2026, 3, 10)
HOLDINGS = 50
ROUNDS = 40
BASE = "http://127.0.0.1"
SECTORS = ("Technology", "Health Care", "Financials", "Energy", "Utilities")
TESTS = Path(__file__).resolve().parent.parent / "tests"


def files(folder: Path) -> tuple[Path, Path, Path]:
    """Holdings, targets and securities: every third far over its target, every third far under."""
    holdings, targets, securities = (folder / f"{name}.csv" for name in ("h", "t", "s"))
    names = [f"SEC{k:02}" for k in range(HOLDINGS)]
    rows = [f"{name},{40 + 60 * (k % 3)},{10 + 7 * (k % 11)}" for k, name in enumerate(names)]
    holdings.write_text("symbol,quantity,price\n" + "\n".join(rows) + "\nCASH:USD,20000,\n")
    share = round(0.97 / HOLDINGS, 6)
    targets.write_text("symbol,weight\n" + "\n".join(f"{name},{share}" for name in names))
    sectors = [f"{name},{name} Corp,{SECTORS[k % len(SECTORS)]}" for k, name in enumerate(names)]
    securities.write_text("symbol,name,sector\n" + "\n".join(sectors))
    return holdings, targets, securities


def addresses(plan_id: str, symbol: str) -> dict[str, str]:
    """Pages that plan nothing."""
    plan = f"/plans/{plan_id}"
    return {
        "Overview": "/",
        "Plans": "/plans",
        "Plan": plan,
        "Plan, weights": f"{plan}?tab=weights",
        "Plan, score and cost": f"{plan}?tab=score",
        "Plan, alternatives": f"{plan}?tab=alternatives",
        "Plan, not traded": f"{plan}?tab=not-traded",
        "Why": f"{plan}/why/{symbol}",
        "Worksheet": f"{plan}/worksheet",
        "Approve": f"{plan}/approve",
        "Buckets": "/buckets",
        "Bucket": "/buckets/core",
        "Strategies": "/strategies",
        "Runs": "/runs",
        "Schedule": "/schedule",
        "Import": "/import",
        "Health": "/modules",
        "Settings": "/settings",
    }


def timed(client: TestClient, address: str, rounds: int) -> tuple[list[float], int]:
    """Milliseconds of each round, sorted, and the bytes of the page."""
    answer = client.get(address, headers={"Accept": "text/html"})
    if answer.status_code != 200:
        raise SystemExit(f"{address} is answered with {answer.status_code}")
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        client.get(address, headers={"Accept": "text/html"})
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times), len(answer.content)


def first_visit(home: Path, address: str) -> tuple[int, list[str]]:
    """Bytes that a first visit of a page transfers, heads included, and the hosts it asked."""
    sys.path[:0] = [str(TESTS)]
    from builders.browser import chromium, running, visit  # noqa: PLC0415 its folder is no package

    with running(home) as site, chromium() as browser:
        context, page = visit(browser, site)
        page.goto("about:blank")
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        sizes, asked = [], []
        session.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
        session.on("Network.requestWillBeSent", lambda each: asked.append(each["request"]["url"]))
        page.goto(site.url(address), wait_until="networkidle")
        context.close()
        hosts = sorted({url.split("/")[2] for url in asked if url.startswith("http")})
        return int(sum(sizes)), [host for host in hosts if host != f"127.0.0.1:{site.port}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        house = House(
            {**os.environ, "STEELYARD_HOME": str(home)},
            topology=Topology(limits=Limits(requests_per_second=1e6, burst=10**6)),
        )
        holdings, targets, securities = files(Path(folder))
        tables = importers.read(holdings, targets=targets, securities=securities)
        load(house.store(), "core", importers.assemble(tables, as_of=DAY), ())
        plan = planned(house, "core", 0).plan
        print(f"| page, {HOLDINGS} holdings | median, ms | p95, ms | HTML, kB |")
        print("| --- | --- | --- | --- |")
        with TestClient(application("ui", house), base_url=BASE) as client:
            client.get(new_link(house.store(), "admin", ""))
            for name, address in addresses(plan.plan_id, plan.steps[0].symbol).items():
                times, size = timed(client, address, rounds)
                late = times[int(0.95 * (len(times) - 1))]
                print(
                    f"| {name} | {statistics.median(times):.0f} | {late:.0f} | {size / 1000:.0f} |"
                )
        weight, others = first_visit(home, f"/plans/{plan.plan_id}")
        print(
            f"\nA first visit of the plan transfers {weight / 1000:.0f} kB; other hosts asked: "
            f"{', '.join(others) or 'none'}."
        )
        house.close()


if __name__ == "__main__":
    main()
