"""Money and scores side by side, and when they are not compared."""

from builders import plan_pairs as pairs
from builders.plans import euro, growth, hold, untargeted
from steelyard.plans.diff import compare
from steelyard.plans.diff.figures import money, numbers, score


def test_money_of_two_plans_of_an_account_is_compared_to_the_cent():
    sums = money(growth(), pairs.narrow())

    assert sums.base_currency == "USD"
    assert sums.not_compared is None
    assert sums.cost.change == pairs.narrow().costs.total - growth().costs.total
    sold, bought = sums.sells.change, sums.buys.change
    assert sums.cash_after["USD"].change == sold - bought - sums.cost.change
    assert sums.tax.change is None  # no rate is set: nobody knows it


def test_money_in_two_currencies_is_shown_and_not_compared():
    sums = money(growth(), euro())

    assert sums.base_currency is None
    assert sums.not_compared.text == ("A counts in USD and B in EUR: their money is not compared.")
    assert (sums.buys.a, sums.buys.change) == (
        sum(s.notional_base for s in growth().steps if s.side == "buy"),
        None,
    )
    # a balance is of one currency, whatever the base: of one bucket it is compared
    after = sums.cash_after
    assert after.keys() == {"EUR", "USD"}
    assert after["EUR"].change == euro().cash_after["EUR"] - growth().cash_after.get("EUR", 0)


def test_money_of_two_accounts_is_not_compared_unless_they_own_the_same():
    renamed = growth().model_copy(update={"bucket": "twin"})
    other = pairs.usual().model_copy(update={"bucket": "other"})

    assert money(growth(), renamed).not_compared is None
    why = money(growth(), other).not_compared
    assert why.text == "A is of core and B of other, other accounts: their money is not compared."
    assert money(growth(), other).cash_after["USD"].change is None


def test_scores_by_other_weights_are_not_compared_and_the_settings_are_named():
    points = score(growth(), pairs.other_profile())

    assert points.comparable == "none"
    assert "(score.profile): points of one are none of the other" in points.not_compared.text
    assert (points.hold.change, points.improvement.change) == (None, None)
    assert {term.gain.change for term in points.terms} == {None}
    assert all(term.weight.change is not None for term in points.terms)


def test_what_is_charged_by_other_settings_is_compared_before_charges_only():
    points = score(growth(), pairs.other_charges())

    assert points.comparable == "before_charges"
    assert "score.cost_aversion" in points.not_compared.text
    assert points.hold.change == 0
    assert points.improvement.change is None
    assert points.cost.change is None


def test_a_higher_bar_for_acting_leaves_scores_comparable():
    assert score(growth(), hold()).comparable == "all"


def test_plans_with_and_without_targets_say_that_they_aim_at_other_things():
    points = score(pairs.usual(), untargeted())

    assert points.comparable == "none"
    assert "(targets" in points.not_compared.text
    assert points.drift_after.change is None
    absent = [term.name for term in points.terms if term.gain.b is None]
    assert absent == ["target_fit"]


def test_a_change_is_that_of_the_published_digits():
    pair = numbers(0.1234567890123, 0.2)

    assert (pair.a, pair.b) == (0.123456789012, 0.2)
    assert pair.change == 0.076543210988


def test_certificates_stand_side_by_side():
    proof = compare(growth(), pairs.narrow()).score.certificate

    assert (proof.a, proof.b) == (growth().certificate.status, pairs.narrow().certificate.status)
    assert proof.gap.a == growth().certificate.gap.points
