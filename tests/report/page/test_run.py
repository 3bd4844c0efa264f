"""A run as a page."""

import pytest

from builders.accounts import d
from builders.pages import read
from builders.plans import HOSTILE, euro, growth, hostile, untargeted
from builders.run import RUN, Fate, Script, ran
from steelyard.execution.report import run_report
from steelyard.execution.states import LegState, Outcome, RunState
from steelyard.report.page.run import render

CUT = Script(
    {3: Fate((), LegState.BLOCKED, HOSTILE, sent=False)},
    outcome=Outcome.PARTIAL,
    reason=HOSTILE,
    blocks=[{"rail": "spread", "code": "spread", "why": HOSTILE}],
    off_cash=d(-5),
)
SCRIPTS = (Script(), CUT, Script(state=RunState.HALTED, reason="kill switch"))


@pytest.mark.parametrize("make", [growth, euro, hostile, untargeted])
def test_every_run_makes_a_page_of_whole_elements_and_the_same_bytes_again(tmp_path, make):
    for n, script in enumerate(SCRIPTS):
        folder = tmp_path / str(n)
        folder.mkdir()
        report = run_report(ran(folder, make(), script), RUN)

        page = render(report)

        assert read(page).one("main")
        assert render(report) == page
        assert "<script" not in page
        assert "onclick=x>" not in page
        assert "\x1b" not in page


def test_the_page_has_orders_weights_cash_books_and_the_head_of_the_chain(tmp_path):
    store = ran(tmp_path, growth(), CUT)

    page = read(render(run_report(store, RUN)))

    assert page.one("h1").text.startswith("Partly done. Ten orders of 11 filled.")
    headings = [heading.text for heading in page.all("h2")]
    assert headings == [
        "Planned and filled",
        "What is off target",
        "Cash at the broker",
        "Books",
        "Seal",
    ]
    assert len(page.one("table", klass="trades").all("tbody")) == 11
    assert [code.text for code in page.all("code")] == [RUN, growth().plan_id, store.head()]
    assert "Broker differs" in page.text
