"""The second opinion: it agrees with every plan, and disagrees with any change of a figure, id made
anew or not.

What may change without its noticing is what its report lists as unchecked, field by field.
"""

from __future__ import annotations

import copy
import functools
import pathlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.changes import enabled
from builders.classes import classed
from builders.positions import with_multipliers, with_position, with_settling
from builders.regimes import history
from builders.world import AS_OF, world
from builders.worlds import SOME, worlds
from steelyard import strategies
from steelyard.errors import InputError
from steelyard.importers import assemble, read
from steelyard.modules.registry import Kind
from steelyard.orders import Order, Side
from steelyard.planning.narrative import changed
from steelyard.planning.planner import plan
from steelyard.planning.questions.explain import explain
from steelyard.plans import plan as plans
from steelyard.plans import verify
from steelyard.plans.score import OrderChange
from steelyard.plans.verify.account import weekdays_after
from steelyard.plans.verify.reading import content_id, hash_of
from steelyard.plans.verify.rules import EVERY_LIST
from steelyard.plans.verify.unchecked import UNKNOWN, UNREAD
from steelyard.portfolio import BucketState, Flow, Holding, TaxLot
from steelyard.samples import sample
from steelyard.sentences import again
from steelyard.settings import Costs, Limits, Rebalance, Scope, Score, Search
from steelyard.targets import Band

STAYS = "the reserve stays, or what there was, and open buys keep theirs"
SETTLED_PAYS, THERE_PAYS = (
    f"settled money alone pays, {STAYS}",
    f"money that is there pays, {STAYS}",
)
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WORDS = (
    {"buy", "sell"}, {"act", "hold"}, {"candidates", "proposals", "quantities"},
    {"targets", "none"}, {"proven", "within_one_lot", "bounded", "none"},
    {"resolved", "drop_one"}, {"pairs", "single"}, {"settled", "traded"},
    {"bull", "bear", "sideways", "unknown"},
    {"sizing", "search", "plan", "filter"}, {"ok", "nothing", "failed"},
    {"proceeds", "settled"},
)  # fmt: skip
"""Words of which a field holds one: another of them is a change too."""
MUCH = 0.11
"""An improvement that no orders of the small portfolio reach, and three quarters of which do."""

Path = tuple[str | int, ...]


def of_sample(name: str, scope: Scope = "candidates", *, targets: bool = True) -> str:
    files = sample(name)
    read_in = read(
        files.holdings, prices=files.prices, targets=files.targets if targets else None,
        securities=files.securities, fx=files.fx,
    )  # fmt: skip
    inputs = assemble(
        read_in, cash={}, base_currency=files.base_currency, as_of=None, exclude=(),
        today=date(2024, 1, 1), bucket="core", source="bundled",
    )  # fmt: skip
    strategy = replace(strategies.default(), search=Search(scope=scope))
    return plan(inputs.snapshot, inputs.market, strategy, targets=inputs.targets).to_json()


def of_everything() -> str:
    """Foreign cash and names, every cost, tax, open orders, caps, lots, a latch: why."""
    rich = world(
        "AA 400 @ 100", "BB 100 @ 50", "CC 30 @ 200", "DD 0 @ 25", "EE 60 @ 80",
        cash={"USD": "9000", "EUR": "1500"},
        targets={"AA": 0.30, "BB": 0.15, "CC": 0.15, "DD": 0.15, "EE": 0.10},
        foreign=("CC", "DD"),
        lots={"BB": "5", "DD": "10"},
        cost_prices={"AA": "40", "BB": "60", "CC": "150"},
        orders=(
            Order("open-1", "DD", Side.BUY, Decimal(20), Decimal("24.5")),
            Order("open-2", "AA", Side.SELL, Decimal(15), None),
            Order("open-3", "BB", Side.BUY, Decimal(5), None),
        ),
        state=BucketState("act"),
        costs=Costs(fixed=1.5, percent=0.001, spread_bps=6.0, fx_percent=0.0015),
        limits=Limits(max_turnover_weight=0.5, max_group_weight=0.9, settlement_days=2),
        score=Score(tax_rate=0.25), search=Search(scope="candidates"),
    )  # fmt: skip
    acting = plan(rich.snapshot, rich.market, rich.strategy, targets=rich.targets, state=rich.state)
    case = rich.case
    return explain(case, acting).to_json()


def of_cash_alone() -> str:
    """A hold plan that says what would let a plan through."""
    poor = world(
        "AA 13 @ 100", "BB 10 @ 100", cash="400", targets={"AA": 0.4, "BB": 0.5},
        limits=Limits(max_position_weight=1.0), score=Score(min_improvement=MUCH),
        search=Search(scope="candidates"),
    )  # fmt: skip
    case = poor.case
    return explain(case, poor.plan()).to_json()


def of_spending() -> str:
    """A plan that takes cash to its target."""
    free = Limits(max_position_weight=1.0)
    return (
        world(
            "AA 10 @ 100", "BB 10 @ 100", cash="3000", targets={"AA": 0.5, "BB": 0.45}, limits=free
        )
        .plan()
        .to_json()
    )


def of_what_ifs() -> str:
    """Partial fills, and every rule loosened, under a known regime."""
    orders = {"AA": 0.2, "BB": 0.2, "CC": 0.15, "DD": 0.2, "EE": 0.15}
    lines = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", "DD 90 @ 310", "EE 20 @ 75")
    of = world(
        *lines, cash={"USD": "9000", "EUR": "500"}, targets=orders, foreign=("BB",),
        limits=Limits(max_turnover_weight=0.25),
    )  # fmt: skip
    barred = tuple(
        replace(security, allow_sell=security.symbol != "AA") for security in of.snapshot.securities
    )
    of = replace(
        of,
        snapshot=replace(of.snapshot, securities=barred),
        market=replace(of.market, index=history(1.001)),
    )
    for name, params in {
        "partial_execution": {},
        "constraint_relaxation": {"relax_max_position": True, "relax_cooldown": True},
    }.items():
        of = enabled(of, Kind.SEQUENCE, name, **params)
    return of.plan().to_json()


def of_positions() -> str:
    """Shorts, options and a future, shares of another worth, money on its way, prices' sources."""
    of = world(
        "AA 400 @ 100", "BB 90 @ 97.5", "CC 0 @ 20", cash={"USD": "9000", "EUR": "500"},
        targets={"AA": 0.2, "BB": 0.3, "CC": 0.3}, foreign=("BB",), cost_prices={"AA": "60"},
        orders=(Order("open-1", "BB", Side.BUY, Decimal(5), None),),
        limits=Limits(funding="settled"), score=Score(tax_rate=0.25),
    )  # fmt: skip
    of = with_multipliers(of, {"AA": Decimal("0.5"), "BB": Decimal(2)})
    for position in (
        ("SHRT", "-20", "41"), ("X240", "3", "2.5", "OPTION", "100"), ("FUT", "2", None, "FUTURE"),
    ):  # fmt: skip
        of = with_position(of, *position)
    of = with_settling(of, ("USD", "2500", 1), ("USD", "-700.5", 3), ("EUR", "40", 5))
    quotes = {
        symbol: replace(quote, source="prices.csv", unit="" if symbol == "AA" else "USc")
        for symbol, quote in of.market.quotes.items()
    }
    return of.having(quotes=quotes).plan().to_json()


def asked_for(of: dict[str, Any]) -> dict[str, Any]:
    """The alternative that trades only what must be traded."""
    return next(other for other in of["alternatives"] if other["name"] == "asked_for")


def of_quantities() -> str:
    """A plan over quantities: an order that is none of the table's, neighbours, a gap.

    It is that of growth, told as the best of every list.
    """
    of = document("growth")
    settings, certificate, steps = of["strategy"]["settings"], of["certificate"], of["steps"]
    settings["search"]["scope"] = certificate["scope"] = "quantities"
    of["strategy"]["sha256"] = hash_of(settings)
    of["rules"]["max_orders"] = None
    without = steps[0]["candidate"]
    of["candidates"] = [row for row in of["candidates"] if row["id"] != without]
    steps[0] |= {"candidate": None, "tags": [], "proposed_by": []}
    for words, template in (("narrative", "template"), ("reason", "reason_template")):
        reword(steps[0], words, template, ", by {asked_by:text}", "")
    del steps[0]["facts"]["asked_by"]
    base = {(step["symbol"], step["quantity"]) for step in asked_for(of)["steps"]}
    for row in of["candidates"]:  # a table beside a search of quantities is charged every hurdle
        if (row["symbol"], row["quantity"]) in base:
            row["gain"] -= of["rules"]["thresholds"]["order_hurdle"]
    steps[-1]["adds"]["how"] = "resolved"
    reword(
        steps[-1], "narrative", "template", "it, the other orders as they are, the", "it the best"
    )
    gap = 2e-5
    certificate |= {
        "candidates": len(of["candidates"]), "covers": EVERY_LIST, "local_optimum": "pairs",
        "status": "within_one_lot", "search_gap": gap, "gap": shown(of, gap),
        "search_gap_of_improvement": gap / of["score"]["improvement"],
        "bound": of["score"]["hold"] + of["score"]["improvement"] + gap,
        "neighbours": [
            neighbour(of, 0.01, (0, -1)), neighbour(of, 0.02, (-1, -1)),
            neighbour(of, 0.03, (1, None)), neighbour(of, 0.04, (0, -2), (1, None)),
            neighbour(of, 0.05, (-1, 10_000), feasible=False),
            neighbour(of, 0.06, (0, None), feasible=False),
        ],
    }  # fmt: skip
    facts = {"extent": EVERY_LIST.partition(" list of ")[2], "gap": gap}
    facts |= {"gap_year": certificate["gap"]["base_per_year"]}
    facts |= {"gap_share": certificate["gap"]["of_improvement"]}
    of["verdict"]["facts"] |= facts
    reword(of["verdict"], "detail", "detail_template", "$", f" {CERTIFIED}")
    return plans.seal(plans.Plan.model_validate(of)).to_json()


CERTIFIED = (
    "Within one lot of the best possible plan of {extent:text}: at most {gap:points_up} points, "
    "{currency:text} {gap_year:money_up} a year, {gap_share:pct_up} of the improvement."
)


def reword(row: dict[str, Any], text: str, template: str, old: str, new: str) -> None:
    """Another template, and the text by it; `$` is the end."""
    row[template] = row[template] + new if old == "$" else row[template].replace(old, new)
    row[text] = again(row[template], row["facts"])


def neighbour(of: dict[str, Any], loss: float, *changes: Any, feasible: bool = True) -> Any:
    """The plan with some steps changed by so many lots; None drops one."""
    lots = {holding["symbol"]: Decimal(holding["lot_size"]) for holding in of["holdings"]}
    orders = []
    for n, more in changes:
        step = of["steps"][n]
        was = Decimal(step["quantity"])
        other = Decimal(0) if more is None else was + more * lots[step["symbol"]]
        sign = "-" if step["side"] == "sell" else ""
        orders.append(
            {
                "side": step["side"], "symbol": step["symbol"], "quantity": f"{other:f}",
                "was": f"{sign}{was:f}",
            }
        )  # fmt: skip
    improvement = of["score"]["improvement"] - loss
    words = changed([OrderChange.model_validate(order) for order in orders])
    return {"change": words, "orders": orders, "improvement": improvement, "feasible": feasible}


def of_classes() -> str:
    """Classes with too much, with too little, that nobody can be bought for, and said by rows."""
    of = world(
        "AA 100 @ 100", "BB 100 @ 90", "CC 50 @ 40", "DD 0 @ 25", "EE 60 @ 80", "FF 10 @ 100",
        "GG 40 @ 50", cash="9000", cost_prices={"AA": "60", "BB": "120", "EE": "70"},
        score=Score(tax_rate=0.25), search=Search(scope="candidates"),
        rebalance=Rebalance(band_relative=0.5),
    )  # fmt: skip
    return (
        classed(
            of,
            {"Large": "AA BB", "Small": "CC DD", "Bonds": "EE", "Gold": "FF", "Land": "GG"},
            {"Large": 0.25, "Small": 0.3, "Bonds": 0.15, "Gold": 0.04, "Land": 0.08, "Art": 0.02},
            own={"EE": 0.15}, preference={"AA": 1, "CC": 2, "DD": 1}, frozen={"FF"},
            bands={"Large": Band(0.05), "Small": Band(None, 0.25)},
        )
        .plan()
        .to_json()
    )  # fmt: skip


def of_flows() -> str:
    """A withdrawal that leaves too early, in a currency that has to be bought; a deposit later."""
    of = world(
        "AA 100 @ 100", "BB 120 @ 90", cash={"USD": "800", "EUR": "300"}, foreign=("AA",),
        targets={"AA": 0.5, "BB": 0.45}, funds=("AA", "BB"),
        costs=Costs(fixed=1.5, percent=0.001, fx_percent=0.004),
    )  # fmt: skip
    day = of.snapshot.as_of
    flows = (
        Flow("EUR", Decimal(-4_000), day), Flow("USD", Decimal(500), day + timedelta(days=5)),
    )  # fmt: skip
    return of.having(flows=flows).plan().to_json()


def of_halves() -> str:
    """A plan that only sells, for buys of its second half, explained."""
    of = world(
        "AA 120 @ 500", "BB 200 @ 75", cash="1600", targets={"AA": 0.5, "BB": 0.48},
        funds=("AA", "BB"), limits=Limits(funding="settled"),
    )  # fmt: skip
    return explain(of.case, of.plan()).to_json()


MADE: dict[str, Callable[[], str]] = {
    "growth": lambda: of_sample("growth"), "euro": lambda: of_sample("euro"),
    "growth without targets": lambda: of_sample("growth", targets=False),
    "everything": of_everything, "hold": of_cash_alone, "spent": of_spending,
    "what if": of_what_ifs, "positions": of_positions, "quantities": of_quantities,
    "classes": of_classes, "flows": of_flows, "halves": of_halves,
    "growth over quantities": lambda: of_sample("growth", "quantities"),
    "euro over quantities": lambda: of_sample("euro", "quantities", targets=False),
}  # fmt: skip


@functools.cache
def text(name: str) -> str:
    return MADE[name]()


def document(name: str) -> dict[str, Any]:
    return verify.load(text(name))


def leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a document that holds no other."""
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(child, (*path, key))
    else:
        yield path, node


def field(path: Path) -> str:
    """The field of a leaf as the second opinion names it: maps and lists of words are one."""
    name = re.sub(r"\.?\[\]", "[]", ".".join("[]" if isinstance(k, int) else k for k in path))
    name = re.sub(r"^(strategy\.settings|cash_rates|cash_after|cash)\..*", r"\1", name)
    return re.sub(r"((\bfacts|\bweights)\..*|\[\])$", lambda m: m[2] or "", name)


def others(path: Path, value: Any) -> list[Any]:
    """Other values: a millionth up and down, what is visible in words, another word, nothing."""
    if value is None:
        return ["x", 0.5, "1", "2020-01-01", 1, True, "hold"]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, None]
    if isinstance(value, str) and DAY.fullmatch(value):
        day = date.fromisoformat(value)
        return [*(str(day + timedelta(days=by)) for by in (-1, 1)), "2035-01-02", None]
    if isinstance(value, str) and not DECIMAL.fullmatch(value):
        words = {word for group in WORDS if value in group for word in group} - {value}
        return [*sorted(words), f"{value}x", f"Not {value}", None]
    share = Decimal("0.05" if "facts" in path else "1e-6")
    least = Decimal("0.002" if "facts" in path else "1e-6")
    exact = Decimal(str(value))
    by = abs(exact) * share + (least if isinstance(value, float) or not exact else 0)
    changed = (exact + by, exact - by)
    return [*((float(n) if isinstance(value, float) else f"{n:f}") for n in changed), None]


def put(node: Any, path: Path, value: Any) -> None:
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value


def at(node: Any, path: Path) -> Any:
    return functools.reduce(lambda inner, key: inner[key], path, node)


def with_its_id(changed_document: dict[str, Any]) -> dict[str, Any]:
    """The id made anew, so that only the content can tell."""
    return {**changed_document, "plan_id": content_id(changed_document)}


def unseen(of: dict[str, Any], changes: list[tuple[Path, Any, Any]]) -> dict[str, list[Any]]:
    """Changes, one at a time, that the second opinion does not see, by field."""
    missed: dict[str, list[Any]] = {}
    for path, value, other in changes:
        put(of, path, other)
        if verify.check(with_its_id(of)).ok:
            missed.setdefault(field(path), []).append((path, value, other))
        put(of, path, value)
    return missed


@functools.cache
def fields_of(name: str) -> frozenset[str]:
    return frozenset(field(path) for path, _ in leaves(document(name)))


@functools.cache
def turns_of(where: str) -> frozenset[str]:
    """Two of the plans that have a field, others for other fields."""
    names = [name for name in MADE if where in fields_of(name)]
    return frozenset(names[(len(where) + k) % len(names)] for k in range(2))


def unlisted(name: str, turn: int | None) -> dict[str, list[Any]]:
    """Changes that go unseen in fields that are not said to be unchecked.

    turn   one entry of each field whose turn it is, changed in one way; None is every one
    """
    of = document(name)
    by_field: dict[str, list[tuple[Path, Any]]] = {}
    for path, value in leaves(of):
        if path != ("plan_id",):
            by_field.setdefault(field(path), []).append((path, value))
    changes = []
    for n, (where, entries) in enumerate(sorted(by_field.items())):
        if turn is not None and name not in turns_of(where):
            continue
        for path, value in entries if turn is None else [entries[(n + turn) % len(entries)]]:
            ways = others(path, value)
            chosen = ways if turn is None else [ways[(n + turn) % len(ways)]]
            changes += [(path, value, other) for other in chosen]
    listed = {where for where, _ in verify.check(of).unchecked}
    missed = unseen(of, changes)
    return {where: missed[where] for where in missed.keys() - listed}


@pytest.mark.parametrize("name", MADE)
def test_every_figure_of_a_plan_agrees(name: str):
    report = verify.check(document(name))

    assert report.failed == ()
    assert report.ok
    assert not report.edited
    assert report.checked > 180
    assert verify.summary(report) == f"checked: {report.checked:,d} figures re-derived, all agree"


@SOME
@given(of=worlds())
def test_every_figure_of_every_plan_agrees(of):
    assert verify.check(verify.load(of.plan().to_json())).failed == ()


@pytest.mark.parametrize("name", MADE)
def test_a_change_of_any_field_is_seen_or_the_field_is_listed_as_unchecked(name: str):
    assert unlisted(name, list(MADE).index(name)) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("name", MADE)
def test_any_change_of_any_entry_is_seen_or_its_field_is_listed_as_unchecked(name: str):
    assert unlisted(name, None) == {}


def test_every_field_that_is_listed_as_unchecked_has_its_own_reason_and_is_no_money():
    figures = re.compile(r"cost|notional|quantity|price|rate|weight|value|cash|balance|total|drift")
    for name in MADE:
        listed = dict(verify.check(document(name)).unchecked)
        money = [where for where in listed if figures.search(where.rpartition(".")[2])]
        origins = {where for where in money if where.endswith(("_source", "_unit", "_on"))}

        assert {*money} - origins <= {
            "not_traded[].value", "what_if.relaxations[].steps[].quantity", "steps[].adds.drift_pp",
            "certificate.neighbours[].orders[].quantity",
        }  # fmt: skip
        assert [where for where, why in listed.items() if why in {UNREAD, UNKNOWN}] == []


REWORDED: list[tuple[Path, str, str]] = [
    (("steps", 0, "narrative"), "Sell", "Buy"), (("steps", 0, "narrative"), "AAPL", "TSLA"),
    (("steps", 0, "facts", "act"), "Sell", "Buy"), (("steps", 0, "template"), "{act:text}", "Buy"),
    (("steps", 0, "reason"), "over", "under"), (("verdict", "detail"), "over", "under"),
    (("verdict", "text"), "Five", "Six"),
    (("not_traded", 0, "reason"), "further from", "closer to"),
    (("certificate", "covers"), "one order", "two orders"),
    (("prices_as_of", "quotes"), "2022", "2035"),
]  # fmt: skip


def test_other_words_are_seen():
    missed = []
    for where, old, new in REWORDED:
        of = document("growth")
        words = at(of, where)
        assert old in words, where
        put(of, where, words.replace(old, new))
        missed += [(where, new)] if verify.check(with_its_id(of)).ok else []

    assert missed == []


def test_a_sentence_that_tells_another_order_is_seen_though_its_facts_agree_with_it():
    for fact, other in (("act", "Buy"), ("symbol", "TSLA"), ("shares", "12"), ("target", 0.5)):
        of = document("growth")
        step = of["steps"][0]
        step["facts"][fact] = other
        for words, template in (("narrative", "template"), ("reason", "reason_template")):
            step[words] = again(step[template], step["facts"])

        failed = [check.where for check in verify.check(with_its_id(of)).failed]

        assert f"steps[0].facts.{fact}" in failed, fact


@pytest.mark.parametrize("name", ["growth", "everything", "hold"])
def test_an_alternative_that_is_missing_or_renamed_is_seen(name: str):
    of = document(name)
    names = [other["name"] for other in of["alternatives"]]
    last = max(n for n, other in enumerate(names) if other.startswith("runner_up"))
    for n, other in enumerate(of["alternatives"]):
        without = [*of["alternatives"][:n], *of["alternatives"][n + 1 :]]
        renamed = [*without, {**other, "name": "another"}]
        # how many runners-up there are is not derived, and said so
        assert verify.check(with_its_id({**of, "alternatives": without})).ok is (n == last > 3)
        assert not verify.check(with_its_id({**of, "alternatives": renamed})).ok


LISTS = (
    "holdings", "holdings_after", "candidates", "steps", "conversions", "cash_ladder",
    "open_orders",
)  # fmt: skip


@pytest.mark.parametrize("name", ["growth", "everything"])
def test_an_entry_that_is_dropped_or_there_twice_is_seen(name: str):
    of = document(name)
    missed = []
    for part in LISTS:
        entries = of[part]
        for n in range(len(entries)):
            dropped = [*entries[:n], *entries[n + 1 :]]
            twice = [*entries[:n], entries[n], *entries[n:]]
            missed += [
                (part, n, len(other))
                for other in (dropped, twice)
                if verify.check(with_its_id({**of, part: other})).ok
            ]

    assert missed == []


def test_a_candidate_whose_end_is_not_told_is_seen():
    of = document("growth")
    rest = [stop for stop in of["not_traded"] if stop["candidate"] is None]

    assert not verify.check(with_its_id({**of, "not_traded": rest})).ok


@pytest.mark.parametrize("name", ["growth", "everything", "hold"])
def test_an_order_against_a_flag_is_seen(name: str):
    of = document(name)
    orders = {(row["symbol"], row["side"]) for row in of["candidates"]}
    wrong = []
    for n, holding in enumerate(of["holdings"]):
        for side in ("buy", "sell"):
            part = f"allow_{side}"
            before = holding[part]
            put(of, ("holdings", n, part), False)
            seen = not verify.check(with_its_id(of)).ok
            wrong += [] if seen is ((holding["symbol"], side) in orders) else [(n, side)]
            put(of, ("holdings", n, part), before)

    assert wrong == []


def under(of: dict[str, Any], section: str, name: str, value: Any) -> dict[str, Any]:
    """The plan under another rule, consistent: as a planner writes that ignores the rule."""
    settings = of["strategy"]["settings"]
    settings[section][name] = value
    of["strategy"]["sha256"] = hash_of(settings)
    rules = of["rules"]
    if section in rules:
        rules[section][name] = value
    rules["max_depth"] = rules["max_orders"] = settings["search"]["max_depth"]
    for key, part in (("min_trade_weight", "limits"), ("min_improvement", "score")):
        rules["thresholds"][key] = settings[part][key]
    worth, limits = Decimal(of["value"]), rules["limits"]
    of["reserve"] = f"{Decimal(str(limits['cash_reserve_weight'])) * worth:f}"
    spare = Decimal(str(limits["max_cost_share"])) - Decimal(str(rules["costs"]["percent"]))
    least = max(
        Decimal(str(limits["min_trade_weight"])) * worth,
        Decimal(str(rules["costs"]["fixed"])) / spare,
    )
    rules["min_order_base"] = f"{max(least, Decimal(str(limits['min_trade_base']))):f}"
    of["score"]["min_improvement"] = settings["score"]["min_improvement"]
    return with_its_id(of)


@pytest.mark.parametrize(
    ("name", "section", "setting", "value", "rule"),
    [
        (
            "growth without targets",
            "limits",
            "max_position_weight",
            0.05,
            "the position cap, the target over it, or the weight before",
        ),
        ("growth", "limits", "max_turnover_weight", 0.01, "the turnover cap"),
        ("growth", "limits", "allow_buy", False, "strategy and security allow the side"),
        ("growth", "limits", "allow_sell", False, "strategy and security allow the side"),
        ("growth", "limits", "min_trade_weight", 0.05, "the least order, full exits exempt"),
        (
            "growth",
            "limits",
            "funding",
            "settled",
            SETTLED_PAYS,
        ),
        ("growth", "limits", "settlement_days", 4, "date of the cash ladder"),
        ("growth", "search", "max_depth", 2, "at most so many orders"),
        ("growth", "score", "min_improvement", 0.9, "a plan is worth its least improvement"),
        (
            "spent",
            "limits",
            "cash_reserve_weight",
            0.2,
            THERE_PAYS,
        ),
    ],
)
def test_a_plan_that_breaks_a_rule_is_seen_though_all_its_sums_agree(
    name: str, section: str, setting: str, value: Any, rule: str
):
    report = verify.check(under(document(name), section, setting, value))

    assert rule in {check.name for check in report.failed}


def test_a_rule_that_is_kept_as_well_under_another_setting_breaks_nothing():
    report = verify.check(under(document("growth"), "limits", "max_position_weight", 0.5))

    assert report.failed == ()


@pytest.mark.parametrize("name", ["growth", "euro"])
def test_a_target_on_the_other_side_of_an_order_is_seen(name: str):
    of = document(name)

    for step in of["steps"]:
        n = [holding["symbol"] for holding in of["holdings"]].index(step["symbol"])
        before = of["holdings"][n]["target"]
        of["holdings"][n]["target"] = step["weight_before"]
        crossed = "no order passes its target by half a lot, and a tie does not cross"
        assert crossed in {check.name for check in verify.check(of).failed}
        of["holdings"][n]["target"] = before


def test_caps_on_groups_and_what_filters_look_at_beside_dates_are_told_as_not_checked():
    of = document("everything")
    filters = of["strategy"]["settings"]["modules"]["filters"]
    filters[0]["params"] |= {"on_missing": "deny"}
    filters.append({"name": "correlation", "version": "1.0.0", "params": {}})
    of["modules"].append(
        {
            "kind": "filters", "name": "correlation", "version": "1.0.0", "count": 1, "error": None,
            "outcome": "ok",
        }
    )  # fmt: skip
    of["strategy"]["sha256"] = hash_of(of["strategy"]["settings"])

    report = verify.check(with_its_id(of))

    assert report.failed == ()
    silent = {what for what, _ in report.not_checked}
    assert {"sector and country caps", "filter correlation", "eligibility: on_missing"} <= silent


def test_a_filter_that_was_out_of_service_is_not_held_against_the_plan():
    of = document("growth")
    for run in of["modules"]:
        if run["kind"] == "filters":
            run["outcome"], run["error"] = "no_input", "nothing to look at"
    of["holdings"][0]["last_bought"] = of["as_of"]

    assert verify.check(with_its_id(of)).ok


def shown(of: dict[str, Any], gap: float) -> dict[str, Any]:
    """A gap as people read it."""
    worth = float(of["value"]) * gap / per_return(of)
    share = gap / of["score"]["improvement"]
    return {"points": 100 * gap, "base_per_year": f"{worth:.2f}", "of_improvement": share}


def per_return(of: dict[str, Any]) -> float:
    """The score of one unit of yearly return."""
    settings = of["strategy"]["settings"]["score"]
    low, high = settings["anchors"]["tr"]
    weights = [t["weight"] for t in of["score"]["terms"] if t["name"] == "total_return"]
    return max(sum(weights) / (high - low), settings["min_score_per_return"])


def certified(status: str, *, gap: float | None) -> dict[str, Any]:
    """The plan of growth with another certificate, consistent unless the status is wrong."""
    of = document("growth")
    score, certificate = of["score"], of["certificate"]
    certificate |= {
        "status": status, "search_gap": gap, "bound": None, "search_gap_of_improvement": None,
        "gap": None,
    }  # fmt: skip
    if gap is not None:
        bound, share = score["hold"] + score["improvement"] + gap, gap / score["improvement"]
        certificate |= {"bound": bound, "search_gap_of_improvement": share, "gap": shown(of, gap)}
    return with_its_id(of)


CERTIFICATES = [
    ("proven", 0.0, True), ("proven", 0.01, False), ("proven", None, False),
    ("bounded", 0.01, True), ("bounded", 0.0, False), ("bounded", -0.01, False),
    ("bounded", None, False), ("none", None, True), ("none", 0.0, False),
]  # fmt: skip


def test_a_certificate_says_what_its_status_means():
    rulings = [(s, gap, verify.check(certified(s, gap=gap)).ok) for s, gap, _ in CERTIFICATES]

    assert rulings == CERTIFICATES


def names_of(of: dict[str, Any]) -> set[str]:
    """What does not agree, by name; the id is made anew."""
    return {check.name for check in verify.check(with_its_id(of)).failed}


def edited(name: str, *edits: tuple[Path, Any]) -> set[str]:
    """What does not agree once some fields have other values."""
    of = document(name)
    for path, value in edits:
        put(of, path, value)
    return names_of(of)


CAP = "the position cap, the target over it, or the weight before"
CROSSES = "no order passes its target by half a lot, and a tie does not cross"
DROPPED = "what is dropped is of the plan"
MONEY = "money a year = score / lambda x value"
LESS = "drift without a step less drift with it"
MOST = "most orders: the limit, and the depth of a set of candidates"
AS_SET = "a threshold is as the strategy sets it"
NOT_OVER = "no plan without it is over the bound"
CHANGE_AWAY = "a neighbour is one change away, or a pair"
CERTIFICATE, NEIGHBOURS = ("certificate",), ("certificate", "neighbours")
GAP = (*CERTIFICATE, "gap")
FALSE_CLAIMS: list[tuple[str, tuple[tuple[Path, Any], ...], str]] = [
    ("quantities", (((*GAP, "points"), 0.003),), "points = 100 x score"),
    ("quantities", (((*GAP, "base_per_year"), "7.00"),), "money a year = score / lambda x value"),
    ("quantities", (((*GAP, "of_improvement"), 0.5),), "the share of the improvement"),
    ("quantities", ((GAP, None),), "both say how far the plan is"),
    ("quantities", (((*CERTIFICATE, "covers"), "every list"),), "what the plan is the best of"),
    ("quantities", (((*CERTIFICATE, "status"), "proven"),), "what proven means"),
    (
        "quantities", (((*CERTIFICATE, "local_optimum"), None),),
        "only quantities are searched change by change",
    ),
    (
        "growth", (((*CERTIFICATE, "local_optimum"), "pairs"),),
        "only quantities are searched change by change",
    ),
    ("quantities", (((*CERTIFICATE, "refined"), 0.1),), "the strategy fits sizes afterwards"),
    ("quantities", (((*NEIGHBOURS, 0, "improvement"), 0.9),), "no neighbour is better"),
    ("quantities", (((*NEIGHBOURS, 0, "improvement"), 0.9),), "no neighbour is over the bound"),
    ("quantities", (((*NEIGHBOURS, 4, "feasible"), True),), CAP),
    ("quantities", (((*NEIGHBOURS, 4, "feasible"), True),), CROSSES),
    (
        "quantities", (((*NEIGHBOURS, 5, "feasible"), True),),
        THERE_PAYS,
    ),
    (
        "quantities", (((*NEIGHBOURS, 0, "orders", 0, "quantity"), "2.5"),),
        "whole lots, or the whole holding",
    ),
    (
        "quantities", (((*NEIGHBOURS, 1, "orders", 0, "quantity"), "1"),),
        "the least order, full exits exempt",
    ),
    (
        "quantities", (((*NEIGHBOURS, 0, "orders", 0, "was"), "-211"),),
        "shares of the plan, negative when sold",
    ),
    (
        "quantities", (((*NEIGHBOURS, 0, "orders", 0, "quantity"), "210"),),
        "a neighbour differs from the plan",
    ),
    ("quantities", (((*NEIGHBOURS, 2, "orders", 0, "side"), "sell"),), DROPPED),
    ("quantities", (((*NEIGHBOURS, 0, "orders"), []),), CHANGE_AWAY),
    ("quantities", ((("steps", 1, "candidate"), None),), "a size of the table has its id"),
    ("growth", ((("steps", 1, "candidate"), None),), "a step is a candidate"),
    ("quantities", ((("steps", 0, "refined_from"), "3"),), "only a candidate is fitted"),
    ("quantities", ((("steps", 4, "adds", "score"), -1.0),), NOT_OVER),
    ("quantities", ((("steps", 1, "adds", "base_per_year"), "5.00"),), MONEY),
    ("quantities", ((("steps", 1, "adds", "drift_pp"), 5.0),), LESS),
    ("quantities", ((("steps", 4, "adds", "drift_pp"), None),), "drift is from targets"),
    ("quantities", ((("rules", "max_orders"), 3),), "at most so many orders"),
    ("quantities", ((("rules", "max_orders"), 7),), MOST),
    ("growth", ((("rules", "max_orders"), None),), MOST),
    ("growth", ((("rules", "thresholds", "order_hurdle"), 0.5),), AS_SET),
    ("growth", ((("rules", "thresholds", "names"), 3),), "what is listed is counted"),
]  # fmt: skip


def test_what_a_plan_over_quantities_says_falsely_is_named():
    missed = []
    for plan_of, edits, due in FALSE_CLAIMS:
        failed = edited(plan_of, *edits)
        missed += [] if due in failed else [(edits, due, failed)]

    assert missed == []


def test_a_step_that_was_solved_again_in_a_long_plan_is_seen():
    of = document("quantities")
    of["strategy"]["settings"]["search"]["resolved_orders"] = 4
    of["strategy"]["sha256"] = hash_of(of["strategy"]["settings"])

    assert names_of(of) == {"only a short plan is solved again"}


def test_one_lot_that_costs_less_than_the_gap_refutes_within_one_lot():
    of = document("quantities")
    of["certificate"]["neighbours"][0]["improvement"] = of["score"]["improvement"] - 1e-5
    assert names_of(of) == {"what within_one_lot means"}

    of["certificate"]["status"] = "bounded"
    assert "what within_one_lot means" not in names_of(of)


def test_more_than_twenty_neighbours_are_seen():
    of = document("quantities")
    of["certificate"]["neighbours"] *= 4

    assert names_of(of) == {"only quantities are searched change by change"}


def test_a_limit_of_orders_holds_for_neighbours_too():
    of = document("quantities")
    unused = next(
        row for row in of["holdings"]
        if row["symbol"] not in {step["symbol"] for step in of["steps"]}
        and Decimal(row["quantity"]) and row["target"] is not None
    )  # fmt: skip
    settings, limits = of["strategy"]["settings"], of["rules"]["limits"]
    settings["limits"]["max_orders"] = limits["max_orders"] = of["rules"]["max_orders"] = 5
    of["strategy"]["sha256"] = hash_of(settings)
    of["certificate"]["covers"] += ", of at most 5 orders"
    of["verdict"]["facts"]["extent"] += ", of at most 5 orders"
    reword(of["verdict"], "detail", "detail_template", "$", "")
    assert names_of(of) == set()

    more = {"side": "sell", "symbol": unused["symbol"], "quantity": unused["quantity"], "was": None}
    of["certificate"]["neighbours"][0]["orders"] = [more]
    assert "at most so many orders" in names_of(of)


def test_an_order_may_pass_its_target_by_less_than_half_a_lot_and_not_by_a_tie():
    rulings = []
    for share in ("0.49", "0.5", "0.51"):
        of = document("quantities")
        step = of["steps"][1]
        row = next(row for row in of["holdings"] if row["symbol"] == step["symbol"])
        # a lot of a round weight, so that half of it is a number of few digits
        value = Decimal(row["lot_value"]) * 1000
        after = (Decimal(row["value"]) + Decimal(step["notional_base"])) / value
        of["value"], row["target"] = f"{value:f}", float(after - Decimal(share) / 1000)
        failed = {(check.where, check.name) for check in verify.check(with_its_id(of)).failed}
        rulings.append((share, ("steps[1].quantity", CROSSES) in failed))

    assert rulings == [("0.49", False), ("0.5", True), ("0.51", True)]


def test_an_order_that_passes_its_target_may_not_raise_the_drift():
    of = document("quantities")
    step = of["steps"][1]
    row = next(row for row in of["holdings"] if row["symbol"] == step["symbol"])
    lot = float(Decimal(row["lot_value"]) / Decimal(of["value"]))
    rulings = []
    for others, past in ((None, 0.25), (0.0, 0.25), (0.0, -0.25)):
        for other in of["holdings"] if others is not None else ():
            other["target"] = others  # cash is far under its target: every buy takes it further
        row["target"] = step["weight_after"] - past * lot
        failed = {(check.where, check.name) for check in verify.check(with_its_id(of)).failed}
        rulings.append(("steps", "an order that passes its target raises no drift") in failed)
        of["steps"] = [step]

    assert rulings == [False, True, False]


def test_a_fitted_step_keeps_the_id_of_its_candidate_and_says_its_size():
    of = document("growth")
    candidate = next(row for row in of["candidates"] if row["id"] == of["steps"][0]["candidate"])
    lot = next(h for h in of["holdings"] if h["symbol"] == candidate["symbol"])["lot_size"]
    size = Decimal(candidate["quantity"]) - Decimal(lot)
    amount = size * Decimal(candidate["price"]) * Decimal(candidate["fx_rate"])
    fixed = Decimal(str(of["rules"]["costs"]["fixed"]))
    share = (Decimal(candidate["cost"]) - fixed) / Decimal(candidate["notional_base"])
    candidate |= {
        "quantity": f"{size:f}", "notional_base": f"{amount:f}",
        "cost": f"{fixed + share * amount:f}",
    }  # fmt: skip
    of["strategy"]["settings"]["search"]["refine"] = True
    of["strategy"]["sha256"] = hash_of(of["strategy"]["settings"])
    of["steps"][0]["refined_from"] = candidate["quantity"]
    of["certificate"]["refined"] = 0.0
    of["alternatives"] = [
        other for other in of["alternatives"]
        if candidate["symbol"] not in {step["symbol"] for step in other["steps"]}
    ]  # fmt: skip
    agrees = names_of(of)
    assert agrees == {"the alternatives of the scope"}

    of["steps"][0]["refined_from"] = of["steps"][0]["quantity"]
    assert names_of(of) - agrees == {"fitted from the size of the candidate"}
    of["steps"][0]["refined_from"] = None
    assert "quantity of the candidate" in names_of(of) - agrees


def test_what_a_black_box_re_ranked_is_never_proven():
    of = document("growth")
    of["certificate"]["selected_by"] = "my_term, of 200"
    assert not verify.check(with_its_id(of)).ok

    of["certificate"]["status"] = "bounded"
    assert verify.check(with_its_id(of)).ok


def test_an_alternative_that_is_better_than_the_bound_is_seen():
    of = document("growth")
    best = next(other for other in of["alternatives"] if other["name"].startswith("runner_up"))
    over = of["certificate"]["bound"] - of["score"]["hold"] - best["improvement"] + 0.01
    best["improvement"] += over
    best["score"] += over

    assert [check.name for check in verify.check(with_its_id(of)).failed] == [
        "no alternative is over the bound"
    ]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 0.0)])
def test_a_scale_that_does_not_go_up_is_seen(low: float, high: float):
    of = document("growth")
    of["score"]["terms"][0]["parts"][0]["scale"] = [low, high]

    assert "a scale goes up" in {check.name for check in verify.check(with_its_id(of)).failed}


def test_settings_that_charge_nothing_sensible_are_seen():
    anchors = document("growth")["strategy"]["settings"]["score"]["anchors"]
    flat = under(document("growth"), "score", "anchors", {**anchors, "tr": [0.1, 0.1]})
    never = under(document("growth"), "score", "holding_years", 0.0)

    assert [check.name for check in verify.check(flat).failed] == ["charges can be calculated"]
    assert [check.expected for check in verify.check(never).failed] == [
        "a number, at least 0.01, at most 100"
    ]


def test_an_excluded_security_that_is_traded_is_seen():
    of = document("growth")

    assert not verify.check(with_its_id({**of, "excluded": [of["steps"][0]["symbol"]]})).ok


def test_an_order_inside_a_cooldown_is_seen():
    of = document("growth")
    settings = of["strategy"]["settings"]
    waits = {"buy_cooldown_days": 5, "sell_cooldown_days": 5, "opposite_days": 5}
    for own in settings["modules"]["filters"]:
        own["params"] |= waits if own["name"] == "recently_traded" else {}
    of["strategy"]["sha256"] = hash_of(settings)
    assert verify.check(with_its_id(of)).ok
    sold = of["steps"][0]["symbol"]
    n = [holding["symbol"] for holding in of["holdings"]].index(sold)

    for key in ("last_bought", "last_sold"):
        before = of["holdings"][n][key]
        put(of, ("holdings", n, key), of["as_of"])
        assert not verify.check(with_its_id(of)).ok
        put(of, ("holdings", n, key), before)


def test_no_date_holds_a_trailing_stop_and_what_only_calls_itself_so_is_seen():
    lots = [("1024", 2000, "45.27"), ("2395", 2000, "21.88"), ("301", 20, "17.35")]
    own = tuple(
        TaxLot(Decimal(quantity), AS_OF - timedelta(days=days), Decimal(cost))
        for quantity, days, cost in lots
    )
    momentum = replace(
        world("BB 3720 @ 31", sessions=30), strategy=strategies.preset("momentum_hunter")
    ).having(holdings=(Holding("BB", Decimal(3720), own),))
    of = momentum.planned.document()
    early = {"days between orders of opposite sides", "days from the last buy to a sale"}
    bare = {**of, "steps": [{**step, "tags": ["profit_taking"]} for step in of["steps"]]}
    without = copy.deepcopy(of)
    for module in without["strategy"]["settings"]["modules"]["opportunity_calculators"]:
        if module["name"] == "profit_taking":
            module["params"]["trailing_stop_distance"] = None

    wrong = {}
    for scope in ("proposals", "candidates", "quantities"):
        plan = momentum.having(search={"scope": scope}).plan()
        orders = [(step.side.value, step.tags) for step in plan.steps]
        failed = verify.check(plan.document()).failed
        if failed or orders != [("sell", ("profit_taking", "trailing_stop"))]:
            wrong[scope] = (orders, failed)

    assert wrong == {}
    assert [names_of(changed) & early for changed in (bare, without)] == [early, early]


def test_a_change_without_a_new_id_says_so_first_and_then_which_figures_break():
    of = document("growth")
    of["value"] = f"{Decimal(of['value']) + 1:f}"

    report = verify.check(of)

    assert report.edited
    assert report.failed[0].where == "plan_id"
    total = next(check for check in report.failed if check.where == "value")
    assert (total.name, total.found) == (
        "value = holdings + what is not traded + cash in base, settled or not, and deposits",
        of["value"],
    )
    assert Decimal(str(total.expected)) == Decimal(of["value"]) - 1
    assert verify.summary(report) == f"{len(report.failed)} of {report.checked:,d} figures disagree"


def test_words_that_are_no_figures_may_not_change_either():
    of = document("growth")
    of["holdings"][0]["name"] = "Apfel"

    assert verify.check(of).edited


def test_the_id_is_that_of_the_planner():
    of = document("everything")

    assert content_id(of) == plans.plan_id(of) == of["plan_id"]


def test_how_a_plan_was_made_is_not_part_of_its_id():
    of = document("growth")
    of["timings"] = []
    of["certificate"]["seconds"] = 1.0

    assert verify.check(of).ok


def test_a_field_that_is_not_known_is_told_as_not_checked():
    of = with_its_id({**document("growth"), "mood": "good"})

    report = verify.check(of)

    assert report.ok
    assert ("mood", UNKNOWN) in report.unchecked


KINDS = [
    ("value", 12, "a decimal number as text"), ("value", "1e5", "a decimal number as text"),
    ("value", "NaN", "a decimal number as text"), ("turnover", "0.1", "a number"),
    ("turnover", float("nan"), "a number"), ("turnover", True, "a number"),
    ("turnover", 10**400, "a number"), ("as_of", "20221228", "a date"), ("steps", {}, "a list"),
    ("drift", [], "an object"), ("base_currency", None, "text"),
    ("reproducible", 1, "true or false"),
]  # fmt: skip


def test_a_field_of_another_kind_is_told_and_nothing_is_derived_from_it():
    missed = []
    for key, value, due in KINDS:
        report = verify.check({**document("growth"), key: value})
        failed = [(check.where, check.expected) for check in report.failed]
        silent = ("everything else", "the document has not the form of a plan")
        if failed[1:] != [(key, due)] or silent not in report.not_checked:
            missed.append((key, value, failed))

    assert missed == []


def test_a_field_that_is_missing_is_told():
    of = document("growth")
    del of["steps"][0]["costs"]["fx"]

    assert "steps[0].costs.fx" in [check.where for check in verify.check(of).failed]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0", "-1", "1e9", "2022-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@SOME
@given(data=st.data())
def test_no_document_of_whatever_content_ends_in_a_crash(data):
    of = document("everything")
    every = [path for path, _ in leaves(of)]

    for _ in range(3):
        path = data.draw(st.sampled_from(every))
        put(of, path[: data.draw(st.integers(1, len(path)))], data.draw(JSON))
        every = [inner for inner, _ in leaves(of)]

    assert isinstance(verify.summary(verify.check(of)), str)


# load: what a text is, in its own words


NO_PLANS = [
    ("", "is empty"), (" \n", "is empty"),
    ("<html>", "is not JSON: expecting value at line 1, column 1"),
    ("symbol,weight\nAAPL,0.1\n", "is not JSON"),
    ('{"schema": "steelyard.plan/1",, }', "is not JSON"), ('{"a": 1} {"b": 2}', "is not JSON"),
    ("[1, 2]", "not a plan of Steelyard"), ("12", "not a plan of Steelyard"),
    ('{"schema": "other/1"}', "not a plan of Steelyard"),
    ('{"schema": 1}', "not a plan of Steelyard"),
    ('{"schema": "steelyard.plan/2"}', "made by a newer version of Steelyard"),
    ('{"schema": "steelyard.plan/0"}', "does not know"),
    ('{"schema": "steelyard.plan/one"}', "does not know"), ('{"a": NaN}', "holds NaN"),
    ('{"a": -Infinity}', "holds -Infinity"), ('{"a": 1, "a": 2}', "says 'a' twice"),
    ("[" * 100_000, "nested far deeper"),
    ('{"a": ' + "9" * 5000 + "}", "number that cannot be read"),
    (" " * (64 * 1024 * 1024 + 1), "characters long; at most"),
]  # fmt: skip


def test_what_is_no_plan_is_refused_in_its_own_words():
    for no_plan, says in NO_PLANS:
        with pytest.raises(InputError, match=re.escape(says)) as refused:
            verify.load(no_plan)

        assert "Nothing was checked" in str(refused.value)


def test_a_plan_that_was_cut_off_anywhere_is_said_to_be_cut_off():
    whole = text("hold")
    tail = '{"a": [true, null, -1.5e-3, "x\\u00e9\\n"]}'

    for cut in (*range(1, len(tail)),):
        with pytest.raises(InputError, match="ends too early"):
            verify.load(tail[:cut])
    for cut in range(1, len(whole) - 1, 37):
        with pytest.raises(InputError, match="ends too early"):
            verify.load(whole[:cut])


def test_money_settles_on_weekdays():
    due = [
        ("2022-12-28", 1, "2022-12-29"), ("2022-12-30", 1, "2023-01-02"),
        ("2022-12-31", 0, "2023-01-02"), ("2023-01-01", 2, "2023-01-04"),
    ]  # fmt: skip

    for day, count, settles in due:
        assert str(weekdays_after(date.fromisoformat(day), count)) == settles, day


def test_the_second_opinion_shares_no_code_with_the_planner():
    folder = pathlib.Path(verify.__file__).parent
    imports = {
        name
        for file in folder.glob("*.py")
        for name in re.findall(r"^(?:from|import) ([\w.]+)", file.read_text(encoding="utf-8"), re.M)
    }

    ours = {name for name in imports if name.startswith("steelyard")}
    others = {name for name in ours if not name.startswith("steelyard.plans.verify")}
    ground = {"canonical", "errors", "sentences", "plans.columnar"}
    assert others == {f"steelyard.{name}" for name in ground}
    assert {name.split(".")[0] for name in imports} - {"steelyard"} <= sys.stdlib_module_names


def test_where_settled_money_alone_pays_a_sale_in_part_still_pays_its_own_costs():
    of = world(
        "AA 300 @ 100", "BB 100 @ 50", cash="1", targets={"AA": 0.5, "BB": 0.1},
        limits=Limits(funding="settled", cash_reserve_weight=0.0),
        search=Search(scope="candidates"),
    )  # fmt: skip
    made = enabled(of, Kind.SEQUENCE, "partial_execution").plan()

    assert {step.side for step in made.steps} == {Side.SELL}
    assert all(scenario.keeps_reserve for scenario in made.what_if.fills.scenarios)
    assert not verify.check(made.document()).failed
