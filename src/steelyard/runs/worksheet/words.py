"""What a worksheet says in sentences: what the edit costs first, then what stops it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from steelyard.planning.document.account import cash_ladder, late
from steelyard.planning.document.gains import sentences as gains
from steelyard.planning.narrative import NAMED, WHOLE_MONEY
from steelyard.planning.solve import Solution
from steelyard.planning.stated import owing
from steelyard.runs.worksheet.records import Against, Broken, Standing
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.sentences import Fact, Sentence, cased, say

SAME_POINTS = 0.00005
"""Of the score: a difference of less reads 0.00 points."""
SAME_DRIFT = 0.0005


def headline(sheet: Sheet, against: Against, edited: Standing, *, changed: bool) -> Sentence:
    """What the edit costs against the calculated plan, in points and in money a year."""
    if not changed:
        return say("These are the calculated orders.")
    lead = "Holding: no order stands. It costs" if not edited.orders else "Costs"
    if abs(against.score) < SAME_POINTS:
        return say("Within {same:points} points of the calculated plan.", same=2 * SAME_POINTS)
    facts: dict[str, Fact] = {
        "difference": abs(against.score),
        "a_year": abs(against.base_per_year),
        "currency": sheet.ctx.base_currency,
    }
    form = "whole" if abs(against.base_per_year) >= WHOLE_MONEY else "money"
    money = f"about {{currency:text}} {{a_year:{form}}} a year"
    if against.score < 0:
        words = f"{lead} {{difference:points}} points against the calculated plan: {money}."
    else:
        words = f"Scores {{difference:points}} points more than the calculated plan: {money}."
    return say(words, **facts)


def sentences(
    sheet: Sheet, m: Solution, edited: Standing, broken: Sequence[Broken]
) -> Iterator[Sentence]:
    """Broken limits, then drift, bands and cash, what it gains, and what the sales realise."""
    yield from _limits(broken)
    calculated = sheet.standings[1]
    if edited.drift is not None and calculated.drift is not None:
        moved = edited.drift - calculated.drift
        if abs(moved) >= SAME_DRIFT:
            how = "more" if moved > 0 else "less"
            words = f"Drift is {{drift:pct}} after it, {{moved:pp}} {how} than after the plan."
            yield say(words, drift=edited.drift, moved=abs(moved))
    new = [name for name in edited.outside if name not in calculated.outside]
    if new:
        more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
        ends = "ends outside its band" if len(new) == 1 else "end outside their bands"
        yield say(f"{{names:text}} {ends}.", names=", ".join(new[:NAMED]) + more)
    for _, sentence in late(m, tuple(cash_ladder(m, edited.cash))):
        yield sentence
    yield from _below(edited)
    least = m.choice.threshold
    if edited.orders and edited.net < least:
        words = "It gains {gain:spoints} points on holding; a plan must gain {least:points}."
        yield say(words, gain=edited.net, least=least)
    yield from _idle(m)
    yield from gains(m)


def _idle(m: Solution) -> Iterator[Sentence]:
    """That less new money is put to work than the plan's rules ask for."""
    account, row = m.orders.account, np.arange(m.orders.m, dtype=np.int64)[None, :]
    drop = None if account.invest is None else owing(account, row)
    if drop is not None:
        yield say(cased(drop.why.template), **drop.why.facts)


def _limits(broken: Sequence[Broken]) -> Iterator[Sentence]:
    """How many limits it breaks, and each of them."""
    if not broken:
        return
    if len(broken) == 1:
        yield _limit(broken[0], "It breaks one limit: ", ". It may not be traded.")
        return
    yield say("It breaks {count:count} limits and may not be traded.", count=len(broken))
    for limit in broken:
        yield _limit(limit, "", ".")


def _limit(limit: Broken, lead: str, end: str) -> Sentence:
    """A broken limit as a sentence, its order named."""
    why, template = limit.why, limit.why.template.removesuffix(".")
    if limit.symbol is None:
        template = template if lead else template[:1].upper() + template[1:]
        return say(f"{lead}{template}{end}", **why.facts)
    return say(f"{lead}{{order:text}}: {template}{end}", **{**why.facts, "order": limit.symbol})


def _below(edited: Standing) -> Iterator[Sentence]:
    """Balances that are under 0 on some day."""
    for currency, low in edited.lowest.items():
        if low.amount < 0:
            yield say(
                "Cash in {currency:text} falls to {low:money} on {on:date}.",
                currency=currency,
                low=low.amount,
                on=low.on,
            )


def text_of(broken: Broken) -> str:
    """A broken limit as people read it."""
    return cased(broken.why.text)
