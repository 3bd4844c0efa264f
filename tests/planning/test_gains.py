"""What a plan realises: by term, taxed by term, in the verdict, and derived again."""

import copy
from datetime import date, timedelta
from decimal import Decimal

import pytest

from builders.world import AS_OF, world
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Lots, Score

LONG, SHORT = AS_OF - timedelta(days=366), AS_OF - timedelta(days=365)


def plan_of(*parts, score=None, **lots) -> Plan:
    """AA at 100 USD in lots of `(shares, cost, acquired)`, half of it to go into BB."""
    every = tuple(
        TaxLot(Decimal(shares), acquired, None if cost is None else Decimal(cost))
        for shares, cost, acquired in parts
    )
    of = world(
        "AA 100 @ 100", "BB 0 @ 100", targets={"AA": 0.5, "BB": 0.48}, sessions=30,
        funds=("AA", "BB"), score=score or Score(),
    )  # fmt: skip
    shares = sum(lot.quantity for lot in every)
    return of.having(holdings=(Holding("AA", shares, every),), lots=Lots(**lots)).plan()


def amounts(plan):
    gain = plan.realised_gain
    return gain.short, gain.long, plan.costs.tax


def test_short_and_long_terms_stand_apart_and_are_taxed_by_their_own_rates():
    plan = plan_of(
        (20, "60", LONG), (80, "90", SHORT), score=Score(tax_rate=0.3, tax_rate_long=0.1)
    )
    sold = plan.step("AA").quantity

    assert sold > 20
    assert amounts(plan) == (10 * (sold - 20), 800, 3 * (sold - 20) + 80)
    assert (
        f"The sales realise a net gain of USD {800 + 10 * (sold - 20):,.2f}: "
        f"{10 * (sold - 20):,.2f} short-term and 800.00 long-term." in plan.verdict.detail
    )
    assert verify.check(plan.document()).failed == ()


@pytest.mark.parametrize(
    ("cost", "day", "words"),
    [
        ("60", LONG, "a net gain of USD {gain}, long-term."),
        ("60", SHORT, "a net gain of USD {gain}, short-term."),
        ("140", LONG, "a net loss of USD {gain}, long-term."),
        ("60", None, "USD {gain}, short-term; a lot without a date counts as short-term."),
    ],
)  # fmt: skip
def test_the_verdict_says_what_is_realised_and_its_term(cost, day, words):
    plan = plan_of((100, cost, day))
    gain = 40 * plan.step("AA").quantity

    assert words.format(gain=f"{gain:,.2f}") in plan.verdict.detail


def test_a_net_loss_is_not_taxed_and_is_worth_something():
    plan = plan_of((100, "140", LONG), score=Score(tax_rate=0.3))

    assert plan.costs.tax == 0
    assert plan.score.charges.tax < 0
    assert verify.check(plan.document()).failed == ()


def test_a_long_rate_alone_is_charged():
    plan = plan_of((100, "60", LONG), score=Score(tax_rate_long=0.1))

    assert plan.costs.tax == plan.realised_gain.long / 10
    assert plan.score.charges.tax > 0
    assert verify.check(plan.document()).failed == ()


def test_nothing_sold_is_nothing_realised():
    of = world("AA 10 @ 100", "BB 0 @ 100", cash="1000", targets={"AA": 0.5, "BB": 0.45})
    plan = of.plan()

    assert plan.realised_gain is None
    assert "realise" not in plan.verdict.detail


def test_specific_lots_are_for_the_broker_to_know_where_there_is_a_choice():
    sentence = "The broker must be told which lots are sold: each sale lists them."
    two = (50, "60", LONG), (50, "90", SHORT)

    assert sentence in plan_of(*two, method="specific").verdict.detail
    assert sentence not in plan_of(*two, method="hifo").verdict.detail
    assert sentence not in plan_of((100, "60", LONG), method="specific").verdict.detail


THREE = ((40, "60", LONG), (30, "120", date(2022, 5, 5)), (30, "90", SHORT))


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "min_tax", "specific"])
def test_verify_derives_the_lots_by_the_method_and_sees_one_changed_to_another(method):
    plan = plan_of(*THREE, method=method, score=Score(tax_rate=0.3, tax_rate_long=0.15))
    document = plan.document()
    assert verify.check(document).failed == ()
    changed, unseen = copy.deepcopy(document), []
    (n,) = [k for k, step in enumerate(document["steps"]) if step["symbol"] == "AA"]
    (owned,) = [row["lots"] for row in document["holdings"] if row["symbol"] == "AA"]
    for k, sold in enumerate(document["steps"][n]["lots"]):
        for other in owned:
            if other["acquired"] == sold["acquired"]:
                continue
            for key in ("acquired", "unit_cost"):
                changed = copy.deepcopy(document)
                changed["steps"][n]["lots"][k][key] = other[key]
                where = f"steps[{n}].lots[{k}].{key}"
                if where not in {check.where for check in verify.check(changed).failed}:
                    unseen.append((method, k, key, other[key]))

    assert unseen == []


@pytest.mark.parametrize("key", ["short", "long", "currency", "budget"])
def test_verify_holds_what_is_realised(key):
    document = plan_of((20, "60", LONG), (80, "90", SHORT), max_gain_base=9000).document()
    assert verify.check(document).failed == ()
    other = {"currency": "EUR"}.get(key, "12.5")
    changed = {**document, "realised_gain": {**document["realised_gain"], key: other}}

    assert f"realised_gain.{key}" in {check.where for check in verify.check(changed).failed}


def test_verify_sees_a_budget_passed():
    document = plan_of((100, "60", LONG), max_gain_base=900).document()
    before = {**document["realised_gain"], "before": "500"}
    failed = verify.check({**document, "realised_gain": before}).failed

    assert "sales realise no more than the yearly budget leaves" in {check.name for check in failed}
