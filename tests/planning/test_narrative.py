"""What a plan says: every number is a fact of its record, and nothing is praised or promised."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import USUAL, proposing
from builders.demo import kinds
from builders.each import each
from builders.world import world
from builders.worlds import FEWER, SOME, worlds
from steelyard.plans.plan import Plan
from steelyard.sentences import FORMATS, MINUS, SPACE
from steelyard.settings import Limits

NUMBER = re.compile(rf"[+{MINUS}-]?\d[\d,]*(?:\.\d+)?")
SAYINGS = re.compile(
    r"\b(great|excellent|outperform\w*|best-in-class|strong\w*|attractive\w*|should|will|"
    r"recommend\w*|guarantee\w*|superior|optimal|"
    r"unfortunately|impressive|smart\w*|perfect\w*|beat\w*|winners?|promis\w+|certain\w*|"
    r"safe\w*|cheap\w*|opportunit\w+)\b",
    re.IGNORECASE,
)


def sentences(plan: Plan):
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
    words = [fact for fact in facts.values() if isinstance(fact, str)]
    for word in sorted(words, key=len, reverse=True):
        if not NUMBER.fullmatch(word):
            text = text.replace(word, "·")
    pieces = (piece for fact in facts.values() for piece in formatted(fact))
    numbers = {number for piece in pieces for number in NUMBER.findall(piece)}
    return [number for number in NUMBER.findall(text) if number not in numbers]


@SOME
@given(worlds())
def test_every_number_in_every_sentence_is_a_fact_and_nothing_is_praised_or_promised(of):
    for where, text, facts in sentences(of.plan()):
        assert not strange_numbers(text, facts), (where, text, facts)
        assert not SAYINGS.search(text), (where, text)


def test_the_sentences_of_a_plan_are_sentences():
    def are_sentences(of):
        for where, text, facts in sentences(of.planned):
            assert not strange_numbers(text, facts), (where, text, facts)
            assert not SAYINGS.search(text), (where, text)
            if where != "detail" and not where.startswith("reason "):
                assert text[0].isupper() or not text[0].isalpha(), (where, text)
                assert text.endswith("."), (where, text)
            assert not re.search(r"  |\.\.|\{|\}|nan|inf\b|-\d|e[+-]\d", text), (where, text)

    each(kinds(), are_sentences)


def test_a_step_says_what_the_plan_loses_without_it():
    for step in USUAL.planned.steps:
        assert step.facts["adds"] == pytest.approx(step.adds.score)
        assert Decimal(step.facts["worth"]) == step.adds.base_per_year
        assert f"{step.quantity:,f}" in step.narrative
        assert step.symbol in step.narrative


def test_a_verdict_with_targets_tells_drift_and_without_tells_points():
    lines = [f"A{n} {shares} @ 50" for n, shares in enumerate((4000, 300, 20, 0, 0))]
    free = world(*lines, cash="9000").plan()

    assert f"{SPACE}pp, for USD" in USUAL.planned.verdict.text
    assert free.verdict.action == "act"
    assert "points to the score" in free.verdict.text


def test_a_hold_over_possible_orders_does_not_say_that_there_are_none():
    plan = proposing(world("AA 40 @ 100", cash="1000")).plan()

    hold = "Hold. The modules propose no plan that fits the cash and the limits."
    assert plan.candidates
    assert plan.certificate.sequences == 0
    assert plan.verdict.text == hold


def test_a_hold_for_want_of_money_says_so():
    lines, limits = ("AA 40 @ 100", "BB 0 @ 50"), Limits(allow_sell=False)

    plan = world(*lines, cash="-500", targets={"AA": 0.9, "BB": 0.1}, limits=limits).plan()

    assert plan.verdict.action == "hold"
    if plan.candidates:
        assert plan.verdict.text == "Hold. No order in question fits the cash and the limits."


@FEWER
@given(worlds(), st.sampled_from([lambda of: of, proposing]))
def test_a_sale_is_said_to_fund_the_buys_only_where_they_need_its_money(of, scope):
    plan = scope(of).plan()
    for step in plan.steps:
        if "funds the buys" in step.narrative:
            rest = plan.cash["USD"] - of.open_buys
            for other in plan.steps:
                if other.n != step.n:
                    sign = 1 if other.side == "sell" else -1
                    rest += sign * other.notional_base - other.costs.total
            assert rest < plan.reserve
