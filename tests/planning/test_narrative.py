"""What a plan says: every number is a fact of its record, and nothing is praised or promised."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import quantities
from builders.changes import USUAL, proposing
from builders.demo import kinds
from builders.each import each
from builders.world import only, world
from builders.worlds import FEWER, SOME, worlds
from steelyard.modules.registry import Kind, modules
from steelyard.planning import narrative
from steelyard.plans import verify
from steelyard.plans.orders import Adds
from steelyard.plans.plan import Plan
from steelyard.plans.score import OrderChange
from steelyard.sentences import FORMATS, MINUS, SPACE, say
from steelyard.settings import Limits
from steelyard.strategies import overlay

NUMBER = re.compile(rf"[+{MINUS}-]?\d[\d,]*(?:\.\d+)?")
SAYINGS = re.compile(
    r"\b(great|excellent|outperform\w*|best-in-class|strong\w*|attractive\w*|should|will|"
    r"recommend\w*|guarantee\w*|superior|optimal|"
    r"unfortunately|impressive|smart\w*|perfect\w*|beat\w*|winners?|promis\w+|certain\w*|"
    r"safe\w*|cheap\w*|opportunit\w+)\b",
    re.IGNORECASE,
)


def nameless(text):
    """A text without the names of calculators: those are names and no praise."""
    for name in modules(Kind.OPPORTUNITY):
        text = text.replace(name, "it")
    return text


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
        assert not SAYINGS.search(nameless(text)), (where, text)


def test_the_sentences_of_a_plan_are_sentences():
    def are_sentences(of):
        for where, text, facts in sentences(of.planned):
            assert not strange_numbers(text, facts), (where, text, facts)
            assert not SAYINGS.search(nameless(text)), (where, text)
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
    of = proposing(world("AA 40 @ 100", cash="1000"))
    nobody = only(only(of.strategy, Kind.PATTERN), Kind.SEQUENCE)
    plan = replace(of, strategy=nobody).plan()

    hold = "Hold. The modules propose no plan that fits the cash and the limits."
    assert plan.candidates
    assert plan.certificate.sequences == 0
    assert plan.verdict.text == hold


def test_a_hold_for_want_of_money_says_so():
    lines, limits = ("AA 40 @ 100", "BB 0 @ 50"), Limits(allow_sell=False)

    plan = world(*lines, cash="-500", targets={"AA": 0.9, "BB": 0.1}, limits=limits).plan()

    assert plan.verdict.action == "hold"
    if plan.candidates:
        assert plan.verdict.text == "Hold. No order fits lots, cash and limits."


WORTHS = [
    (
        (0.0343, "3054.42", 3.93, "resolved"),
        (
            "Without it the best plan would have 3.9 pp more drift; the score weighs the loss like "
            "USD 3,054 a year (3.43 points)."
        ),
    ),
    (
        (0.0343, "3054.42", 3.93, "drop_one"),
        (
            "Without it, the other orders as they are, the plan would have 3.9 pp more drift; the "
            "score weighs the loss like USD 3,054 a year (3.43 points)."
        ),
    ),
    (
        (0.0343, "3054.42", -0.21, "resolved"),
        (
            "Without it the best plan would have 0.2 pp less drift; the score weighs the loss like "
            "USD 3,054 a year (3.43 points)."
        ),
    ),
    (
        (0.0112, "9.5", 0.04, "resolved"),
        (
            "Without it the best plan would be worse by what the score weighs like USD 9.50 a year "
            "(1.12 points)."
        ),
    ),
    (
        (0.0112, None, None, "drop_one"),
        "Without it, the other orders as they are, the plan would lose 1.12 points.",
    ),
    (
        (0.0112, None, 1.0, "resolved"),
        "Without it the best plan would have 1.0 pp more drift and 1.12 points less.",
    ),
    (
        (0.0004, "35.55", 0.3, "resolved"),
        "It is marginal: the score weighs it like USD 36 a year (0.04 points).",
    ),
    ((0.0004, None, 0.3, "resolved"), "It is marginal: it adds 0.04 points."),
    (
        (-0.0101, "-900", 0.0, "drop_one"),
        "It funds the buys: without it the money would be missing.",
    ),
]


def test_a_steps_worth_is_told_as_drift_and_money_a_year_and_then_points():
    def is_told(figures, sentence):
        score, money, drift, how = figures
        adds = Adds(
            score=score, base_per_year=None if money is None else Decimal(money),
            drift_pp=drift, how=how,
        )  # fmt: skip
        template, facts = narrative.worth_of(adds, is_buy=False, owed=False)

        assert say(template, **facts, currency="USD").text.replace(SPACE, " ") == sentence

    each(dict(enumerate(WORTHS)), is_told)


def test_a_sale_that_pays_a_debt_is_said_to_pay_it():
    adds = Adds(score=-0.2, base_per_year=Decimal(-5), drift_pp=0.0, how="drop_one")

    paid = "It pays what is owed: without it the money would be missing."
    assert narrative.worth_of(adds, is_buy=False, owed=True) == (paid, {})


ANY = "any size and any number of orders that the filters and limits allow"
BEST = f"the best possible plan of {ANY}"
AT_MOST = "at most 0.01 points, USD 0.05 a year, 0.1 % of the improvement"
PROOFS = [
    (quantities.proven, f"Proven best: no whole-lot order list of {ANY} is better."),
    (
        quantities.hold,
        f"Proven: no whole-lot order list of {ANY} gains the 90.00 points that are asked for.",
    ),
    (
        quantities.growth,
        f"Within 0.04 points of {BEST}: at most USD 31 a year, 0.2 % of the improvement.",
    ),
    (quantities.one, f"Within one lot of {BEST}, of at most 1 order: {AT_MOST}."),
    (quantities.unmeasured, f"How far it is from {BEST} was not measured."),
]


def test_how_far_a_plan_is_from_the_best_possible_stands_in_the_verdict():
    def is_told(make, sentence):
        assert make().verdict.detail.replace(SPACE, " ").endswith(sentence)

    each(dict(enumerate(PROOFS)), is_told)


def test_a_table_searched_whole_claims_nothing_of_other_sizes():
    usual = USUAL.planned
    certificate = usual.certificate.model_copy(update={"scope": "candidates"})

    assert narrative.certified(certificate, "USD", None) is None


CHANGES = [
    (("sell", 209, -210), "sell 209 AA instead of 210"),
    (("buy", 12, None), "also buy 12 AA"),
    (("buy", 0, 40), "do not buy AA"),
    (("sell", 0, -7), "do not sell AA"),
    (("buy", 1500, -3), "buy 1,500 AA instead of selling 3"),
]


def test_what_a_list_beside_the_plan_changes_is_told_in_words():
    def is_told(change, words):
        side, size, was = change
        was = None if was is None else Decimal(was)
        change = OrderChange(side=side, symbol="AA", quantity=Decimal(size), was=was)

        assert narrative.changed([change]) == words
        assert narrative.changed([change, change]) == f"{words} and {words}"

    each(dict(enumerate(CHANGES)), is_told)


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


def test_a_hold_towards_targets_names_the_calculator_that_is_off():
    off = {"opportunity_calculators": {"weight_based": {"enabled": False}}}
    told, wrong = "The calculator weight_based, which trades towards targets, is off.", []
    for scope in ("quantities", "candidates", "proposals"):
        for changes, due in ((off, True), ({}, False)):
            rules = {"limits": {"min_trade_base": 1e9}, "search": {"scope": scope}, **changes}
            made = replace(USUAL, strategy=overlay(USUAL.strategy, rules, "an option")).planned
            text, failed = made.verdict.text, verify.check(made.document()).failed
            if not text.startswith("Hold.") or text.endswith(told) is not due or failed:
                wrong.append((scope, due, text, failed))
    assert wrong == []
