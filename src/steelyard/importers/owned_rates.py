"""Rates of all that is owned into the base, up to the as-of date: the file's, or the holdings'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import InputError, PlanRefused
from steelyard.importers.book import HoldingsFile
from steelyard.importers.disagreements import (
    Ruling,
)
from steelyard.importers.fx import FxFile
from steelyard.importers.quotes import Findings, Pricing, some
from steelyard.importers.rates import plausible, rate_jump, stated_rate
from steelyard.importers.values import NOTHING
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.notices import Notice
from steelyard.portfolio import Holding, Security

NEAR_ONE = Decimal("0.02")
"""By how much the price of a fund of the money market may differ from 1."""


def needs(
    holdings: Sequence[Holding],
    securities: Sequence[Security],
    cash: Iterable[tuple[str, Decimal]],
    base: str,
) -> dict[str, list[str]]:
    """Foreign currencies and what is owned in them; a balance of 0 needs no rate."""
    currencies = {security.symbol: security.currency for security in securities}
    owned = [(currencies[h.symbol], h.symbol) for h in holdings if h.quantity]
    owned += [(currency, "cash") for currency, balance in cash if balance]
    needed: dict[str, list[str]] = {}
    for currency, name in owned:
        if currency != base:
            needed.setdefault(currency, []).append(name)
    return needed


def rates_of(
    file: FxFile | None, base: str, currencies: Iterable[str], pricing: Pricing, findings: Findings
) -> FxTable:
    """Rates of the currencies into the base currency, up to the as-of date.

    The file of rates where it has a currency, else what the holdings file values it by.
    """
    rates: dict[str, tuple[FxRate, ...]] = {}
    owned = pricing.files.holdings
    for currency in sorted(set(currencies) - {base}):
        if file and currency in file.rates:
            rates[currency] = file.rates[currency]
            refused = rate_jump(rates[currency], pricing.day, pricing.accepted)
            findings.reasons += [refused] if refused else []
        elif owned.base in {base, ""} and currency in owned.rates:
            rate = FxRate(currency, owned.rates[currency], owned.as_of or pricing.day)
            rates[currency] = (rate,)
            message = f"{owned.file} values {currency} at {plain(rate.rate)} {base}: that was used."
            findings.notices.append(Notice(code="rate_from_holdings", message=message, head=True))
            refused = stated_rate(rate, base, owned.file)
            findings.reasons += [refused] if refused else []
    findings.reasons += _other_base(owned, base)
    for ruling in _unchecked(rates, base, pricing):
        findings.rule(ruling)
    if file and base in file.rates:
        findings.reasons.append(_base_rated(file, base))
    return FxTable(base, MappingProxyType(rates)).until(pricing.day)


def _other_base(owned: HoldingsFile, base: str) -> Iterator[InputError]:
    """A file that values the base currency at anything but 1 counts in another."""
    rate = owned.rates.get(base, Decimal(1))
    if abs(rate - 1) > NEAR_ONE:
        hint = "Say in which currency the account counts: --base"
        yield InputError(
            f"{owned.file} values one {base} at {plain(rate)} of its own currency, so it does not "
            f"count in {base}. {NOTHING} {hint}.",
            code="other_base",
            place="--base",
            value=base,
            hint=hint,
        )


def _unchecked(
    rates: Mapping[str, Sequence[FxRate]], base: str, pricing: Pricing
) -> Iterator[Ruling]:
    """Rates of which no range is known: whether they are the right way round cannot be told."""
    for currency, dated in sorted(rates.items()):
        newest = next((rate for rate in reversed(dated) if rate.on <= pricing.day), None)
        if newest is None or plausible(currency, base, newest.on.year) is not None:
            continue
        figure = f"One {currency} is counted as {plain(newest.rate)} {base}"
        if currency in pricing.accepted:
            message = f"{figure}; the rate was accepted."
            yield Ruling(notice=Notice(code="accepted_price", message=message, head=True))
            continue
        hint = f"If it is right and not upside down, say so with --accept-price {currency}"
        yield Ruling(
            PlanRefused(
                f"{figure}, and nothing here knows what is usual for {currency}. {NOTHING} {hint}.",
                code="rate_unchecked",
                place=currency,
                value=plain(newest.rate),
                hint=hint,
            )
        )


def _base_rated(file: FxFile, base: str) -> InputError:
    what = f"{file.file} has rates of {base}, the base currency itself"
    rule = f"a rate is units of {base} for one unit of another currency"
    hint = "Give rates into that base, or say which base they are of with --base"
    return InputError(
        f"{what}; {rule}. {NOTHING} {hint} (in Python base_currency).",
        code="base_rated",
        place=file.file,
        hint=hint,
    )


def check_rates(
    needed: Mapping[str, Sequence[str]], fx: FxTable, pricing: Pricing, *, assumed: bool
) -> Iterator[PlanRefused]:
    """Owned in a currency without a rate: the value is unknown. The rest the planner may leave.

    assumed   nobody says in which currency the account counts
    """
    file, day = pricing.files.fx, pricing.day
    hint = "Give one with --fx"
    hint += f", or say in which currency the account counts, if not {fx.base}: --base" * assumed
    where = f"{file.file} has none at or before {day}" if file else "no file of rates was given"
    for currency in sorted(needed):
        if not fx.known(currency):
            by = some(needed[currency])
            missing = f"There is no rate of {currency} into {fx.base}, needed by {by}: {where}"
            yield PlanRefused(
                f"{missing}. {NOTHING} {hint}.",
                code="no_rate",
                place="--fx",
                value=currency,
                hint=hint,
            )


def balances_of(cash: Mapping[str, Decimal], base: str, fx: FxTable) -> Mapping[str, Decimal]:
    """Balances by currency, the base always among them; without foreign zeros of no rate."""
    rated = {name: balance for name, balance in cash.items() if balance or fx.known(name)}
    return MappingProxyType(dict(sorted({base: ZERO, **rated}.items())))
