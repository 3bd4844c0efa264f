"""The difference in sentences."""

from builders import demo
from builders import plan_pairs as pairs
from builders.plans import growth, hold
from steelyard.plans.diff import compare


def told(a, b) -> list[str]:
    return [reason.text.replace("\u00a0", " ") for reason in compare(a, b).reasons]


def test_the_answer_comes_first_then_rules_cost_and_gain_then_each_trade():
    texts = told(growth(), pairs.narrow())

    assert texts[:4] == [
        "Orders: 6 only in A, 5 in both at another size.",
        "A setting differs: limits.max_turnover_weight none → 0.1.",
        "B costs 80.98 USD less.",
        "B gains 4.25 points less over holding, net of charges.",
    ]
    assert texts[4].startswith("A also buys 11 HD for 3,423.42 USD, for target fit")
    assert len(texts) == 4 + 11


def test_a_plan_that_holds_says_so_in_its_own_words():
    first = told(growth(), hold())[0]

    assert first.startswith("A trades and B does not. B: Hold. ")
    assert "90.00 are asked for" in first
    assert told(hold(), growth())[0].startswith("B trades and A does not. A: Hold. ")


def test_two_that_hold_and_two_that_trade_alike_say_so():
    other = hold().model_copy(update={"plan_id": "0" * 64})
    same = growth().model_copy(update={"plan_id": "0" * 64})

    assert told(hold(), other) == ["A and B both hold."]
    assert told(growth(), same) == ["A and B trade the same 11 orders."]


def test_an_order_at_another_size_tells_price_and_target_where_they_differ():
    texts = told(pairs.usual(), pairs.next_day())

    assert any(
        text.startswith("B sells 313 AA, 124 more than A; its price is 110 in B and 100 in A, USD")
        and text.endswith("; its target is 20.0 % in B and 50.0 % in A.")
        for text in texts
    )


def test_of_two_days_the_days_and_the_largest_change_of_a_price_are_told():
    texts = told(demo.growth("2022-06-28").plan(), demo.growth("2022-12-28").plan())

    assert "A is of 28 Jun 2022 and B of 28 Dec 2022." in texts
    assert "14 prices differ, GE most, by +24.7 %." in texts


def test_a_gain_beyond_the_scale_is_no_number():
    texts = told(pairs.usual(), pairs.next_day())

    assert "B gains a whole scale of points more over holding, net of charges." in texts


def test_names_beyond_three_are_counted():
    texts = told(pairs.hundreds(), pairs.usual())

    assert any("holdings differ: AA, BB, S000 and " in text for text in texts)


def test_of_the_size_in_a_it_is_told_what_b_says_of_it_where_that_was_a_candidate():
    texts = told(growth(), pairs.narrow())

    assert (
        "B buys 33 JNJ, 6 less than A; of 39 B says: the plan trades the security in another size; "
        "this one would not fit instead."
    ) in texts
    assert any(text.startswith("B sells 154 AAPL, 95 less than A.") for text in texts)
