"""What a plan says: every number is a fact of its record, and nothing is praised or promised."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given

from builders.world import World, world
from builders.worlds import FEWER, worlds
from golden.test_plans import growth
from planning.test_limits import dated_lots, usual
from steelyard.plans.plan import Plan
from steelyard.sentences import FORMATS, MINUS, SPACE
from steelyard.settings import Limits, Score

NUMBER = re.compile(rf"[+{MINUS}-]?\d[\d,]*(?:\.\d+)?")
SAYINGS = re.compile(
    r"\b(great|excellent|outperform\w*|best-in-class|strong\w*|attractive\w*|should|will|recommend\w*|guarantee\w*|superior|optimal|"
    r"unfortunately|impressive|smart\w*|perfect\w*|beat\w*|winners?|promis\w+|certain\w*|safe\w*|cheap\w*|opportunit\w+)\b",
    re.IGNORECASE,
)


def told(plan: Plan):
    """(where, text, facts) of every sentence of the document."""
    yield "verdict", plan.verdict.text, plan.verdict.facts
    yield "detail", plan.verdict.detail, plan.verdict.facts
    for step in plan.steps:
        yield f"reason {step.n}", step.reason, step.facts
        yield f"narrative {step.n}", step.narrative, step.facts
    for row in plan.not_traded:
        yield f"{row.stage} {row.rule} {row.symbol}", row.reason, row.facts


def formatted(fact) -> set[str]:
    """The fact in every format that takes it."""
    values = [fact]
    if isinstance(fact, str):
        try:
            values.append(Decimal(fact))
        except InvalidOperation:
            values += [date.fromisoformat(fact)] if re.fullmatch(r"\d{4}-\d\d-\d\d", fact) else []
    texts = set()
    for value in values:
        for form in FORMATS.values():
            try:
                texts.add(form(value))
            except (TypeError, ValueError, AttributeError):
                continue
    return texts


def strange_numbers(text: str, facts) -> list[str]:
    """Numbers of a sentence that are no fact of it."""
    words = sorted(
        (fact for fact in facts.values() if isinstance(fact, str)), key=len, reverse=True
    )
    for word in words:
        if not NUMBER.fullmatch(word):
            text = text.replace(word, "·")
    known = {
        number
        for fact in facts.values()
        for piece in formatted(fact)
        for number in NUMBER.findall(piece)
    }
    return [number for number in NUMBER.findall(text) if number not in known]


@given(worlds())
def test_every_number_in_every_sentence_is_a_fact(one):
    for where, text, facts in told(one.plan()):
        assert not strange_numbers(text, facts), (where, text, facts)


@FEWER
@given(worlds())
def test_nothing_is_praised_promised_or_recommended(one):
    for where, text, _ in told(one.plan()):
        assert not SAYINGS.search(text), (where, text)


PLANS = {
    "an act": lambda: usual().plan(),
    "a hold": lambda: usual(score=Score(min_improvement=9.0)).plan(),
    "no targets": lambda: usual(targets=None).plan(),
    "capped": (
        lambda: usual(
            limits=Limits(max_turnover_weight=0.05, max_group_weight=0.3),
            sectors={"AA": "Tech", "BB": "Energy"},
        ).plan()
    ),
    "taxed": lambda: dated_lots(usual(score=Score(tax_rate=0.3))).plan(),
    "settled": lambda: usual(limits=Limits(funding="settled")).plan(),
    "in euro": lambda: usual(foreign=("AA", "BB")).plan(),
    "growth": lambda: growth().plan(),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_sentences_of_a_plan_are_sentences(name):
    for where, text, facts in told(PLANS[name]()):
        assert not strange_numbers(text, facts), (where, text, facts)
        assert not SAYINGS.search(text), (where, text)
        if where != "detail" and not where.startswith("reason "):
            assert text[0].isupper() or not text[0].isalpha(), (where, text)
            assert text.endswith("."), (where, text)
        assert not re.search(r"  |\.\.|\{|\}|nan|inf\b|-\d|e[+-]\d", text), (where, text)


def test_a_step_says_what_the_plan_loses_without_it():
    plan = usual().plan()

    for step in plan.steps:
        assert step.facts["adds"] == pytest.approx(step.adds)
        assert f"{step.quantity:,f}" in step.narrative
        assert step.symbol in step.narrative


def test_a_verdict_with_targets_tells_drift_and_without_tells_points():
    assert f"{SPACE}pp, for USD" in usual().plan().verdict.text
    free = world(
        *(f"A{n} {shares} @ 50" for n, shares in enumerate((4000, 300, 20, 0, 0))), cash="9000"
    ).plan()
    assert free.verdict.action == "act"
    assert "points to the score" in free.verdict.text


def proposing(one: World) -> World:
    return replace(
        one,
        strategy=replace(
            one.strategy, search=one.strategy.search.model_copy(update={"scope": "proposals"})
        ),
    )


def test_a_hold_over_possible_orders_does_not_say_that_there_are_none():
    plan = proposing(world("AA 40 @ 100", cash="1000")).plan()

    assert plan.candidates
    assert plan.certificate.sequences == 0
    assert (
        plan.verdict.text == "Hold. The modules propose no plan that fits the cash and the limits."
    )


def test_a_hold_for_want_of_money_says_so():
    plan = world(
        "AA 40 @ 100",
        "BB 0 @ 50",
        cash="-500",
        targets={"AA": 0.9, "BB": 0.3 - 0.2},
        limits=Limits(allow_sell=False),
    ).plan()

    assert plan.verdict.action == "hold"
    if plan.candidates:
        assert plan.verdict.text == "Hold. No order in question fits the cash and the limits."


@FEWER
@pytest.mark.parametrize("scope", ["candidates", "proposals"])
@given(one=worlds())
def test_a_sale_is_said_to_fund_the_buys_only_where_they_need_its_money(scope, one):
    plan = (proposing(one) if scope == "proposals" else one).plan()
    for step in plan.steps:
        if "funds the buys" in step.narrative:
            rest = plan.cash["USD"] - one.open_buys
            for other in plan.steps:
                if other.n != step.n:
                    rest += (
                        other.notional_base if other.side == "sell" else -other.notional_base
                    ) - other.costs.total
            assert rest < plan.reserve


def test_a_security_that_may_not_be_traded_is_not_said_to_be_near_its_target():
    plan = usual(limits=Limits(allow_buy=False)).plan()

    stop = next(row for row in plan.not_traded if row.symbol == "CC")
    assert stop.rule != "near_target"
    assert "less than any calculator acts on" not in stop.reason
