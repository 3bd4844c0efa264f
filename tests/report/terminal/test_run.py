"""A run in a terminal of any width: its report, and the live table of its orders."""

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from builders.accounts import BUY, d
from builders.plans import HOSTILE, euro, growth, hostile, untargeted
from builders.run import RUN, Fate, Script, ran
from steelyard.execution.order_rows import OrderRow
from steelyard.execution.report import run_report
from steelyard.execution.states import LegState, Outcome, RunState
from steelyard.report.terminal.live import live
from steelyard.report.terminal.run import draw

CUT = Script(
    {
        2: Fate(((d("0.5"), 2), (d("0.25"), 3)), LegState.CANCELLED, "left the band"),
        3: Fate((), LegState.BLOCKED, "the spread is too wide", sent=False),
    },
    outcome=Outcome.PARTIAL,
    reason="two orders are short",
    blocks=[{"rail": "spread", "code": "spread", "why": "too wide"}],
)


def drawn(what, width=80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    what(console)
    return out.getvalue()


def shown(folder, plan, script=CUT, width=80) -> str:
    report = run_report(ran(folder, plan, script), RUN)
    return drawn(lambda console: draw(report, console), width)


@pytest.mark.parametrize("width", [50, 80, 160])
def test_no_line_is_wider_than_the_window_and_nothing_is_obeyed(tmp_path, width):
    for n, plan in enumerate((growth(), euro(), hostile(), untargeted())):
        folder = tmp_path / str(n)
        folder.mkdir()
        report = run_report(ran(folder, plan, CUT), RUN)
        text = drawn(lambda console, of=report: draw(of, console), width)
        text += drawn(lambda console, of=report: console.print(live(of.orders, width, 99)), width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert "\x1b" not in text


def test_the_answer_stands_first_then_orders_weights_cash_and_the_comparison(tmp_path):
    text = shown(tmp_path, growth())
    heads = ["Run r-", "Partly done. Nine orders of 11 filled, one more in part."]
    heads += ["Two orders are short.", "Sold ", "Planned and filled", "What is off target"]
    heads += ["Cash at the broker", "Stopped by a rail", "Compared with the broker", "Books"]
    places = [text.index(head) for head in heads]

    assert places == sorted(places)
    assert "Left the band." in text
    assert "Broker agrees at 2026-03-10 15:30 UTC." in text


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(), "Done. All orders are filled."),
        (
            Script(
                dict.fromkeys(range(1, 12), CUT.fates[3]),
                outcome=Outcome.NOT_STARTED,
                state=RunState.ABORTED,
            ),
            "Not started. Nothing was sent.",
        ),
        (Script(state=RunState.HALTED, reason="kill switch"), "Halted. All orders are filled."),
        (
            Script(
                {n: Fate((), LegState.REJECTED, "no") for n in range(1, 12)}, outcome=Outcome.FAILED
            ),
            "Failed. Nothing was filled.",
        ),
        (Script(off_cash=d(1)), "Broker differs"),
    ],
)
def test_the_first_line_says_what_became_of_it(tmp_path, script, words):
    assert words in shown(tmp_path, growth(), script)


def test_a_fill_at_other_prices_than_planned_is_told_as_more_or_less(tmp_path):
    cheap = {n: Fate(((d(1), -50),)) for n in range(1, 12)}
    for n, (script, words) in enumerate(
        ((Script(), "more than planned"), (Script(cheap), "less than planned"))
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        assert words in shown(folder, growth(), script)


def test_the_live_table_has_bid_and_ask_of_buys_and_the_reason_of_what_is_sold_off(tmp_path):
    report = run_report(ran(tmp_path, growth(), CUT), RUN)
    rows = list(report.orders)
    object.__setattr__(rows[0], "liquidation", "it is no longer a target")

    text = drawn(lambda console: console.print(live(rows, 120, 99)), 120)

    lines = {line.split()[2]: line for line in text.splitlines() if line.startswith("  ▲")}
    assert "111.843 / 111.943" in lines["QUAL"]
    assert "Liquidating AAPL: it is no longer a target" in text
    assert "The spread is too wide." in text
    assert "9 of 11 filled" in text


def test_what_is_over_makes_room_in_a_low_window_and_what_goes_on_stays():
    over = OrderRow(
        step=1, attempt=1, client_order_id="x", symbol="A", side=BUY, quantity=d(10),
        limit_price=d(100), currency="USD", bid=d(99), ask=d(101), filled=d(10),
        average_price=d(100), state=LegState.FILLED, reason="", liquidation="no target", sent=True,
    )  # fmt: skip
    on = replace(over, step=2, symbol="B", state=LegState.ACCEPTED)

    def lines(*rows, height):
        text = drawn(lambda console: console.print(live(rows, 80, height)), 80)
        return text.splitlines()

    heights = {height: len(lines(over, on, height=height)) for height in (9, 5, 4, 3)}
    assert heights == {9: 6, 5: 5, 4: 4, 3: 3}
    assert [line for line in lines(over, on, height=5) if "Liquidating" in line] == [
        "    Liquidating B: no target."
    ]
    low = lines(over, on, height=3)
    assert low[1].split()[2] == "B"
    assert low[2] == "  1 of 2 filled"
    assert lines(over, height=1)[-1] == "  1 of 1 filled"


def test_a_step_of_several_orders_is_one_line_with_all_that_filled():
    first = OrderRow(
        step=1, attempt=1, client_order_id="x", symbol="A", side=BUY, quantity=d(10),
        limit_price=d(100), currency="USD", bid=d(99), ask=d(101), filled=d(4),
        average_price=d(100), state=LegState.CANCELLED, reason="", liquidation="", sent=True,
    )  # fmt: skip
    second = replace(
        first, attempt=2, quantity=d(6), limit_price=d("100.5"), filled=d(2),
        average_price=d(103), state=LegState.PARTIAL,
    )  # fmt: skip

    text = drawn(lambda console: console.print(live([first, second], 100, 99)), 100)

    (line,) = [line for line in text.splitlines() if line.startswith("  ▲")]
    assert line.split() == [
        "▲",
        "buy",
        "A",
        "10",
        "100.50",
        "99.00",
        "/",
        "101.00",
        "6",
        "101.00",
        "part",
        "filled",
    ]


def test_hostile_reasons_are_shown_and_never_obeyed(tmp_path):
    fate = Fate((), LegState.REJECTED, HOSTILE)

    text = shown(tmp_path, growth(), Script({1: fate}, reason=HOSTILE, outcome=Outcome.PARTIAL))

    assert "\x1b" not in text
    assert "\\u001b[31m" in text
