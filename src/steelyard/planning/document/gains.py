"""What the plan's sales realise: by term, against the year's budget, taxed, and in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.planning.costs import exact, is_taxed
from steelyard.planning.document.orders import lots_of, priced_of
from steelyard.planning.solve import Solution
from steelyard.plans.account import RealisedGain
from steelyard.portfolio import TaxLot
from steelyard.sentences import Fact, Sentence, say


@dataclass(frozen=True, slots=True)
class _Sold:
    """A lot that the plan sells: its gain in base currency, None where its cost is unknown."""

    symbol: str
    lot: TaxLot
    gain: Decimal | None
    is_long: bool


def _sold(m: Solution) -> Iterator[_Sold]:
    for j in m.choice.plan.row:
        if m.orders.is_buy[j]:
            continue
        i = int(m.orders.security[j])
        lots = m.ctx.lots_sold(i, m.orders.quantity[j])
        for (lot, _), row in zip(lots, lots_of(m, j), strict=True):
            symbol = priced_of(m, j).security.symbol
            yield _Sold(symbol, lot, row.gain, m.ctx.lot_rule.is_long(lot))


def realised_gain(m: Solution) -> RealisedGain | None:
    """By term; None where nothing is sold."""
    sold, budget = list(_sold(m)), m.ctx.lots.max_gain_base
    if not sold:
        return None
    return RealisedGain(
        short=_total([lot.gain for lot in sold if not lot.is_long]),
        long=_total([lot.gain for lot in sold if lot.is_long]),
        currency=m.ctx.base_currency,
        before=m.ctx.state.realised_gain,
        budget=None if budget is None else exact(budget),
    )


def _total(gains: list[Decimal | None]) -> Decimal | None:
    """None where one is unknown."""
    amounts = [gain for gain in gains if gain is not None]
    return sum(amounts, ZERO) if len(amounts) == len(gains) else None


def tax_of(m: Solution) -> Decimal | None:
    """Tax that the plan's sales make payable: nothing on a net loss.

    None without a rate, or where the cost of a sold lot is unknown.
    """
    sold, rule = list(_sold(m)), m.ctx.lot_rule
    if not is_taxed(m.ctx) or any(lot.gain is None for lot in sold):
        return None
    taxes = (rule.rate(lot.lot) * lot.gain for lot in sold if lot.gain is not None)
    return max(ZERO, sum(taxes, ZERO))


def sentences(m: Solution) -> list[Sentence]:
    """What the sales realise, for whom that is unknown, and what the broker must be told."""
    sold = list(_sold(m))
    if not sold:
        return []
    parts = [*_gained(m, sold), *_unknown(sold)]
    if m.ctx.lots.method == "specific" and _is_choice(m):
        parts.append(say("The broker must be told which lots are sold: each sale lists them."))
    return parts


def _gained(m: Solution, sold: list[_Sold]) -> Iterator[Sentence]:
    """The net gain over the lots of known cost, by term, and what it makes of the year's."""
    gains = [(lot.gain, lot.is_long) for lot in sold if lot.gain is not None]
    if not gains:
        return
    terms = {term: sum((g for g, of in gains if of is term), ZERO) for term in (False, True)}
    net, both = sum(terms.values(), ZERO), {of for _, of in gains} == terms.keys()
    words = "The sales realise a net {what:text} of {gain_currency:text} {gained:money}"
    facts: dict[str, Fact] = {
        "what": "loss" if net < 0 else "gain",
        "gain_currency": m.ctx.base_currency,
        "gained": abs(net),
    }
    if both:
        words += ": {gained_short:money} short-term and {gained_long:money} long-term"
        facts |= {"gained_short": terms[False], "gained_long": terms[True]}
    else:
        words += ", long-term" if gains[0][1] else ", short-term"
    if any(lot.lot.acquired is None for lot in sold):
        words += "; a lot without a date counts as short-term"
    yield say(f"{words}.", **facts)
    budget, before = m.ctx.lots.max_gain_base, m.ctx.state.realised_gain
    if budget is not None:
        year = {"gain_year": net + (before or ZERO), "gain_budget": exact(budget)}
        since = "" if before is not None else ", nothing being known of what was sold before"
        words = "That makes {gain_year:money} this year, of at most {gain_budget:money}"
        yield say(f"{words}{since}.", **year)


def _unknown(sold: list[_Sold]) -> Iterator[Sentence]:
    """The symbols of which a lot without a cost is sold."""
    symbols = sorted({lot.symbol for lot in sold if lot.gain is None})
    if symbols:
        yield say(
            "What is realised is unknown for {gain_unknown:text}: no cost is given.",
            gain_unknown=", ".join(symbols),
        )


def _is_choice(m: Solution) -> bool:
    """Is one of the holdings that are sold from in several lots?"""
    sales = [j for j in m.choice.plan.row if not m.orders.is_buy[j]]
    holdings = [m.ctx.holdings[m.orders.security[j]] for j in sales]
    return any(holding is not None and len(holding.lots) > 1 for holding in holdings)
