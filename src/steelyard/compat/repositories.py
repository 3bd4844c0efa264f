"""What the documents' repositories and services are asked for; any object with these methods will
do, sync or async: last trades for cooldowns, settings of the account, rates of what is foreign.

What one of them raises comes through as it is: without its answer nothing is planned.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypeVar, cast

from steelyard import strategies
from steelyard.compat.records import NOTHING, is_number, shown, unusable
from steelyard.errors import InputError, did_you_mean
from steelyard.strategies import Strategy

T = TypeVar("T")
Setting = float | int | str
Trades = Mapping[str, Mapping[str, date | str | None]]


class TradeRepository(Protocol):
    """The trades of the account."""

    def get_trade_history(self) -> Trades | Awaitable[Trades]:
        """Symbol -> `last_buy` and `last_sell`, each a date, ISO text or None."""


class SettingsRepository(Protocol):
    """The settings of the account; a plain mapping will do as well."""

    def get_all(self) -> Mapping[str, Setting] | Awaitable[Mapping[str, Setting]]:
        """Every setting by its name."""


class ExchangeRateService(Protocol):
    """Exchange rates as of the plan's date."""

    def get_rate(self, from_currency: str, to_currency: str) -> float | Awaitable[float]:
        """Units of `to_currency` for one unit of `from_currency`."""


@dataclass(frozen=True, slots=True)
class LastTraded:
    """Dates of the last buy and the last sale of a security; None = none on record."""

    bought: date | None
    sold: date | None


KNOWN_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "transaction_cost_fixed": ("costs.fixed",),
    "transaction_cost_percent": ("costs.percent",),
    "max_plan_depth": ("search.max_depth",),
    "min_hold_days": ("filters.eligibility.min_hold_days",),
    "sell_cooldown_days": ("filters.recently_traded.sell_cooldown_days",),
    "min_security_score": (
        "opportunity_calculators.opportunity_buys.min_quality_score",
        "opportunity_calculators.averaging_down.min_quality_score",
    ),
    "max_loss_threshold": ("filters.eligibility.no_panic_sell_pct",),
    "min_cash_reserve": ("limits.cash_reserve_weight",),
}
"""Setting of the account -> what of a strategy it sets."""

UNUSED_SETTINGS = ("target_annual_return", "optimizer_blend", "optimizer_target_return")
"""Settings of an optimiser that there is none of here: target weights come from the caller."""
WHOLE = frozenset({"max_plan_depth", "min_hold_days", "sell_cooldown_days"})


async def answer(value: T | Awaitable[T]) -> T:
    """The value of a call that may be async."""
    return cast(T, await value if inspect.isawaitable(value) else value)


async def last_traded(repository: object | None) -> dict[str, LastTraded]:
    """Symbol -> last buy and sale, none without a repository; InputError for other answers."""
    if repository is None:
        return {}
    history = await answer(_method(repository, "trade_repo", "get_trade_history")())
    entries = _mapping(history, "The trade history")
    return {symbol: _last(symbol, entry) for symbol, entry in entries.items()}


def _mapping(entry: object, what: str) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise unusable(what, shown(entry), "a mapping")
    return entry


def _last(symbol: str, dates: object) -> LastTraded:
    entry = _mapping(dates, f"The trade history of {symbol}")
    keys = ("last_buy", "last_sell")
    for key in entry:
        if key not in keys:
            near = did_you_mean(str(key), keys)
            what = f"The trade history has {key!r} for {symbol}"
            raise InputError(
                f"{what}; known are last_buy and last_sell.{near} {NOTHING}",
                code="unknown_trade_key",
                place=f"trade history of {symbol}",
                value=str(key),
                limit=", ".join(keys),
                hint=near.strip(),
            )
    return LastTraded(*(day(entry.get(key), f"{key} of {symbol}") for key in keys))


def day(value: date | str | None, what: str) -> date | None:
    """A date from a date, a time or ISO text; raises InputError for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError) as error:
        raise unusable(f"The {what}", repr(value), "a date like 2026-01-31") from error


async def account_settings(repository: object | None) -> dict[str, float]:
    """The account's settings as numbers, none without a repository; InputError for others."""
    if repository is None:
        return {}
    settings = repository
    if not isinstance(repository, Mapping):
        settings = await answer(_method(repository, "settings_repo", "get_all")())
    settings = _mapping(settings, "What settings_repo gives")
    names = (*KNOWN_SETTINGS, *UNUSED_SETTINGS)
    for name in settings:
        if name not in names:
            what = f"settings_repo has {name!r}, which nothing reads"
            near = did_you_mean(str(name), names)
            raise InputError(
                f"{what}.{near} Known: {', '.join(names)}.",
                code="unknown_account_setting",
                place="settings_repo",
                value=str(name),
                limit=", ".join(names),
                hint=near.strip(),
            )
    return {name: _number(name, value) for name, value in settings.items()}


def _number(name: str, value: Setting) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or (name in WHOLE and number != int(number)):
        kind = "a whole number" if name in WHOLE else "a number"
        raise unusable(f"The setting {name}", repr(value), kind)
    return number


def as_changes(settings: Mapping[str, float], value: float) -> dict[str, Any]:
    """What the settings of the account change of a strategy, by dotted key.

    value   of the account in its currency: a reserve in money is a share of it
    Raises InputError for a reserve above the value and for a loss threshold outside -1..0.
    """
    return {
        key: _converted(name, number, value)
        for name, number in settings.items()
        for key in KNOWN_SETTINGS.get(name, ())
    }


def _converted(name: str, number: float, value: float) -> float | int:
    if name == "min_cash_reserve":
        if not 0 <= number <= value:
            what = f"min_cash_reserve is {number:,.2f} of an account worth {value:,.2f}"
            raise InputError(
                f"{what}. Nothing was planned: lower it.",
                code="reserve_over_value",
                place=name,
                value=f"{number:g}",
                limit=f"{value:g}",
                hint="lower it",
            )
        return number / value if value else 0.0
    if name == "max_loss_threshold":
        if not -1 <= number <= 0:
            rule = "it is a loss, from -1 to 0, like -0.2 for 20 %"
            raise InputError(
                f"max_loss_threshold is {number:g}; {rule}. {NOTHING}",
                code="loss_threshold_range",
                place="max_loss_threshold",
                value=f"{number:g}",
                limit=rule,
            )
        return -number
    return int(number) if name in WHOLE else number


def with_settings(
    strategy: Strategy, settings: Mapping[str, float], value: float
) -> tuple[Strategy, tuple[str, ...]]:
    """The strategy with the account's settings where it leaves a default; and what went unused."""
    changes: dict[str, Any] = {}
    because = "of the account is not used: target weights come from the caller."
    idle = [f"The setting {name} {because}" for name in settings if name in UNUSED_SETTINGS]
    for key, number in as_changes(settings, value).items():
        who = strategy.sources.get(key)
        if who is None:
            _put(changes, key, number)
        else:
            idle.append(
                f"The account's settings have {key} = {number:g}; the configuration sets it too "
                f"({who}) and was used."
            )
    if changes:
        strategy = strategies.overlay(strategy, changes, why="account settings", name=strategy.name)
    return strategy, tuple(idle)


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in nested tables."""
    *path, last = key.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
    tree[last] = value


async def exchange_rate(service: object, currency: str, base: str) -> float:
    """Units of `base` for one unit of `currency`; raises InputError for a rate not above 0."""
    rate: Any = await answer(_method(service, "exchange_rate_service", "get_rate")(currency, base))
    if not is_number(rate) or rate <= 0:
        what = f"exchange_rate_service gives {rate!r} {base} for one {currency}"
        raise InputError(
            f"{what}; a rate is above 0. {NOTHING}",
            code="rate_not_positive",
            place=f"exchange_rate_service, {currency}",
            value=repr(rate),
            limit="above 0",
        )
    return float(rate)


def _method(owner: object, name: str, method: str) -> Any:
    function = getattr(owner, method, None)
    if not callable(function):
        what = f"The {name} is a {type(owner).__name__} without {method}()"
        raise InputError(
            f"{what}. Nothing was planned: give an object that has it.",
            code="no_such_method",
            place=name,
            value=type(owner).__name__,
            limit=f"{method}()",
            hint="give an object that has it",
        )
    return function
