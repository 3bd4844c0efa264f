"""What each rail says at and beside its limits: one table, for tests and for mutants alike."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from tests.builders import rails as build
from tests.builders.rails import D, at, market, open_order

from steelyard.brokers.broker import MarketClock
from steelyard.execution.halt import Switch
from steelyard.execution.settings import LiveLimits
from steelyard.orders import Side


@dataclass(frozen=True)
class Case:
    """A rail, the facts it is asked with, and the code that it blocks with; None = it passes."""

    rail: str
    base: str
    changes: dict[str, Any]
    code: str | None

    def __str__(self) -> str:
        words = ", ".join(f"{path}={value}" for path, value in self.changes.items())
        return f"{self.rail}: {self.base} {words}: {self.code or 'passes'}"

    def facts(self) -> Any:
        """What the rail is asked with."""
        return build.changed(getattr(build, self.base)(), self.changes)


def answer(case: Case, facts: Any = None) -> str | None:
    """The code that the rail blocks with; None = it passes, "?" = it says neither.

    facts   of the case, where they are made already
    """
    # looked up, so that a changed copy of the rails can be asked
    rails = importlib.import_module("steelyard.execution.rails")
    rail = next(each for each in rails.RAILS if each.name == case.rail)
    verdict = rails.ask(rail, facts or case.facts()).verdict
    if isinstance(verdict, rails.Pass):
        return None
    return verdict.code if isinstance(verdict, rails.Block) else "?"


def edge(
    rail: str, path: str, code: str, within: Sequence[Any], beyond: Sequence[Any], **also: Any
) -> Iterator[Case]:
    """A datum's values that pass, and those that block; `base` and other changes by keyword."""
    base = also.pop("base", "live")
    others = also.pop("others", {})
    for value in within:
        yield Case(rail, base, {**others, path: value}, None)
    for value in beyond:
        yield Case(rail, base, {**others, path: value}, code)


def limit(
    rail: str,
    path: str,
    most: Any,
    code: str,
    *,
    least: bool = False,
    strict: bool = False,
    **also: Any,
) -> Iterator[Case]:
    """limit - eps, =, + eps of a number; `least`: it has to be above; `strict`: and not at it."""
    step = also.pop("step", D("0.000001") if isinstance(most, Decimal) else 1)
    below, above = most - step, most + step
    good, bad = ([above], [below]) if least else ([below], [above])
    (bad if strict else good).append(most)
    yield from edge(rail, path, code, good, bad, **also)


# fmt: off
# rows read as a table
def _mode() -> Iterator[Case]:
    """All sixteen, and what a broker has that is none of both."""
    for bits in range(16):
        says = [bool(bits & 1 << n) for n in range(4)]
        words = ["live" if each else "paper" for each in says]
        changes = {
            "mode": words[0], "host": words[1], "key": words[2], "account.mode": words[3],
            "pinned_account": "LIVE-1" if says[3] else "OTHER",
        }
        yield Case("mode", "live", changes, None if all(says) or not any(says) else "mode_mixed")
    for path, value in (
        ("pinned_account", None), ("pinned_account", ""), ("host", None), ("key", None),
        ("account.mode", "paper"), ("account.account_id", "LIVE-2"), ("mode", "other"),
    ):
        yield Case("mode", "live", {path: value}, "mode_mixed")
    simulated = (("host", "paper"), ("key", "paper"), ("host", "live"), ("account.mode", "live"),
                 ("pinned_account", "LIVE-1"))
    for path, value in (*simulated, ("key", "live")):
        yield Case("mode", "paper", {path: value}, "mode_mixed")
    yield from edge("mode", "capabilities", "mode_mixed", [market(simulated=True)], [market()],
                    base="paper")
    nobody = {"pinned_account": None, "account.account_id": None}
    yield Case("mode", "live", nobody, "mode_mixed")
    # a broker by file has no address and no key either
    yield Case("mode", "paper", {"capabilities": market(serves="file")}, None)
    for path in ("host", "key"):
        on_paper = {"mode": "paper", "host": "paper", "key": "paper", "account.mode": "paper",
                    "pinned_account": None}
        yield Case("mode", "live", {**on_paper, path: None}, "mode_mixed")
        yield Case("mode", "live", on_paper, None)


def _account() -> Iterator[Case]:
    yield from edge("account", "account.blocked", "account_blocked", [""], [" ", "pattern"])
    served = [market(serves=each) for each in ("orders", "file")]
    yield from edge("account", "capabilities", "account_not_served", served,
                    [market(serves="read")])
    yield from limit("history", "history.runs", 20, "history_short", least=True)
    yield from limit("history", "history.days", 10, "history_short", least=True)
    yield from edge("history", "history.unexplained", "history_short", [0], [1, -1])
    yield from edge("history", "history", "", [None], [], base="paper")
    yield from edge("arm", "arm", "not_armed", [], [None])
    yield from edge("arm", "arm", "", [None], [], base="paper")
    yield from edge("arm", "arm.plan_id", "armed_otherwise", [], ["abcdef123457", ""])
    for path in ("arm.amount_base", "amount_base"):
        yield from edge("arm", path, "armed_otherwise", [D(5000), D("5000.00")],
                        [D("4999.99"), D("5000.01")])
    yield from edge("arm", "arm.used_by", "arm_used", ["", "r-1"], ["r-2"])
    yield from edge("arm", "arm.used_by", "arm_used", [], ["r-2"], others={"run_id": ""})
    yield from edge("arm", "arm.expires_at", "arm_expired", [at(0.000001)], [at(0), at(-1)])
    used = {"arm.used_by": "r-1"}
    yield from edge("arm", "arm.expires_at", "", [at(-1)], [], others=used)
    yield from edge("arm", "arm.heads", "heads_not_typed", [("units", "more")], [(), ("unit",)])
    typed = {"arm.heads": ()}
    yield from edge(
        "arm", "plan.heads", "heads_not_typed", [()], [("a",), ("b", "a")], others=typed
    )
    yield from edge("arm", "purpose", "", ["flatten"], [], others={**typed, "plan": None})
    yield from edge("kill_switch", "switch", "halted", [Switch(engaged=False)],
                    [Switch(engaged=True, why="x"), Switch(engaged=0), Switch(engaged=None)])
    yield from edge("run_lock", "lock.locked", "not_locked", [True], [False, None, 1])
    yield from edge("run_lock", "lock.fence", "fenced_off", [7], [6, 8])
    yield from edge(
        "reconciled", "reconciliation.clean", "not_reconciled", [True], [False, None, 1]
    )
    yield from edge("reconciled", "reconciliation.frozen", "frozen", [""], ["VT is off by 1"])
    yield from edge("reconciled", "reconciliation.at", "reconciled_long_ago",
                    [at(0), at(2), at(-899.999999), at(-900)],
                    [at(2.000001), at(-900.000001)])


def _machine() -> Iterator[Case]:
    clocks = [
        MarketClock(build.NOW, True, at(off)) for off in (2, -2, 1.999999, 2.000001, -2.000001)
    ]
    yield from edge("clock", "clock", "clock_off", clocks[:3], clocks[3:])
    yield from edge("clock", "clock.local", "", [None], [], base="paper")
    for base in ("live", "paper"):
        yield from edge("clock", "newest_event_at", "clock_behind", [at(0), at(-1)],
                        [at(0.000001), at(3600)], base=base)
    yield from edge("builds", "builds", "builds_differ", [{"run": "b"}, {"run": "b", "us": "b"}],
                    [{}, {"run": ""}, {"run": "b", "us": "c"}, {"run": "", "us": ""}])
    yield from limit("disk", "free_disk_bytes", 256 * 2**20, "disk_full", least=True)
    yield from edge("disk", "journal_writable", "journal_not_writable", [True], [False, 1])


def _plan_days() -> Iterator[Case]:
    days = [date(2026, 3, day) for day in (9, 10, 6, 11)]
    yield from edge("plan_age", "plan.as_of", "plan_other_day", days[:2], days[2:])
    yield from edge("plan_age", "plan.as_of", "plan_other_day", days[1:2], [days[0], *days[2:]],
                    base="paper")
    weekend = [date(2026, 3, day) for day in (9, 8, 7, 6, 10, 2)]
    yield from edge("plan_age", "plan.as_of", "plan_other_day", weekend[:3], weekend[3:],
                    base="paper", others={"session.day": weekend[0]})


def _plan() -> Iterator[Case]:
    yield from _plan_days()
    yield from edge("plan", "plan.problems", "plan_problems", [()], [("stale",)])
    yield from edge("plan", "plan.degraded", "plan_degraded", [False], [True, None])
    yield from edge("plan", "plan.reproducible", "plan_not_reproducible", [True], [False, None])
    for path, value in (("problems", ("x",)), ("degraded", True), ("reproducible", False)):
        yield Case("plan", "paper", {f"plan.{path}": value}, None)
    for rail in ("plan", "plan_age", "holdings", "drift", "weights"):
        yield Case(rail, "flatten", {}, None)
    begun = {"run_started_at": None}
    ages = [at(-600), at(-599.999999), at(2)], [at(-600.000001), at(2.000001), at(-660)]
    yield from edge("plan_age", "plan.made_at", "plan_old", *ages, others=begun)
    yield from edge("plan_age", "plan.made_at", "plan_old", *ages, base="paper", others=begun)
    ages = [at(-630), at(-28), at(-629)], [at(-630.000001), at(-27.999999)]
    yield from edge("plan_age", "plan.made_at", "plan_old", *ages)
    starts = [at(0), at(-900), at(-899.999999)], [at(0.000001), at(-900.000001)]
    made = {"plan.made_at": at(-900), "limits": LiveLimits(plan_max_age_s=900)}
    for base, others in (("live", made), ("paper", {})):
        yield from edge("plan_age", "run_started_at", "run_long", *starts, base=base, others=others)
    yield from edge("holdings", "holdings.VT", "holdings_changed", [D(710), D("710.0")],
                    [D(709), D("710.000000001"), D(700)])
    yield from edge("holdings", "holdings.AAA", "holdings_changed", [], [D(0), D(41)])
    yield from edge("holdings", "holdings", "holdings_changed",
                    [{"VT": D(710), "AAA": D("40.5"), "other": D(3)}], [{"VT": D(710)}, {}])
    yield from edge("holdings", "fills", "holdings_changed", [], [{}, {"VT": D(-10)}])
    new = {"plan.holdings": {}, "fills": {}}
    yield from edge("holdings", "holdings", "holdings_changed", [{}], [{"VT": D(1)}], others=new)
    values = [D(98_000), D(102_000), D(100_000)], [D("97999.99"), D("102000.01")]
    yield from edge("drift", "equity_base", "value_moved", *values)
    values = [D(98_000), D(102_500), D(107_100)], [D("97999.99"), D("107100.01")]
    deposits = {"plan.deposits_base": D(5_000)}
    yield from edge("drift", "equity_base", "value_moved", *values, others=deposits)
    prices = [D("97.75"), D("101.75")], [D("97.74"), D("101.76")]
    for bid in prices[0]:
        yield Case("drift", "live", _mid(bid), None)
    for bid in prices[1]:
        yield Case("drift", "live", _mid(bid), "price_moved")
    moved = {"quotes.AAA.bid": D(40), "quotes.AAA.ask": D(42)}
    yield Case("drift", "live", moved, None)
    yield Case("drift", "live", {**moved, "order": None}, "price_moved")
    yield Case("drift", "live", {"order": None, "quotes": {}}, None)
    yield Case("drift", "live", {"equity_base": D(1), **_mid(D(90))}, "value_moved")
    sums = [{"a": D(1)}, {"a": D("1.000001")}, {"a": D("0.999999")}, {"a": D(0), "b": D(1)}]
    off = [{"a": D("1.0000011")}, {"a": D("0.9999989")}, {}, {"a": D(2)}]
    yield from edge("weights", "plan.weights", "weights_sum", sums, off)
    yield from edge("weights", "plan.weights", "weight_negative", [],
                    [{"a": D("-0.1"), "b": D("1.1")}, {"a": D("-0.0000001"), "b": D(1)}])


def _mid(bid: Decimal) -> dict[str, Any]:
    """A quote whose middle is .25 above its bid."""
    return {"quotes.VT.bid": bid, "quotes.VT.ask": bid + D("0.5")}


def _order() -> Iterator[Case]:
    yield from limit("approved", "order.ticket.quantity", D(20), "order_too_much", step=D("1e-9"))
    yield from limit("approved", "plan.approved.2.filled", D(10), "order_too_much", step=D("1e-9"))
    yield from limit("approved", "plan.approved.2.quantity", D(30), "order_too_much", least=True)
    yield from edge("approved", "order.step", "order_not_approved", [], [1, 3, 0, -1])
    for path, value in (("symbol", "VTI"), ("side", Side.SELL), ("currency", "USD")):
        yield Case("approved", "live", {f"order.ticket.{path}": value}, "order_not_approved")
    yield Case("approved", "sale", {}, None)
    yield Case("approved", "flatten", {}, None)
    yield Case("approved", "flatten", {"order.ticket.side": Side.BUY}, "order_not_approved")
    yield from edge("duplicate", "order.duplicate", "duplicate", [False], [True, 0])
    yield from _ticket()
    whole = {"order.ticket.limit_price": D(100)}
    yield from limit("order_value", "order.fx_rate", D(5), "order_large", others=whole)
    yield from limit("order_value", "equity_base", D(12_500), "order_large", least=True)
    yield from limit("order_value", "order.multiplier", D(4), "order_large")
    free = {"limits": LiveLimits(max_order_base=None)}
    yield from limit("order_value", "order.fx_rate", D(10), "order_large", others=free)
    own = {"limits": LiveLimits(max_order_base=D(3000))}
    yield from limit("order_value", "order.fx_rate", D("1.5"), "order_large", others=own)
    yield from limit("order_value", "order.fx_rate", D(50), "order_large", base="paper")
    yield from limit("order_volume", "quotes.VT.volume", D(2000), "order_of_volume", least=True)
    yield from edge("order_volume", "quotes.VT.volume", "order_volume_unknown", [], [D(0), None])
    yield from edge("order_volume", "quotes.VT.volume", "", [None], [], base="paper")
    yield from limit("shares", "order.free_shares", D("40.5"), "short", least=True, base="sale")
    yield from edge("shares", "order.free_shares", "", [D(0), None], [])
    yield from limit("cash", "free_cash_base", D(4502), "money_short", least=True)
    yield from limit("cash", "order.fee_base", D(45_500), "money_short")
    yield from limit("cash", "plan.keep_base", D(47_498), "money_short")
    yield from edge("cash", "free_cash_base", "", [D(0), D(-1), None], [], base="sale")
    bought = {"purpose": "flatten", "plan": None}
    yield from limit("cash", "free_cash_base", D(2502), "money_short", least=True, others=bought)
    yield from _concentration()
    yield from edge("fx_rate", "order.fx_at", "rate_old", [at(-60), at(0), at(2)],
                    [at(-60.000001), at(2.000001)])
    yield from edge("fx_rate", "order.fx_at", "fx_rate_unknown", [], [None])
    yield from edge("fx_rate", "order.fx_at", "", [None], [], base="paper")
    yield from edge("fx_rate", "order.fx_rate", "fx_rate_unknown", [D("0.01")], [D(0), D(-1), None])
    yield from edge("fx_rate", "order.fx_rate", "base_rate_not_1", [D(1), D("1.0")],
                    [D("0.99"), D("1.01")], base="sale")
    yield from edge("fx_rate", "order.fx_at", "", [None], [], base="sale")


def _concentration() -> Iterator[Case]:
    yield from edge("position", "values_base.VT", "", [D(10**9), None], [])
    yield from edge("sector", "values_base.VT", "", [D(10**9), None], [])
    capped = {"limits": LiveLimits(max_position_weight=D("0.5"), max_sector_weight=D("0.5"))}
    yield from limit("position", "values_base.VT", D(47_500), "position_large", others=capped)
    yield from edge("position", "values_base", "position_large", [{}, {"AAA": D(99_000)}], [],
                    others=capped)
    yield Case("position", "live", {**capped, "order.fx_rate": D(30), "values_base": {}},
               "position_large")
    yield from edge("position", "values_base", "", [None], [], base="sale", others=capped)
    yield from limit("sector", "values_base.VT", D(47_500), "sector_large", others=capped)
    same = {**capped, "sectors": {"VT": "world", "AAA": "world"}, "values_base.VT": D(40_000)}
    yield from limit("sector", "values_base.AAA", D(7500), "sector_large", others=same)
    unknown = {**same, "sectors": {"VT": "world"}}
    yield from limit("sector", "values_base.AAA", D(7500), "sector_large", others=unknown)
    yield Case("sector", "live", {**capped, "sectors": {"AAA": "tech"}}, "sector_unknown")
    yield from edge("sector", "values_base", "", [None], [], base="sale", others=capped)
    for rail in ("position", "sector"):
        yield from edge(rail, "values_base", f"{rail}_unknown", [], [None], others=capped)


def _ticket() -> Iterator[Case]:
    yield from edge(
        "ticket", "order.ticket.quantity", "no_quantity", [D(1), D(1000)], [D(0), D(-1)]
    )
    yield from edge("ticket", "order.ticket.quantity", "no_whole_lot", [D("2.0")], [D("1.5")])
    yield from edge(
        "ticket", "assets.VT.lot_size", "no_whole_lot", [D(10), D("0.5")], [D(3), D(40)]
    )
    yield from edge("ticket", "order.ticket.limit_price", "no_limit_price", [D("0.01")],
                    [D(0), D("-0.01")])
    yield from edge("ticket", "order.ticket.limit_price", "no_whole_tick",
                    [D("100.01"), D(1), D("0.9999"), D("0.0001")],
                    [D("100.001"), D("1.0001"), D("1.001"), D("0.99995")])
    coarse = {"assets.VT.tick": D("0.4")}
    yield from edge("ticket", "order.ticket.limit_price", "no_whole_tick", [D(2)], [D(1)],
                    others=coarse)
    yield from edge("ticket", "assets.VT.tradable", "not_tradable", [True], [False, 1])
    yield from edge("ticket", "assets.VT.symbol", "other_asset", [], ["VTI"])
    yield from edge("ticket", "assets.VT.currency", "other_asset", [], ["USD"])
    yield from limit("ticket", "assets.VT.least_notional", D(2000), "below_least")
    for base in ("sale", "flatten"):
        yield Case("ticket", base, {}, None)
        yield Case("ticket", base, {"order.full_exit": False}, "no_whole_lot")
    yield Case("ticket", "sale", {"plan.approved.1.full_exit": False}, "no_whole_lot")
    yield Case("ticket", "sale", {"order.step": 3}, "no_whole_lot")
    bought = {"order.full_exit": True, "plan.approved.2.full_exit": True}
    yield Case("ticket", "live", {**bought, "order.ticket.quantity": D("1.5")}, "no_whole_lot")


def _market() -> Iterator[Case]:
    """2026-03-10, 13:30 to 20:00 UTC: orders from 13:35 and until 19:45."""
    moments = (
        ((13, 34, 59, 999999), "session_edge"), ((13, 35, 0, 0), None),
        ((19, 44, 59, 999999), None),
        ((19, 45, 0, 0), "session_edge"), ((13, 30, 0, 0), "session_edge"),
        ((20, 0, 0, 0), "session_edge"), ((3, 0, 0, 0), "session_edge"),
    )
    for moment, code in moments:
        now = datetime(2026, 3, 10, *moment, tzinfo=UTC)
        yield Case("session", "live", {"clock.now": now}, code)
    yield from edge("session", "clock.is_open", "market_closed", [True], [False, None, 1])
    yield from edge("session", "session", "session_unknown", [], [None])
    yield from edge("quote", "quotes.VT.symbol", "quote_of_other", ["VT"], ["VTI", "vt", ""])
    yield from edge("quote", "quotes.VT.currency", "quote_currency", ["EUR"], ["USD", ""])
    yield from edge("quote", "quotes.VT.at", "quote_old", [at(-10), at(0), at(2)],
                    [at(-10.000001), at(2.000001), at(-35 * 86_400)])
    yield from edge(
        "spread", "quotes.VT.ask", "quote_crossed", [D("99.76")], [D("99.75"), D("99.74")]
    )
    yield from edge("spread", "quotes.VT.bid", "spread_unknown", [], [D(0), D(-1)])
    yield from edge("spread", "quotes.VT.ask", "spread_unknown", [], [D(0), D(-1)])
    # a person places the order: there is one price, and no spread to be wrong
    by_hand = {"capabilities": market(serves="file"), "quotes.VT.bid": D(100)}
    yield from edge("spread", "quotes.VT.ask", "quote_crossed", [D(100), D("100.01")],
                    [D("99.99")], others=by_hand)
    yield from edge("spread", "quotes.VT.ask", "spread_wide", [], [D(103)], others=by_hand)
    wide = {"quotes.VT.bid": D("99.5")}
    yield from limit("spread", "quotes.VT.ask", D("100.5"), "spread_wide", others=wide)
    limits = [D(99), D(101), D(100)], [D("98.99"), D("101.01"), D(1000)]
    yield from edge("limit_price", "order.ticket.limit_price", "limit_off_quote", *limits)
    for rail, path, code, most in (
        ("close_price", "quotes.VT.reference", "quote_off_close", D("0.1")),
        ("two_prices", "plan.approved.2.price", "prices_disagree", D("0.05")),
    ):
        other = D(200)
        for sign in (-1, 1):
            middle = other * (1 + sign * most)
            for step in (D(0), -sign * D("0.01"), sign * D("0.01")):
                half = D("0.25")
                quote = {
                    "quotes.VT.bid": middle + step - half,
                    "quotes.VT.ask": middle + step + half,
                }
                code_ = code if step * sign > 0 else None
                yield Case(rail, "live", {path: other, **quote}, code_)
    yield from edge("close_price", "quotes.VT.reference", "close_price_unknown", [],
                    [None, D(0), D(-100)])
    yield from edge("close_price", "quotes.VT.reference", "", [None], [], base="paper")
    # a split of four for one that nobody adjusted
    yield from edge("close_price", "quotes.VT.reference", "quote_off_close", [], [D(400), D(25)])
    yield from edge("two_prices", "quotes.AAA.reference", "prices_disagree",
                    [D(50), D("47.62"), D("52.63")], [D("47.61"), D("52.64")], base="flatten")
    yield from edge("two_prices", "quotes.AAA.reference", "two_prices_unknown", [], [None, D(0)],
                    base="flatten")
    there = {"mode": "paper", "capabilities": market(simulated=True)}
    yield from edge(
        "two_prices", "quotes.AAA.reference", "", [None], [], base="flatten", others=there
    )
    for mode, simulated in (("live", True), ("paper", False)):
        half = {"mode": mode, "capabilities": market(simulated=simulated)}
        yield from edge("two_prices", "quotes.AAA.reference", "two_prices_unknown", [], [None],
                        base="flatten", others=half)


def _day() -> Iterator[Case]:
    yield from limit("order_count", "day.orders_today", 1000, "orders_today", strict=True)
    yield from limit("order_count", "order.attempt", 12, "attempts", strict=True)
    yield from limit("order_count", "day.orders_in_run", 24, "orders_in_run", strict=True)
    yield from limit("order_count", "day.orders_in_run", 50, "orders_in_run", strict=True,
                     base="flatten")
    for path in ("day.orders_today", "day.orders_in_run", "order.attempt"):
        code = {"order.attempt": "attempts"}.get(path, path.removeprefix("day."))
        yield from limit("order_count", path, 0, code, least=True)
    yield from edge("pace", "day.last_order_at", "pace", [None, at(-1), at(-1.000001)],
                    [at(-0.999999), at(0), at(1)])
    yield from limit("turnover", "day.turnover_base", D(37_500), "turnover")
    yield from limit("turnover", "day.turnover_base", D(197_500), "turnover", base="paper")
    for value, buy, sell in (
        (D(97_001), None, None), (D(97_000), "loss_sells_only", None),
        (D(95_001), "loss_sells_only", None), (D(95_000), "loss_halt", "loss_halt"),
        (D(0), "loss_halt", "loss_halt"), (D(-5), "loss_halt", "loss_halt"),
    ):
        yield Case("loss", "live", {"equity_base": value}, buy)
        yield Case("loss", "sale", {"equity_base": value}, sell)
        yield Case("loss", "live", {"equity_base": value, "order": None}, sell)
        yield Case("loss", "flatten", {"equity_base": value}, None)
    yield from limit("rejects", "day.rejects_in_row", 3, "rejects_in_row", strict=True)
    yield from limit("rejects", "day.rejects", 5, "rejects", strict=True)
    yield from limit("rejects", "day.rejects_in_row", 0, "rejects_in_row", least=True)
    yield from limit("rejects", "day.rejects", 0, "rejects", least=True)
    yield from limit("failures", "day.failures", 3, "failures", strict=True)
    yield from limit("failures", "day.failures", 0, "failures", least=True)
    yield from limit("failed_sells", "day.failed_sells_base", D(1000), "sells_failed")
    small = {"equity_base": D(100)}
    yield from limit("failed_sells", "day.failed_sells_base", D(500), "sells_failed", others=small)
    yield from edge("failed_sells", "day.failed_sells_base", "", [D(10**6)], [], base="sale")
    yield from edge("restricted", "restricted", "restricted", [frozenset(), frozenset({"VTI"})],
                    [frozenset({"VT"}), frozenset({"AAA", "VT"})])
    yield from edge("restricted", "restricted", "restricted_unknown", [], [None])
    own = (
        [open_order("VT", Side.BUY)],
        [open_order("AAA", Side.SELL)],
        [open_order("AAA", Side.BUY, "")],
    )
    yield from edge("open_orders", "account.open_orders", "foreign_order", own,
                    [[open_order("VT", Side.BUY, "")], [open_order("VT", Side.SELL, "zp1")],
                     [*own[1], open_order("VT", Side.BUY, "x")]])
    yield from edge("open_orders", "account.open_orders", "opposite_order", [],
                    [[open_order("VT", Side.SELL)], [*own[0], open_order("VT", Side.SELL)]])
    day = 86_400
    yield Case("opposite_trade", "flatten", {"last_trades": {("AAA", Side.BUY): at(-1)}}, None)
    for base, symbol, side in (("live", "VT", Side.SELL), ("sale", "AAA", Side.BUY)):
        same = Side.BUY if side is Side.SELL else Side.SELL
        yield from edge("opposite_trade", "last_trades", "opposite_trade",
                        [{}, {(symbol, side): at(-day)}, {(symbol, side): at(-day - 1)},
                         {(symbol, same): at(-1)}, {("BBB", side): at(-1)}],
                        [{(symbol, side): at(-day + 0.000001)}, {(symbol, side): at(5)}],
                        base=base)


SECTIONS: tuple[Callable[[], Iterator[Case]], ...] = (
    _mode, _account, _machine, _plan, _order, _market, _day,
)


def cases() -> list[Case]:
    """The whole table."""
    return [case for section in SECTIONS for case in section()]


# fmt: on


class Bomb:
    """A datum of which every use fails."""

    def _fail(self, *_: object) -> Any:
        raise ZeroDivisionError("used")

    __eq__ = __ne__ = __hash__ = _fail  # type: ignore[assignment]
    __lt__ = __le__ = __gt__ = __ge__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rmod__ = _fail
    __mod__ = __abs__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _fail
    __str__ = __repr__ = __format__ = __getattr__ = _fail  # type: ignore[assignment]


NONE_IS_AN_ANSWER = {
    # not the pinned one, or no address: then it is not live, and the table has what follows
    ("mode", "pinned_account"),
    ("mode", "host"),
    ("mode", "key"),
    # nothing was sent yet, there is no run yet, there is no order yet
    ("pace", "day.last_order_at"),
    ("plan_age", "run_started_at"),
    ("drift", "order"),
    ("loss", "order"),
    # an order without a quote is stopped by the rails of its quote, and no other order is
    ("drift", "quotes.VT"),
    ("drift", "quotes.AAA"),
}


BASES = ("live", "sale", "paper", "flatten")
NOT_ON_PAPER = {
    "clock.local",
    "plan.made_at",
    "order.fx_at",
    "quotes.VT.volume",
    "quotes.VT.reference",
}
"""What a simulated market cannot have."""
NO_NUMBERS = tuple(Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity"))
ANY = "any"
"""A code that stands for every one."""


@cache
def used(base: str) -> tuple[tuple[str, str, object], ...]:
    """(rail, path, value) of each datum that a rail uses: it fails when the datum does."""
    rails = importlib.import_module("steelyard.execution.rails")
    facts = getattr(build, base)()
    return tuple(
        (rail.name, path, value)
        for path, value in build.leaves(facts).items()
        for rail in rails.RAILS
        if getattr(rails.ask(rail, build.changed(facts, {path: Bomb()})).verdict, "code", "")
        == f"{rail.name}_failed"
    )


def spoiled() -> list[Case]:
    """Every datum that a rail uses, missing or, where it is a number, none: each has to block."""
    rows = []
    for base in BASES:
        facts = getattr(build, base)()
        for rail, path, value in used(base):
            words = NO_NUMBERS if isinstance(value, Decimal) else ()
            rows += [Case(rail, base, {path: word}, ANY) for word in words]
            answers = (rail, path) in NONE_IS_AN_ANSWER or (
                base == "paper" and path in NOT_ON_PAPER
            )
            if build.may_be_none(facts, path) and not answers:
                rows.append(Case(rail, base, {path: None}, ANY))
    return rows


@cache
def table() -> tuple[tuple[tuple[Case, Any], ...], dict[str, str]]:
    """All rows with their facts, and the file of each rail, before anything was changed."""
    rails = importlib.import_module("steelyard.execution.rails")
    files = {rail.name: rail.judge.__module__.rpartition(".")[2] for rail in rails.RAILS}
    return tuple((case, case.facts()) for case in (*cases(), *spoiled())), files


def wrong(file: str, *, few: bool = False) -> str:
    """The first row of a file's rails that is answered otherwise; "" = none.

    few   without the rows that block
    """
    rows, files = table()
    for case, facts in rows:
        if (files[case.rail] != file and file in files.values()) or (few and case.code):
            continue
        code = answer(case, facts)
        if (code is None) if case.code == ANY else (code != case.code):
            return str(case)
    return ""
