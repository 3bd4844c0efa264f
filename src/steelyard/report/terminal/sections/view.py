"""Where a section prints, and how it writes days, amounts, sides and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from steelyard.orders import Side
from steelyard.plans.plan import Plan
from steelyard.plans.verify import Report
from steelyard.report.terminal.columns import Column, Row, emit, fitting, grid, sentence
from steelyard.sentences import FORMATS, money

BAR = 24
"""Length of the longest bar, terminal columns."""
NAME = 36
"""Longest name in a table; `why` shows it whole."""
HASH_SHOWN = 16
"""Digits of a hash that are shown."""

SIDES = {Side.BUY: "▲ buy", Side.SELL: "▼ sell"}
STYLES = {Side.BUY: "cyan", Side.SELL: "magenta"}


@dataclass(frozen=True, slots=True)
class View:
    """Where to print and how much; `opinion` is the second opinion, where it was asked."""

    console: Console
    plan: Plan
    explain: bool = False
    opinion: Report | None = None

    @property
    def width(self) -> int:
        """Terminal columns."""
        return self.console.width

    def emit(self, lines: Iterable[Text]) -> None:
        """Print lines as they are."""
        emit(self.console, lines)

    def say(self, text: str, *, indent: int = 2, style: str = "") -> None:
        """Print a sentence."""
        self.emit(sentence(text, self.width, indent=indent, style=style))

    def title(self, text: str) -> None:
        """Print the heading of a section, after an empty line."""
        self.emit([Text("")])
        self.say(text, indent=0, style="bold")

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row],
        note: tuple[str, str] | None = None,
        more: str = "",
    ) -> None:
        """Print rows and how many more there are; `note` is (head, meaning), printed if the column
        of that head had room.
        """
        fit, cut = fitting(columns, rows, self.width)
        self.emit(grid(fit, cut, self.width))
        if more:
            self.say(more)
        if note is not None and note[0] in {column.head for column in fit}:
            self.say(note[1], style="dim")


def bar(value: float, top: float) -> int:
    """Cells of a bar, of `BAR` for the value `top`."""
    return round(BAR * value / top) if top > 0 and value > 0 else 0


def side_of(side: Side | None) -> str:
    """Sign and word of a side; empty for either."""
    return "" if side is None else SIDES[side]


def day(on: date) -> str:
    """`28 Dec 2022`."""
    return FORMATS["date"](on)


def in_base(plan: Plan, amount: Decimal) -> str:
    """An amount with the base currency of the plan."""
    return f"{money(amount)} {plan.base_currency}"


def short(name: str) -> str:
    """A name that fits a table."""
    return name if len(name) <= NAME else name[: NAME - 1] + "…"
