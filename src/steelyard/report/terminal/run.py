"""What became of a run, in a terminal: the answer, orders planned and filled, weights, cash."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from steelyard.execution.interrupted import Interruption
from steelyard.execution.results import CashRow, RunReport, StepResult
from steelyard.report.exhibits import run as exhibit
from steelyard.report.exhibits import words
from steelyard.report.exhibits.words import price
from steelyard.report.terminal.columns import Column, Row, emit, fitting, grid, sentence
from steelyard.report.terminal.sections.view import SIDES, STYLES
from steelyard.sentences import FORMATS, SPACE, money, percent, quantity, signed

STEPS = (
    Column("#", "right", drop=6),
    Column("Side"),
    Column("Symbol"),
    Column("Planned", "right"),
    Column("Filled", "right"),
    Column("Price", "right", drop=3),
    Column("Average", "right", drop=1),
    Column("Slip, bps", "right", drop=2),
    Column("On mid", "right", drop=5),
    Column("Fee", "right", drop=4),
    Column("State"),
)
WEIGHTS = (
    Column("Symbol"),
    Column("Before, %", "right"),
    Column("Planned, %", "right", drop=1),
    Column("After, %", "right"),
    Column("Target, %", "right"),
    Column("Off, pp", "right"),
    Column("Band", drop=2),
)
CASH = (
    Column("Currency"),
    Column("Before", "right"),
    Column("Sold", "right", drop=2),
    Column("Bought", "right", drop=1),
    Column("Fees", "right", drop=3),
    Column("Other", "right"),
    Column("After", "right"),
)
BOOKS = (
    Column("Book"),
    Column("", drop=1),
    Column("Value", "right"),
    Column("Realised", "right"),
    Column("Unrealised", "right"),
    Column("Income", "right", drop=2),
)
STYLE = {"ok": "green", "warn": "yellow", "stop": "red"}
SLIP = "Slip is against the planned price; above 0 is a cost."
MID = "On mid is against the middle of the market when each limit was set, in money."
NOT_READ = "not read"


def draw(
    report: RunReport,
    console: Console,
    after: str = "",
    broken: Interruption | None = None,
) -> None:
    """The whole view; after: what a person does now; broken: no process carries the run on."""
    head, rest = exhibit.heading(report, broken)
    mode = f"{report.broker}, {report.mode}"
    _say(console, f"Run {report.run_id} · {report.bucket} · {mode} · account {report.account}")
    emit(console, [Text("")])
    _say(console, f"{head} {rest}", style=f"bold {STYLE[exhibit.level_of(report)]}")
    if report.reason:
        _say(console, words.sentence(report.reason))
    if after:
        _say(console, after)
    said = exhibit.bought_and_sold(report), exhibit.slipped(report), exhibit.drift_of(report)
    for text in filter(None, said):
        _say(console, text)
    _steps(report, console)
    _weights(report, console)
    _cash(report, console)
    _rails(report, console)
    _compared(report, console)
    _books(report, console)


def _say(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    emit(console, sentence(text, console.width, indent=indent, style=style))


def _title(console: Console, text: str) -> None:
    emit(console, [Text("")])
    _say(console, text, style="bold")


def _table(console: Console, columns: Sequence[Column], rows: Iterable[Row]) -> set[str]:
    """Print rows; the heads that had room."""
    fit, cut = fitting(columns, list(rows), console.width)
    emit(console, grid(fit, cut, console.width))
    return {column.head for column in fit}


def _steps(report: RunReport, console: Console) -> None:
    if report.steps:
        _title(console, "Planned and filled")
        heads = _table(console, STEPS, [_step(step) for step in report.steps])
        for head, meaning in (("Slip, bps", SLIP), ("On mid", MID)):
            if head in heads:
                _say(console, meaning, indent=2, style="dim")


def _step(step: StepResult) -> Row:
    cells = (
        str(step.step),
        SIDES[step.side],
        step.symbol,
        quantity(step.planned),
        exhibit.filled_of(step),
        price(step.price),
        exhibit.average(step.average_price),
        exhibit.slippage(step),
        exhibit.on_midpoint(step),
        money(step.fee) if step.fee else "",
        exhibit.state_of(step.state),
    )
    return Row(cells, exhibit.notes_of(step), STYLES[step.side] if step.is_whole else "yellow")


def _weights(report: RunReport, console: Console) -> None:
    shown = exhibit.weights(report)
    if not shown.strips:
        return
    _title(console, "What is off target")
    rows = [
        Row(
            (
                strip.row.symbol,
                percent(strip.row.before),
                percent(strip.row.planned),
                percent(strip.row.after),
                percent(strip.target),
                signed(strip.off),
                {"in": "inside", "out": "outside", "": ""}[strip.state],
            ),
            style="yellow" if strip.state == "out" else "",
        )
        for strip in shown.strips
    ]
    _table(console, WEIGHTS, rows)
    if shown.others:
        _say(console, shown.others, indent=2)


def _cash(report: RunReport, console: Console) -> None:
    if report.cash:
        _title(console, "Cash at the broker")
        _table(console, CASH, [_currency(row) for row in report.cash])


def _currency(row: CashRow) -> Row:
    other = "" if not row.other else exhibit.signed_cents(row.other)
    return Row(
        (
            row.currency,
            NOT_READ if row.before is None else money(row.before),
            exhibit.signed_cents(row.sold),
            exhibit.signed_cents(-row.bought),
            exhibit.signed_cents(-row.fees),
            other,
            NOT_READ if row.after is None else money(row.after),
        )
    )


def _rails(report: RunReport, console: Console) -> None:
    lines = exhibit.named_rails(report)
    if lines:
        _title(console, "Stopped by a rail")
        for line in lines:
            _say(console, line, indent=2)


def _compared(report: RunReport, console: Console) -> None:
    level, verdict = exhibit.agreement(report)
    _title(console, "Compared with the broker")
    at = "" if report.compared is None else f" at {report.compared.at:%Y-%m-%d %H:%M %Z}"
    _say(console, f"{verdict}{at}.", indent=2, style=STYLE[level])
    if report.compared is not None:
        reasons = (words.sentence(why) for why in report.compared.breaks)
        acts = (exhibit.explained(each) for each in report.compared.explained)
        for text in (*reasons, *acts):
            _say(console, text, indent=2)


def _books(report: RunReport, console: Console) -> None:
    if not report.books:
        return
    _title(console, f"Books, at prices of {FORMATS['date'](report.as_of)}")
    rows = [
        Row(
            (
                line.book,
                line.currency,
                money(line.value),
                exhibit.signed_cents(line.realised),
                exhibit.signed_cents(line.unrealised),
                exhibit.signed_cents(line.income),
            ),
            under=(f"Incomplete:{SPACE}{', '.join(line.incomplete)}.",) if line.incomplete else (),
        )
        for line in report.books
    ]
    _table(console, BOOKS, rows)
    for text in report.unmatched:
        _say(console, words.sentence(text), indent=2, style="yellow")
