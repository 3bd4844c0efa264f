"""Settings: frozen, strict, with ranges; their defaults are those of the documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from steelyard import settings
from steelyard.settings import (
    PROFILES,
    Anchors,
    Costs,
    DiversificationParts,
    Groups,
    Limits,
    Neutral,
    Planner,
    Rebalance,
    Score,
    Search,
    Section,
    StabilityParts,
)

MODELS = [
    model
    for model in vars(settings).values()
    if isinstance(model, type) and issubclass(model, Section) and model is not Section
]
SECTIONS = [Costs, Limits, Search, Planner, Rebalance, Score, Groups]


def test_every_section_has_defaults_and_reads_back_what_it_writes():
    for model in SECTIONS:
        section = model()

        assert model.model_validate(section.model_dump(mode="json", by_alias=True)) == section


def test_a_section_cannot_be_changed_and_has_no_other_key():
    for model in SECTIONS:
        with pytest.raises(ValidationError, match="extra_forbidden"):
            model.model_validate({"no_such_key": 1})
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model(), next(iter(model.model_fields)), 1)


def takes(model: type[Section], name: str, value: object) -> bool:
    try:
        model.model_validate({name: value})
    except ValidationError:
        return False
    return True


def test_text_is_never_read_as_a_number():
    numbers = [
        (model, name)
        for model in MODELS
        for name, field in model.model_fields.items()
        if field.annotation is float
    ]

    assert len(numbers) > 30
    assert [key for key in numbers if takes(*key, "0.5")] == []


NEVER_NEGATIVE = {
    Costs: "fixed percent spread_bps fx_percent",
    Limits: "cash_reserve_weight min_trade_base max_position_weight max_turnover_weight",
    Score: "min_improvement order_hurdle cost_aversion tax_rate",
    Planner: "priority_threshold",
}


def test_no_setting_takes_a_negative_or_endless_number():
    keys = [(model, name) for model, names in NEVER_NEGATIVE.items() for name in names.split()]
    wrong = [float("nan"), float("inf"), -1.0]

    assert [(key, value) for key in keys for value in wrong if takes(*key, value)] == []


def test_the_defaults_are_those_of_the_documents():
    assert (Costs().fixed, Costs().percent) == (2.0, 0.002)
    assert (Limits().cash_reserve_weight, Limits().max_position_weight) == (0.02, 0.20)
    assert (Limits().max_group_weight, Limits().max_turnover_weight, Limits().funding) == (
        None, None, "proceeds",
    )  # fmt: skip
    assert Limits().max_stale_sessions == 5
    assert (Score().min_improvement, Score().order_hurdle, Score().latch_share) == (
        0.005, 0.001, 0.7,
    )  # fmt: skip
    assert Search().max_depth == 5


def test_the_shares_of_a_profile_sum_to_one():
    for profile in PROFILES:
        shares = Score(profile=profile).profile_weights().values()
        assert sum(shares) == pytest.approx(1, abs=1e-15), profile


@given(st.lists(st.floats(0, 10), min_size=4, max_size=4).filter(lambda parts: sum(parts) > 1e-3))
def test_shares_are_used_divided_by_their_sum(parts):
    given_shares = dict(zip(("conc", "ind", "country", "rao"), parts, strict=True))
    normalised = DiversificationParts(**given_shares).normalised()

    assert sum(normalised.values()) == pytest.approx(1)
    assert all(
        normalised[name] * sum(parts) == pytest.approx(share)
        for name, share in given_shares.items()
    )


def test_shares_that_are_all_zero_are_refused():
    for parts in (StabilityParts, DiversificationParts):
        with pytest.raises(ValidationError, match="at least one share must be above 0"):
            parts(**dict.fromkeys(parts.model_fields, 0.0))


def test_an_anchor_must_increase():
    for anchor in ((0.1, 0.1), (0.2, 0.1)):
        with pytest.raises(ValidationError, match="must increase"):
            Anchors(tr=anchor)


def test_group_targets_may_not_exceed_one():
    for dimension in ("sector", "country"):
        with pytest.raises(ValidationError, match=rf"the {dimension} targets sum to 1\.2"):
            Groups.model_validate({dimension: {"A": 0.7, "B": 0.5}})
        assert Groups.model_validate({dimension: {"A": 0.7, "B": 0.3}})


def test_the_neutral_yield_is_spelled_yield():
    assert Neutral.model_validate({"yield": 0.03}).yield_ == 0.03
    assert Neutral().model_dump(by_alias=True)["yield"] == 0.02
