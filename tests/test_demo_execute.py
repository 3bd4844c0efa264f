"""`make demo-execute`: what it shows is what it says, for both portfolios."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "demo_execute.py"


def test_both_portfolios_are_killed_half_way_resumed_and_reconciled():
    started = [
        subprocess.Popen(
            [sys.executable, SCRIPT, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("growth", "euro")
    ]  # fmt: skip
    for process in started:
        text, error = process.communicate(timeout=600)
        assert process.returncode == 0, text[-2000:] + error
        assert "kill -9 while it was SELLING" in text
        assert text.count("  yes  ") == 5
        assert "The next plan: hold, 0 orders." in text
    assert "demo_execute.py" in (SCRIPT.parents[1] / "Makefile").read_text()
