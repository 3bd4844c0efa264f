"""The HTML report: figures are the document's, nothing leaves the page, nothing obeys a file."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import plans as sample
from builders import quantities
from builders.pages import Element, html, page, read
from builders.paths import ROOT
from builders.world import world
from steelyard.errors import InternalError
from steelyard.notices import Timing
from steelyard.orders import Side
from steelyard.plans.answers import Counterfactual, Explanation, Stability
from steelyard.plans.plan import Plan, plan_id, seal
from steelyard.plans.verify import check
from steelyard.report import visible
from steelyard.report.exhibits import waterfall, words, worth
from steelyard.report.page import DOCUMENT_BYTES, embedded, render
from steelyard.sentences import MINUS, money, percent, points, quantity, signed

MOST_BYTES = 300_000
MOST_BYTES_BARE = 150_000
MOST_BYTES_OF_THOUSANDS = 1_500_000
MOST_NODES = 4_000
DRAWN = 60


def drawn(plan: Plan, **changes: Any) -> Element:
    """The page of a plan with other fields than were verified."""
    return read(render(plan.model_copy(update=changes), check(plan.document())))


def number(text: str) -> Decimal:
    """A figure of the page as a number."""
    return Decimal(text.replace(MINUS, "-").replace(",", "").replace("+", ""))


def bare(text: str) -> str:
    """The page without fonts and plan document."""
    without = re.sub(r"@font-face\{.*?\}\n", "", text)
    return re.sub(r'<script type="application/json" id="plan">.*?</script>', "", without)


# the page as a whole


@sample.every_plan
def test_every_report_is_well_formed_and_has_one_title_and_one_main_heading(make):
    root = page(make)

    assert root.one("html").attributes["lang"] == "en"
    assert len(root.all("h1")) == 1
    assert root.one("title").text.startswith(make().verdict.action.capitalize())
    assert len(root.all("main")) == 1


@sample.every_plan
def test_the_page_stays_within_its_budgets(make):
    assert len(html(make).encode()) <= MOST_BYTES
    assert len(bare(html(make)).encode()) <= MOST_BYTES_BARE
    assert int(page(make).attributes["count"]) <= MOST_NODES


@sample.every_plan
def test_nothing_on_the_page_can_leave_it(make):
    text, root = bare(html(make)), page(make)

    assert not [sign for sign in ("http://", "https://", " src=", "@import") if sign in text]
    assert all(url.startswith("data:") for url in re.findall(r"url\(([^)]*)\)", html(make)))
    assert {link.attributes["href"] for link in root.all("link")} == {"data:,"}
    assert {use.attributes["href"][0] for use in root.all("use")} == {"#"}
    assert not [
        element
        for element in root.all()
        if any(name.startswith("on") for name in element.attributes)
    ]


def test_the_policy_allows_styles_and_embedded_fonts_only():
    meta = page(sample.growth).one("meta", **{"http-equiv": "Content-Security-Policy"})

    assert meta.attributes["content"] == (
        "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
    )


def test_the_same_plan_gives_the_same_bytes_and_no_clock_is_in_them():
    plan = sample.growth()
    certificate = plan.certificate.model_copy(update={"seconds": 99.0, "nodes": 7})
    timings = (Timing(name="plan", seconds=12.5),)
    slower = plan.model_copy(update={"timings": timings, "certificate": certificate})

    assert render(plan) == html(sample.growth) == render(slower)


def test_the_hash_seed_changes_no_byte():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from builders.plans import two_currencies\n"
        "from steelyard.report.page import render\n"
        "sys.stdout.write(render(two_currencies()))"
    )

    def rendered(seed: str) -> bytes:
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": "src", "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True).stdout

    assert rendered("0") == rendered("1") != b""


# every figure is the document's


@sample.every_plan
def test_every_figure_of_the_trades_table_is_the_documents(make):
    plan = make()
    tables = page(make).all("table", klass="trades")
    if not plan.steps:
        assert not tables
        return
    *lines, total = tables[0].rows()

    for step, line, why in zip(plan.steps, lines[::2], lines[1::2], strict=True):
        n, side, security, shares, price, amount, cost, adds = line
        assert (n, side) == (str(step.n), step.side.capitalize())
        assert security.split()[0] == step.symbol
        assert shares == quantity(step.quantity)
        assert number(price.removesuffix(step.currency)) == step.price
        assert (amount, cost, adds) == (
            money(step.notional_base, 0), money(step.costs.total),
            worth.amount(step.adds.base_per_year),
        )  # fmt: skip
        assert visible(step.reason[:1].upper() + step.reason[1:]) in why[-1]
    flow = sum(
        step.notional_base if step.side is Side.SELL else -step.notional_base for step in plan.steps
    )
    assert number(total[4]) == number(money(flow, 0))
    assert total[5] == money(plan.costs.total)


@sample.every_plan
def test_sells_stand_before_buys(make):
    tables = page(make).all("table", klass="trades")
    sides = [line[1] for table in tables for line in table.rows()[:-1:2]]

    assert sides == sorted(sides, reverse=True)


@sample.every_plan
def test_the_weights_are_the_documents_and_with_cash_sum_to_a_hundred(make):
    plan = make()
    table = page(make).one("table", klass="weights")
    columns = table.head()
    now, after = columns.index("Now"), columns.index("After")
    before = {holding.symbol: holding.weight for holding in plan.holdings}
    then = {holding.symbol: holding.weight for holding in plan.holdings_after}

    rows = {cells[0].split()[0]: cells for cells in table.rows() if cells[0]}
    for symbol in set(rows) & set(before):
        assert (rows[symbol][now], rows[symbol][after]) == (
            percent(before[symbol]),
            percent(then[symbol]),
        )
    if plan.value:
        assert rows["Total"][now] == rows["Total"][after] == "100.0"


@sample.every_plan
def test_every_holding_is_drawn_or_listed_and_at_most_sixty_are_drawn(make):
    plan = make()
    root = page(make)
    heads = [
        row.all("th", scope="row")
        for row in root.one("table", klass="weights").all("tr")
        if row.all("svg", klass="c")
    ]
    drawn = [head[0].text.split()[0] for head in heads if head]
    listed = [item.one("b").text for item in root.all("li") if item.all("b")]

    assert sorted([*drawn, *listed]) == sorted(
        [
            "Cash",
            *(holding.symbol for holding in plan.holdings),
            *(other.symbol for other in plan.drift.absent),
        ]
    )
    assert len(drawn) <= DRAWN + 1


def test_traded_holdings_and_breaches_are_drawn_before_others_are_folded():
    plan = sample.five_hundred()
    drawn = page(sample.five_hundred).one("table", klass="weights").text
    breaches = [
        holding.symbol
        for holding in plan.holdings
        if holding.band and not holding.band[0] <= holding.weight <= holding.band[1]
    ]

    assert len(plan.holdings) == 500
    symbols = [*breaches, *(step.symbol for step in plan.steps)]
    assert [symbol for symbol in symbols if symbol not in drawn] == []


@sample.every_plan
def test_the_score_falls_from_hold_over_each_term_to_the_plan(make):
    plan = make()
    table = page(make).all("table", klass="fall")[0]
    rows = {cells[0]: cells[-1] for cells in table.rows()}

    assert rows["Hold"] == words.on_scale(plan.score.hold)
    assert rows["This plan"] == words.on_scale(plan.score.plan)
    changes = [signed(term.weight * (term.plan - term.hold), 2) for term in plan.score.terms]
    assert sorted(changes) == sorted(cells[-1] for cells in table.rows()[1 : len(changes) + 1])
    if plan.steps:
        assert rows["Net of charges"] == words.on_scale(plan.score.hold + plan.score.improvement)


@sample.every_plan
def test_costs_by_kind_and_alternatives_are_the_documents(make):
    plan = make()
    root = page(make)
    costs = {cells[0]: cells[-1] for cells in root.all("table", klass="fall")[1].rows()}
    others = root.one("table", klass="other").rows()

    assert costs == {
        "Commission": money(plan.costs.commission), "Spread": money(plan.costs.spread),
        "Conversion": money(plan.costs.fx), "Total": money(plan.costs.total),
    }  # fmt: skip
    own = [cells for cells in others if cells[1].startswith("This plan")]
    assert [(cells[3], *cells[5:]) for cells in own] == [
        (money(plan.costs.total), "", "", words.on_scale(plan.score.plan))
    ]
    shown = {(cells[3], *cells[5:]) for cells in others}
    for other in plan.alternatives:
        beside = other.improvement - plan.score.improvement
        distance = (worth.signed_amount(worth.a_year(plan, beside)), worth.near(beside))
        row = (money(other.cost), *distance, words.on_scale(other.score))
        assert row in shown or (other.name == "hold" and not plan.steps)
    points = [number(cells[6] or "0") for cells in others if cells[6] != words.OFF_SCALE]
    assert points == sorted(points, reverse=True)


@sample.every_plan
def test_the_cash_tables_show_every_rung_of_the_ladder(make):
    plan = make()
    root = page(make)
    tables = [ladder.one("table") for ladder in root.all("div", klass="ladder")]
    shown = {
        (table.one("caption").text.split()[2], *row) for table in tables for row in table.rows()
    }

    for rung in plan.cash_ladder:
        on = f"{rung.date.day}\u00a0{rung.date:%b}\u00a0{rung.date.year}"
        column = 2 if rung.kind == "traded" else 3
        assert money(rung.balance, 0) in {
            row[column] for row in shown if row[:2] == (rung.currency, on)
        }


@sample.every_plan
def test_everything_not_traded_is_told_but_what_was_merged(make):
    plan = make()
    section = next(
        other
        for other in page(make).all("section")
        if other.attributes["aria-labelledby"] == "h-not"
    )

    assert all(entry.symbol in section.text for entry in plan.not_traded if entry.stage != "merge")
    drawn = [table.all("tbody") for table in section.all("table", klass="stopped")]
    assert all(len(groups) <= 40 for groups in drawn)


@sample.every_plan
def test_the_seal_names_plan_strategy_seed_and_inputs(make):
    plan = make()
    seal = page(make).one("footer", klass="seal").text

    for part in (
        plan.plan_id,
        plan.strategy.sha256[:16],
        plan.inputs_sha256[:16],
        f"seed {plan.seed}",
    ):
        assert part in seal


def test_the_conversion_and_the_lots_are_told():
    plan = sample.euro()
    root = page(sample.euro)
    conversions, lots = root.all("table", klass="plain")[:2]

    amounts = {row[0]: number(row[1][:-3]) for row in conversions.rows()}
    (paid,) = plan.conversions  # sales pay for buys of their currency first
    assert amounts == {"EUR to USD": number(money(paid.amount, 0))}
    assert [row[0] for row in lots.rows()] == [
        step.symbol for step in plan.steps for _ in step.lots
    ]


# what it says


@sample.every_plan
def test_a_score_axis_that_does_not_start_at_zero_says_so(make):
    low = waterfall.score(make()).axis.low

    assert (low > 0) == ("Bars start at " in page(make).text)
    assert low <= 0 or f"Bars start at {points(low, 0)}." in page(make).text


def test_headings_state_what_was_found():
    headings = {heading.text for make in sample.ALL for heading in page(make).all("h2")}

    assert {
        "Five trades, sells first", "One sale", "No trades", "Four of eleven breaches close",
        "The score stays at 58.43", "The score stays off the scale",
    } <= headings  # fmt: skip


def test_a_hold_report_has_the_same_sections_and_shows_the_best_rejected_plan():
    act, hold = page(sample.growth), page(sample.hold)

    assert [s.attributes["aria-labelledby"] for s in act.all("section")] == [
        s.attributes["aria-labelledby"] for s in hold.all("section")
    ]
    assert "sell\u00a0210\u00a0AAPL" in hold.one("table", klass="other").text
    assert hold.one("footer", klass="seal").text


def certified(**update: object) -> Element:
    """The box of the plan that chose among proposals, with another certificate."""
    plan = sample.proposals()
    return drawn(plan, certificate=plan.certificate.model_copy(update=update)).one("aside")


@pytest.mark.parametrize(
    ("status", "gap", "level", "badge"),
    [
        ("none", None, "info", "Best of 1,004 proposals, not proven"),
        ("bounded", 0.0012, "warn", "Best of 1,004 proposals, within 0.12 points of the best"),
        ("proven", 0.0, "ok", "Proven best"),
    ],
)
def test_the_badge_says_how_far_the_plan_is_proven(status, gap, level, badge):
    box = certified(
        covers="best of 1,004 proposals", status=status, search_gap=gap, bound=None,
        structural_headroom=None,
    )  # fmt: skip

    assert box.one("p", klass="badge").text.strip() == badge
    assert level in box.one("p", klass="badge").classes
    assert "Score bound" not in box.text
    assert ("not measured" in box.text) == (gap is None)


def test_a_plan_that_was_passed_over_is_not_denied_by_the_badge():
    root = page(sample.hold)
    box = root.one("aside")

    assert box.one("p", klass="badge").text.strip() == "Proven: nothing gains enough to act"
    lists = "no whole-lot order list of any size and any number of orders"
    assert lists in root.one("p", klass="lead").text
    assert "gains the 90.00 points that are asked for" in root.one("p", klass="lead").text


def test_the_badge_leaves_the_details_of_what_was_compared_to_the_sentence():
    covers = "best of at most 100 of 1,004 proposals, the first by rank"
    box = certified(covers=covers, status="none", search_gap=None)

    badge = box.one("p", klass="badge").text.strip()
    assert badge == "Best of at most 100 of 1,004 proposals, not proven"
    assert "Best of at most 100 of 1,004 proposals, the first by rank: whether" in box.text


def test_what_would_change_the_plan_is_told_when_it_was_asked_for():
    stability = Stability(
        text="Under 20 re-estimates it beats hold in 19.", template="", facts={}, resamples=20,
        share=0.95, mean_regret=0.0,
    )  # fmt: skip
    more = Counterfactual(
        text="A sixth order would add 1.20 points.", template="", facts={}, name="x", setting="y",
        now=5, then=6, gain=0.012, gain_least=None,
        gain_most=None, money=None,
    )  # fmt: skip
    explanation = Explanation(
        text="",
        stability=stability,
        counterfactuals=(more,),
        thresholds=(),
        relaxations=(),
        unasked=None,
    )

    answers = drawn(sample.growth(), explanation=explanation).one("div", klass="would")

    assert [item.text for item in answers.all("li")] == [stability.text, more.text]
    assert not page(sample.growth).all("div", klass="would")


def test_problems_stand_in_the_facts_and_in_the_notes():
    root = page(sample.hostile)

    assert any(
        item.one("dt").text == "Problems" for item in root.one("dl", klass="facts").all("div")
    )
    assert len(root.all("p", klass="stop")) == 1


def test_what_was_decided_about_inputs_stands_in_the_head_of_the_page_and_only_there():
    of = world("AA 40 @ 100", cash="1000", targets={"AA": 0.7})
    root = drawn(of.planned)

    (note,) = root.one("div", klass="verdict").all("p", klass="note")
    assert "gave way to your targets over it: AA 70.0" in note.text
    assert sum("gave way" in other.text for other in root.all("p", klass="note")) == 1


# nothing obeys a file


def test_hostile_text_makes_no_element_and_no_attribute():
    plain, attacked = page(quantities.five), page(sample.hostile)

    assert {e.tag for e in attacked.all()} == {e.tag for e in plain.all()}
    assert len(attacked.all("script")) == 1
    names = {name for element in attacked.all() for name in element.attributes}
    assert names == {name for element in plain.all() for name in element.attributes}


def test_control_and_bidirectional_characters_are_spelled_out():
    text = html(sample.hostile)

    assert not set(text) & set("\u202e\x1b")
    assert "\\u202egpj\\u001b[31m" in text
    assert "{{ 7*7 }}" in text


@given(st.text())
def test_visible_text_has_no_hidden_character_and_changes_no_other(text):
    shown = visible(text)

    assert not re.search("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode("utf-8")
    if text.isprintable() and text.isascii():
        assert shown == text


# the plan inside the page


@sample.every_plan
def test_the_embedded_document_is_the_plan_and_fits_its_seal(make):
    plan = make()
    scripts = page(make).all("script")
    if not scripts:
        assert embedded(plan) is None
        assert len(json.dumps(plan.document())) > DOCUMENT_BYTES * 0.9
        return

    (script,) = scripts
    document = json.loads(script.text)
    assert script.attributes == {"type": "application/json", "id": "plan"}
    assert plan_id(document) == document["plan_id"] == plan.plan_id
    assert document["timings"] == []
    assert document["certificate"]["seconds"] is None
    assert document["steps"] == plan.document()["steps"]


def test_only_a_slash_escape_can_follow_a_less_than_sign_in_the_document():
    text = embedded(sample.hostile())

    assert text is not None
    assert set(re.findall("<.", text)) == {"<\\"}


# what the second opinion disagrees with is not written


@pytest.mark.parametrize("amount", ["0.01", "-0.000001"])
def test_costs_that_do_not_add_up_withhold_the_report(amount):
    with pytest.raises(InternalError, match=r"\d of [\d,]+ figures disagree"):
        render(seal(sample.with_costs_off_by(amount)))


def test_weights_that_do_not_sum_with_cash_withhold_the_report():
    plan = sample.growth()
    off = plan.holdings_after[0].model_copy(update={"weight": plan.holdings_after[0].weight + 1e-6})

    with pytest.raises(InternalError, match="weight after = value after"):
        render(seal(plan.model_copy(update={"holdings_after": (off, *plan.holdings_after[1:])})))


def test_a_score_that_is_not_the_sum_of_its_terms_withholds_the_report():
    plan = sample.growth()
    score = plan.score.model_copy(update={"plan": plan.score.plan + 1e-6})

    with pytest.raises(InternalError, match="score = sum of weight x term"):
        render(seal(plan.model_copy(update={"score": score})))


# accessibility by construction


@sample.every_plan
def test_tables_have_captions_and_heads_with_scope_and_pictures_have_words(make):
    root = page(make)

    for table in root.all("table"):
        assert table.one("caption").text
        assert all(
            head.attributes.get("scope") in {"col", "row", "rowgroup"} for head in table.all("th")
        )
    for svg in root.all("svg"):
        hidden = (
            svg.attributes.get("aria-hidden") == "true"
            or svg.attributes.get("overflow") == "visible"
        )
        assert hidden or (svg.attributes.get("role") == "img" and svg.attributes["aria-label"])


@sample.every_plan
def test_ids_are_unique_and_every_label_exists(make):
    root = page(make)
    ids = [element.attributes["id"] for element in root.all() if "id" in element.attributes]

    assert len(ids) == len(set(ids))
    assert {
        e.attributes["aria-labelledby"] for e in root.all() if "aria-labelledby" in e.attributes
    } <= set(ids)
    assert {use.attributes["href"][1:] for use in root.all("use")} <= set(ids)


@sample.every_plan
def test_no_number_is_a_negative_zero_or_not_a_number(make):
    text = bare(html(make))

    assert not re.search(rf"[{MINUS}-]0\.0+(?![0-9])(?=[ <\u00a0])", text)
    assert not re.search(r">\s*(nan|inf|None)\b", text)


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    for make in sample.ALL:
        for table in page(make).all("table"):
            columns = len(table.head())
            for row in table.all("tr"):
                cells = [cell for cell in row.children if isinstance(cell, Element)]
                assert sum(int(cell.attributes.get("colspan", "1")) for cell in cells) == columns


def test_a_page_of_thousands_of_orders_is_small_and_folds_all_its_lists():
    plan = quantities.many(3000)
    text = render(plan, quantities.agreed())
    root = read(text)
    table = root.one("table", klass="trades")
    rest = [step for step in plan.steps if step.symbol not in table.text]

    assert len(text.encode()) < MOST_BYTES_OF_THOUSANDS
    assert len(table.rows()) == 2 * 20 + 2
    assert len(rest) == 2980
    assert all(f"<b>{step.symbol}</b>" in text for step in rest)
    assert "and 2,980 more: USD" in table.text
    assert len(root.one("table", klass="weights").rows()) < 100
    notes = [cells[1] for cells in root.one("table", klass="other").rows()]
    assert max(map(len, notes)) < 400


def test_the_page_tells_all_lists_near_the_plan_and_the_three_nearest_first():
    plan = quantities.growth()
    near = read(render(plan, quantities.agreed())).one("div", klass="near")
    nearest, others = near.all("table")

    assert [cells[0] for cells in nearest.rows()] == [
        "Sell 209 AAPL instead of 210", "Buy 40 JNJ instead of 39", "Buy 47 QUAL instead of 48",
    ]  # fmt: skip
    assert len(others.rows()) == 17
    assert [cells[-1] for cells in others.rows()].count("no") == 4


def test_drift_cost_and_cash_stand_before_the_score():
    facts = page(sample.growth).one("dl", klass="facts")

    assert [term.text for term in facts.all("dt")] == [
        "Drift", "Cost", "Cash", "Turnover", "Score",
    ]  # fmt: skip
