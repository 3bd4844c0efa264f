"""The difference of two plans as a page."""

from builders import plan_pairs as pairs
from builders.pages import read
from builders.plans import HOSTILE, growth
from steelyard.plans.diff import compare
from steelyard.plans.plan import seal
from steelyard.report.page.two_plans import render_diff


def test_every_pair_of_plans_makes_a_page_of_whole_elements_and_the_same_bytes_again():
    for make in pairs.EVERY:
        diff = compare(growth(), make())

        page = render_diff(diff)

        assert read(page).one("main")
        assert render_diff(diff) == page


def test_the_page_has_the_trades_with_their_reasons_money_score_and_inputs():
    page = read(render_diff(compare(growth(), pairs.narrow())))

    assert page.one("h1").text == "Two plans of core"
    headings = [heading.text for heading in page.all("h2")]
    assert headings == [
        "A",
        "B",
        "What differs",
        "Trades",
        "Money",
        "Score",
        "What went in",
        "Seal",
    ]
    trades = page.one("table", klass="versus-trades")
    assert len(trades.all("tr", klass="why")) == 11
    assert page.all("code")[0].text == growth().plan_id


def test_a_table_in_which_nothing_changes_has_no_column_of_changes():
    page = read(render_diff(compare(growth(), pairs.narrow())))
    heads = [[cell.text for cell in table.all("th")] for table in page.all("table", klass="sides")]

    assert "Change" in heads[0]
    assert [head for head in heads if "limits.max_turnover_weight" in head] != []
    for head in heads:
        assert ("Change" in head) == ("limits.max_turnover_weight" not in head)


def test_of_the_same_plan_only_that_is_said():
    page = read(render_diff(compare(growth(), growth())))

    assert page.all("table") == []
    assert "A and B are the same plan." in page.text


def test_nothing_is_requested_and_no_script_is_there():
    page = render_diff(compare(growth(), pairs.narrow()))

    assert "default-src 'none'" in page
    for forbidden in ("<script", "http://", "https://", "@import", "<iframe", "javascript:"):
        assert forbidden not in page


def test_hostile_text_is_escaped():
    step = growth().steps[0].model_copy(update={"name": HOSTILE, "reason_template": HOSTILE})
    hostile = seal(growth().model_copy(update={"steps": (step,), "bucket": HOSTILE}))

    page = render_diff(compare(hostile, pairs.narrow()))

    assert "<script" not in page
    assert "onclick=x>" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page
