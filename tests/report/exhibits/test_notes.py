"""Notes: what is missing, what follows, and how to repair it."""

from builders import plans as sample
from builders.world import world
from steelyard.notices import Notice
from steelyard.report.exhibits import notes


def test_notes_say_what_is_missing_what_follows_and_how_to_repair_it():
    (note,) = notes.notes(sample.growth())

    assert note.title == "Dividend yield is unknown for 14\u00a0securities."
    assert (
        note.text == "2.0\u00a0% stands in. AAPL, AMD, GE, HD, JNJ, JPM, KO, LLY and 6 more. Add"
        " dividend_yield to the securities file."
    )


def noticed(count, **options):
    """A plan with so many notices of importers that belong into the head, and one that does not."""
    texts = [f"Price {n} was read as pence." for n in range(count)]
    heads = [Notice(code="minor_unit", message=text, head=True) for text in texts]
    other = Notice(code="unknown_columns", message="A column was passed over.")
    of = world("AA 40 @ 100", "BB 0 @ 50", cash="1000", targets={"AA": 0.2, "BB": 0.1}, **options)
    return of.plan(warnings=(*heads, other))


def test_at_most_five_notes_stand_in_the_head_and_none_stands_twice():
    for count in (0, 1, 5, 6, 12):
        plan = noticed(count)
        first, rest = notes.first(plan), notes.rest(plan)

        assert len(first.notes) == min(5, count), count
        assert first.more == max(0, count - 5), count
        texts = [note.text for note in (*first.notes, *rest)]
        assert len(texts) == len(set(texts)), count
        assert sum("was read as pence" in text for text in texts) == count
        assert "A column was passed over." in [note.text for note in rest], count


def test_what_the_verdict_says_of_cash_is_a_problem_and_is_not_said_again():
    plan = world("AA 40 @ 100", cash="10", targets={"AA": 1.0}).plan()

    assert [problem.code for problem in plan.problems] == ["reserve_short"]
    assert plan.problems[0].message in plan.verdict.detail
    shown = [note.text for note in (*notes.first(plan).notes, *notes.rest(plan))]
    assert not [text for text in shown if "under the reserve" in text]
    assert len([note for note in notes.notes(plan) if "under the reserve" in note.text]) == 1


def test_the_cap_that_gave_way_is_told_of_the_names_it_was_for():
    plan = world("AA 40 @ 100", "BB 60 @ 100", cash="1000", targets={"AA": 0.5, "BB": 0.2}).plan()

    ways = {row.symbol: notes.cap_gave_way(plan, row) for row in plan.holdings}

    assert ways == {"AA": 0.2, "BB": None}
