"""The terminal view: the answer first, nothing cut at any width, files' text never obeyed."""

import io
import re
from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console

from builders import plans as sample
from builders import quantities
from builders.each import each
from builders.world import world
from steelyard.notices import Coverage, Notice
from steelyard.plans.orders import Conversion
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import PARTS, capital
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


def story(plan: Plan, symbol: str, width=100) -> str:
    return printed(lambda console: show_why(plan, symbol, console), width)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def changed(plan: Plan, part: str, **update: object) -> Plan:
    """The plan with another value in one of its parts."""
    return plan.model_copy(update={part: getattr(plan, part).model_copy(update=update)})


@pytest.mark.parametrize("width", WIDTHS)
def test_at_any_width_no_line_is_wider_and_no_reason_or_order_is_cut(growth, width):
    text = shown(growth, width)
    lines = [*text.splitlines(), *shown(growth, width, explain=True, timings=True).splitlines()]

    assert max(map(cell_len, lines)) <= width
    assert "…" not in text
    sentences = (
        growth.verdict.text,
        growth.verdict.detail,
        *(capital(s.reason) for s in growth.steps),
    )
    assert [part for part in sentences if flat(part) not in flat(text)] == []
    for step in growth.steps:
        row = next(line for line in text.splitlines() if re.match(rf"\s+{step.n}\s", line))
        assert [step.side.value, step.symbol] == row.split()[2:4]
        assert money(step.notional_base, 0) in row
        assert f"{step.price} {step.currency}" in row


def test_a_narrow_window_loses_columns_in_their_order(growth):
    heads = {
        width: next(
            line for line in shown(growth, width).splitlines() if line.lstrip().startswith("#")
        )
        for width in WIDTHS
    }

    assert {width for width in WIDTHS if "Name" in heads[width]} == {140}
    assert {width for width in WIDTHS if "Cost" in heads[width]} == {80, 100, 140}


def test_the_answer_comes_first_and_the_seal_last(growth):
    text = shown(growth)
    order = [
        "as of", growth.verdict.text[:20], "trades, sells first", "Costs ", "Drift ", "Weights",
        "Score ", "Cash by day", "not traded, and why", "What else was weighed",
        "Proven best.", "Seal",
    ]  # fmt: skip

    places = [text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("scope", "status", "gap", "headroom", "sentence"),
    [
        ("proposals", "none", None, None, "Best of 1,204 proposals, not proven."),
        (
            "candidates",
            "bounded",
            0.0037,
            0.01,
            "Within 0.37 points of the best of the candidates.",
        ),
        ("candidates", "proven", 0.0, 0.01, "Proven best of the candidates."),
    ],
)
def test_the_certificate_says_what_is_proven_and_what_is_not(
    growth, scope, status, gap, headroom, sentence
):
    covers = "best of 1,204 proposals"
    proof = {"scope": scope, "status": status, "search_gap": gap, "covers": covers}

    text = flat(shown(changed(growth, "certificate", **proof, structural_headroom=headroom)))

    assert sentence in text
    assert ("Structural headroom 1.00 points" in text) == (headroom is not None)


def test_the_money_line_and_the_weights_add_up(growth):
    line = re.search(
        r"Cash ([\d,.]+) \+ sold ([\d,.]+) − bought ([\d,.]+) − costs ([\d,.]+) = ([\d,.]+)",
        flat(shown(growth)),
    )
    before, sold, bought, costs, after = (Decimal(part.replace(",", "")) for part in line.groups())
    text = shown(growth, 80)
    rows = [line.split() for line in text[text.index("Weights") : text.index("Score ")].split("\n")]
    weights = [
        [float(cell) for cell in row[1:3]]
        for row in rows
        if len(row) > 4
        and row[3:4]
        and re.fullmatch(r"[0-9.]+", row[1])
        and re.fullmatch(r"[0-9.]+", row[2])
    ]

    assert abs(before + sold - bought - costs - after) <= Decimal("0.03")
    assert len(weights) == len(growth.holdings) + 1
    for column in zip(*weights, strict=True):
        assert sum(column) == pytest.approx(100, abs=0.05 * len(weights))


def test_explaining_shows_every_candidate_reason_module_and_part_with_its_setting(growth):
    text = flat(shown(growth, 140, explain=True))

    parts = [part.name for term in growth.score.terms for part in term.parts]
    for expected in (
        *(f" {candidate.id} " for candidate in growth.candidates),
        *(flat(entry.reason) for entry in growth.not_traded),
        *(f" {module.name} {module.version} " for module in growth.modules),
        *(f"{PARTS[name]} ({name})" for name in parts),
        "concentration (conc)",
    ):
        assert expected in text


def test_every_part_of_every_term_has_a_name():
    assert {*Anchors.model_fields} <= {*PARTS}


def test_timings_are_shown_only_when_asked_for(growth):
    assert "Time taken" not in shown(growth)
    assert "Time taken" in shown(growth, timings=True)


def test_a_hold_plan_has_the_same_sections_without_a_trade_table():
    text = shown(sample.hold())

    assert "Adds: points" not in text
    assert all(part in text for part in ("No trades", "Weights", "Seal"))


def test_drift_without_targets_is_said_in_words():
    text = shown(sample.untargeted())

    assert "no targets were given" in text
    assert "Off target" not in text


def test_conversions_problems_warnings_and_missing_data_are_all_shown(growth):
    conversion = Conversion(
        from_="USD", to="EUR", amount=Decimal("1234.5"), rate=1 / Decimal("1.0640"),
        cost=Decimal("1.2"),
    )  # fmt: skip
    unknown = "holdings.csv: column note is not used."
    depth = "search.max_depth is 7: slow."
    update = {
        "conversions": (conversion,),
        "problems": (Notice(code="no_price", message="ZZZ has no price.", symbol="ZZZ"),),
        "warnings": (
            Notice(code="unknown_column", message=unknown),
            Notice(code="strategy", message=depth),
        ),
        "data_coverage": (
            Coverage(symbol="ZZZ", metric="days_held", used=None),
            Coverage(symbol="AAPL", metric="quality", used=0.55),
        ),
        "excluded": ("TSLA",),
    }

    text = flat(shown(growth.model_copy(update=update), 140))

    for sentence in (
        "Converts 1,234.50 USD to EUR at 0.939850, cost 1.20 USD.",
        "Problem: No price. ZZZ has no price.",
        f"Warning: Unknown column. {unknown}",
        # the name of a setting is no beginning of a sentence: it keeps its letters
        f"Warning: On the strategy. {depth}",
        "Days held is unknown for ZZZ.",
        "Steadiness is unknown for AAPL. 0.55 stands in.",
        "Left out on your word: TSLA.",
    ):
        assert sentence in text
    announced = text.index("One problem, told below: see it before anything is sent.")
    assert announced < text.index("trades, sells first")
    assert "before anything is sent" not in shown(growth)


def test_the_lowest_point_of_the_cash_ladder_is_marked_once_a_currency():
    lines = shown(sample.two_currencies()).splitlines()

    assert [line.split()[0] for line in lines if "lowest" in line] == ["USD", "EUR"]


def test_a_term_off_scale_says_so_and_counts_in_full(growth):
    first, *others = growth.score.terms
    terms = (first.model_copy(update={"hold": -0.2, "off_scale": True}), *others)

    text = flat(shown(changed(growth, "score", terms=terms)))

    # its own score says so once; where both ends are numbers, the share does
    assert "off scale off the scale" not in text
    assert re.search(r"% +off the scale", text)
    assert "Off scale: the term is outside 0 to 100 and counts in full." in text
    assert "off scale" not in shown(growth).lower()


def test_hostile_text_is_shown_and_never_obeyed(growth):
    name = {"name": HOSTILE}
    first, *others = growth.steps
    hostile = growth.model_copy(
        update={
            "bucket": HOSTILE,
            "price_source": HOSTILE,
            "strategy": growth.strategy.model_copy(update=name),
            "steps": (
                first.model_copy(update={**name, "reason": HOSTILE, "narrative": HOSTILE}),
                *others,
            ),
            "holdings": tuple(holding.model_copy(update=name) for holding in growth.holdings),
            "warnings": (Notice(code="unknown_column", message=HOSTILE),),
            "not_traded": tuple(
                entry.model_copy(update={"reason": HOSTILE}) for entry in growth.not_traded
            ),
        }
    )

    for width in WIDTHS:
        text = shown(hostile, width, explain=True) + story(hostile, "AAPL", width)

        assert not set(text) & set("\x1b\x07\u202e")
        assert "[red]x[/red]" in text
        assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_colour_never_carries_meaning_alone(growth):
    coloured = shown(
        growth, force_terminal=True, color_system="truecolor", no_color=False, legacy_windows=False
    )

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(growth)
    backgrounds = re.search(r"\x1b\[[0-9;]*\b4[0-7]\b", coloured)
    assert not backgrounds, "they clash with light or dark windows"


def test_why_tells_every_candidate_kept_or_dropped_of_that_symbol_only(growth):
    text = flat(story(growth, "JNJ", 140))

    for candidate in growth.candidates:
        assert (f" {candidate.id} " in text) == (candidate.symbol == "JNJ")
    for entry in growth.not_traded:
        assert entry.symbol != "JNJ" or flat(entry.reason) in text
    assert "in the plan" in text
    assert "Buy 39." in text


def test_why_of_a_holding_that_stays_says_so(growth):
    text = story(growth, "GE")

    assert "Kept as it is." in text
    assert "Order " not in text


def test_a_target_that_cannot_be_bought_has_a_row_and_is_none_of_the_cash():
    text = flat(shown(sample.absent()))

    assert re.search(r"PG – – 20\.0 −20\.0, no price", text)
    assert re.search(r"Cash 30\.0 \d+\.\d 20\.0 \+10\.0 →", text)
    why = "Not held, not bought. Target 20.0 % of value; no price."
    assert why in flat(story(sample.absent(), "PG"))


def test_what_was_decided_about_inputs_stands_before_the_trades_and_only_there():
    plan = world("AA 40 @ 100", cash="1000", targets={"AA": 0.7}).plan()
    for width in (60, 120):
        text = " ".join(shown(plan, width).split())
        assert text.count("gave way to your targets over it: AA 70.0 %") == 1, width
        assert text.index("gave way") < text.index("One sale"), width
    assert "gave way to its target" in story(plan, "AA")


def test_a_score_under_0_is_off_the_scale_and_no_number():
    plan = sample.overdrawn()
    text = shown(plan)

    assert plan.score.hold < 0
    assert "Score off the scale" in text


LONG = {"none": 0, "one": 1, "eleven": 11, "eighty": 80, "thousands": 3000}


def of_orders(count: int) -> Plan:
    few = {0: quantities.hold, 1: quantities.one}
    return few[count]() if count in few else quantities.many(count)


def test_a_plan_of_any_number_of_orders_is_told_in_a_screen_or_five_at_any_width():
    def fits(count):
        plan = of_orders(count)
        for width in (60, 80, 140):
            lines = printed(
                lambda console: show(plan, console, opinion=quantities.agreed()), width
            ).splitlines()
            assert max(map(cell_len, lines)) <= width, width
            assert len(lines) <= 260, width

    each(LONG, fits)


def test_what_is_folded_is_told_with_its_sum_and_all_of_it_stands_under_explain():
    plan = quantities.many(80)
    folded = printed(lambda console: show(plan, console, opinion=quantities.agreed()))
    whole = printed(lambda console: show(plan, console, explain=True, opinion=quantities.agreed()))

    rest = sorted(step.notional_base for step in plan.steps)[: 80 - 20]
    assert f"and 60 more: USD {sum(rest):,.0f} in all, see --json" in folded
    assert sum(bool(re.match(r" +\d+  [▲▼] ", line)) for line in folded.splitlines()) == 20
    assert "and 60 more: USD" not in whole
    assert sum(bool(re.match(r" +\d+  [▲▼] ", line)) for line in whole.splitlines()) >= 80


def test_the_three_nearest_lists_are_shown_and_all_of_them_under_explain():
    plan = quantities.growth()

    def table(explain):
        text = printed(
            lambda console: show(plan, console, explain=explain, opinion=quantities.agreed())
        )
        return text[text.index("Nearest to the plan") :].split("\n\n")[0].splitlines()

    heads = ["Instead", "of", "the", "plan", "Points", "USD", "a", "year", "Fits"]
    assert table(explain=False)[1].split() == heads
    assert table(explain=False)[2:] == [
        "  Sell 209 AAPL instead of 210  −0.003       −2.67  yes",
        "  Buy 40 JNJ instead of 39       −0.01       −5.34  yes",
        "  Buy 47 QUAL instead of 48      −0.01       −8.00  yes",
        "  and 17 more: steelyard plan --explain",
    ]
    assert len(table(explain=True)) == 2 + 20


def test_a_size_that_was_fitted_says_from_which():
    plan = sample.growth()
    first = plan.steps[0].model_copy(update={"refined_from": Decimal(127)})
    fitted = plan.model_copy(update={"steps": (first, *plan.steps[1:])})

    text = flat(printed(lambda c: show(fitted, c, explain=True, opinion=quantities.agreed())))
    assert "Its size was fitted to the other orders: 127 before." in text


def test_small_weights_of_thousands_of_names_keep_two_decimals():
    text = printed(
        lambda console: show(quantities.many(3000), console, opinion=quantities.agreed())
    )

    assert re.search(r"S0000 .* 0\.02 +0\.02 +0\.02 ", text)
    assert "and 5,981 more holdings with 94.7 % of value, 94.7 % after inside" in flat(text)
