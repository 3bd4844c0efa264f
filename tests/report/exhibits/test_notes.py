"""Notes: what is missing, what follows, and how to repair it."""

from builders import plans as sample
from steelyard.report.exhibits import notes


def test_notes_say_what_is_missing_what_follows_and_how_to_repair_it():
    (note,) = notes.notes(sample.growth())

    assert note.title == "Dividend yield is unknown for 14\u00a0securities."
    assert (
        note.text == "2.0\u00a0% stands in. AAPL, AMD, GE, HD, JNJ, JPM, KO, LLY and 6 more. Add"
        " dividend_yield to the securities file."
    )
