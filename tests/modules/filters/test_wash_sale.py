"""Wash sale: a sale at a loss and a buy of the same or a substitute stay apart."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from builders.cases import Case, Change
from builders.changes import usual
from builders.context import VALUE, candidates
from builders.taxed import alike
from builders.world import AS_OF, only, prepared, world
from steelyard.modules.filters.wash_sale import Params, wash_sale
from steelyard.modules.registry import Kind
from steelyard.orders import Order, Side
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Lots

ON = Lots(method="hifo", wash_sale_days=30)
TWINS = {"AA": "twins", "BB": "twins"}


def held(symbol, *parts, **dates):
    """A holding of `(shares, cost, days since it was acquired)`."""
    lots = tuple(
        TaxLot(
            Decimal(shares),
            None if days is None else AS_OF - timedelta(days=days),
            None if cost is None else Decimal(cost),
        )
        for shares, cost, days in parts
    )
    return Holding(symbol, sum((lot.quantity for lot in lots), Decimal(0)), lots, **dates)


def gone(symbol, days, *, at_loss=True):
    """What is sold out since some days."""
    return Holding(
        symbol, Decimal(0), (), last_sold=AS_OF - timedelta(days=days), sold_at_loss=at_loss
    )


def portfolio(*holdings, lots=ON, groups=None, **options):
    """AA, BB and CC at 100 USD each, what is held of them; the planning set is all three."""
    of = world("AA 0 @ 100", "BB 0 @ 100", "CC 0 @ 100", cash="20000", sessions=30, **options)
    return alike(of.having(holdings=holdings, lots=lots), groups or {})


def ruled(of, *orders, **params):
    """(pairs of rows kept apart, row -> drop, unknown) of orders like `sell AA .1`."""
    ctx = prepared(of).ctx
    table = candidates(ctx, *(f"{order} .5 x" for order in orders))
    pairs, ruling = wash_sale(ctx, table, Params(**params))
    names = [f"{table.side(j).value} {ctx.symbols[i]}" for j, i in enumerate(table.security)]
    apart = {(names[a], names[b]) for a, b in zip(*np.nonzero(np.triu(pairs)), strict=True)}
    return apart, {names[row]: drop for row, drop in ruling.drops.items()}, ruling.unknown


def case():
    of = portfolio(held("AA", (100, None, None)), held("BB", (100, "200", 400)))
    ctx = prepared(of).ctx
    return ctx, candidates(ctx, "sell AA .1 .5 x", "sell BB .1 .5 x", "buy BB .1 .5 x")


CASE = Case(case, {"on_missing": Change("deny")})
SOLD_BB = tuple(h for h in usual().snapshot.holdings if h.symbol != "CC")
WORLD = (usual().having(holdings=(*SOLD_BB, gone("CC", 5)), lots=ON), {})


@pytest.mark.parametrize(("days", "blocked"), [(0, True), (30, True), (31, False)])
def test_what_was_sold_at_a_loss_is_not_bought_within_the_days_though_it_is_sold_out(days, blocked):
    _, drops, _ = ruled(portfolio(gone("AA", days)), "buy AA .1", "buy CC .1")

    assert [*drops] == (["buy AA"] if blocked else [])
    for drop in drops.values():
        assert (drop.rule, drop.value, drop.limit) == ("wash_sale", days, 30)
        assert drop.why.text == (
            f"AA was sold at a loss {days}\u00a0days ago; the same or a substitute is not bought "
            "within 30\u00a0days (lots.wash_sale_days)"
        )


def test_a_sale_at_a_gain_starts_no_window():
    assert ruled(portfolio(gone("AA", 3, at_loss=False)), "buy AA .1")[1] == {}


def test_substitutes_count_as_one_held_or_not_listed_or_not():
    _, drops, _ = ruled(portfolio(gone("AA", 3), groups=TWINS), "buy BB .1", "buy CC .1")
    assert [*drops] == ["buy BB"]
    outside = portfolio(gone("AA", 3), groups=TWINS, targets={"BB": 0.5})
    assert prepared(outside).ctx.symbols == ("BB",)
    assert [*ruled(outside, "buy BB .1")[1]] == ["buy BB"]


@pytest.mark.parametrize(("days", "blocked"), [(30, True), (31, False)])
def test_no_sale_at_a_loss_within_the_days_after_a_buy_of_it_or_a_substitute(days, blocked):
    own = portfolio(held("AA", (60, "150", 900), (60, "90", days)))
    other = portfolio(held("AA", (100, "150", 900)), held("BB", (1, "100", days)), groups=TWINS)
    bought = portfolio(held("AA", (100, "150", 900), last_bought=AS_OF - timedelta(days=days)))
    for of in (own, other, bought):
        assert [*ruled(of, "sell AA .1")[1]] == (["sell AA"] if blocked else [])


def test_an_open_buy_is_a_buy_of_today():
    order = Order("o-1", "BB", Side.BUY, Decimal(1), limit_price=Decimal(100))
    of = portfolio(held("AA", (100, "150", 900)), groups=TWINS, orders=(order,))

    assert ruled(of, "sell AA .1")[1]["sell AA"].value == 0


def test_a_sale_is_at_a_loss_from_the_first_lot_at_a_loss_that_it_takes():
    parts = (60, "50", 900), (60, "150", 800)
    recent = {"last_bought": AS_OF - timedelta(days=9)}
    fifo = portfolio(held("AA", *parts, **recent), lots=replace_method("fifo"))
    hifo = portfolio(held("AA", *parts, **recent), lots=ON)
    for of, shares, blocked in ((fifo, 60, False), (fifo, 61, True), (hifo, 1, True)):
        _, drops, _ = ruled(of, f"sell AA {shares * 100 / VALUE}")
        assert ([*drops] == ["sell AA"]) is blocked


def replace_method(method):
    return Lots(method=method, wash_sale_days=30)


def test_one_plan_has_no_sale_at_a_loss_beside_a_buy_of_a_substitute():
    of = portfolio(
        held("AA", (100, "150", 900)), held("CC", (100, "50", 900)),
        groups=TWINS | {"CC": "twins"},
    )  # fmt: skip
    apart, drops, _ = ruled(of, "sell AA .1", "sell CC .1", "buy BB .1")

    assert drops == {}
    assert apart == {("sell AA", "buy BB")}


def test_an_unknown_cost_or_date_passes_and_is_reported_or_is_denied():
    of = portfolio(held("AA", (100, None, None)))
    lacks = (("AA", "average_cost"), ("AA", "last_bought"))

    assert ruled(of, "sell AA .1") == (set(), {}, lacks)
    _, drops, unknown = ruled(of, "sell AA .1", on_missing="deny")
    assert ([*drops], unknown) == (["sell AA"], lacks)


def test_the_filter_rests_where_the_window_is_none():
    plan = usual().plan()

    (run,) = [run for run in plan.modules if run.name == "wash_sale"]
    assert (run.outcome, run.error) == ("no_input", "lots.wash_sale_days is 0")


def test_a_search_over_quantities_sells_up_to_the_first_lot_at_a_loss():
    """The gains of fifo may go, the loss after them may not: it was bought again lately."""
    parts = (30, "50", 900), (70, "150", 800)
    of = portfolio(
        held("AA", *parts, last_bought=AS_OF - timedelta(days=9)), lots=replace_method("fifo"),
        targets={"AA": 0.1, "BB": 0.4, "CC": 0.4}, funds=("AA", "BB", "CC"),
    )  # fmt: skip
    of = replace(of, strategy=only(of.strategy, Kind.FILTER, "wash_sale"))
    strict, free = of.plan(), of.having(lots=Lots()).plan()

    assert free.step("AA").quantity > 30
    sale = [step for step in strict.steps if step.symbol == "AA"]
    assert all(lot.gain >= 0 for step in sale for lot in step.lots)
    assert [step.quantity for step in sale] == [30]


def test_days_are_counted_from_the_day_of_the_plan():
    of = portfolio(gone("AA", 30))
    later = replace(of, snapshot=replace(of.snapshot, as_of=AS_OF + timedelta(days=1)))

    assert prepared(of).ctx.past[0].sold_at_loss == date(2024, 2, 14)
    assert [*ruled(of, "buy AA .1")[1]] == ["buy AA"]
    assert ruled(later, "buy AA .1")[1] == {}
