"""Sentences that a person can check: the verdict, and what each step does.

No praise and no forecast: every number is a fact of the plan, formatted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.canonical import published
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.notices import ModuleRun, Stop
from steelyard.orders import Side
from steelyard.planning.bands import BANDS, FUNDING
from steelyard.planning.because import Because
from steelyard.planning.choice import Choice
from steelyard.planning.drift import SAME_DRIFT
from steelyard.planning.mode_words import held
from steelyard.planning.new_money import NEW_MONEY, SMALL_BUY, money_called
from steelyard.planning.overdraft import RAISE_CASH
from steelyard.planning.proof import BY_BANDS
from steelyard.planning.ways import SEARCHED
from steelyard.plans.account import BandShown
from steelyard.plans.orders import Adds, LaterStep, SecondHalf
from steelyard.plans.outlook import Outlook
from steelyard.plans.score import Certificate, Gap, OrderChange
from steelyard.sentences import SPACE, Fact, Sentence, money, quantity, renamed, say
from steelyard.settings import Limits

NUMBER_WORDS = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"),
    *("Eight", "Nine", "Ten", "Eleven", "Twelve"),
)

TARGET_TAGS = frozenset({"optimizer_target", NEW_MONEY})
"""Tags of who closes the gap to a target."""

REFERENCE = "rebalance"
"""Who asks for the orders of the reference engine."""

NO_MODULE = frozenset({SEARCHED.source, NEW_MONEY, BANDS, FUNDING, RAISE_CASH, REFERENCE})
"""Who asks for orders and is no module: their own words say who they are."""

BAND_TAGS = frozenset({BANDS, FUNDING})
"""Tags of what a band asks for: where only bands are answered they are why."""

LOSS_TAGS = frozenset({"tax_loss"})
"""Tag of the calculator that takes losses: targets follow it, so it is why."""

NO_SALES = "and no list of sales was met that keeps the rules and brings all of it"
MAY_NOT_SELL = "and the plan may not sell (limits.allow_sell is off)"
"""Why cash ends short."""

MOST_NAMED = 3
"""Buys of the second half that are named."""

LEAST_SHORT = Decimal("0.005")
"""Less is missing to a reserve only by rounding."""

FOR, BY = "for {term:text}", "by {asked_by:text}"
"""How the reason of a step begins; the words of who proposed it follow."""

MARGINAL = 0.001
"""A step that adds less score than this is called marginal: a tenth of a point."""

LEAST_DRIFT = 0.05
"""Percentage points of drift under which an order is not said to move it: they would read 0.0."""

BAND_NOISE = 1e-9
"""Of value: a weight this far outside its band is on the edge."""

NAMED = 5
"""Names that a sentence lists; the others it counts."""

WHOLE_MONEY = 10
"""Money a year is told in whole units from here on."""

BY_TARGETS = (
    "Every order follows from its target by the reference engine; nothing was searched and no "
    "score decided."
)
"""Of a plan that the exact engine made."""

NO_GAP = 1e-7
"""Points of a gap that are none."""

EVERY = "every whole-lot order list of "
"""How what a plan is the best of begins in scope `quantities`; the extent follows."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline: drift as fractions (None without targets), cost in base, turnover of value.

    sold, bought   base currency
    cash_before    of the base currency, with what is on its way
    cash_after     currency -> balance
    over_reserve   all cash after, in base, less open buys and the reserve; negative = missing
    passed_over    (drift after, cost) of the best plan found where this one holds
    nearest        net of the best list near it that may be a plan; None = none may
    invested       money that the plan puts to work, base currency
    brought        what the owner brings, base currency
    unaided        the sentence that nothing asks for orders towards the targets, or nothing
    bands          around the targets, before and after
    later          what the plan is half of, where it only sells for it
    """

    drift_before: float | None
    drift_after: float | None
    cost: Decimal
    turnover: float
    candidates: int
    sold: Decimal
    bought: Decimal
    cash_before: Decimal
    cash_after: Mapping[str, Decimal]
    over_reserve: Decimal
    reserve: Decimal
    passed_over: tuple[float | None, Decimal] | None
    nearest: float | None
    invested: Decimal = ZERO
    brought: Decimal = ZERO
    unaided: str = ""
    bands: tuple[BandShown, ...] = ()
    later: SecondHalf | None = None


def in_words(count: int) -> str:
    """Small numbers as a word to begin a sentence with, larger ones as digits."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else f"{count:,d}"


def verdict(
    ctx: Context,
    choice: Choice,
    figures: Figures,
    waits: Sentence | None = None,
    outlook: Outlook | None = None,
) -> Sentence:
    """Act or hold, in one sentence with the numbers that matter.

    waits     what is not traded at all, for a filter does not work
    outlook   what the plan was chosen by, where not by the score of today alone
    """
    if choice.acts:
        return _act(ctx, choice, figures)
    if waits is not None or choice.only:
        why = outside(figures.bands) if waits is None else waits
        return say(f"Hold. {why.template}", **why.facts)
    if outlook is not None and outlook.given_up is not None:
        return held(outlook, outlook.given_up)
    if choice.best is not None and figures.passed_over is not None:
        return _passed_over(ctx, choice, choice.best.net, figures)
    if ctx.search.scope == "quantities" and figures.nearest is not None:
        return say(
            "Hold. Every order list found loses by the score: the nearest, which fits lots, cash "
            f"and limits, changes it by {{nearest:spoints}} points after charges.{figures.unaided}",
            nearest=figures.nearest,
        )
    return say(f"Hold. {_nothing_fits(ctx, figures)}{figures.unaided}")


def _nothing_fits(ctx: Context, figures: Figures) -> str:
    """Why there is no order at all that might be a plan."""
    if figures.candidates and ctx.search.scope == "quantities":
        return "No order fits lots, cash and limits."
    if figures.candidates and ctx.search.scope == "proposals":
        return "The modules propose no plan that fits the cash and the limits."
    if figures.candidates:
        return "No order in question fits the cash and the limits."
    if ctx.target_weights is not None:
        return (
            "No order takes a holding towards its target, and not past it, within lots, limits "
            "and the least order."
        )
    return "No calculator proposes an order that fits lots, limits and the least order."


def _passed_over(ctx: Context, choice: Choice, gain: float, figures: Figures) -> Sentence:
    """What the best plan found would do, and what it gains of what is asked for."""
    what = "proposal" if ctx.search.scope == "proposals" else "plan found"
    asked = "{gain:spoints} points after charges; {least:points} are asked for."
    facts: dict[str, Fact] = {"gain": gain, "least": choice.threshold}
    before, (after, cost) = figures.drift_before, figures.passed_over or (None, ZERO)
    if before is None or after is None or abs(after - before) < SAME_DRIFT:
        return say(f"Hold. The best {what} changes the score by {asked}", **facts)
    facts |= {"before": 100 * before, "after": after, "cost": cost, "currency": ctx.base_currency}
    does = "would take drift from {before:one} to {after:pp}, for {currency:text} {cost:money}"
    return say(f"Hold. The best {what} {does} in costs; it changes the score by {asked}", **facts)


def _act(ctx: Context, choice: Choice, figures: Figures) -> Sentence:
    """How many trades, what they bring, what they cost."""
    count = len(choice.plan.row)
    what, facts = _brings(ctx, choice, figures, "" if count > 1 else "s")
    lead = outside(figures.bands) if choice.only else say("")
    lead_words = f"{lead.template} " if lead.template else ""
    return say(
        f"Act. {lead_words}{{count:text}} trade{'s' if count > 1 else ''} {what}, for "
        "{currency:text} {cost:money} in costs and {turnover:pct} turnover.",
        count=in_words(count),
        cost=figures.cost,
        currency=ctx.base_currency,
        turnover=figures.turnover,
        **lead.facts,
        **facts,
    )


def _brings(ctx: Context, choice: Choice, figures: Figures, s: str) -> tuple[str, dict[str, Fact]]:
    """What the trades do, as words and facts; `s` ends the verb of a single one."""
    before, after = figures.drift_before, figures.drift_after
    drift: dict[str, Fact] = {}
    if before is not None and after is not None:
        drift = {"before": 100 * before, "after": after}
    moves = before is not None and after is not None and abs(after - before) >= SAME_DRIFT
    if ctx.is_short:
        return _raises(ctx, figures, s, drift if moves else {})
    if figures.invested and before is not None and after is not None:
        puts = f"put{s} {{currency:text}} {{invested:money}} of {_money(ctx, figures)} to work"
        moves = abs(after - before) >= SAME_DRIFT
        facts: dict[str, Fact] = {"invested": figures.invested, "after": after}
        if not moves:
            return f"{puts} and leave{s} drift at {{after:pp}}", facts
        return f"{puts} and take{s} drift from {{before:one}} to {{after:pp}}", facts | drift
    if before is None or after is None:
        gain: dict[str, Fact] = {"gain": choice.plan.net}
        return f"add{s} {{gain:points}} points to the score, after charges", gain
    if abs(after - before) >= SAME_DRIFT:
        return f"take{s} drift from {{before:one}} to {{after:pp}}", drift
    return _stays(choice, figures, s)


def _money(ctx: Context, figures: Figures) -> str:
    """Whose money is put to work: more than was brought was there already."""
    both = figures.brought and figures.invested > figures.brought
    return "new money and idle cash" if both else money_called(ctx)


def _raises(
    ctx: Context, figures: Figures, s: str, drift: dict[str, Fact]
) -> tuple[str, dict[str, Fact]]:
    """What is done for cash that is short; `drift` where it moves."""
    withdrawn = ZERO if ctx.exact is None else ctx.exact.withdrawn
    facts: dict[str, Fact] = {"sold": figures.sold, "withdrawn": withdrawn}
    words = f"raise{s} {{currency:text}} {{sold:money}} for withdrawals of {{withdrawn:money}}"
    takes = f" and take{s} drift from {{before:one}} to {{after:pp}}"
    if not withdrawn:
        after = figures.cash_after[ctx.base_currency]
        facts = {"cash_from": figures.cash_before, "cash_to": after}
        words = f"bring{s} cash from {{currency:text}} {{cash_from:money}} to {{cash_to:money}}"
        takes = " and drift from {before:one} to {after:pp}"
    return words + takes * bool(drift), facts | drift


def _stays(choice: Choice, figures: Figures, s: str) -> tuple[str, dict[str, Fact]]:
    """What a plan does that leaves drift where it is."""
    after = figures.drift_after or 0.0
    if figures.later is not None:
        words = f"raise{s} {{currency:text}} {{sold:money}} for a later plan to spend once it has "
        facts: dict[str, Fact] = {"sold": figures.sold, "after": after}
        return words + "settled; drift is {after:pp} until then", facts
    words = f"leave{s} drift at {{after:pp}} and add{s} {{gain:points}} points to the score, "
    return words + "after charges", {"after": after, "gain": choice.plan.net}


def beyond(band: BandShown, *, after: bool = False) -> float:
    """How far a weight is outside its band, as published; up to 0 inside."""
    weight = published(band.weight_after if after else band.weight)
    return max(published(band.low) - weight, weight - published(band.high))


def outside(bands: Sequence[BandShown]) -> Sentence:
    """Which weights are outside their bands before the plan."""
    out = [band for band in bands if band.breached]
    if not out:
        return say("All {names:count} weights are inside their bands.", names=len(bands))
    first = max(out, key=beyond)
    facts: dict[str, Fact] = {"outside": _called(first), "beyond": beyond(first)}
    if len(out) == 1:
        return say("{outside:text} is {beyond:pp} outside its band.", **facts)
    what = "weights are outside their bands"
    if any(band.kind == "class" for band in out):  # a member and its class are no two weights
        what = "bands of securities and classes are left"
    words = f"{{many:text}} {what}, {{outside:text}} most, by {{beyond:pp}}."
    return say(words, many=in_words(len(out)), **facts)


def unanswered(bands: Sequence[BandShown], limits: Limits) -> Sentence | None:
    """Which weights stay outside their bands, in a plan that is made to bring them back."""
    stay = [_called(b) for b in bands if b.breached and beyond(b, after=True) > BAND_NOISE]
    if not stay:
        return None
    one_only = len(stay) == 1
    verb, them = (
        ("stays outside its band", "it") if one_only else ("stay outside their bands", "them")
    )
    names = ", ".join(stay[:NAMED]) + (
        f" and {len(stay) - NAMED} more" if len(stay) > NAMED else ""
    )
    # a side that is shut is why, before all else
    shut = "" if limits.allow_sell else "nothing may be sold (limits.allow_sell is off); "
    shut += "" if limits.allow_buy else "nothing may be bought (limits.allow_buy is off); "
    words = f"{{stay:text}} {verb}: {shut}lots, money, filters or limits leave no order for {them}."
    return say(words, stay=names)


def too_small(stops: Iterable[Stop], traded: Container[str]) -> Sentence | None:
    """What new money does not buy, for the order would be too small."""
    small = (stop.symbol for stop in stops if stop.drop.rule == SMALL_BUY)
    names = [symbol for symbol in small if symbol not in traded]
    if not names:
        return None
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    words = "New money buys nothing of {small:text}: the order would be smaller than limits allow."
    return say(words, small=", ".join(names[:NAMED]) + more)


def _called(band: BandShown) -> str:
    return "Cash" if band.kind == "cash" else band.name


def second(figures: Figures, currency: str) -> Iterator[Sentence]:
    """What a plan that only sells is half of, where settled money alone pays."""
    if figures.later is not None:
        later = figures.later
        bought = [step for step in later.steps if step.side is Side.BUY]
        facts: dict[str, Fact] = {"later_buys": _listed(later.steps, Side.BUY)}
        orders = "buys {later_buys:text}"
        if len(bought) < len(later.steps):
            facts["later_sales"] = _listed(later.steps, Side.SELL)
            orders = "sells {later_sales:text}, buys {later_buys:text}"
        yield say(
            f"Its second half, once the sales have settled on {{later_on:date}}, {orders} "
            "for about {currency:text} {later_amount:money} and takes drift to "
            "{later_drift:pp}.",
            later_on=later.on,
            currency=currency,
            later_amount=sum((step.notional_base for step in bought), ZERO),
            later_drift=later.drift_after,
            **facts,
        )


def _listed(steps: Sequence[LaterStep], side: Side) -> str:
    """The orders of a side, the first few of many."""
    named = [f"{quantity(step.quantity)} {step.symbol}" for step in steps if step.side is side]
    more = len(named) - MOST_NAMED
    return ", ".join([*named[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _never_there(ctx: Context, reserve: Decimal) -> Decimal:
    """Of the reserve what was not there before money was brought or taken out: nobody lacks it."""
    money = ctx.exact
    flows = money is not None and (bool(money.withdrawn) or ctx.deposits_weight > 0)
    return max(reserve - money.keeps, ZERO) if money is not None and flows else ZERO


def shortfalls(ctx: Context, figures: Figures) -> Iterator[tuple[str, Sentence]]:
    """(code, sentence) of cash that ends under 0 and of a reserve that is not met."""
    base = ctx.base_currency
    balance = figures.cash_after.get(base, ZERO)
    why = NO_SALES if ctx.limits.allow_sell else MAY_NOT_SELL
    if balance < 0:
        yield (
            "cash_short",
            say(
                "Cash ends at {short_currency:text} {cash_left:money}: {cash_missing:money} is "
                f"missing, {why}.",
                short_currency=base,
                cash_left=balance,
                cash_missing=-balance,
            ),
        )
    owed = {c: -amount for c, amount in figures.cash_after.items() if amount < 0 and c != base}
    if owed:
        yield (
            "cash_short",
            say(
                f"{{owed:text}} is missing, {why}.",
                owed=", ".join(f"{c} {money(amount)}" for c, amount in sorted(owed.items())),
            ),
        )
    if -figures.over_reserve - _never_there(ctx, figures.reserve) >= LEAST_SHORT:
        yield (
            "reserve_short",
            say(
                "Cash ends {reserve_missing:money} under the reserve of {reserve_currency:text} "
                "{reserve:money}.",
                reserve_missing=-figures.over_reserve,
                reserve_currency=base,
                reserve=figures.reserve,
            ),
        )


def detail(
    ctx: Context,
    orders: Orders,
    choice: Choice,
    certificate: Certificate,
    short: Sequence[Sentence] = (),
    runs: Sequence[ModuleRun] = (),
    by_mode: Sequence[Sentence] = (),
) -> Sentence:
    """What cash is short of, what moves most, what stays off target, how far from the best, which
    modules are out.

    by_mode   how it was chosen, where not by the score of today alone
    """
    after = orders.after(ctx.weights, choice.plan.row)
    of_weights = [tell(ctx, orders, choice, after) for tell in (_moved, _furthest)]
    asked = choice.threshold if choice.lacks or not choice.acts else None
    today = choice.judgement is not None
    proof = certified(certificate, ctx.base_currency, asked, acts=choice.acts, by_mode=today)
    parts = [*short, *of_weights, proof, *by_mode, _without(runs)]
    sentences = [part for part in parts if part is not None]
    facts: dict[str, Fact] = {name: fact for part in sentences for name, fact in part.facts.items()}
    return say(" ".join(part.template for part in sentences), **facts)


def certified(
    certificate: Certificate,
    base_currency: str,
    asked: float | None,
    *,
    acts: bool = True,
    by_mode: bool = False,
) -> Sentence | None:
    """How far the plan is from the best possible one; None of a search over fewer quantities.

    asked     what a plan must gain, where this one holds, or trades what it must and no more
    by_mode   was it chosen by more than the score of today? Then all is said of that score alone,
              and nothing is called proven
    """
    if certificate.scope == "targets":
        return say(BY_TARGETS)
    if certificate.scope != "quantities" or certificate.covers == BY_BANDS:
        return None
    facts: dict[str, Fact] = {"extent": certificate.covers.removeprefix(EVERY)}
    gap, today = certificate.gap, "By the score of today" if by_mode else ""
    none_better = by_mode and gap is not None and gap.points <= NO_GAP
    if certificate.status == "proven" or none_better:
        what = "is better"
        if asked:
            what, facts["asked"] = "gains the {asked:points} points that are asked for", asked
        elif not acts:
            what = "is better than holding"
        lead = today or ("Proven best:" if acts and not asked else "Proven:")
        return say(f"{lead} no whole-lot order list of {{extent:text}} {what}.", **facts)
    if certificate.status == "none" or gap is None:
        best_plan = "the best possible plan of {extent:text}"
        by = " by the score of today" if by_mode else ""
        return say(f"How far it is from {best_plan}{by} was not measured.", **facts)
    lot = certificate.status == "within_one_lot"
    how_near = "one lot" if lot else "{gap:points_up} points"
    lead = f"{today} within" if by_mode else "Within"
    return _within(gap, base_currency, facts, f"{lead} {how_near}")


def _within(gap: Gap, base_currency: str, extent_: Mapping[str, Fact], lead: str) -> Sentence:
    """A gap in points, in money a year, and as a share of the improvement."""
    facts: dict[str, Fact] = {"gap": gap.points / 100, **extent_}
    amounts = [] if "{gap" in lead else ["{gap:points_up} points"]
    if gap.base_per_year is not None:
        form = "whole_up" if abs(gap.base_per_year) >= WHOLE_MONEY else "money_up"
        amounts.append(f"{{currency:text}} {{gap_year:{form}}} a year")
        facts |= {"gap_year": gap.base_per_year, "currency": base_currency}
    if gap.of_improvement is not None:
        amounts.append("{gap_share:pct_up} of the improvement")
        facts["gap_share"] = gap.of_improvement
    most = f": at most {', '.join(amounts)}" if amounts else ""
    return say(f"{lead} of the best possible plan of {{extent:text}}{most}.", **facts)


def changed(orders: Sequence[OrderChange]) -> str:
    """What a list one change away from the plan does in its place, in words.

    >>> changed([OrderChange(side="sell", symbol="AA", quantity=Decimal(9), was=Decimal(-10))])
    'sell 9 AA instead of 10'
    """
    return " and ".join(map(_change, orders))


def _change(order: OrderChange) -> str:
    was = order.was or ZERO
    own = Side.SELL if was < 0 else Side.BUY
    if not order.quantity:
        return f"do not {own.value} {order.symbol}"
    does = f"{order.side.value} {quantity(order.quantity)} {order.symbol}"
    if not was:
        return f"also {does}"
    before = quantity(abs(was))
    return f"{does} instead of {before if own is order.side else f'{own.value}ing {before}'}"


def _moved(ctx: Context, orders: Orders, choice: Choice, after: FloatArray) -> Sentence | None:
    """The largest order."""
    if not choice.acts:
        return None
    j = choice.plan.row[int(np.argmax([abs(orders.delta[k]) for k in choice.plan.row]))]
    i = int(orders.security[j])
    return say(
        "{moved:text} moves most, from {from_weight:pct} to {to_weight:pct} of value.",
        moved=ctx.symbols[i],
        from_weight=float(ctx.weights[i]),
        to_weight=float(after[i]),
    )


def _furthest(ctx: Context, orders: Orders, choice: Choice, after: FloatArray) -> Sentence | None:
    """What is furthest from its target after the plan, where that is worth an order."""
    if ctx.target_weights is None or not ctx.n:
        return None
    cash = ctx.cash_weight - float(sum(orders.delta[j] for j in choice.plan.row))
    absent = [-target.target for target in ctx.absent]
    off = np.concatenate([after - ctx.target_weights, [cash - ctx.target_cash], absent])
    names = (*ctx.symbols, "Cash", *(target.symbol for target in ctx.absent))
    k = int(np.argmax(np.abs(off)))
    if abs(off[k]) <= ctx.score.order_hurdle:
        return None
    stays = "{furthest:text} stays furthest from its target, {off:pp} under it"
    facts: dict[str, Fact] = {"furthest": names[k], "off": float(abs(off[k]))}
    if off[k] > 0:
        stays = "{furthest:text} stays furthest from its target, {off:pp} over it"
    if k > ctx.n:
        stays, facts = stays + ": {why:text}", {**facts, "why": ctx.absent[k - ctx.n - 1].why}
    return say(stays + ".", **facts)


def _without(runs: Sequence[ModuleRun]) -> Sentence | None:
    """The modules that failed or are out of service."""
    missing = [run.name for run in runs if run.outcome in {"failed", "disabled"}]
    if not missing:
        return None
    what = "module that failed or is" if len(missing) == 1 else "modules that failed or are"
    return say(
        "The plan is without {missing:count} " + what + " out of service: {without:text}.",
        missing=len(missing),
        without=", ".join(missing),
    )


@dataclass(frozen=True, slots=True)
class StepWorth:
    """What an order is worth: what it adds, its money, and the term that its worth comes from."""

    adds: Adds
    notional: Decimal
    because: Because | None


def reason(ctx: Context, orders: Orders, j: int, because: Because | None) -> Sentence:
    """What its worth comes from, then who proposed it and why: for a loss, by a band, or by the
    target where there is one, else its first calculator. What nobody proposed has the reason of
    the search.
    """
    proposals = orders.proposals[j]
    ranks = (LOSS_TAGS, BAND_TAGS, TARGET_TAGS)
    by_tag = (p for tags in ranks for p in proposals if tags & {*p.tags})
    asked = next(by_tag, proposals[0])
    facts, lead = dict(asked.why.facts), list[str]()
    if because is not None:
        stated = ctx.securities[orders.security[j]].quality is not None
        term = "steadiness" if because.term == "quality" and not stated else because.term
        lead, facts["term"] = [FOR], term.replace("_", " ")
    if asked.source not in NO_MODULE:
        lead, facts["asked_by"] = [*lead, BY], asked.source
    return say(f"{', '.join(lead)}: {asked.why.template}" if lead else asked.why.template, **facts)


def step(ctx: Context, orders: Orders, j: int, of: StepWorth) -> tuple[Sentence, Sentence]:
    """(reason, what the step does): the order, its reason, its weight, what it adds."""
    i, adds, notional = int(orders.security[j]), of.adds, of.notional
    worth, amounts = worth_of(adds, is_buy=bool(orders.is_buy[j]), owed=ctx.is_short)
    own: dict[str, Fact] = {
        "act": "Buy" if orders.is_buy[j] else "Sell",
        "shares": orders.quantity[j],
        "symbol": ctx.symbols[i],
        "currency": ctx.base_currency,
        "notional": notional,
        "weight_before": float(ctx.weights[i]),
        "weight_after": float(ctx.weights[i] + orders.delta[j]),
        **amounts,
    }
    if orders.is_buy[j]:
        lead = "{act:text} {shares:qty}"
    elif orders.full_exit[j]:
        lead = "{act:text} all {shares:qty}"
    else:
        lead, own["held"] = "{act:text} {shares:qty} of {held:qty}", float(ctx.quantities[i])
    weight = ". Its weight goes from {weight_before:pct} to {weight_after:pct}"
    if ctx.target_weights is not None:
        own["target"] = float(ctx.target_weights[i])
        weight += ", target {target:pct}"
    why = reason(ctx, orders, j, of.because)
    # one name may not tell two things: the order's own facts keep theirs
    why = renamed(why, {name for name, fact in why.facts.items() if own.get(name, fact) != fact})
    lead += " {symbol:text} for {currency:text} {notional:money}: "
    return why, say(lead + why.template + weight + ". " + worth, **{**why.facts, **own})


def worth_of(adds: Adds, *, is_buy: bool, owed: bool) -> tuple[str, dict[str, Fact]]:
    """What the plan loses without an order, money a year and drift first, points last."""
    if adds.score < 0 and not is_buy and adds.how == "drop_one":
        what = "pays what is owed" if owed else "funds the buys"
        return f"It {what}: without it the money would be missing.", {}
    facts: dict[str, Fact] = {"adds": adds.score}
    weighs = ""
    if adds.base_per_year is not None:
        form = "whole" if abs(adds.base_per_year) >= WHOLE_MONEY else "money"
        weighs = f"like {{currency:text}} {{worth:{form}}} a year ({{adds:points}} points)"
        facts["worth"] = adds.base_per_year
    if adds.score < MARGINAL:
        how_much = f"the score weighs it {weighs}" if weighs else "it adds {adds:points} points"
        return f"It is marginal: {how_much}.", facts
    lead = "Without it the best plan would"
    if adds.how == "drop_one":
        lead = "Without it, the other orders as they are, the plan would"
    drift = 0.0 if adds.drift_pp is None else published(adds.drift_pp)
    if abs(drift) >= LEAST_DRIFT:
        facts["drift"] = abs(drift)
        lead += f" have {{drift:one}}{SPACE}pp {'more' if drift > 0 else 'less'} drift"
        loss = (
            f"; the score weighs the loss {weighs}" if weighs else " and {adds:points} points less"
        )
        return f"{lead}{loss}.", facts
    loss = f"be worse by what the score weighs {weighs}" if weighs else "lose {adds:points} points"
    return f"{lead} {loss}.", facts
