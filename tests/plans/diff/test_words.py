"""Sentences put together of parts: no fact of one part becomes that of another."""

import pytest

from steelyard.plans.diff.words import joined, listed, of_document, plain


def test_facts_of_one_name_and_other_values_stay_apart():
    whole = joined(
        plain("{n:count} of ", n=1), plain("{n:count} and ", n=2), plain("{n:count}", n=1)
    )

    assert whole["text"] == "1 of 2 and 1."
    assert whole["facts"] == {"n": 1, "own_n": 2}


def test_three_parts_that_clash_each_keep_their_own():
    parts = [plain("{n:count} ", n=number) for number in (1, 2, 3)]

    whole = joined(*parts)

    assert whole["text"] == "1 2 3 ."
    assert whole["facts"] == {"n": 1, "own_n": 2, "own_own_n": 3}


@pytest.mark.parametrize(
    "template", ["{", "{absent:pct}", "{word:pct}", "{word:no}", "{none:text}"]
)
def test_a_template_that_gives_no_text_gives_way_to_the_text(template):
    part = of_document(template, {"word": "x", "none": None}, "It {is} so.")

    assert joined(part)["text"] == "It {is} so."


def test_names_are_facts_and_never_read_as_templates():
    assert joined(plain("Of "), listed(["{a}", "b", "c", "d", "e"]))["text"] == (
        "Of {a}, b, c and 2 more."
    )
