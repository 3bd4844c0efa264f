"""Plans that a report must show: real, small, and hard to draw; each is made once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from builders.world import world
from steelyard import importers, samples
from steelyard.notices import Notice
from steelyard.planning.planner import plan as make_plan
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan, seal
from steelyard.portfolio import Snapshot, TaxLot
from steelyard.sentences import again, cased, fields
from steelyard.settings import Costs, Score, Search
from steelyard.strategies import default

HOSTILE = (
    "</script><script>alert(1)</script><b onclick=x>\u202egpj\x1b[31m & \"quoted\" 'single' {{ 7*7 "
    "}} مرحبا <!--"
)
GROUPS = ("Energy", "Health Care", "Technology", "Utilities", "Financials")
CAP = 5
FEW = 20


def bundled(
    name: str, of: Callable[[Snapshot], Snapshot] = lambda snapshot: snapshot, **sections: object
) -> Plan:
    files = samples.sample(name)
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets, securities=files.securities,
        fx=files.fx,
    )  # fmt: skip
    inputs = importers.assemble(read, base_currency=files.base_currency)
    return make_plan(
        of(inputs.snapshot), inputs.market, replace(default(), **sections), targets=inputs.targets
    )


@functools.cache
def growth() -> Plan:
    return bundled("growth")


@functools.cache
def euro() -> Plan:
    return bundled("euro", costs=Costs(spread_bps=4, fx_percent=0.001))


@functools.cache
def proposals() -> Plan:
    return bundled("growth", search=Search(scope="proposals"))


def with_little_cash(snapshot: Snapshot) -> Snapshot:
    """The reserve and little more: none of it is new money."""
    return replace(snapshot, cash={"USD": Decimal(3600)})


@functools.cache
def hold() -> Plan:
    """The best plan found gains 25 points, and 90 are asked for; no new money waits."""
    return bundled("growth", with_little_cash, score=Score(min_improvement=0.9))


@functools.cache
def one_holding() -> Plan:
    return world("AA 40 @ 100", cash="1000", targets={"AA": 0.5}).plan()


@functools.cache
def no_cash() -> Plan:
    """All of it is invested, and a currency has an empty balance."""
    cash = {"USD": "0", "EUR": "0"}
    return world("AA 10 @ 100", "BB 20 @ 60", cash=cash, targets={"AA": 0.3, "BB": 0.3}).plan()


@functools.cache
def untargeted() -> Plan:
    return world(
        "AA 400 @ 100", "BB 20 @ 50", "CC 30 @ 75", cash="9000",
        sectors={"AA": "Energy", "BB": "Technology"},
    ).plan()  # fmt: skip


@functools.cache
def two_currencies() -> Plan:
    lines = ("AA 200 @ 100", "BB 100 @ 50", "CC 10 @ 75")
    return world(
        *lines, cash={"USD": "900", "EUR": "2100"}, foreign=["BB", "CC"],
        targets={"AA": 0.4, "BB": 0.3, "CC": 0.2},
    ).plan()  # fmt: skip


@functools.cache
def all_cash() -> Plan:
    return world(cash="25000").plan()


@functools.cache
def worthless() -> Plan:
    return world("AA 0 @ 10", cash="0", targets={"AA": 0.5}).plan()


@functools.cache
def overdrawn() -> Plan:
    return world("AA 300 @ 100", "BB 100 @ 50", cash="-4000", targets={"AA": 0.4, "BB": 0.5}).plan()


@functools.cache
def absent() -> Plan:
    """A fifth of the targets has no price."""
    return world(
        "AA 40 @ 100", "BB 60 @ 50", cash="3000", targets={"AA": 0.4, "BB": 0.2, "PG": 0.2}
    ).plan()


def _wide(count: int) -> Plan:
    """`count` holdings of which a few stray far from their targets."""
    names = [f"S{i:03d}" for i in range(count)]
    lines = [f"{name} {3000 if i < CAP else 100} @ {10 + i % 7}" for i, name in enumerate(names)]
    plan = world(
        *lines, cash="20000", targets=dict.fromkeys(names, 0.95 / count),
        search=Search(scope="proposals"),
    ).plan()  # fmt: skip
    holdings = tuple(
        holding.model_copy(update={"group": GROUPS[i % len(GROUPS)]})
        for i, holding in enumerate(plan.holdings)
    )
    return seal(plan.model_copy(update={"holdings": holdings}))


@functools.cache
def sixty() -> Plan:
    return _wide(60)


@functools.cache
def five_hundred() -> Plan:
    return _wide(500)


@functools.cache
def hostile() -> Plan:
    """Every text that comes from a file or a module is an attack, and every figure still agrees."""
    plan = bundled("growth", _undated, search=Search(scope="candidates", refine=False))
    name = {"name": HOSTILE}
    return seal(
        plan.model_copy(
            update={
                "bucket": HOSTILE,
                "price_source": HOSTILE,
                "strategy": plan.strategy.model_copy(update=name),
                "holdings": tuple(
                    holding.model_copy(update=name | {"group": HOSTILE + str(i % CAP)})
                    for i, holding in enumerate(plan.holdings)
                ),
                "steps": tuple(
                    step.model_copy(update=name | _attacking(step)) for step in plan.steps
                ),
                "not_traded": tuple(
                    stop.model_copy(
                        update={
                            "reason": cased(HOSTILE),
                            "template": "{why:text}",
                            "facts": {"why": HOSTILE},
                            "rule": HOSTILE,
                            **({} if stop.margin is not None else {"value": None, "limit": None}),
                        }
                        if n < FEW  # so many that the document still travels inside its page
                        else {}
                    )
                    for n, stop in enumerate(plan.not_traded)
                ),
                "problems": (
                    Notice(code="module_failed", message=HOSTILE, module=HOSTILE, symbol=HOSTILE),
                ),
                "warnings": (Notice(code=HOSTILE, message="x"),),
                "excluded": (HOSTILE,),
            }
        )
    )


def _undated(snapshot: Snapshot) -> Snapshot:
    """Of each holding one lot of all shares, of unknown age and cost."""
    holdings = tuple(
        replace(holding, lots=(TaxLot(holding.quantity),)) for holding in snapshot.holdings
    )
    return replace(snapshot, holdings=holdings)


def _attacking(step: Step) -> dict[str, Any]:
    """The step with an attack as its reason."""
    template = step.template.replace(step.reason_template, "{why:text}")
    facts = {**{key: step.facts[key] for key in fields(template) - {"why"}}, "why": HOSTILE}
    words = {"narrative": again(template, facts), "template": template, "facts": facts}
    return {"reason": HOSTILE, "reason_template": "{why:text}", **words}


def with_costs_off_by(amount: str) -> Plan:
    """The growth plan with a wrong total."""
    plan = growth()
    return plan.model_copy(
        update={
            "costs": plan.costs.model_copy(update={"total": plan.costs.total + Decimal(amount)})
        }
    )


ALL = (
    no_cash, growth, euro, proposals, hold, one_holding, untargeted, two_currencies, all_cash,
    worthless, overdrawn, absent, sixty, five_hundred, hostile,
)  # fmt: skip


def every_plan(test: Callable[[Callable[[], Plan]], None]) -> Callable[[], None]:
    """A test of one plan as a test of all of them, which names each plan that fails."""

    def of_all() -> None:
        failures = []
        for make in ALL:
            try:
                test(make)
            except AssertionError as failure:
                failures.append(f"{make.__name__}: {failure}")
        assert not failures, "\n".join(failures)

    of_all.__name__, of_all.__doc__ = test.__name__, test.__doc__
    return of_all
