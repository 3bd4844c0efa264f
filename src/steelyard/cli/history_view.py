"""How a history of versions looks on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.store.plans import PlanRow
    from steelyard.store.strategies import Version


def draw_history(
    versions: Sequence[Version], rows: Sequence[PlanRow] | None, console: Console
) -> None:
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Version"),
        Column("Stored", drop=2),
        Column("By", drop=4),
        Column("From", drop=3),
        Column("Text", drop=5),
        Column("Why", drop=1),
    )
    table(
        console,
        columns,
        [Row(_cells(v), _under(v, rows), "bold" if v.active else "") for v in versions],
    )


def _cells(version: Version) -> tuple[str, ...]:
    mark = ", active" if version.active else ""
    base = "" if version.parent is None else f"v{version.parent}"
    at = f"{version.created_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{version.shown}{mark}",
        at,
        version.created_by,
        base,
        version.sha256[:12],
        version.reason,
    )


def _under(version: Version, rows: Sequence[PlanRow] | None) -> tuple[str, ...]:
    about = (version.description,) if version.description else ()
    if rows is None:
        return about
    plans = [row for row in rows if row.strategy_version == version.version]
    if not plans:
        return (*about, "no plan")
    return (*about, *(_plan_line(row) for row in plans))


def _plan_line(row: PlanRow) -> str:
    figures = f"score {100 * row.score:.2f}, turnover {100 * row.turnover:.1f} %"
    money = f"cost {row.base_currency} {row.cost:,.2f}"
    count = f"{row.orders} order{'s' * (row.orders != 1)}" if row.orders else "hold"
    return f"{row.plan_id[:12]} {row.bucket} as of {row.as_of}: {count}, {figures}, {money}"
