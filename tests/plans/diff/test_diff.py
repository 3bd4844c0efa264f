"""Two plans compared: whatever holds of any two, over plans of every kind."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest

from builders import plan_pairs as pairs
from builders.plans import HOSTILE, growth
from steelyard.orders import Side
from steelyard.plans.diff import PlanDiff, compare
from steelyard.plans.plan import Plan, seal
from steelyard.sentences import again, cased

EVERY = [make() for make in pairs.EVERY]
ANY_TWO = pairs.any_two()


def sentences(diff: PlanDiff) -> list:
    whys = [trade.why for trade in (*diff.trades_added, *diff.trades_removed)]
    notes = [diff.money.not_compared, diff.score.not_compared]
    return [*diff.reasons, *whys, *filter(None, notes)]


def orders(plan: Plan) -> dict[tuple[str, Side], Decimal]:
    return {(step.symbol, step.side): step.quantity for step in plan.steps}


def test_a_plan_and_itself_are_the_same_plan_and_nothing_else_is_told():
    for plan in EVERY:
        diff = compare(plan, plan)

        assert diff.same
        assert [reason.text for reason in diff.reasons] == ["A and B are the same plan."]
        assert (diff.trades_added, diff.trades_removed, diff.trades_changed) == ((), (), ())
        assert diff.moved.nothing
        assert (diff.score.comparable, diff.money.cost.change) == ("all", 0)


def test_the_trades_that_are_told_make_one_plan_of_the_other():
    for a, b in ANY_TWO:
        diff = compare(a, b)
        result = orders(a)
        for trade in diff.trades_removed:
            assert result.pop((trade.symbol, trade.side)) == trade.quantity
        for trade in diff.trades_changed:
            assert result[trade.symbol, trade.side] == trade.quantity.a
            result[trade.symbol, trade.side] = trade.quantity.b
        for trade in diff.trades_added:
            assert (trade.symbol, trade.side) not in result
            result[trade.symbol, trade.side] = trade.quantity

        assert result == orders(b)


def test_turned_round_it_tells_the_reverse():
    for a, b in ANY_TWO:
        there, back = compare(a, b), compare(b, a)

        def keys(trades):
            return [(trade.symbol, trade.side, trade.quantity) for trade in trades]

        assert keys(there.trades_added) == keys(back.trades_removed)
        assert there.money.buys.a == back.money.buys.b
        assert there.score.comparable == back.score.comparable
        for pair, turned in zip(there.score.terms, back.score.terms, strict=False):
            if pair.name == turned.name and pair.gain.change is not None:
                assert pair.gain.change == -turned.gain.change
        assert {rule.key for rule in there.moved.rules} == {rule.key for rule in back.moved.rules}
        assert there.same == back.same


def test_what_the_terms_add_less_the_charges_is_the_improvement_of_each_plan():
    for a, b in ANY_TWO:
        score = compare(a, b).score
        for side in ("a", "b"):
            gains = [getattr(term.gain, side) or 0.0 for term in score.terms]
            charges = [getattr(pair, side) for pair in (score.cost, score.tax, score.hurdle)]
            net = math.fsum(gains) - math.fsum(charges)

            assert net == pytest.approx(getattr(score.improvement, side), abs=1e-9)


def test_every_sentence_comes_from_its_template_and_every_trade_has_its_reason():
    for a, b in ANY_TWO:
        diff = compare(a, b)
        for sentence in sentences(diff):
            assert sentence.text == cased(again(sentence.template, sentence.facts))
        resized = [trade for trade in diff.trades_changed if trade.quantity.change]
        symbols = {reason.symbol for reason in diff.reasons}
        for trade in (*diff.trades_added, *diff.trades_removed, *resized):
            assert trade.symbol in symbols
        assert [reason.text for reason in diff.reasons].count("") == 0


def test_the_document_is_json_of_the_promised_keys_and_reads_back():
    for a, b in ANY_TWO:
        document = compare(a, b).document()

        assert {
            *("a", "b", "trades_added", "trades_removed", "trades_changed"),
            *("money", "score", "reasons", "moved"),
        } <= document.keys()
        assert compare(a, b).document() == document
        text = json.dumps(document, allow_nan=False)
        assert PlanDiff.model_validate_json(text).document() == document


def test_hundreds_of_orders_are_each_told_and_the_largest_first():
    diff = compare(pairs.hundreds(), pairs.hundreds("60000"))
    amounts = [trade.notional_base for trade in diff.trades_removed]

    assert len(amounts) > 50
    assert amounts == sorted(amounts, reverse=True)
    symbols = {reason.symbol for reason in diff.reasons if reason.symbol}
    assert {trade.symbol for trade in diff.trades_removed} <= symbols


def test_hostile_text_of_a_plan_stays_text_in_every_sentence():
    step = growth().steps[0]
    hostile = step.model_copy(
        update={"reason_template": "{no_such:pct} {", "reason": HOSTILE, "name": HOSTILE}
    )
    plan = seal(growth().model_copy(update={"steps": (hostile, *growth().steps[1:])}))

    reason = next(r for r in compare(plan, pairs.narrow()).reasons if r.symbol == "HD")
    diff = compare(pairs.hundreds("60000"), plan)

    assert "for target fit" in reason.text
    assert any(HOSTILE in reason.text for reason in diff.reasons)
    for sentence in sentences(diff):
        assert sentence.text == cased(again(sentence.template, sentence.facts))
