"""The plan document: its schema, its numbers, its id."""

import json
import math
import re
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given

from builders.changes import USUAL, dated_lots, usual
from builders.demo import kinds
from builders.each import each
from builders.worlds import FEWER, SOME, worlds
from steelyard.canonical import plain, published
from steelyard.plans.plan import OUTSIDE_ID, Plan, json_schema, plan_id, seal
from steelyard.settings import Score

PLAIN = re.compile(r"-?\d+(\.\d*[1-9])?")
MONEY = ("value", "reserve", "open_buys")
MONEY_OF_A_STEP = ("quantity", "price", "fx_rate", "notional", "notional_base")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def floats(value, path=""):
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from floats(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from floats(inner, f"{path}[{index}]")


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@SOME
@given(worlds())
def test_every_document_fits_its_schema_survives_json_and_has_numbers_of_12_digits(of):
    plan = of.plan()
    text = plan.to_json()
    document = plan.document()

    VALIDATOR.validate(json.loads(text))
    assert Plan.model_validate_json(text).document() == document
    document.pop("timings")
    for path, value in floats(document):
        assert math.isfinite(value), path
        assert float(f"{value:.12g}") == value, (path, value)


@FEWER
@given(worlds())
def test_money_is_plain_decimal_text(of):
    document = of.plan().document()

    amounts = [document[key] for key in MONEY]
    amounts += [*document["cash"].values(), *document["cash_after"].values()]
    for step in document["steps"]:
        amounts += [step[key] for key in MONEY_OF_A_STEP]
        amounts += step["costs"].values()
    for row in document["candidates"]:
        amounts += [row[key] for key in ("quantity", "notional_base", "cost")]
    assert [amount for amount in amounts if not PLAIN.fullmatch(amount)] == []


def test_the_id_is_recomputed_from_the_document_alone():
    def is_recomputed(of):
        plan = of.planned
        assert plan.plan_id == plan_id(json.loads(plan.to_json()))
        assert re.fullmatch("[0-9a-f]{64}", plan.plan_id)

    each(kinds(), is_recomputed)


def changed(plan: Plan, **update) -> str:
    return seal(plan.model_copy(update=update)).plan_id


def test_the_id_leaves_out_what_tells_how_the_plan_was_made():
    plan = USUAL.planned
    quick = plan.certificate.model_copy(update={"seconds": 9.0, "nodes": 12345})

    assert changed(plan, warnings=(), timings=(), certificate=quick, plan_id="x") == plan.plan_id
    assert set(OUTSIDE_ID) >= {"plan_id", "warnings", "timings"}


def test_the_id_covers_everything_else():
    plan = USUAL.plan(disabled={"averaging_down": "tired"})
    updates = {
        "bucket": "other", "seed": 9, "value": Decimal(1), "problems": (), "reproducible": False,
        "turnover": 0.5, "inputs_sha256": "0", "excluded": ("ZZ",), "base_currency": "EUR",
        "not_traded": (), "candidates": (),
    }  # fmt: skip

    ids = {name: changed(plan, **{name: value}) for name, value in updates.items()}

    assert [name for name in updates if ids[name] == plan.plan_id] == []


@FEWER
@given(worlds())
def test_terms_sum_to_the_score_and_bars_are_marked_exactly_where_they_hide_something(of):
    score = of.plan().score

    assert sum(term.weight for term in score.terms) == pytest.approx(1)
    for term in score.terms:
        hold = sum(part.share * part.hold for part in term.parts)
        assert sum(part.share for part in term.parts) == pytest.approx(1)
        assert hold == pytest.approx(term.hold, rel=1e-9, abs=1e-9)
        assert term.off_scale == any(not 0 <= value <= 1 for value in (term.hold, term.plan))


def test_a_number_that_is_none_may_not_be_published():
    for number in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="may not be published"):
            published(number)
    assert math.copysign(1, published(-0.0)) == 1
    assert published(1 / 3) == 0.333333333333


def test_a_step_is_found_by_its_symbol():
    plan = USUAL.planned

    assert plan.step(plan.steps[0].symbol) is plan.steps[0]
    assert plan.step("NOPE") is None


@FEWER
@given(worlds())
def test_holdings_after_are_holdings_with_the_steps_applied(of):
    plan = of.plan()
    sign = {"buy": 1, "sell": -1}
    moved = {step.symbol: sign[step.side] * step.quantity for step in plan.steps}

    assert [row.symbol for row in plan.holdings_after] == [row.symbol for row in plan.holdings]
    for row in plan.holdings_after:
        assert row.quantity == of.held(row.symbol) + moved.get(row.symbol, 0)


def test_lots_shown_are_those_held_in_order_of_age():
    plan = dated_lots(usual(score=Score(tax_rate=0.1))).plan()
    shown = next(row for row in plan.holdings if row.symbol == "AA")

    assert [plain(lot.quantity) for lot in shown.lots] == ["100", "100", "200"]
    assert shown.lots[0].acquired is None
