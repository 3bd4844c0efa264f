"""Do the records of a context fit together? Of n securities and m orders every array has as many.

What is sent under its own hash may still lie: it is refused before anything is calculated with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from steelyard.arrays import Factored
from steelyard.errors import InputError
from steelyard.estimates.estimate import METRICS, Estimates
from steelyard.estimates.trends import Trends
from steelyard.ledger import Account, ExactCash, Gains
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import ClassBand, Context, Grouping
from steelyard.money import ExactMoney

Sizes = dict[str, int]
"""Letter -> size; the others of a record's letters are its own."""


def fields_of(kind: Any) -> tuple[str, ...]:
    """Names of a record's fields."""
    return tuple(field.name for field in fields(kind))


def _each(letters: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), letters)


SHAPES: Mapping[type, Mapping[str, str]] = {
    Context: _each(
        "n",
        "symbols securities holdings prices fx quantities sellable weights target_weights "
        "average_cost years_held days_since_bought days_since_sold tradable can_buy can_sell "
        "is_fund dividend_yield neutral_mix band_half",
    ),
    Grouping: {"labels": "g", "shares": "ng", "labelled": "n"},
    Estimates: {
        **_each("n", "expected_return volatility quality drawdown missing"),
        "correlation": "nn",
    },
    Factored: {"diagonal": "n", "factors": "nk", "weights": "k"},
    Trends: _each("n", "momentum peaks"),
    ExactMoney: _each("n", "shares rates"),
    Candidates: _each(
        "m",
        "ids security is_buy quantity delta cost tax full_exit proposals refined_from free "
        "priority together alone paired diverse",
    ),
    Account: {
        **_each("m", "security delta cost"),
        "conflicts": "mm",
        "group_shares": "mg",
        "group_weights": "g",
        "group_cap": "g",
    },
    ExactCash: {"flows": "m"},
    Gains: {"of": "m"},
}
"""Record -> field -> its shape, as the record's own text says it."""
UNKNOWN: Mapping[type, frozenset[str]] = {
    Context: frozenset(
        ["prices", "fx", "average_cost", "years_held", "days_since_bought", "days_since_sold"]
    ),
    Trends: frozenset(fields_of(Trends)),
    Candidates: frozenset({"alone", "paired"}),
}
"""Record -> fields of numbers that may be NaN, or infinite; all others are finite."""
MAY_BE_EMPTY = {(Candidates, "refined_from"), (Account, "conflicts")}
BELOW: Mapping[type, Mapping[str, str]] = {
    ClassBand: {"members": "n"},
    Candidates: {"security": "n", **_each("m", "draws pool base cover")},
    Account: {"security": "n"},
}
"""Record -> field of indices -> into how many."""


def fitted(ctx: Context, table: Candidates | None) -> None:
    """Raises InputError for what does not fit, with its place."""
    sizes = {"n": ctx.n}
    _fit(ctx, "context", sizes)
    for name in ("prices", "fx"):
        traded = getattr(ctx, name)[ctx.tradable]
        if not (np.isfinite(traded) & (traded > 0)).all():
            raise _unfit(f"context.{name}", "not above 0", "a price of all that is tradable")
    if ctx.estimates.missing.keys() != set(METRICS):
        raise _unfit("context.estimates.missing", sorted(ctx.estimates.missing), sorted(METRICS))
    if table is not None:
        _fit(table, "table", {**sizes, "m": table.m})
        gains = table.account.gains
        if gains is not None and gains.exact is not None and len(gains.exact[0]) != table.m:
            raise _unfit("table.account.gains.exact", len(gains.exact[0]), table.m)


def _fit(record: Any, at: str, sizes: Sizes) -> None:
    kind, own = type(record), dict(sizes)
    for name, letters in SHAPES.get(kind, {}).items():
        for shape in _shapes(getattr(record, name)):
            if (kind, name) not in MAY_BE_EMPTY or any(shape):
                _agree(f"{at}.{name}", shape, letters, own)
    for name in fields_of(kind):
        value = getattr(record, name)
        if name not in UNKNOWN.get(kind, ()) and not _finite(value):
            raise _unfit(f"{at}.{name}", "not finite", "numbers")
    for name, letter in BELOW.get(kind, {}).items():
        _inside(f"{at}.{name}", getattr(record, name), own[letter])
    for name in fields_of(kind):
        for part in _records(getattr(record, name)):
            _fit(part, f"{at}.{name}", sizes)


def _finite(value: Any) -> bool:
    """Is every number finite, of an array of numbers, or one?"""
    return not isinstance(value, float | np.ndarray) or bool(np.isfinite(value).all())


def _shapes(value: Any) -> Iterator[tuple[int, ...]]:
    """Of an array, a list, each entry of a mapping; none of what is absent or one number."""
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from _shapes(entry)
    elif isinstance(value, np.ndarray | Factored):
        yield value.shape
    elif isinstance(value, tuple):
        yield (len(value),)


def _records(value: Any) -> Iterable[Any]:
    """The records of a field that have shapes."""
    parts = value if isinstance(value, tuple) else (value,)
    return [part for part in parts if is_dataclass(part) and (type(part) in {*SHAPES, *BELOW})]


def _agree(at: str, shape: tuple[int, ...], letters: str, sizes: Sizes) -> None:
    """The letters of a shape stand for the same sizes everywhere."""
    if len(shape) != len(letters):
        raise _unfit(at, shape, f"({', '.join(letters)})")
    due = tuple(sizes.setdefault(letter, size) for letter, size in zip(letters, shape, strict=True))
    if shape != due:
        raise _unfit(at, shape, due)


def _inside(at: str, value: Any, size: int) -> None:
    """Indices into so many."""
    rows = value.values() if isinstance(value, Mapping) else (value,)
    for row in rows:
        indices = np.asarray(row, dtype=np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < size:
            raise _unfit(at, f"{indices.min()} to {indices.max()}", f"0 to {size - 1}")


def _unfit(at: str, value: object, due: object) -> InputError:
    return InputError(
        f"The context does not fit together: {at} is {value} where {due} is due. Nothing was kept.",
        code="context_unfit",
        place=at,
        value=value,
        limit=due,
    )
