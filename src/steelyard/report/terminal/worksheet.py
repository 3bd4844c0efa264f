"""A worksheet in the terminal: what the edit costs, the orders, three standings side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from steelyard.orders import Side
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
from steelyard.report.terminal.sections.view import SIDES, STYLES
from steelyard.runs.worksheet import Figures, Standing
from steelyard.runs.worksheet import Row as Line
from steelyard.sentences import cased, money, percent, points, quantity

Told = Callable[[Standing], str]


def draw(figures: Figures, console: Console) -> None:
    """Print a worksheet."""
    _say(console, figures.headline.text, style="bold")
    for told in figures.sentences:
        _say(console, told.text)
    emit(console, [Text("")])
    rows = [_row(line) for line in figures.rows if line.edited or line.calculated]
    if rows:
        table(console, _orders(figures), rows)
        emit(console, [Text("")])
    heads = (Column(name, "right") for name in ("Before", "Calculated", "Edited"))
    standings = (figures.before, figures.calculated, figures.edited)
    lines = [
        Row((label, *(told(standing) for standing in standings)))
        for label, told in _figures(figures)
    ]
    table(console, (Column(""), *heads), lines)


def _orders(figures: Figures) -> tuple[Column, ...]:
    return (
        Column("Side"),
        Column("Symbol"),
        Column("Calculated", "right"),
        Column("Now", "right"),
        Column(f"{figures.base_currency}", "right", drop=1),
        Column("Weight, %", "right", drop=3),
        Column("After, %", "right", drop=2),
        Column("Target, %", "right", drop=4),
    )


def _row(line: Line) -> Row:
    side = Side.BUY if (line.edited or line.calculated) > 0 else Side.SELL
    under = tuple(cased(limit.why.text) for limit in line.broken)
    cells = (
        SIDES[side],
        f"{line.symbol} (locked)" if line.locked else line.symbol,
        _shares(line, calculated=True),
        "struck" if line.struck else _shares(line, calculated=False),
        money(line.notional_base) if line.edited else "",
        percent(line.weight),
        percent(line.weight_after),
        "" if line.target is None else percent(line.target),
    )
    return Row(cells, under=under, style=STYLES[side])


def _shares(line: Line, *, calculated: bool) -> str:
    """Shares of an order; of the calculated one its side too where the order now has another."""
    shares = line.calculated if calculated else line.edited
    if not shares:
        return ""
    turned = calculated and line.edited * line.calculated < 0
    side = ("buy " if shares > 0 else "sell ") if turned else ""
    return f"{side}{quantity(abs(shares))}"


def _figures(figures: Figures) -> Iterator[tuple[str, Told]]:
    """The lines of the table of standings."""
    base = figures.base_currency
    yield "Score, points", lambda s: points(s.score)
    yield "Gain on holding, after charges", lambda s: points(s.net)
    if figures.before.drift is not None:
        yield "Drift, pp", lambda s: percent(s.drift or 0.0)
    yield f"Costs, {base}", lambda s: money(s.costs.total)
    if figures.calculated.costs.tax is not None or figures.edited.costs.tax is not None:
        yield f"Tax, {base}", lambda s: "" if s.costs.tax is None else money(s.costs.tax)
    yield "Turnover, %", lambda s: percent(s.turnover)
    yield "Orders", lambda s: f"{s.orders:,d}"
    currencies = (figures.before.cash, figures.calculated.cash, figures.edited.cash)
    for currency in sorted({currency for cash in currencies for currency in cash}):
        yield f"Cash, {currency}", _cash(currency)
        yield f"  at its lowest, {currency}", _lowest(currency)


def _cash(currency: str) -> Told:
    return lambda s: money(s.cash[currency]) if currency in s.cash else ""


def _lowest(currency: str) -> Told:
    return lambda s: money(s.lowest[currency].amount) if currency in s.lowest else ""


def _say(console: Console, text: str, *, style: str = "") -> None:
    emit(console, sentence(text, console.width, style=style))
