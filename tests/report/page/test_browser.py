"""The report in Chromium: it asks for nothing, logs no error, fits its window, prints short."""

import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from builders import plan_pairs as pairs
from builders import plans as sample
from builders import quantities
from builders import run as runs
from steelyard.execution.report import run_report
from steelyard.plans.diff import compare
from steelyard.report.page import render
from steelyard.report.page.run import render as render_run
from steelyard.report.page.two_plans import render_diff

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-default-browser-check", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE = 120
MOST_PAGES = 6
BROWSER = "not an origin"
ELSEWHERE = "http://127.0.0.1:9/"
SHOWN = ("growth", "euro", "hold", "hostile", "five_hundred")
THOUSANDS = "thousands"
DIFFERENCES = {
    "a difference": (sample.growth, pairs.other_profile),
    "a difference of hundreds": (pairs.hundreds, pairs.usual),
    "a hostile difference": (sample.growth, sample.hostile),
}
"""Pages of two plans."""
RUNS = {
    "a run": (sample.growth, runs.Script({4: runs.HALF, 5: runs.STOPPED})),
    "a hostile run": (
        sample.hostile,
        runs.Script({1: runs.TWICE, 2: runs.HOSTILE_END}, off_cash=Decimal(-5)),
    ),
}
"""Pages of what became of a plan."""
WIDTHS = (1280, 390, 320)

PROBE = """<script>
addEventListener("load", () => {
  const out = document.createElement("pre"); out.id = "widths"; const told = {};
  const frames = [...document.querySelectorAll("iframe")]; let left = frames.length;
  for (const frame of frames) {
    const page = frame.contentDocument.documentElement;
    told[frame.width] = page.scrollWidth;
  }
  out.textContent = JSON.stringify(told); document.body.append(out);
});
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    """Path of the browser; without one these tests say why they did not run."""
    browser = next((path for name in NAMES if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(NAMES)} is on the PATH")
    return browser


def drawn(name: str, folder: Path) -> str:
    """The page of a plan, of two or of a run; that of thousands of orders is only looked at."""
    if name in RUNS:
        make, script = RUNS[name]
        return render_run(run_report(runs.ran(folder, make(), script), runs.RUN))
    if name in DIFFERENCES:
        a, b = DIFFERENCES[name]
        return render_diff(compare(a(), b()))
    if name == THOUSANDS:
        return render(quantities.many(3000), quantities.agreed())
    return render(getattr(sample, name)())


def run(chromium: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """One start of the browser with a profile of its own."""
    command = [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)


def requests(log: Path) -> list[str]:
    """Addresses that a page asked for, by the net log; the browser's own have no origin."""
    text = log.read_text("utf-8", errors="replace")
    events = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")[
        "events"
    ]
    asked = [event.get("params", {}) for event in events]
    return [
        event["url"]
        for event in asked
        if "url" in event and event.get("initiator", BROWSER) != BROWSER
    ]


@pytest.mark.parametrize("name", [*SHOWN, *DIFFERENCES, *RUNS])
def test_the_page_makes_no_request_and_logs_no_error(chromium, tmp_path, name):
    file, log = tmp_path / "report.html", tmp_path / "net.json"
    file.write_text(drawn(name, tmp_path), "utf-8")

    done = run(
        chromium, tmp_path, "--enable-logging=stderr", "--v=0", f"--log-net-log={log}",
        "--dump-dom", file.as_uri(),
    )  # fmt: skip

    assert "<h1>" in done.stdout
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert requests(log) == []


def test_the_net_log_would_show_a_request_and_the_policy_would_block_it(chromium, tmp_path):
    file, log = tmp_path / "report.html", tmp_path / "net.json"
    open_log = tmp_path / "open.json"
    attacked = render(sample.growth()).replace(
        "</main>", f'<img src="{ELSEWHERE}x.png"><script>document.title = 1</script></main>'
    )
    file.write_text(attacked, "utf-8")
    unprotected = tmp_path / "open.html"
    unprotected.write_text(attacked.replace("Content-Security-Policy", "x"), "utf-8")

    done = run(
        chromium, tmp_path, "--enable-logging=stderr", "--v=0", f"--log-net-log={log}",
        "--dump-dom", file.as_uri(),
    )  # fmt: skip
    leak = run(chromium, tmp_path, f"--log-net-log={open_log}", "--dump-dom", unprotected.as_uri())

    assert (
        len(
            [
                line
                for line in done.stderr.splitlines()
                if "CONSOLE" in line and "Content Security Policy" in line
            ]
        )
        == 2
    )
    assert requests(log) == []
    assert "<title>Act" in done.stdout
    assert requests(open_log) == [f"{ELSEWHERE}x.png"]
    assert "<title>1<" in leak.stdout


@pytest.mark.parametrize("name", [*SHOWN, THOUSANDS, *DIFFERENCES, *RUNS])
def test_nothing_is_wider_than_its_window(chromium, tmp_path, name):
    page, frames = tmp_path / "report.html", tmp_path / "frames.html"
    page.write_text(drawn(name, tmp_path), "utf-8")
    windows = "".join(
        f'<iframe src="report.html" width="{width}" height="900" style="border:0"></iframe>'
        for width in WIDTHS
    )
    frames.write_text(f"<!DOCTYPE html><body>{windows}{PROBE}</body>", "utf-8")

    done = run(
        chromium, tmp_path, "--allow-file-access-from-files", "--window-size=1400,1000",
        "--dump-dom", frames.as_uri(),
    )  # fmt: skip

    widths = json.loads(re.findall(r'<pre id="widths">(.*?)</pre>', done.stdout)[0])
    assert widths == {str(width): width for width in WIDTHS}


@pytest.mark.parametrize("name", ["growth", "hold"])
def test_the_demo_prints_on_at_most_six_pages(chromium, tmp_path, name):
    file, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(render(getattr(sample, name)()), "utf-8")

    run(chromium, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", file.as_uri())

    counts = [
        int(count)
        for count in re.findall(
            rb"/Type\s*/Pages.*?/Count\s+(\d+)", paper.read_bytes(), flags=re.DOTALL
        )
    ]
    assert 0 < max(counts) <= MOST_PAGES
