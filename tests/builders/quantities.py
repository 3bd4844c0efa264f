"""Plans of scope `quantities`, made from the records of a real plan: of any number of orders."""

from __future__ import annotations

import functools
from decimal import Decimal

from builders import plans as sample
from builders.world import world
from steelyard.canonical import published
from steelyard.orders import Side
from steelyard.planning import narrative
from steelyard.planning.proof import every_list
from steelyard.plans import verify
from steelyard.plans.account import HoldingAfter
from steelyard.plans.orders import Alternative, AlternativeStep, NotTraded, Step
from steelyard.plans.plan import Plan, seal
from steelyard.plans.score import Certificate, Gap, Neighbour, OrderChange
from steelyard.sentences import again, facts_of, say
from steelyard.settings import Score, Search

PER_RETURN = 1.9444
LEAST, LOT = 500, 37
SELLS = 3
"""Every third order is a sale."""


def certificate(plan: Plan, status: str, gap: float | None, most: int | None = None) -> Certificate:
    """How far the plan is from the best of any quantities; `gap` in score units."""
    net = plan.score.improvement
    shown = None
    if gap is not None:
        money = Decimal(f"{gap / PER_RETURN * float(plan.value):.2f}")
        share = gap / net if net > 0 else None
        shown = Gap(points=100 * gap, base_per_year=money, of_improvement=share)
    return plan.certificate.model_copy(
        update={
            "scope": "quantities",
            "status": status,
            "covers": every_list(most, targets=plan.drift.before is not None),
            "search_gap": gap,
            "search_gap_of_improvement": None if shown is None else shown.of_improvement,
            "gap": shown,
            "bound": None if gap is None else plan.score.hold + net + gap,
            "structural_headroom": None,
            "local_optimum": "pairs",
            "neighbours": tuple(neighbours(plan)),
        }
    )


def neighbours(plan: Plan) -> list[Neighbour]:
    """Twenty lists: an order one lot larger or smaller, or dropped; every fifth does not fit."""
    return [
        _neighbour(plan, plan.steps[n % len(plan.steps)], n) for n in range(20 if plan.steps else 0)
    ]


def _neighbour(plan: Plan, step: Step, n: int) -> Neighbour:
    more = n // len(plan.steps) + 1
    lots = Decimal(more if n % 2 else -more)
    size = max(Decimal(0), step.quantity + lots)
    was = -step.quantity if step.side is Side.SELL else step.quantity
    orders = (OrderChange(side=step.side, symbol=step.symbol, quantity=size, was=was),)
    worse = plan.score.improvement - 0.00003 * (n + 1) + (0.002 if n % 5 == 4 else 0)
    return Neighbour(
        change=narrative.changed(orders), orders=orders, improvement=worse, feasible=n % 5 != 4
    )


def in_quantities(
    plan: Plan, status: str = "bounded", gap: float | None = 0.00034, most: int | None = None
) -> Plan:
    """A plan as the search over quantities would tell it; every word agrees with its figures."""
    proof = certificate(plan, status, gap, most)
    asked = None if plan.steps else plan.score.min_improvement
    said = narrative.certified(proof, plan.base_currency, asked)
    assert said is not None
    bare = plan.verdict
    template = f"{bare.detail_template} {said.template}".strip()
    facts = {**bare.facts, **facts_of(say(said.template, **said.facts))}
    verdict = bare.model_copy(
        update={"detail": again(template, facts), "detail_template": template, "facts": facts}
    )
    return seal(plan.model_copy(update={"certificate": proof, "verdict": verdict}))


TABLE = Search(scope="candidates", refine=False)


@functools.cache
def five() -> Plan:
    """The best five orders of the candidates: what the plans below are made of."""
    return sample.bundled("growth", search=TABLE)


@functools.cache
def growth() -> Plan:
    """Five orders, within a stated distance of the best."""
    return in_quantities(five())


@functools.cache
def proven() -> Plan:
    """Five orders, proven best."""
    return in_quantities(five(), "proven", 0.0)


@functools.cache
def hold() -> Plan:
    """No order."""
    return in_quantities(
        sample.bundled(
            "growth", sample.with_little_cash, search=TABLE, score=Score(min_improvement=0.9)
        ),
        "proven", 0.0,
    )  # fmt: skip


@functools.cache
def one() -> Plan:
    """One order, of at most one."""
    return in_quantities(
        world("AA 40 @ 100", cash="1000", targets={"AA": 0.5}, search=TABLE).plan(),
        "within_one_lot", 0.00002, 1,
    )  # fmt: skip


@functools.cache
def unmeasured() -> Plan:
    """Five orders, and nothing is known of better ones."""
    return in_quantities(five(), "none", None)


@functools.cache
def many(count: int) -> Plan:
    """`count` orders in as many securities, and as many again that are not traded.

    Its figures are not those of any portfolio: the second opinion would differ.
    """
    plan = five()
    names = [f"S{i:04d}" for i in range(2 * count)]
    steps = tuple(_step(plan, n, name, count) for n, name in enumerate(names[:count]))
    steps = tuple(sorted(steps, key=lambda step: (step.side != Side.SELL, step.symbol)))
    steps = tuple(step.model_copy(update={"n": n}) for n, step in enumerate(steps, start=1))
    weight = 0.95 / len(names)
    held = [
        plan.holdings[i % len(plan.holdings)].model_copy(
            update={"symbol": name, "name": f"{name} Incorporated", "weight": weight,
                    "target": weight, "band": (0.0, weight + 0.01), "lots": (),
                    "group": f"Group {i % 9}"}
        )
        for i, name in enumerate(names)
    ]  # fmt: skip
    after = [HoldingAfter(symbol=h.symbol, quantity=h.quantity, weight=h.weight) for h in held]
    own = {step.symbol for step in steps}
    changes = {
        "steps": steps,
        "holdings": tuple(held),
        "holdings_after": tuple(after),
        "alternatives": tuple(_alternatives(plan, steps)),
        "not_traded": tuple(_stops(plan, [name for name in names if name not in own])),
        "conversions": (),
    }
    bare = plan.model_copy(update=changes)
    return in_quantities(bare)


def _step(plan: Plan, n: int, symbol: str, count: int) -> Step:
    """Order n of many: the sizes fall, and every third is a sale."""
    sells, size = n % SELLS == 0, Decimal(LEAST + LOT * (count - n))
    worth = published(0.02 / (n + 1))
    base = next(step for step in plan.steps if (step.side is Side.SELL) is sells)
    facts = {
        "act": "Sell" if sells else "Buy", "shares": str(size), "symbol": symbol, "off": 0.01,
        "currency": plan.base_currency, "notional": str(10 * size), "adds": worth,
        "worth": f"{worth / PER_RETURN * float(plan.value):.2f}",
    }  # fmt: skip
    why = "{off:pp} off its target"
    template = "{act:text} {shares:qty} {symbol:text} for {currency:text} {notional:money}: " + why
    adds = {
        "score": worth, "base_per_year": Decimal(str(facts["worth"])), "drift_pp": 100 * worth,
        "how": "drop_one",
    }  # fmt: skip
    return base.model_copy(
        update={
            "symbol": symbol, "name": f"{symbol} Incorporated", "quantity": size,
            "notional": 10 * size, "notional_base": 10 * size, "candidate": None,
            "reason": again(why, facts), "reason_template": why, "lots": base.lots[: int(sells)],
            "narrative": again(template, facts), "template": template, "facts": facts,
            "adds": base.adds.model_copy(update=adds),
        }
    )  # fmt: skip


def _alternatives(plan: Plan, steps: tuple[Step, ...]) -> list[Alternative]:
    """Those of the plan, each with nearly all of its orders."""
    return [
        other.model_copy(
            update={
                "steps": tuple(
                    AlternativeStep(side=s.side, symbol=s.symbol, quantity=s.quantity - n)
                    for s in steps[n:]
                )
            }
        )
        if other.steps
        else other
        for n, other in enumerate(plan.alternatives)
    ]


def _stops(plan: Plan, names: list[str]) -> list[NotTraded]:
    """A reason for each that stays."""
    return [
        NotTraded(
            candidate=None, module=None, symbol=name, side=Side.BUY, stage="search",
            rule="not_better", value=-0.0001 * (n + 1), limit=0.0, margin=-0.0001 * (n + 1),
            reason="No order in it improves the plan.",
            template="no order in it improves the plan", facts={},
        )
        for n, name in enumerate(names)
    ]  # fmt: skip


@functools.cache
def agreed() -> verify.Report:
    """A second opinion that agrees, for documents that are only looked at."""
    return verify.check(five().document())
