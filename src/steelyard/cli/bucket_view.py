"""How buckets, and the settings of one, look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.runs.settings import Shown
    from steelyard.store.buckets import Held
    from steelyard.store.strategies import Version


NO_BUCKET = (
    "No bucket yet. To make the core: steelyard bucket load core --holdings F --targets F "
    "--prices F"
)


def draw_list(rows: Sequence[tuple[Held, Version | None]], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
    from steelyard.store.buckets import worths

    if not rows:
        emit(console, sentence(NO_BUCKET, console.width))
        return
    columns = (
        Column("Bucket"),
        Column("Kind", drop=5),
        Column("Status", drop=4),
        Column("Budget", "right", drop=3),
        Column("Share", "right", drop=6),
        Column("Value", "right", drop=1),
        Column("Prices of", drop=7),
        Column("Cash", drop=2),
        Column("Strategy"),
    )
    worth = worths([held for held, _ in rows])
    account = sum(worth.values(), Decimal(0))
    shares = {name: f"{value / account:.1%}" for name, value in worth.items() if account}
    table(console, columns, [Row(_cells(held, version, shares)) for held, version in rows])
    bases = {held.base_currency for held, _ in rows if held.value is not None}
    if len(rows) > 1 and len(bases) == 1:
        text = f"All buckets together are worth {bases.pop()} {account:,.2f}: the account."
        emit(console, sentence(text, console.width))


def _cells(held: Held, version: Version | None, shares: Mapping[str, str]) -> tuple[str, ...]:
    value = "" if held.value is None else f"{held.base_currency} {held.value:,.2f}"
    cash = ", ".join(f"{currency} {amount:,.2f}" for currency, amount in held.cash.items())
    strategy = "default" if version is None else version.shown
    return (
        held.name,
        held.kind,
        held.status,
        f"{held.target_weight:.1%}",
        shares.get(held.name, ""),
        value,
        "" if held.as_of is None else held.as_of.isoformat(),
        cash,
        strategy,
    )


def draw(held: Held, version: Version | None, rows: Sequence[Shown], console: Console) -> None:
    from steelyard.report.terminal.columns import emit, sentence
    from steelyard.runs.settings import resting

    def line(text: str) -> None:
        emit(console, sentence(text, console.width))

    worth = "" if held.value is None else f" · {held.base_currency} {held.value:,.2f}"
    line(f"{held.name} · {held.kind}, {held.status}{worth}")
    line(f"Aimed at {held.target_weight:.1%} of the account.")
    cash = ", ".join(f"{currency} {money(amount)}" for currency, amount in held.cash.items())
    line(f"Cash: {cash or 'none'}.")
    line(_by(held, version))
    if resting(held, version):
        line("Its sliders rest, for that is not what they make; to change one lets them act again.")
    if held.loaded_at is not None:
        names = ", ".join(entry["name"] for entry in held.files)
        line(f"Loaded {held.loaded_at:%Y-%m-%d %H:%M} UTC from {names or 'arguments'}.")
    if held.universe:
        line(f"May hold: {', '.join(held.universe)}.")
    console.print()
    draw_settings(rows, console)


def _by(held: Held, version: Version | None) -> str:
    follows = held.assignment
    if follows is None or version is None:
        by = "the default strategy" if held.kind == "core" else "its settings"
        return f"Plans by {by}: nothing is assigned."
    how = "pinned" if follows.pinned else "following"
    when = f"since {follows.assigned_at:%Y-%m-%d}"
    return f"Plans by {version.shown} of {version.name}, {how} {when}."


def money(amount: Decimal) -> str:
    """An amount to the cent, and beyond it what is booked beyond it: 1,200.50."""
    places = min(amount.as_tuple().exponent, -2) if amount.is_finite() else -2
    return f"{amount:,.{-int(places)}f}"


def draw_settings(rows: Sequence[Shown], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (Column("Setting"), Column("Value"), Column("From"), Column("What", drop=1))
    table(
        console,
        columns,
        [Row((row.name, row.text, row.source, row.what)) for row in rows],
    )
