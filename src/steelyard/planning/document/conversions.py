"""What is converted: cash pays first for what is quoted in it, and the rest converts.

1. every order moves cash of its own currency; commission and spread are of the base currency
2. a currency that ends under 0 is bought with base cash and with what other currencies have over
3. where base cash ends under what open buys may take, it is filled from foreign cash, no further
4. where charges still leave it under 0, or further under, what sales brought to a currency that is
   under 0 pays them: of a debt a little less is paid, and there is no other

Amounts that no order says are of whole cents, up: no balance ends under 0 by rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.orders import Conversion

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Cashed:
    """An order as cash sees it: `notional` of its currency, `charge` of the base currency."""

    side: Side
    currency: str
    notional: Decimal
    charge: Decimal

    @property
    def moves(self) -> Decimal:
        """What it does to the cash of its currency."""
        return self.notional if self.side is Side.SELL else -self.notional


@dataclass(frozen=True, slots=True)
class Converted:
    """What orders convert, what each order's own part of it costs, and every balance then."""

    conversions: tuple[Conversion, ...]
    margins: tuple[Decimal, ...]
    balances: dict[str, Decimal]


@dataclass(slots=True)
class _Desk:
    """Balances while money is converted.

    rates      currency -> base per unit, foreign ones
    margin     cost of a conversion, a share of its amount
    promised   base cash that is no plan's to convert
    """

    base: str
    rates: Mapping[str, Decimal]
    margin: Decimal
    promised: Decimal
    balances: dict[str, Decimal]

    def foreign(self) -> Iterator[str]:
        """Foreign currencies, sorted."""
        return (currency for currency in sorted(self.balances) if currency != self.base)

    def spare(self) -> Decimal:
        """What could be converted, base currency, all margins paid."""
        over = self.balances[self.base] - self.promised
        others = (self.balances[c] * self.rates[c] for c in self.foreign() if self.balances[c] > 0)
        return max(over + sum(others, ZERO) * (1 - self.margin), ZERO)

    def buy(self, currency: str) -> Conversion | None:
        """What a currency lacks, as far as there is money; base cash is filled afterwards."""
        rate, lacks = self.rates[currency], -self.balances[currency]
        price = rate * (1 + self.margin)
        if lacks * price > self.spare():
            lacks = (self.spare() / price).quantize(CENT, ROUND_FLOOR)
        if lacks <= 0:
            return None
        amount = lacks * rate
        self.balances[currency] += lacks
        self.balances[self.base] -= amount * (1 + self.margin)
        return Conversion(
            from_=self.base, to=currency, amount=amount, rate=1 / rate, cost=amount * self.margin
        )

    def sell(self, currency: str, least: Decimal, stays: Decimal) -> Conversion | None:
        """As much of a currency, what `stays` of it apart, as base cash lacks of its `least`."""
        lacks, over = least - self.balances[self.base], self.balances[currency] - stays
        if lacks <= 0 or over <= 0:
            return None
        rate = self.rates[currency]
        asked = (lacks / (rate * (1 - self.margin))).quantize(CENT, ROUND_CEILING)
        amount = min(asked, over)
        self.balances[currency] -= amount
        self.balances[self.base] += amount * rate * (1 - self.margin)
        return Conversion(
            from_=currency, to=self.base, amount=amount, rate=rate,
            cost=amount * rate * self.margin,
        )  # fmt: skip


def converted(
    balances: Mapping[str, Decimal],
    orders: Sequence[Cashed],
    base: str,
    rates: Mapping[str, Decimal],
    terms: tuple[Decimal, Decimal],
) -> Converted:
    """Orders carried out on balances, sells first.

    terms   cost of a conversion as a share of it; base cash that open buys may take
    """
    margin, promised = terms
    before = {**balances, base: balances.get(base, ZERO)}
    after = dict(before)
    for order in orders:
        after[order.currency] = after.get(order.currency, ZERO) + order.moves
        after[base] -= order.charge
    stays = max(min(promised, before[base]), ZERO)  # what was not there nobody converts for
    desk = _Desk(base, rates, margin, stays, after)
    lines = [*_converted(desk, before)]
    margins = _margins(before, orders, lines, (base, rates, margin))
    there = {c: amount for c, amount in sorted(after.items()) if amount or c in before}
    return Converted(tuple(lines), margins, there)


def _converted(desk: _Desk, before: Mapping[str, Decimal]) -> Iterator[Conversion]:
    """The conversions, in their order: each step from the balances that the one before leaves."""
    after, stays = desk.balances, desk.promised
    for currency in [c for c in desk.foreign() if after[c] < 0]:
        line = desk.buy(currency)
        yield from () if line is None else (line,)
    for owes in (False, True):
        least = min(stays, before[desk.base]) if owes else stays
        for currency in [c for c in desk.foreign() if (after[c] < 0) is owes]:
            line = desk.sell(currency, least, min(before.get(currency, ZERO), ZERO) * owes)
            yield from () if line is None else (line,)


def _margins(
    before: Mapping[str, Decimal],
    orders: Sequence[Cashed],
    lines: Iterable[Conversion],
    how: tuple[str, Mapping[str, Decimal], Decimal],
) -> tuple[Decimal, ...]:
    """What converting costs each order: a buy what its currency lacks, a sale what leaves it.

    What an order of the other side, cash that was there, or a flow converts is none's.
    """
    base, rates, margin = how
    own = dict(before)
    leaves = {line.from_: line.amount for line in lines if line.from_ != base}
    margins: list[Decimal] = []
    for order in orders:
        if order.currency == base:
            margins.append(ZERO)
            continue
        pot = own if order.side is Side.BUY else leaves
        part = min(order.notional, max(pot.get(order.currency, ZERO), ZERO))
        pot[order.currency] = pot.get(order.currency, ZERO) - part
        if order.side is Side.SELL:
            own[order.currency] = own.get(order.currency, ZERO) + order.notional
        else:
            part = order.notional - part
        margins.append(part * rates[order.currency] * margin)
    return tuple(margins)
