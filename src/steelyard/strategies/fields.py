"""The settings of a strategy as fields that people fill in: label, unit, range, default.

Labels and units stand here; ranges, kinds and defaults are those of the records of `settings` and
of the modules, so that a field never allows what a file may not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel

from steelyard.errors import InputError
from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies.files.problems import resolved
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.strategy import SECTIONS, Strategy, default

FieldKind = Literal["number", "whole", "switch", "choice", "text"]
Value = float | int | str | bool | None
OFF = "off"
PERCENT, POINTS, MONEY = "%", "points", "money"
"""Units: shares are shown times 100; `money` is in the base currency of whoever plans."""
SCALES: Mapping[str, int] = {PERCENT: 100, POINTS: 100}
PLUGINS = "plugins"

COMMON: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Limits",
        (
            ("limits.max_position_weight", "Largest single name", PERCENT),
            ("limits.max_group_weight", "Largest sector or country", PERCENT),
            ("limits.max_turnover_weight", "Turnover of a plan", PERCENT),
            ("limits.max_orders", "Orders in a plan", ""),
            ("limits.min_trade_base", "Smallest trade", MONEY),
            ("limits.min_trade_weight", "Smallest trade, of value", PERCENT),
            ("limits.cash_reserve_weight", "Cash that stays", PERCENT),
            ("limits.allow_buy", "Buying", ""),
            ("limits.allow_sell", "Selling", ""),
        ),
    ),
    (
        "Score weights",
        (
            ("score.profile", "Profile", ""),
            ("score.target_fit_weight", "Target fit", ""),
            ("score.extra_diversification", "More diversification", ""),
            ("score.cash_weight", "Cash, without targets", ""),
            ("score.cost_aversion", "Weight of costs", "times"),
            ("score.min_improvement", "Least improvement", POINTS),
            ("score.tax_rate", "Tax on gains", PERCENT),
        ),
    ),
    (
        "Filters",
        (
            ("filters.eligibility.min_hold_days", "Held at least", "days"),
            ("filters.recently_traded.buy_cooldown_days", "Between two buys", "days"),
            ("filters.recently_traded.sell_cooldown_days", "Between two sales", "days"),
            ("filters.correlation_aware.enabled", "Correlation filter", ""),
            ("filters.correlation_aware.correlation_threshold", "Correlation of two buys", ""),
        ),
    ),
    (
        "Rebalancing",
        (
            ("rebalance.drift_band_weight", "Band around a target", PERCENT),
            ("rebalance.trigger", "Trades for", ""),
            ("rebalance.to", "A weight goes to", ""),
        ),
    ),
    (
        "Search",
        (
            ("search.scope", "Best of", ""),
            ("search.max_depth", "Orders in a proposal", ""),
            ("search.max_seconds", "Longest search", "s"),
        ),
    ),
    (
        "Costs",
        (
            ("costs.fixed", "Commission of an order", MONEY),
            ("costs.percent", "Commission, of the amount", PERCENT),
        ),
    ),
)
"""What most people change: groups of (key, label, unit)."""
LABELS = {key: (label, unit) for _, rows in COMMON for key, label, unit in rows}
WHOLE_NUMBER = re.compile(r"[+\-]?\d{1,3}(?:[, \u00a0]\d{3})+(?:\.\d+)?")
FAR = 1e9
"""Bounds from here on are no news to anybody."""
LEAST_PART = 1e-9
"""How far inside an open bound the nearest value that is named lies, of its size."""


@dataclass(frozen=True, slots=True)
class Field:
    """A setting: `value` as it acts, `usual` without the strategy's own words; None = off.

    low, high    bounds as the file has them, None = none; open: the bound itself is not allowed
    is_own       does the strategy itself say it?
    """

    key: str
    label: str
    unit: str
    kind: FieldKind
    about: str
    value: Value
    usual: Value
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    optional: bool = False
    is_own: bool = False

    @property
    def text(self) -> str:
        """The value as a person types it, without its unit."""
        return shown(self, self.value)

    @property
    def range(self) -> str:
        """`Allowed 0 to 100 %.`; empty where anything of its kind is."""
        if self.kind not in {"number", "whole"} or (self.low is None and self.high is None):
            return ""
        unit = f"\u00a0{self.unit}" if self.unit not in {"", MONEY} else ""
        low, high = (_bound(self, end) for end in (self.low, self.high))
        off = "; empty is off" if self.optional else ""
        if self.high is None or self.high >= FAR:
            return f"{'Above' if self.low_open else 'At least'} {low}{unit}{off}."
        lower = f"above {low}, " if self.low_open else f"{low} "
        upper = f"below {high}" if self.high_open else f"{'at most' if self.low_open else 'to'} "
        upper += "" if self.high_open else high
        between = "to " if self.high_open and not self.low_open else ""
        return f"Allowed {lower}{between}{upper}{unit}{off}."


def groups(strategy: Strategy, *, every: bool = False) -> list[tuple[str, list[Field]]]:
    """The fields that most people change, by group; with `every` all others behind them."""
    fields = {field.key: field for field in _fields(strategy)}
    common = [
        (title, [fields.pop(key) for key, _, _ in rows if key in fields]) for title, rows in COMMON
    ]
    if not every:
        return common
    rest: dict[str, list[Field]] = {}
    for field in fields.values():
        rest.setdefault(field.key.rpartition(".")[0], []).append(field)
    return [*common, *((_table_label(table), rows) for table, rows in rest.items())]


def count(strategy: Strategy) -> int:
    """How many settings there are that fit into a field."""
    return sum(1 for _ in _fields(strategy))


def _fields(strategy: Strategy) -> Iterator[Field]:
    base = default()
    for name in SECTIONS:
        if name != PLUGINS:  # which code runs is said in a file on the machine
            yield from _of_section(strategy, getattr(strategy, name), getattr(base, name), name)
    for kind in Kind:
        for choice in strategy.choices[kind]:
            table = choice.module.qualified
            others = {other.module.qualified: other for other in base.choices[kind]}
            usual = others.get(table)
            key = f"{table}.{ENABLED}"
            label, unit = LABELS.get(key, (_words(choice.module.name), ""))
            yield Field(
                key=key,
                label=label,
                unit=unit,
                kind="switch",
                about=choice.module.summary,
                value=choice.enabled,
                usual=choice.enabled if usual is None else usual.enabled,
                is_own=key in strategy.own_keys,
            )
            params = choice.params if usual is None else usual.params
            yield from _of_section(strategy, choice.params, params, table)


def _of_section(
    strategy: Strategy, section: Section, usual: Section, table: str
) -> Iterator[Field]:
    """The single values of a table; tables and lists inside it are no fields."""
    root = _schema(type(section))
    for name, info in type(section).model_fields.items():
        alias = info.alias or name
        value = getattr(section, name)
        node = root["properties"].get(alias, {})
        kind = _kind(node, root)
        if kind is None or isinstance(value, list | tuple | dict | Section):
            continue
        key = f"{table}.{alias}"
        label, unit = LABELS.get(key, (_words(alias), ""))
        plain = resolved(node, root)
        over, under = plain.get("exclusiveMinimum"), plain.get("exclusiveMaximum")
        yield Field(
            key=key,
            label=label,
            unit=unit,
            kind=kind,
            about=str(node.get("description", "")),
            value=value,
            usual=getattr(usual, name),
            choices=tuple(map(str, plain.get("enum", ()))),
            low=plain.get("minimum") if over is None else over,
            high=plain.get("maximum") if under is None else under,
            low_open=over is not None,
            high_open=under is not None,
            optional=any(option.get("type") == "null" for option in node.get("anyOf", ())),
            is_own=key in strategy.own_keys,
        )


@cache
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return {"properties": {}, **model.model_json_schema(by_alias=True)}


def _kind(node: Mapping[str, Any], root: Mapping[str, Any]) -> FieldKind | None:
    """Of a setting by its schema; None of a list or a table."""
    plain = resolved(node, root)
    if "enum" in plain:
        return "choice"
    kinds: Mapping[str, FieldKind] = {
        "number": "number",
        "integer": "whole",
        "boolean": "switch",
        "string": "text",
    }
    return kinds.get(str(plain.get("type")))


def shown(field: Field, value: Value) -> str:
    """A value of a field as a person types it; empty where it is off.

    >>> shown(Field("limits.a", "A", "%", "number", "", 0.05, 0.05), 0.05)
    '5'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else OFF
    if isinstance(value, str):
        return value
    return f"{value * SCALES.get(field.unit, 1):.15g}"


def _bound(field: Field, end: float | None) -> str:
    return "" if end is None else f"{end * SCALES.get(field.unit, 1):,.15g}"


def with_unit(field: Field, value: Value, currency: str = "") -> str:
    """The same with its unit, for sentences; `off` where it is."""
    if value is None:
        return OFF
    text = shown(field, value)
    if isinstance(value, bool | str):
        return text
    if field.unit == MONEY:
        return f"{currency} {value:,.15g}".strip()
    return f"{text}\u00a0{field.unit}" if field.unit else text


def read(field: Field, text: str) -> Value:
    """What a person typed into a field as the file has it.

    Raises InputError, whose sentence has the range and the nearest value that is allowed.
    """
    text = text.strip()
    if field.kind in {"switch", "choice", "text"}:
        return _word(field, text)
    if text.lower() in {"", OFF} and field.optional:
        return None
    number = _number(field, text)
    if number is None:
        what = "a whole number" if field.kind == "whole" else "a number"
        raise _refused(field, text, f"it must be {what}", "")
    value: float | int = int(number) if field.kind == "whole" else float(number)
    nearest = _nearest(field, value)
    if nearest is not None:
        raise _refused(field, text, "it is out of range", _bound(field, nearest))
    return value


def _word(field: Field, text: str) -> Value:
    if field.kind == "text":
        return text or None if field.optional else text
    choices = ("on", OFF) if field.kind == "switch" else field.choices
    if text not in choices:
        raise _refused(field, text, f"it must be one of {', '.join(choices)}", "")
    return text == "on" if field.kind == "switch" else text


def _number(field: Field, text: str) -> Decimal | None:
    """A number without unit and thousands; None where it is none."""
    bare = text.removesuffix(field.unit).strip() if field.unit else text
    if WHOLE_NUMBER.fullmatch(bare):
        bare = re.sub(r"[, \u00a0]", "", bare)
    try:
        number = Decimal(bare.replace("\u2212", "-")) / SCALES.get(field.unit, 1)
    except InvalidOperation:
        return None
    if not number.is_finite() or (field.kind == "whole" and number != number.to_integral_value()):
        return None
    return number if math.isfinite(float(number)) else None


def _nearest(field: Field, value: float) -> float | None:
    """The nearest value that is allowed; None where the value is."""
    step = 1.0 if field.kind == "whole" else 0.0
    low, high = field.low, field.high
    if low is not None and (value < low or (field.low_open and value <= low)):
        inside = low + (step or max(abs(low), 1.0) * LEAST_PART)
        return _rounded(field, inside) if field.low_open else low
    if high is not None and (value > high or (field.high_open and value >= high)):
        inside = high - (step or max(abs(high), 1.0) * LEAST_PART)
        return inside if field.high_open else high
    return None


def _rounded(field: Field, inside: float) -> float:
    """Above an open 0 a number that people would type."""
    readable = 0.01 / SCALES.get(field.unit, 1)
    below = field.high is None or readable < field.high
    return readable if field.low == 0 and field.kind == "number" and below else inside


def _refused(field: Field, text: str, why: str, nearest: str) -> InputError:
    unit = f"\u00a0{field.unit}" if field.unit not in {"", MONEY} else ""
    near = f" The nearest is {nearest}{unit}." if nearest else ""
    typed = repr(text[:60]) if text else "empty"
    return InputError(
        f"{field.label} is {typed}: {why}. {field.range}{near}".replace("  ", " "),
        code="setting_out_of_range",
        place=field.key,
        value=text[:60],
        limit=field.range,
        hint=near.strip(),
    )


def _table_label(table: str) -> str:
    return _words(table.replace(".", ": "))


def _words(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
