"""Sentences on what a mode chose by: how many were drawn, how sure, what is given up."""

from __future__ import annotations

from builders.modes import chosen
from steelyard.planning.mode_words import chosen_by
from steelyard.plans.diff import compare


def sentences(lead: float | None, error: float | None) -> list[str]:
    plan = chosen("monte_carlo")
    drawn = plan.certificate.sampled.model_copy(update={"lead": lead, "lead_error": error})
    certificate = plan.certificate.model_copy(update={"sampled": drawn})
    return [s.text for s in chosen_by(plan.outlook, certificate, 0, "USD")]


def test_a_lead_of_under_two_of_its_errors_is_said_to_be_within_them():
    assert "is within the error of the draws." in " ".join(sentences(0.0019, 0.001))
    assert "more than the error of the draws." in " ".join(sentences(0.0021, 0.001))
    assert "lead" not in " ".join(sentences(None, None))


def test_paths_and_errors_are_told_and_what_they_come_to_as_money():
    text = " ".join(sentences(0.0, 0.0))

    assert "by 100 drawn paths" in text
    assert text.count("standard error") == 2
    assert "By the estimates half of the paths end over USD " in text
    assert ", and 1 in 20 under " in text
    assert "seed" not in text  # the certificate has it


def test_two_plans_say_which_of_them_a_mode_chose():
    diff = compare(chosen("multi_timeframe"), chosen("held for its costs"))

    reasons = [reason.text for reason in diff.reasons]
    assert any(text.startswith("A was chosen by its score ahead") for text in reasons)
    assert any(text.startswith("B was chosen from a frontier") for text in reasons)
