"""Shares and money are conserved under any script, counted again from what the broker tells."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.paper import DAY, EARLY, PRICES, opening, ticket
from steelyard.brokers.paper import PaperBroker, Script, open_paper
from steelyard.errors import BrokerError
from steelyard.orders import Side

ODDS = st.sampled_from([0.0, 0.3, 1.0])
SCRIPTS = st.builds(
    Script,
    seed=st.integers(0, 999), instant=st.booleans(), partial=ODDS, midpoint=ODDS, told_twice=ODDS,
    late_cancel=ODDS, cancelled_that_filled=ODDS, expired_that_fills=ODDS, hidden=ODDS,
    lost_answers=st.sampled_from([0.0, 0.3]), dropped=st.sampled_from([0.0, 0.3]),
    rejects=st.sampled_from([0.0, 0.2]), errors_in_success=st.sampled_from([0.0, 0.2]),
    power_lag_s=st.sampled_from([0.0, 5.0]), settled_only=st.booleans(), dedups=st.booleans(),
    reissued_ids=st.booleans(), visible_after_s=st.sampled_from([0.0, 20.0]),
)  # fmt: skip
ORDERS = st.tuples(
    st.just("order"), st.sampled_from(sorted(PRICES)), st.sampled_from(["buy", "sell"]),
    st.sampled_from(["1", "3", "9.5", "20", "33.333333333"]), st.sampled_from([-1, 0, 1]),
)  # fmt: skip
STEPS = st.lists(
    ORDERS
    | st.tuples(st.just("cancel"), st.integers(0, 9))
    | st.tuples(st.just("wait"), st.sampled_from([1.0, 7.0, 60.0, 6 * 3600.0]))
    | st.just(("restart",))
    | st.just(("next day",)),
    max_size=12,
)


@settings(max_examples=30)
@given(script=SCRIPTS, steps=STEPS)
def test_shares_and_money_are_what_the_opening_fills_and_conversions_come_to(
    script: Script, steps: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        broker = open_paper(Path(folder) / "paper.db", "tests", opening(), script)
        for number, step in enumerate(steps):
            broker = carry_out(broker, Path(folder), number, step)
            assert never_short(broker)
        broker = carry_out(broker, Path(folder), 99, ("restart",))
        broker.wait(60.0)

        assert recount(broker) == shown(broker)
        broker.close()


def carry_out(broker: PaperBroker, folder: Path, number: int, step: Any) -> PaperBroker:
    """One step of a story."""
    match step:
        case ("order", symbol, side, quantity, shift):
            limit = PRICES[symbol].price * (1 + Decimal(shift) / 100)
            limit = limit.quantize(Decimal("0.01") if limit >= 1 else Decimal("0.0001"))
            broker.submit(ticket(f"o{number % 10}", side, symbol, quantity, str(limit)))
        case ("cancel", which):
            try:
                broker.cancel(f"o{which}")
            except BrokerError as error:
                assert error.fault.code in {"no_order", "no_answer"}  # noqa: PT017 - either
        case ("wait", seconds):
            broker.wait(seconds)
        case ("restart",):
            broker.close()
            broker = open_paper(folder / "paper.db", "tests")
        case ("next day",):
            later = max(broker.clock().now.date(), DAY)
            broker.reprice(later, PRICES, {"USD": Decimal("0.91")})
    return broker


def never_short(broker: PaperBroker) -> bool:
    """No balance and no position is under 0, nor is what is free of it more than there is."""
    account = broker.account()
    return all(
        0 <= c.spendable <= c.amount and 0 <= c.settled <= c.amount for c in account.cash
    ) and all(0 <= p.available <= p.quantity for p in account.positions)


def recount(broker: PaperBroker) -> dict[str, Decimal]:
    """Balances and shares from the opening, each execution once, and the conversions."""
    start = opening()
    sums = {**start.positions, **start.cash}
    for fill in {fill.exec_id: fill for fill in broker.fills(EARLY)}.values():
        sign = 1 if fill.side is Side.BUY else -1
        sums[fill.symbol] = sums.get(fill.symbol, Decimal(0)) + sign * fill.quantity
        sums[fill.currency] = sums.get(fill.currency, Decimal(0)) - sign * fill.value - fill.fee
    for activity in broker.activities(EARLY):
        for currency, amount in activity.cash.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return {name: amount for name, amount in sums.items() if amount}


def shown(broker: PaperBroker) -> dict[str, Decimal]:
    """The same as the account shows it."""
    account = broker.account()
    shares = {position.symbol: position.quantity for position in account.positions}
    return {**shares, **{c.currency: c.amount for c in account.cash if c.amount}}


def test_a_process_that_is_killed_in_a_call_has_made_it_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    open_paper(tmp_path / "paper.db", "tests", opening(), Script(seed=1)).close()
    for kill in range(6):
        done, report = os.pipe()
        child = os.fork()
        if child == 0:
            trade_until_killed(tmp_path / "paper.db", kill, report)
        os.close(report)
        for _ in range(3 + kill):  # so many calls are over, and the next is begun
            os.read(done, 1)
        time.sleep(0.002 * (kill % 4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(done)

    broker = open_paper(tmp_path / "paper.db", "tests")
    broker.wait(120.0)
    orders, fills = broker.orders(EARLY), broker.fills(EARLY)

    assert recount(broker) == shown(broker)
    assert fills
    for order in orders:
        filled = [f.quantity for f in fills if f.client_order_id == order.client_order_id]
        assert sum(filled) == order.filled_quantity
    assert len({order.client_order_id for order in orders}) == len(orders)
    broker.close()


def trade_until_killed(path: Path, kill: int, report: int) -> None:
    """Small orders of both sides, one call after another; never returns."""
    try:
        broker = open_paper(path, "tests")
        for n in range(10_000):
            side, limit = ("sell", "49") if n % 2 else ("buy", "51")
            broker.submit(ticket(f"k{kill}-{n}", side, "BB", "1", limit))
            os.write(report, b".")
            with contextlib.suppress(BrokerError):
                broker.cancel(f"k{kill}-{n // 2}")
            broker.wait(3.0)
    finally:
        os._exit(1)
