"""The second opinion knows every field of a document, and every rule that follows from it."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from builders.paths import PLUGINS
from builders.plugins import every, pin
from builders.regimes import history
from builders.world import World, with_module, with_on, with_params, world
from steelyard.modules.plugins import load_plugins
from steelyard.modules.registry import Kind
from steelyard.orders import Order, Side
from steelyard.planning.questions.explain import explain
from steelyard.plans import plan as plans
from steelyard.plans import verify
from steelyard.plans.verify import form
from steelyard.plans.verify.reading import content_id, hash_of
from steelyard.plans.verify.unchecked import UNKNOWN, UNREAD
from steelyard.portfolio import BucketState
from steelyard.settings import Costs, Limits, Plugins, Score

LINES = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", "DD 90 @ 310", "EE 20 @ 75")
TARGETS = {"AA": 0.2, "BB": 0.2, "CC": 0.15, "DD": 0.2, "EE": 0.15}


def everything(**options: Any) -> World:
    """Every module, foreign money, open orders, every limit, an index, a satellite's state."""
    full = world(
        *LINES,
        cash={"USD": "9000", "EUR": "500"},
        targets=TARGETS,
        foreign=("BB",),
        cost_prices={"AA": "40", "DD": "300"},
        orders=(
            Order("open-1", "CC", Side.BUY, Decimal(5), Decimal(19)),
            Order("open-2", "AA", Side.SELL, Decimal(5), None),
        ),
        state=BucketState("hold", funding=0.9, high_water_mark=1.0, unit_value=0.9),
        costs=Costs(fixed=1.5, percent=0.001, spread_bps=6.0, fx_percent=0.0015),
        limits=Limits(
            max_turnover_weight=0.5, max_group_weight=0.9, pause_volatility_ratio=9.0, **options
        ),
        score=Score(tax_rate=0.25),
    )
    strategy = full.strategy
    for kind in Kind:
        strategy = with_on(
            strategy, kind, *(choice.module.name for choice in strategy.choices[kind])
        )
    strategy = with_params(strategy, Kind.FILTER, "eligibility", no_panic_sell_pct=0.9)
    strategy = with_params(
        strategy, Kind.SEQUENCE, "constraint_relaxation", relax_max_position=True,
        relax_cooldown=True,
    )  # fmt: skip
    return replace(full, strategy=strategy, market=replace(full.market, index=history(1.001)))


@pytest.fixture(scope="module")
def document() -> Iterator[dict[str, Any]]:
    """A plan with everything on, with all plugins of the examples, explained."""
    loaded = load_plugins(
        Plugins(folder=str(PLUGINS), files={path.name: pin(path) for path in PLUGINS.glob("*.py")}),
        None,
    )
    of = everything()
    strategy = of.strategy
    for module in every(loaded):
        strategy = with_module(strategy, module)
    further = {module.name: 0.1 for module in loaded.modules[Kind.TERM]}
    of = replace(
        of, strategy=replace(strategy, score=strategy.score.model_copy(update={"further": further}))
    )
    case = of.case
    yield verify.load(explain(case, of.plan()).to_json())
    loaded.close()


def test_of_a_plan_with_everything_on_no_field_is_unknown_and_every_figure_agrees(
    document: dict[str, Any],
):
    assert document["what_if"]
    assert document["explanation"]
    assert any("digest" in own for own in document["strategy"]["settings"]["modules"]["filters"])

    report = verify.check(document)

    assert report.failed == ()
    assert [what for what, why in report.unchecked if why in {UNKNOWN, UNREAD}] == []


def keywords(node: Any) -> Iterator[str]:
    """Every keyword of a schema; names of fields are none."""
    for key, child in node.items() if isinstance(node, dict) else ():
        yield key
        if key in {"properties", "$defs"}:
            yield from (word for inner in child.values() for word in keywords(inner))
        elif key not in {"default", "enum", "const"}:
            yield from (word for inner in [child, *aslist(child)] for word in keywords(inner))


def aslist(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def test_the_packaged_schema_is_that_of_the_records_and_of_words_that_are_read():
    schema = json.loads(form.SCHEMA.read_text(encoding="utf-8"))

    assert schema == json.loads(json.dumps(plans.json_schema()))
    assert (schema["$id"], schema["version"]) == ("urn:steelyard:plan:1", plans.VERSION)
    about = {"$schema", "$id", "$defs", "version", "title", "description", "default"}
    assert set(keywords(schema)) - about == form.KEYWORDS


@pytest.mark.parametrize(
    ("where", "value", "due"),
    [
        (("rules", "limits", "cash_reserve_weight"), 1.5, "a number, at least 0, at most 1"),
        (("rules", "limits", "max_cost_share"), 0, "a number, over 0, at most 1"),
        (("rules", "max_depth"), 2.0, "a whole number"),
        (("certificate", "status"), "sure", "proven or within_one_lot or bounded or none"),
        (("holdings", 0, "price"), "0", "a decimal number above 0 as text"),
        (("holdings", 0, "band"), [0.1], "a list"),
        (("steps", 0, "facts", "shares"), {}, "text or a whole number or a number or null"),
        (("cash", "USD"), None, "a decimal number as text"),
    ],
)
def test_a_value_out_of_its_range_or_kind_is_told(document: Any, where: Any, value: Any, due: str):
    of = copy.deepcopy(document)
    functools.reduce(lambda node, key: node[key], where[:-1], of)[where[-1]] = value

    assert due in {check.expected for check in verify.check(of).failed}


def test_a_digest_that_is_no_text_is_seen(document: dict[str, Any]):
    settings = document["strategy"]["settings"]
    filters = [{**own, "digest": 1} for own in settings["modules"]["filters"]]
    strategy = {
        **document["strategy"],
        "settings": {**settings, "modules": {**settings["modules"], "filters": filters}},
    }

    failed = verify.check({**document, "strategy": strategy}).failed

    assert "strategy.settings.modules.filters[0].digest" in [check.where for check in failed]


# rules that stop all buys


def paused(**stopped: Any) -> dict[str, Any]:
    """A plan with much to buy; of a stormy market or of a bucket without appetite where told so."""
    of = world(*LINES, cash="20000", targets=TARGETS, **stopped)
    return verify.load(of.plan().to_json())


def sealed(of: dict[str, Any]) -> dict[str, Any]:
    settings = of["strategy"]["settings"]
    hashed = {**of, "strategy": {**of["strategy"], "sha256": hash_of(settings)}}
    return {**hashed, "plan_id": content_id(hashed)}


STORM = {"limits": Limits(pause_volatility_ratio=0.01)}
NO_APPETITE = {"state": BucketState("hold", high_water_mark=1.0, unit_value=0.5)}


@pytest.mark.parametrize(("why", "rule"), [(STORM, "high_volatility"), (NO_APPETITE, "aggression")])
def test_a_pause_of_buys_agrees(why: dict[str, Any], rule: str):
    of = paused(**why)

    assert rule in {stop["rule"] for stop in of["not_traded"]}
    assert verify.check(of).failed == ()


@pytest.mark.parametrize("why", [STORM, NO_APPETITE])
def test_a_buy_while_buys_are_paused_is_seen(why: dict[str, Any]):
    of = paused(**why)
    buyer = paused()
    bought = [row for row in buyer["candidates"] if row["side"] == "buy"]
    assert bought

    failed = verify.check(sealed({**of, "candidates": [*of["candidates"], *bought]})).failed

    assert "where buys are paused there is none" in {check.name for check in failed}


def test_a_pause_below_its_limit_or_by_another_limit_is_seen():
    of = paused(**STORM)
    stop = next(stop for stop in of["not_traded"] if stop["rule"] == "high_volatility")
    limit = stop["value"] + 1
    stop["limit"], stop["margin"] = limit, stop["value"] - limit

    names = {check.name for check in verify.check(sealed(of)).failed}

    assert "the pause of buys is as the strategy sets it" in names
    for section in (of["strategy"]["settings"]["limits"], of["rules"]["limits"]):
        section["pause_volatility_ratio"] = limit
    assert "buys pause over the limit alone" in {
        check.name for check in verify.check(sealed(of)).failed
    }


def test_what_the_document_cannot_tell_of_pauses_is_told_as_not_checked():
    of = world(
        *LINES, cash="20000", targets=TARGETS, limits=Limits(pause_volatility_ratio=9.0)
    ).plan()

    silent = dict(verify.check(verify.load(of.to_json())).not_checked)

    assert (
        "the volatility of the market"
        in silent["limits.pause_volatility_ratio where it stops nothing"]
    )
    assert "aggression" in silent["how much of each buy the state of the bucket lets through"]


def test_a_sale_at_a_deep_loss_is_seen_where_the_strategy_forbids_it():
    of = world(*LINES, cash="20000", targets=TARGETS, cost_prices={"AA": "150", "DD": "400"})
    document = verify.load(of.plan().to_json())
    sold = [row["symbol"] for row in document["candidates"] if row["side"] == "sell"]
    assert "AA" in sold
    for own in document["strategy"]["settings"]["modules"]["filters"]:
        if own["name"] == "eligibility":
            own["params"]["no_panic_sell_pct"] = 0.3

    failed = verify.check(sealed(document)).failed

    assert "no sale at a deep loss" in {check.name for check in failed}
