"""The terminal view: the answer first, nothing cut at any width, text of files shown and never
obeyed.
"""

import io
import re
from datetime import date
from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console

from builders import plans as sample
from steelyard.notices import Coverage, Notice
from steelyard.plans.account import CashRung
from steelyard.plans.orders import Conversion
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import PARTS
from steelyard.report.terminal import show, show_why
from steelyard.sentences import money
from steelyard.settings import Anchors

WIDTHS = (60, 80, 100, 140)
HOSTILE = "[red]x[/red] \x1b[31mA\u202eB\x07"


@pytest.fixture
def growth() -> Plan:
    return sample.growth()


def printed(draw, width=100, **options) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)
    draw(console)
    return console.file.getvalue()


def shown(plan: Plan, width=100, *, explain=False, timings=False, **options) -> str:
    return printed(
        lambda console: show(plan, console, explain=explain, timings=timings), width, **options
    )


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("explain", [False, True])
def test_no_line_is_wider_than_the_window(growth, width, explain):
    lines = shown(growth, width, explain=explain, timings=True).splitlines()

    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_no_reason_is_cut_at_any_width(growth, width):
    text = flat(shown(growth, width))

    for step in growth.steps:
        assert flat(step.reason) in text
    assert flat(growth.verdict.text) in text
    assert flat(growth.verdict.detail) in text
    assert "…" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_every_order_shows_side_quantity_price_and_amount_at_any_width(growth, width):
    text = shown(growth, width)

    for step in growth.steps:
        row = next(line for line in text.splitlines() if re.match(rf"\s+{step.n}\s", line))
        assert [step.side.value, step.symbol] == row.split()[2:4]
        assert money(step.notional_base, 0) in row
        assert f"{step.price} {step.currency}" in row


def test_a_narrow_window_loses_columns_in_their_order(growth):
    heads = {
        width: (
            next(
                line for line in shown(growth, width).splitlines() if line.startswith("  #")
            ).split()
        )
        for width in WIDTHS
    }

    assert "Name" in heads[140]
    assert "Name" not in heads[80]
    assert "Cost" in heads[80]
    assert "Cost" not in heads[60]


def test_the_answer_comes_first_and_the_seal_last(growth):
    text = shown(growth)
    order = [
        "as of",
        growth.verdict.text[:20],
        "trades, sells first",
        "Costs ",
        "Drift ",
        "Weights",
        "Score ",
        "Cash by day",
    ]
    order += [
        "not traded, and why",
        "What else was weighed",
        growth.certificate.covers[:20].capitalize(),
        "Seal",
    ]

    places = [text.index(part) for part in order]

    assert places == sorted(places)


CERTIFICATES = [
    ("proposals", "none", None, None, "Best of 1,204 proposals, not proven."),
    ("candidates", "bounded", 0.0037, 0.01, "Within 0.37 of best."),
    ("candidates", "proven", 0.0, 0.01, "Proven best."),
]


@pytest.mark.parametrize(("scope", "status", "gap", "headroom", "sentence"), CERTIFICATES)
def test_the_certificate_says_what_is_proven_and_what_is_not(
    growth, scope, status, gap, headroom, sentence
):
    update = {
        "scope": scope,
        "status": status,
        "search_gap": gap,
        "structural_headroom": headroom,
        "covers": "best of 1,204 proposals",
    }
    certificate = growth.certificate.model_copy(update=update)

    text = flat(shown(growth.model_copy(update={"certificate": certificate})))

    assert sentence in text
    assert ("Structural headroom 1.00 points" in text) == (headroom is not None)


def test_the_money_line_adds_up(growth):
    line = re.search(
        r"Cash ([\d,.]+) \+ sold ([\d,.]+) − bought ([\d,.]+) − costs ([\d,.]+) = ([\d,.]+)",
        flat(shown(growth)),
    )

    before, sold, bought, costs, after = (Decimal(part.replace(",", "")) for part in line.groups())

    assert abs(before + sold - bought - costs - after) <= Decimal("0.03")


@pytest.mark.parametrize("at", [1, 2])
def test_weights_with_cash_sum_to_100_before_and_after(growth, at):
    text = shown(growth, 80)
    rows = [
        line.split() for line in text[text.index("Weights") : text.index("Score ")].splitlines()[2:]
    ]

    weights = [
        float(row[at].replace("−", "-"))
        for row in rows
        if len(row) > at and re.fullmatch(r"−?[0-9.]+", row[at])
    ]

    assert sum(weights) == pytest.approx(100, abs=0.05 * len(weights))


def test_explaining_shows_every_candidate_reason_and_module(growth):
    text = flat(shown(growth, 140, explain=True))

    for candidate in growth.candidates:
        assert f" {candidate.id} " in text
    for entry in growth.not_traded:
        assert flat(entry.reason) in text
    for module in growth.modules:
        assert f" {module.name} {module.version} " in text
    for term in growth.score.terms:
        for part in term.parts:
            assert part.name.replace("_", " ") in text


def test_timings_are_shown_only_when_asked_for(growth):
    assert "Time taken" not in shown(growth)
    assert "Time taken" in shown(growth, timings=True)


def test_a_hold_plan_has_the_same_sections_without_a_trade_table():
    text = shown(sample.hold())

    assert "No trades" in text
    assert "Adds: points" not in text
    assert "Weights" in text
    assert "Seal" in text


def test_drift_without_targets_is_said_in_words():
    text = shown(sample.untargeted())

    assert "no targets were given" in text
    assert "Off target" not in text


def test_conversions_problems_warnings_and_missing_data_are_all_shown(growth):
    plan = growth.model_copy(
        update={
            "conversions": (
                Conversion(
                    from_="USD",
                    to="EUR",
                    amount=Decimal("1234.5"),
                    rate=1 / Decimal("1.0640"),
                    cost=Decimal("1.2"),
                ),
            ),
            "problems": (Notice(code="no_price", message="ZZZ has no price.", symbol="ZZZ"),),
            "warnings": (
                Notice(code="unknown_column", message="holdings.csv: column note is not used."),
            ),
            "data_coverage": (
                Coverage(symbol="ZZZ", metric="days_held", used=None),
                Coverage(symbol="AAPL", metric="quality", used=0.55),
            ),
            "excluded": ("TSLA",),
        }
    )

    text = flat(shown(plan, 140))

    assert "Converts 1,234.50 USD to EUR at 0.939850, cost 1.20 USD." in text
    assert "Problem: No price. ZZZ has no price." in text
    assert "Warning: Unknown column. holdings.csv: column note is not used." in text
    assert "Days held is unknown for ZZZ." in text
    assert "Quality is unknown for AAPL. 0.55 stands in." in text
    assert "Left out on your word: TSLA." in text


def test_the_lowest_point_of_the_cash_ladder_is_marked_once_a_currency(growth):
    days = [(date(2022, 12, 28), "500"), (date(2022, 12, 29), "-20"), (date(2022, 12, 30), "700")]
    rungs = tuple(
        CashRung(date=day, currency="USD", balance=Decimal(money), kind="settled", estimated=True)
        for day, money in days
    )

    text = shown(growth.model_copy(update={"cash_ladder": rungs}))

    marked = [line for line in text.splitlines() if "lowest" in line]
    assert len(marked) == 1
    assert "29 Dec 2022" in marked[0]
    assert "−20.00" in marked[0]


def test_a_term_off_scale_says_so_and_counts_in_full(growth):
    first, *others = growth.score.terms
    terms = (first.model_copy(update={"hold": -0.2, "off_scale": True}), *others)
    score = growth.score.model_copy(update={"terms": terms})

    text = flat(shown(growth.model_copy(update={"score": score})))

    assert "%, off scale −20.00" in text
    assert "Off scale: the term is outside 0 to 100 and counts in full." in text
    assert "off scale" not in shown(growth).lower()


def hostile_copy(plan: Plan) -> Plan:
    """The plan with hostile text wherever a file's text can stand."""
    step = plan.steps[0].model_copy(
        update={"name": HOSTILE, "reason": HOSTILE, "narrative": HOSTILE}
    )
    return plan.model_copy(
        update={
            "bucket": HOSTILE,
            "price_source": HOSTILE,
            "strategy": plan.strategy.model_copy(update={"name": HOSTILE}),
            "steps": (step, *plan.steps[1:]),
            "holdings": tuple(
                holding.model_copy(update={"name": HOSTILE}) for holding in plan.holdings
            ),
            "warnings": (Notice(code="unknown_column", message=HOSTILE),),
            "not_traded": tuple(
                entry.model_copy(update={"reason": HOSTILE}) for entry in plan.not_traded
            ),
        }
    )


def test_problems_are_announced_before_the_trades(growth):
    text = flat(
        shown(
            growth.model_copy(
                update={
                    "problems": (Notice(code="module_failed", message="The module x failed: y"),)
                }
            )
        )
    )

    assert text.index("One problem, told before the seal; not to be sent live.") < text.index(
        "trades, sells first"
    )
    assert "to be sent live" not in shown(growth)


def test_a_setting_at_the_head_of_a_warning_keeps_its_name(growth):
    text = flat(
        shown(
            growth.model_copy(
                update={
                    "warnings": (Notice(code="strategy", message="search.max_depth is 7: slow."),)
                }
            )
        )
    )

    assert "Warning: On the strategy. search.max_depth is 7: slow." in text


def test_explaining_tells_what_each_part_of_a_term_measures_and_its_setting(growth):
    text = shown(growth, explain=True)

    assert "concentration (conc)" in text
    assert "drawdown (dd)" in text


def test_every_part_of_every_term_has_a_name():
    assert {*Anchors.model_fields} <= {*PARTS}


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text_is_shown_and_never_obeyed(growth, width):
    hostile = hostile_copy(growth)

    text = shown(hostile, width, explain=True) + printed(
        lambda console: show_why(hostile, "AAPL", console), width
    )

    assert not set(text) & set("\x1b\x07\u202e")
    assert "[red]x[/red]" in text
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_colour_never_carries_meaning_alone(growth):
    coloured = shown(
        growth, force_terminal=True, color_system="truecolor", no_color=False, legacy_windows=False
    )

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(growth)
    assert not re.search(r"\x1b\[[0-9;]*\b4[0-7]\b", coloured), (
        "no background colours: they clash with light or dark windows"
    )


def test_why_tells_every_candidate_kept_or_dropped_of_that_symbol_only(growth):
    text = flat(printed(lambda console: show_why(growth, "AAPL", console), 140))

    for candidate in growth.candidates:
        assert (f" {candidate.id} " in text) == (candidate.symbol == "AAPL")
    for entry in growth.not_traded:
        assert entry.symbol != "AAPL" or flat(entry.reason) in text
    assert "in the plan" in text
    assert "Sell 210." in text


def test_why_of_a_holding_that_stays_says_so(growth):
    text = printed(lambda console: show_why(growth, "GE", console))

    assert "Kept as it is." in text
    assert "Order " not in text


def test_a_target_that_cannot_be_bought_has_a_row_and_is_none_of_the_cash():
    text = flat(shown(sample.absent()))

    assert re.search(r"PG – – 20\.0 −20\.0, no price", text)
    assert "Not held, not bought. Target 20.0 % of value; no price." in flat(
        printed(lambda console: show_why(sample.absent(), "PG", console))
    )
    assert re.search(r"Cash 30\.0 \d+\.\d 20\.0 \+10\.0 →", text)
