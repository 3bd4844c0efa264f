"""Separate books in one account: what belongs to which bucket, and what each plans with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, Self, get_args

from pydantic import model_validator

from steelyard.buckets.satellite import DividendHandling, SatelliteSettings
from steelyard.buckets.sliders import strategy_of
from steelyard.canonical import plain
from steelyard.errors import InputError, SettingsError, did_you_mean, each
from steelyard.money import ZERO
from steelyard.portfolio import BucketState, Snapshot
from steelyard.settings import SUM_TOLERANCE, Fraction, Section, setting
from steelyard.strategies import Strategy
from steelyard.targets import Targets

UNASSIGNED = "UNASSIGNED"
"""The book of what is held and in no bucket's universe: reported, traded by nobody."""
CASH_TOLERANCE = Decimal("0.01")
"""By how much the buckets' cash of one currency may differ from the account's."""

Kind = Literal["core", "satellite"]
Status = Literal["accumulating", "active"]


class Budgets(Section):
    """How much of an account satellites may be aimed at; the one source of these numbers."""

    satellites_weight: float = setting(
        0.0, "targets of all satellites together, of the account", ge=0, le=0.30
    )
    least_weight: Fraction = setting(0.02, "least target of an active satellite, of the account")
    most_weight: Fraction = setting(0.15, "greatest target of a satellite, of the account")

    @model_validator(mode="after")
    def _least_under_most(self) -> Self:
        if self.least_weight > self.most_weight:
            what = f"least_weight {self.least_weight:g} is above most_weight {self.most_weight:g}"
            raise ValueError(f"{what}: no target lies between them")
        return self


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """One book of an account.

    target_weight   of the account's value: the budget
    universe        symbols that it may hold; a symbol is in one bucket only
    cash            currency -> its own part of the account's balance
    rules           a strategy, or the settings of a satellite
    status          accumulating: being filled for the first time, so that its size says nothing yet
    state           what it remembers between plans, see `state_of`
    """

    name: str
    kind: Kind
    target_weight: float
    universe: frozenset[str]
    cash: Mapping[str, Decimal]
    rules: Strategy | SatelliteSettings
    status: Status = "active"
    state: BucketState = field(default_factory=BucketState)

    @property
    def strategy(self) -> Strategy:
        """What its plans are made by."""
        return strategy_of(self.rules) if isinstance(self.rules, SatelliteSettings) else self.rules

    @property
    def dividends(self) -> DividendHandling:
        """Where its dividends go: the core and a satellite without settings have no choice."""
        if self.kind == "core":
            return "accumulate_cash"
        return self.rules.dividends if isinstance(self.rules, SatelliteSettings) else "send_to_core"


def split(
    snapshot: Snapshot, buckets: Sequence[Bucket], budgets: Budgets | None = None
) -> Mapping[str, Snapshot]:
    """Each bucket's own snapshot, by name: its holdings, securities, open orders and cash alone.

    What is held, or in an open order, and in no universe is the snapshot UNASSIGNED. Money on its
    way is the core's: the buckets name settled cash alone. All books share the market.
    Raises SettingsError for budgets that do not add up, InputError for universes or cash that are
    not the account's.
    """
    _check_budgets(buckets, budgets or Budgets())
    _check_universes(snapshot, buckets)
    _check_cash(snapshot, buckets)
    settled = replace(snapshot, settling=())
    of_kind = {"core": snapshot, "satellite": settled}
    books = {b.name: _book(of_kind[b.kind], b.name, b.universe, b.cash) for b in buckets}
    owned = {holding.symbol for holding in snapshot.holdings if holding.quantity}
    owned |= {order.symbol for order in snapshot.open_orders}
    strays = frozenset(owned.difference(*(bucket.universe for bucket in buckets)))
    if strays:
        books[UNASSIGNED] = _book(settled, UNASSIGNED, strays, {})
    return MappingProxyType(books)


def targets_of(bucket: Bucket, targets: Targets) -> Targets:
    """The bucket's own targets, never rescaled: fractions of its value; InputError for others'."""
    aimed_at = {symbol for symbol, weight in targets.weights.items() if weight > 0}
    strangers = sorted(aimed_at - bucket.universe)
    if strangers:
        raise InputError(
            f"The targets of bucket {bucket.name} name {', '.join(strangers)}, not in its universe."
            " Nothing was planned: take them out of its targets, or put them into its universe.",
            code="targets_outside_universe",
            place=f"bucket {bucket.name}",
            value=", ".join(strangers),
            hint="take them out of its targets, or put them into its universe",
        )
    return targets


def _book(
    snapshot: Snapshot, name: str, universe: frozenset[str], cash: Mapping[str, Decimal]
) -> Snapshot:
    return replace(
        snapshot,
        bucket=name,
        holdings=tuple(holding for holding in snapshot.holdings if holding.symbol in universe),
        securities=tuple(entry for entry in snapshot.securities if entry.symbol in universe),
        open_orders=tuple(order for order in snapshot.open_orders if order.symbol in universe),
        excluded=tuple(symbol for symbol in snapshot.excluded if symbol in universe),
        cash=MappingProxyType({snapshot.base_currency: ZERO, **cash}),
    )


def _check_budgets(buckets: Sequence[Bucket], budgets: Budgets) -> None:
    if problems := list(_budget_problems(buckets, budgets)):
        refusal = "The buckets do not make an account; nothing was planned."
        raise SettingsError(
            "\n".join([refusal, *problems]),
            code="bucket_budgets",
            faults=each("bucket_budgets", problems),
        )


def _budget_problems(buckets: Sequence[Bucket], budgets: Budgets) -> Iterable[str]:
    names = Counter(bucket.name for bucket in buckets)
    twice = {name: count for name, count in names.items() if count > 1}
    yield from (f"There are {count} buckets called {name}." for name, count in twice.items())
    if UNASSIGNED in names:
        yield f"No bucket may be called {UNASSIGNED}: that is the book of what is in none."
    cores = sum(bucket.kind == "core" for bucket in buckets)
    if cores != 1:
        yield f"There are {cores} core buckets; an account has one."
    for bucket in buckets:
        yield from _target_problems(bucket, budgets)
    satellites = math.fsum(bucket.target_weight for bucket in buckets if bucket.kind == "satellite")
    if not satellites <= budgets.satellites_weight + SUM_TOLERANCE:
        budget = (
            f"their budget is {budgets.satellites_weight:.2%} (satellites_weight, at most 30 %)"
        )
        yield f"The satellites are aimed at {satellites:.2%} of the account; {budget}."
    total = math.fsum(bucket.target_weight for bucket in buckets)
    if not total <= 1 + SUM_TOLERANCE:
        yield f"All buckets together are aimed at {total:.2%} of the account."


def _target_problems(bucket: Bucket, budgets: Budgets) -> Iterable[str]:
    for name, value, names in (
        ("kind", bucket.kind, get_args(Kind)),
        ("status", bucket.status, get_args(Status)),
    ):
        if value not in names:
            yield f"Bucket {bucket.name} has the {name} {value!r}; it may be {' or '.join(names)}."
    most = 1.0 if bucket.kind == "core" else budgets.most_weight
    free = bucket.kind == "core" or bucket.status == "accumulating"
    least = 0.0 if free else budgets.least_weight
    if not least <= bucket.target_weight <= most:
        aim = f"Bucket {bucket.name} is aimed at {bucket.target_weight:.2%} of the account"
        yield f"{aim}; it may be {least:.2%} to {most:.2%}."


def _check_universes(snapshot: Snapshot, buckets: Sequence[Bucket]) -> None:
    owner: dict[str, str] = {}
    names = {security.symbol for security in snapshot.securities} | set(snapshot.excluded)
    problems: list[str] = []
    for bucket in buckets:
        for symbol in sorted(bucket.universe):
            where = f"in the universe of {bucket.name}"
            if symbol in owner:
                other = f"in the universe of {owner[symbol]}"
                problems.append(f"{symbol} is {other} and of {bucket.name}.")
            if symbol not in names:
                near = did_you_mean(symbol, [*names])
                problems.append(f"{symbol} {where} is not a security of the account.{near}")
            owner.setdefault(symbol, bucket.name)
    if problems:
        refusal = "A security belongs to one bucket; nothing was planned."
        raise InputError(
            "\n".join([refusal, *problems]),
            code="bucket_universes",
            faults=each("bucket_universes", problems),
        )


def _check_cash(snapshot: Snapshot, buckets: Sequence[Bucket]) -> None:
    """Σ of the buckets' cash is the account's, currency by currency."""
    problems = [
        f"Bucket {bucket.name} has {amount} {currency}: that is no amount of money."
        for bucket in buckets
        for currency, amount in bucket.cash.items()
        if not (isinstance(amount, Decimal | int) and Decimal(amount).is_finite())
    ]
    if problems:
        refusal = "The buckets' cash is not usable; nothing was planned."
        raise InputError(
            "\n".join([refusal, *problems]),
            code="bucket_cash_unusable",
            faults=each("bucket_cash_unusable", problems),
        )
    for currency in sorted({*snapshot.cash}.union(*(bucket.cash for bucket in buckets))):
        account = snapshot.cash.get(currency, ZERO)
        booked = sum((bucket.cash.get(currency, ZERO) for bucket in buckets), ZERO)
        if not abs(booked - account) <= CASH_TOLERANCE:
            problems.append(
                f"The buckets have {plain(booked)} {currency} and the account {plain(account)}: "
                f"{plain(booked - account)} too {'much' if booked > account else 'little'}."
            )
    if problems:
        refusal = "The buckets' cash is not the account's; nothing was planned."
        allowed = f"At most {plain(CASH_TOLERANCE)} of difference is allowed."
        advice = f"{allowed} Correct the cash of the buckets."
        raise InputError(
            "\n".join([refusal, *problems, advice]),
            code="bucket_cash_differs",
            limit=plain(CASH_TOLERANCE),
            hint="correct the cash of the buckets",
            faults=each("bucket_cash_differs", problems),
        )
