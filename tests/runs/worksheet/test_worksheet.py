"""Orders of a stored plan changed by hand: what they cost, what they break, what is said."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from builders.by_hand import FUNDS, GOALS, KINDS, LINES, flow, kind_of, three
from builders.plans import HOSTILE
from builders.sheets import sheet_of, stored
from builders.world import BUSY, world
from steelyard import rebalance
from steelyard.errors import InputError, NotStored, SettingsError
from steelyard.modules.registry import Kind
from steelyard.orders import Order, Side
from steelyard.planning.planner import plan_case
from steelyard.plans.plan import seal
from steelyard.portfolio import BucketState
from steelyard.runs.worksheet import (
    Edits,
    Sheets,
    csv_of,
    edits_of,
    field_of,
    figures,
    opened,
    replanned,
    typed_of,
)
from steelyard.settings import Limits
from steelyard.store.opening import open_store
from steelyard.strategies.replayed import replayed

ZERO = Decimal(0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    entry = open_store(str(tmp_path_factory.mktemp("sheets") / "s.db"))
    yield entry
    entry.close()


@pytest.fixture(scope="module")
def sheet(store):
    """AA is sold, CC is bought, BB stays."""
    return sheet_of(store, three(cash="1000"))


def codes(result):
    return {(limit.code, limit.symbol) for limit in result.broken}


def text_of(result):
    sentences = [result.headline, *result.sentences]
    return " ".join(sentence.text for sentence in sentences).replace("\u00a0", " ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_calculated_orders_have_the_figures_of_the_plan_and_break_nothing(store, kind):
    sheet = sheet_of(store, kind_of(kind))
    plan, result = sheet.plan, figures(sheet, Edits())

    assert result.broken == ()
    assert result.headline.text == "These are the calculated orders."
    assert result.edited.costs == plan.costs
    assert result.edited.cash == plan.cash_after
    assert result.edited.drift == pytest.approx(plan.drift.after, abs=1e-9)
    assert result.edited.turnover == pytest.approx(plan.turnover, abs=1e-9)
    assert result.edited.score == pytest.approx(plan.score.plan, abs=1e-9)
    assert result.edited.net == pytest.approx(plan.score.improvement, abs=1e-9)
    assert result.before.drift == pytest.approx(plan.drift.before, abs=1e-9)
    after = {row.symbol: row.weight for row in plan.holdings_after}
    assert {row.symbol: row.weight_after for row in result.rows} == pytest.approx(after, abs=1e-9)
    for currency, low in result.edited.lowest.items():
        rungs = [rung.balance for rung in plan.cash_ladder if rung.currency == currency]
        assert low.amount == min(rungs)


def test_of_a_plan_to_exact_targets_the_same_holds(store):
    of = three(cash="1000")
    plan = rebalance.planned.solved_plan(of.case)[1]
    sheet = sheet_of(store, of, plan)

    assert figures(sheet, Edits()).broken == ()
    assert figures(sheet, Edits()).edited.cash == plan.cash_after
    assert replanned(sheet, Edits({"CC": ZERO}, frozenset({"CC"}))).quantities["CC"] == 0


def test_an_order_struck_costs_what_the_plan_says_that_it_adds(sheet):
    (step,) = [step for step in sheet.plan.steps if step.symbol == "CC"]
    row = figures(sheet, Edits()).row("CC")
    result = figures(sheet, Edits({"CC": ZERO}))

    assert result.row("CC").struck
    assert result.changed == ("CC",)
    assert result.against.score == pytest.approx(-row.adds, abs=1e-9)
    assert step.adds.how == "resolved" or result.against.score == pytest.approx(-step.adds.score)
    assert result.headline.text.startswith("Costs ")
    assert "points against the calculated plan: about USD" in text_of(result)


def test_what_an_edit_costs_is_the_difference_of_what_is_gained_and_the_same_money_a_year(sheet):
    result = figures(sheet, edits_of(sheet, {"BB": "20"}))
    rates = sheet.objective.rates

    assert result.against.score == result.edited.net - result.calculated.net
    assert result.against.base_per_year == rates.base_per_year(
        result.against.score, sheet.ctx.value
    )
    assert result.against.cost == result.edited.costs.total - result.calculated.costs.total


def test_edited_orders_are_worth_what_a_fresh_plan_of_them_would_say(sheet, store):
    """A plan that is made again and has just these orders says the same figures of them."""
    of = three(cash="1000", limits=Limits(max_turnover_weight=0.05))
    plan = stored(store, of)
    orders = {s.symbol: s.quantity if s.side is Side.BUY else -s.quantity for s in plan.steps}
    result = figures(sheet, Edits({**dict.fromkeys(sheet.calculated, ZERO), **orders}))

    assert len(orders) > 0
    assert result.edited.net == pytest.approx(plan.score.improvement, abs=1e-9)
    assert result.edited.drift == pytest.approx(plan.drift.after, abs=1e-9)
    assert result.edited.cash == plan.cash_after
    assert result.edited.costs.total == plan.costs.total


def test_every_limit_that_is_broken_is_named_not_only_the_first(store):
    of = world(*LINES, cash="1000", targets=GOALS, limits=Limits(max_turnover_weight=0.3))
    sheet = sheet_of(store, of)
    result = figures(sheet, edits_of(sheet, {"BB": "+1000", "CC": "+1"}))

    assert codes(result) == {
        ("max_position", "BB"),
        ("min_order", "CC"),
        ("cash", None),
        ("max_turnover", None),
    }
    assert not result.may_be_traded
    assert [limit.code for limit in result.row("BB").broken] == ["max_position"]
    assert "It breaks 4 limits and may not be traded." in text_of(result)
    assert "Cash in USD falls to −" in text_of(result)


def test_one_broken_limit_is_one_sentence_with_its_numbers(sheet):
    result = figures(sheet, edits_of(sheet, {"CC": "+1"}))

    assert codes(result) == {("min_order", "CC")}
    assert "It breaks one limit: CC: 0.2 % of value; the least order of CC is" in text_of(result)


def test_too_many_orders_and_a_side_that_is_switched_off_are_limits_too(store):
    of = three(cash="1000", limits=Limits(max_orders=2))
    securities = [
        replace(s, allow_buy=s.symbol != "CC", allow_sell=s.symbol != "BB")
        for s in of.snapshot.securities
    ]
    sheet = sheet_of(store, of.having(securities=tuple(securities)))
    result = figures(sheet, edits_of(sheet, {"AA": "-40", "BB": "-40", "CC": "+30"}))

    assert codes(result) >= {("allow_buy", "CC"), ("allow_sell", "BB"), ("max_orders", None)}


def test_shares_that_an_open_sale_has_reserved_may_not_be_sold_twice(store):
    order = Order("o-1", "AA", Side.SELL, Decimal(150), None)
    of = world(*LINES, cash="1000", targets=GOALS, funds=FUNDS, orders=[order])
    sheet = sheet_of(store, of)

    assert codes(figures(sheet, edits_of(sheet, {"AA": "-100"}))) == {("holdings", "AA")}


def test_a_filter_is_asked_of_what_is_changed_and_not_of_what_the_plan_itself_has(store):
    of = replace(BUSY, targets=None)
    sheet = sheet_of(store, of)
    recent = replace(
        of.snapshot.holdings[0], last_bought=of.snapshot.as_of, last_sold=of.snapshot.as_of
    )
    holdings = tuple(recent if h.symbol == recent.symbol else h for h in of.snapshot.holdings)
    barred = sheet_of(store, of.having(holdings=holdings))
    name = recent.symbol

    result = figures(barred, edits_of(barred, {name: "-5"}))
    free = figures(sheet, edits_of(sheet, {name: "-5"}))

    assert ("cooldown", name) not in codes(free)
    assert {code for code, symbol in codes(result) if symbol == name} - {
        code for code, symbol in codes(free) if symbol == name
    }


def test_new_money_that_is_left_idle_is_told_and_forbids_nothing(store):
    sheet = sheet_of(store, three(flow("7000")))
    result = figures(sheet, Edits({"CC": ZERO}))

    assert result.may_be_traded
    assert "new money asks for" in text_of(result) or "idle cash asks for" in text_of(result)


def test_a_withdrawal_that_nothing_pays_for_may_not_be_traded(store):
    sheet = sheet_of(store, three(flow("-6000", days=9)))
    result = figures(sheet, Edits(dict.fromkeys(sheet.calculated, ZERO)))

    assert {code for code, _ in codes(result)} == {"due"}
    assert "is due" in text_of(result)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("30", "30"), (" 30 ", "30"), ("+30", "30"), ("-30", "-30"), ("\u221230", "-30"),
        ("buy 30", "30"), ("Sell 30", "-30"), ("0", "0"), ("-0", "0"), ("30.0", "30"),
        ("all", "-200"), ("sell all", "-200"),
    ],
)  # fmt: skip
def test_a_quantity_is_read_as_people_type_it(sheet, text, quantity):
    quantities = edits_of(sheet, {"bb": text}).quantities

    assert quantities.get("BB", ZERO) == Decimal(quantity)


def test_a_bare_number_keeps_the_side_of_the_plan_and_nothing_is_as_calculated(sheet):
    own = abs(sheet.calculated["AA"])

    assert edits_of(sheet, {"AA": "5"}).quantities == {"AA": Decimal(-5)}
    assert edits_of(sheet, {"AA": f"{own}", "BB": ""}).quantities == {}


def test_edits_typed_again_are_the_same_edits(sheet):
    edits = edits_of(sheet, {"AA": "5", "BB": "-7", "CC": "0"}, ["AA"])

    assert edits_of(sheet, typed_of(edits), edits.locked) == edits
    assert [field_of(Decimal(n)) for n in ("3.50", "-2", "0")] == ["+3.5", "-2", "0"]


@pytest.mark.parametrize(
    ("symbol", "text", "code", "limit"),
    [
        ("BB", "x", "worksheet_no_number", "a number of shares"),
        ("BB", "NaN", "worksheet_no_number", "a number of shares"),
        ("BB", "1e9", "worksheet_no_number", "a number of shares"),
        ("BB", "1,000", "worksheet_no_number", "a number of shares"),
        ("BB", "--3", "worksheet_no_number", "a number of shares"),
        ("BB", "9" * 30, "worksheet_too_large", "1000000000000"),
        ("BB", "9" * 300, "worksheet_no_number", "a number of shares"),
        ("BB", "-201", "worksheet_more_than_held", "200"),
        ("BB", "3.4", "worksheet_lot", "3"),
        ("BB", "-199.7", "worksheet_lot", "200"),
        ("BC", "3", "worksheet_symbol", None),
        ("<b>", "3", "worksheet_symbol", None),
    ],
)
def test_what_cannot_be_an_order_is_refused_in_place(sheet, symbol, text, code, limit):
    with pytest.raises(InputError) as refused:
        edits_of(sheet, {symbol: text})

    (fault,) = refused.value.faults
    assert (fault.code, fault.place, fault.limit) == (code, symbol, limit)
    assert "Nothing was changed." in fault.message


def test_all_that_is_wrong_is_told_at_once_under_the_names_that_were_typed(sheet):
    with pytest.raises(InputError) as refused:
        edits_of(sheet, {"bb": "x", "AA": "-999", "CC": "3"}, ["QQ"])

    assert [fault.place for fault in refused.value.faults] == ["bb", "AA", "QQ"]


def test_what_is_locked_stays_and_the_rest_is_planned_again_around_it(sheet):
    locked = Edits({"CC": ZERO}, frozenset({"CC"}))
    again = replanned(sheet, locked)
    result = figures(sheet, again)

    assert again.quantities["CC"] == 0
    assert result.may_be_traded
    assert result.against.score < 0
    assert result.against.score >= figures(sheet, locked).against.score
    assert result.row("CC").locked


def test_with_nothing_locked_planning_again_is_the_calculated_plan(sheet):
    assert replanned(sheet, Edits({"CC": ZERO})) == Edits()
    everything = frozenset(sheet.calculated)
    assert replanned(sheet, Edits({}, everything)).quantities == {}


def test_a_file_of_orders_has_plain_numbers_and_no_formula(store, sheet):
    text = csv_of(sheet, edits_of(sheet, {"CC": "0", "BB": "+999"}, ["BB"]))
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [(row["symbol"], row["side"]) for row in rows] == [
        ("AA", "sell"), ("BB", "buy"), ("", ""),
    ]  # fmt: skip
    assert rows[1]["quantity"] == "999"
    assert Decimal(rows[1]["notional"]) == 999 * Decimal(rows[1]["price"])
    assert rows[1]["note"].startswith("calculated: no order; locked")
    assert rows[2]["note"].startswith("May not be traded: ")

    sum_of = world("=1+1 40 @ 100", "@B 60 @ 50", cash="3000", targets={"=1+1": 0.2, "@B": 0.7})
    lines = csv_of(sheet_of(store, sum_of), Edits({"=1+1": ZERO - 2, "@B": ZERO + 3}))
    lines = lines.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("'") for line in lines[1:])


def test_names_from_files_stay_what_they_are(store):
    of = three(cash="1000")
    securities = tuple(replace(s, name=HOSTILE) for s in of.snapshot.securities)
    result = figures(sheet_of(store, of.having(securities=securities)), Edits({"CC": ZERO}))

    assert {row.name for row in result.rows} == {HOSTILE}
    assert HOSTILE not in text_of(result)


def test_a_plan_whose_bucket_remembered_what_is_not_stored_is_not_opened(store):
    of = replace(three(cash="1000"), state=BucketState(dividends={"AA": Decimal(12)}))

    with pytest.raises(InputError) as refused:
        sheet_of(store, of)

    assert refused.value.fault.code == "worksheet_inputs_changed"


def test_a_plan_of_another_engine_is_not_opened_and_the_figure_is_named(store):
    of = three(cash="1000")
    score = of.planned.score.model_copy(update={"plan": of.planned.score.plan + 0.001})
    plan = seal(of.planned.model_copy(update={"score": score}))

    with pytest.raises(InputError) as refused:
        sheet_of(store, of, plan)

    assert (refused.value.fault.code, refused.value.fault.place) == (
        "worksheet_engine_changed",
        "score",
    )


def test_a_plan_by_modules_that_are_not_installed_is_not_opened(store):
    of = three(cash="1000")
    settings = dict(of.planned.strategy.settings)
    ran = [{"name": "gone", "version": "9", "params": {}}, *settings["modules"]["filters"]]
    settings["modules"] = {**settings["modules"], "filters": ran}
    rules = of.planned.strategy.model_copy(update={"settings": settings})
    plan = seal(of.planned.model_copy(update={"strategy": rules}))

    with pytest.raises(SettingsError, match=r"filters\.gone 9 is not installed"):
        sheet_of(store, of, plan)


@pytest.mark.parametrize("kind", ["growth", "conservative", "no targets", "bands", "tax lots"])
def test_planning_by_the_rules_of_a_document_gives_the_document(kind):
    of = kind_of(kind)
    again = plan_case(replace(of.case, strategy=replayed(of.planned.strategy)))

    assert again.plan_id == of.planned.plan_id
    assert {Kind(name) for name in of.planned.strategy.settings["modules"]} == {*Kind}


def test_sheets_are_opened_once_for_many_threads_and_the_last_few_stay(store):
    plans = [stored(store, three(cash=f"{1000 + n}")).plan_id for n in range(3)]
    sheets = Sheets(2)

    with ThreadPoolExecutor(4) as pool:
        same = list(pool.map(lambda _: sheets.of(store, plans[0][:12]), range(4)))
    assert all(sheet is same[0] for sheet in same)
    for plan_id in plans[1:]:
        sheets.of(store, plan_id)

    assert len(sheets) == 2
    assert sheets.of(store, plans[0]) is not same[0]


def test_a_plan_that_is_not_stored_is_refused(store):
    with pytest.raises(NotStored):
        opened(store, "0" * 64)
