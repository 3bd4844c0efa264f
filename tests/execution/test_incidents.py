"""What has gone wrong elsewhere, once each: the rails stop it, under the incident's name."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.builders import rails as build
from tests.builders.rails import D, at, changed

from steelyard.brokers.broker import MarketClock
from steelyard.execution import halt
from steelyard.execution.configuration import Configuration
from steelyard.execution.ids import client_order_id
from steelyard.execution.rails import RAILS, Facts, blocks, judge
from steelyard.execution.settings import Limits


def codes(facts, scope="order"):
    """Of all rails that block."""
    return {each.verdict.code for each in blocks(judge(facts, scope))}


def test_rail_build_skew():
    """One of eight servers ran old code: a process of another build sends nothing."""
    facts = changed(build.live(), {"builds": {f"server {n}": "new" for n in range(1, 8)}})
    assert codes(facts) == set()

    old = {**facts.builds, "server 8": "old"}

    assert codes(changed(facts, {"builds": old})) == {"builds_differ"}
    assert codes(changed(facts, {"builds": old}), "run") == {"builds_differ"}


def replayed(facts, orders):
    """How many orders leave when a faulty loop sends as fast and as often as it is let.

    Each is judged with what the ones before it left in the journal, on a clock that moves on.
    """
    sent, turnover, limit = 0, Decimal(0), 400
    for n in range(limit):
        now = at(2 * n)
        ticket = replace(
            facts.order.ticket, client_order_id=client_order_id("r-1", n, 1), **orders(n)
        )
        day = replace(
            facts.day, orders_in_run=sent, orders_today=sent, turnover_base=turnover,
            last_order_at=at(2 * (n - 1)) if sent else None,
        )  # fmt: skip
        asked = changed(
            facts,
            {
                "clock": MarketClock(now, True, now), "order.ticket": ticket, "day": day,
                "order.attempt": 0, "quotes.VT.at": now, "quotes.AAA.at": now,
                "order.fx_at": now, "reconciliation.at": now, "arm.used_by": "r-1",
                "run_started_at": at(-30),
            },
        )  # fmt: skip
        if blocks(judge(asked, "order")):
            continue
        sent += 1
        turnover += Decimal(100)
    return sent


def test_rail_order_count():
    """212 parent orders that nothing counted as filled became millions: each leaves once.

    What is out already is no part of what is still approved, so the loop stops at the plan; where
    no plan stands behind it stops at fifty.
    """
    facts = build.live()
    filled = {"plan.approved.2.filled": D(30)}
    assert replayed(facts, lambda n: {"quantity": D(20)}) == 24
    assert replayed(changed(facts, filled), lambda n: {"quantity": D(1)}) == 0
    assert replayed(facts, lambda n: {"symbol": f"P{n % 212}", "quantity": D(1)}) == 0

    emptying = changed(
        build.flatten(), {"order.ticket.quantity": D(1), "order.free_shares": D(10**9)}
    )

    assert replayed(emptying, lambda n: {"quantity": D(1)}) == 50


@pytest.mark.parametrize("base", ["live", "sale", "paper", "flatten"])
def test_rail_kill_switch(base, tmp_path):
    """Nobody could stop it: a file stops every order of every kind, and so does what is no file."""
    facts = getattr(build, base)()
    assert codes(changed(facts, {"switch": halt.look(tmp_path)})) == set()

    (tmp_path / halt.FILE).mkdir()

    halted = changed(facts, {"switch": halt.look(tmp_path)})
    assert codes(halted) == codes(halted, "run") == {"halted"}
    assert codes(changed(facts, {"switch": None})) == {"kill_switch_unknown"}


def test_no_dead_flags():
    """A flag that was used again woke dead code: no setting switches a rail off, and each is read.

    Rails know facts and limits, none of which says whether to ask; all are asked in every case.
    """
    names = {field.name for field in fields(Facts)}
    assert not {name for name in names if name.startswith(("skip", "disable", "ignore", "force"))}
    switches = [name for name, each in Limits.model_fields.items() if each.annotation is bool]
    assert switches == []
    # every limit as loose as it can be set, and still each rail gives its verdict
    loosest = {}
    for name, each in Limits.model_fields.items():
        bounds = [getattr(bound, "le", None) for bound in each.metadata]
        loosest[name] = max((bound for bound in bounds if bound is not None), default=None)
    loose = {name: value for name, value in loosest.items() if value is not None}
    facts = changed(build.live(), {"limits": Limits(**loose)})
    assert [each.rail for each in judge(facts, "order")] == [rail.name for rail in RAILS]
    assert "halted" in codes(changed(facts, {"switch": halt.Switch(engaged=True)}))


@pytest.mark.parametrize("days", [1 / 8640 * 1.1, 1, 7, 35, 42])
def test_stale_quote_blocks(days):
    """An order was filled at a price of weeks ago: over ten seconds old prices nothing."""
    facts = changed(build.live(), {"quotes.VT.at": at(-86_400 * days)})

    assert codes(facts) == {"quote_old"}
    assert codes(changed(build.paper(), {"quotes.VT.at": at(-86_400 * days)})) == {"quote_old"}


def test_quote_symbol_echo():
    """36 of 300 quotes were another instrument's: the answer has to name what was asked for."""
    other = replace(build.live().quotes["AAA"], currency="EUR", bid=D("99.75"), ask=D("100.25"))

    facts = changed(build.live(), {"quotes.VT": other})

    assert "quote_of_other" in codes(facts)


NUMBERS = [
    "order.ticket.quantity", "order.ticket.limit_price", "order.fx_rate", "order.fee_base",
    "quotes.VT.bid", "quotes.VT.ask", "equity_base", "equity_open_base", "plan.value_base",
    "free_cash_base", "day.turnover_base", "day.failed_sells_base", "plan.weights.VT",
    "holdings.VT", "plan.approved.2.price", "plan.approved.2.quantity",
]  # fmt: skip


@pytest.mark.parametrize("path", NUMBERS)
@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_nan_everywhere(path, number):
    """ "Selling NaN": no number that is none gets past the rails, wherever it stands."""
    for base in ("live", "paper"):
        assert codes(changed(getattr(build, base)(), {path: Decimal(number)}))


@pytest.mark.parametrize("seconds", [3, 300, 3600, 86_400])
@pytest.mark.parametrize("sign", [-1, 1])
def test_clock_skew(seconds, sign):
    """A clock a second ahead had orders refused, one behind repeats them: over two seconds stop."""
    off = changed(build.live(), {"clock.local": at(sign * seconds)})
    assert codes(off) == codes(off, "run") == {"clock_off"}

    back = changed(build.live(), {"newest_event_at": at(seconds)})

    assert codes(back) == {"clock_behind"}


def test_a_clock_that_leaps_a_day_ahead_sends_nothing():
    facts = changed(build.live(), {"clock.now": build.NOW + timedelta(days=1)})

    assert {"clock_off", "session_edge", "quote_old"} <= codes(facts)


def test_two_sources_of_a_price_a_quarter_apart_stop_an_order():
    """71,365 shares for a planned amount, by a price that was wrong."""
    facts = changed(build.live(), {"plan.approved.2.price": D(125)})

    assert codes(facts) == {"prices_disagree", "price_moved"}


@pytest.mark.parametrize("split", [2, 3, 4, 10])
def test_a_split_that_nobody_adjusted_stops_an_order(split):
    close = build.live().quotes["VT"].reference * split

    assert codes(changed(build.live(), {"quotes.VT.reference": close})) == {"quote_off_close"}


def test_a_plan_of_eleven_minutes_ago_is_refused():
    facts = changed(build.live(), {"plan.made_at": at(-660), "run_started_at": None})

    assert codes(facts, "run") == {"plan_old"}


def test_an_account_that_the_broker_blocked_trades_nothing():
    facts = changed(build.live(), {"account.blocked": "trading_blocked"})

    assert codes(facts, "run") == {"account_blocked"}


def test_nothing_is_sold_short_and_nothing_bought_on_credit():
    short = changed(build.sale(), {"order.free_shares": D("40.4")})
    credit = changed(build.live(), {"free_cash_base": D(-1)})

    assert codes(short) == {"short"}
    assert codes(credit) == {"money_short"}


def test_a_skip_of_a_sale_blocks_the_buys_that_need_its_money():
    facts = changed(build.live(), {"day.failed_sells_base": D("1000.01")})

    assert codes(facts) == {"sells_failed"}
    assert codes(changed(build.sale(), {"day.failed_sells_base": D("1000.01")})) == set()


def test_what_counts_the_day_survives_a_restart_because_it_is_a_number_of_the_journal():
    """A cap that was kept in memory started at zero again."""
    day = changed(build.live(), {"day.turnover_base": D("37500.01")})

    assert codes(day) == {"turnover"}
    with pytest.raises(TypeError):
        type(day.day)()


def test_the_built_in_settings_trade_nothing_live():
    settings = Configuration()
    facts = changed(
        build.live(),
        {"mode": settings.account.mode, "pinned_account": settings.account.pinned},
    )

    assert "mode_mixed" in codes(facts)
