"""Money that the owner brings or takes out: it comes first, and what sales cannot raise is said."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.each import each
from builders.world import AS_OF, world
from builders.worlds import NIGHTLY
from steelyard.errors import InputError, PlanRefused
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.case import inputs_sha256
from steelyard.plans import verify
from steelyard.portfolio import Flow
from steelyard.settings import Costs, Limits, Lots, Rebalance, Search

FREE = Costs(fixed=0.0, percent=0.0)
LATER = AS_OF + timedelta(days=7)


def flow(amount, currency="USD", on=AS_OF):
    return Flow(currency, Decimal(amount), on)


def account(*flows, cash="5000", targets=None, **sections):
    """Two funds, 20,000 and 10,000 of 35,000."""
    goals = {"AA": 0.55, "BB": 0.35} if targets is None else targets
    lines = ("AA 200 @ 100", "BB 200 @ 50")
    of = world(*lines, cash=cash, targets=goals, funds=("AA", "BB"), **sections)
    return of.having(flows=flows)


def problems(plan):
    return {problem.code: problem.message for problem in plan.problems}


def checked(plan):
    assert verify.check(plan.document()).failed == ()
    return plan


def test_value_counts_deposits_and_not_withdrawals_and_weights_are_of_what_is_left():
    plan = checked(account(flow("7000"), flow("-12000", on=LATER)).plan())

    assert plan.value == 42_000
    assert plan.base_of_weights == 30_000
    assert plan.cash == {"USD": 5_000}
    assert plan.reserve == 600
    weights = {row.symbol: row.weight for row in plan.holdings}
    assert weights == {"AA": pytest.approx(2 / 3), "BB": pytest.approx(1 / 3)}
    assert [(f.date, f.amount) for f in plan.flows] == [(AS_OF, 7_000), (LATER, -12_000)]


def test_the_same_flow_twice_is_two_flows():
    once, twice = (account(*[flow("3000")] * count).plan() for count in (1, 2))

    assert (once.value, twice.value) == (38_000, 41_000)
    assert len(twice.flows) == 2


def test_flows_are_part_of_what_a_plan_is_a_function_of():
    def hashed(*flows):
        of = account(*flows)
        return inputs_sha256(of.case, of.prepared.ctx)

    hashes = {
        hashed(), hashed(flow("100")), hashed(flow("-100")), hashed(flow("100"), flow("100")),
        hashed(flow("-100", on=LATER)),
    }  # fmt: skip
    assert len(hashes) == 5


def test_a_withdrawal_is_raised_by_sales_that_leave_what_cash_was_to_stay():
    plan = checked(account(flow("-9000", on=LATER)).plan())

    assert plan.occasions == ("shortfall",)
    assert plan.cash_after["USD"] >= plan.reserve
    assert "for withdrawals of 9,000.00" in plan.verdict.text
    assert problems(plan) == {}


def test_cash_over_the_reserve_pays_a_withdrawal_without_a_sale():
    plan = checked(account(flow("-4000"), targets={"AA": 0.645, "BB": 0.32}).plan())

    assert plan.occasions == ()
    assert plan.steps == ()
    assert plan.cash_after == {"USD": 1_000}


def test_a_withdrawal_sells_no_lot_that_an_equally_good_list_would_keep():
    # without costs and hurdle each share of AA is 100: 40 shares raise 4,000 and no more is sold
    of = account(
        flow("-9000", on=LATER), targets={"AA": 16_000 / 26_000, "BB": 10_000 / 26_000},
        costs=FREE, limits=Limits(cash_reserve_weight=0.0),
    )  # fmt: skip
    plan = checked(of.plan())

    assert [(s.side, s.symbol, s.quantity) for s in plan.steps] == [(Side.SELL, "AA", 40)]
    assert plan.cash_after == {"USD": 0}


def test_no_least_order_and_no_cooldown_keep_a_withdrawal_from_being_raised():
    yesterday = AS_OF - timedelta(days=1)

    def sold(limits, bought):
        of = account(flow("-5100", on=LATER), costs=FREE, limits=limits)
        owned = tuple(
            replace(h, last_bought=bought, last_sold=bought) for h in of.snapshot.holdings
        )
        plan = checked(of.having(holdings=owned).plan())
        assert plan.cash_after["USD"] >= 0
        assert problems(plan) == {}

    none, large = Limits(cash_reserve_weight=0.0), {"min_trade_base": 50_000.0}
    each(
        {
            "least order": (Limits(cash_reserve_weight=0.0, **large), None),
            "cooldown": (none, yesterday),
        },
        sold,
    )


def test_a_withdrawal_is_raised_although_every_weight_is_inside_its_band():
    of = account(flow("-9000", on=LATER))
    wide = Rebalance(trigger="band", drift_band_weight=0.3)
    plan = checked(replace(of, strategy=replace(of.strategy, rebalance=wide)).plan())

    assert "shortfall" in plan.occasions
    assert plan.cash_after["USD"] >= 0


def test_what_may_not_be_sold_is_said_with_the_amount_and_the_rule():
    plan = checked(account(flow("-9000"), limits=Limits(allow_sell=False)).plan())

    assert plan.verdict.action == "hold"
    assert "4,000.00 is missing, and the plan may not sell" in problems(plan)["cash_short"]
    assert plan.verdict.detail.startswith(problems(plan)["cash_short"])


def test_what_sales_cannot_raise_is_made_as_small_as_they_can_make_it():
    def raised(of, least):
        plan = checked(of.plan())
        assert plan.cash_after["USD"] == least
        assert f"{-least:,.2f} is missing" in problems(plan)["cash_short"]

    of = account(flow("-30000"), costs=FREE)
    sold_out = tuple(replace(s, allow_sell=s.symbol == "BB") for s in of.snapshot.securities)
    barred = of.having(securities=sold_out)
    table = barred.strategy.search.model_copy(update={"scope": "candidates", "refine": False})
    one = of.having(limits={"max_orders": 1, "cash_reserve_weight": 0.0})
    each(
        {
            "one may not be sold": (barred, Decimal(-15_000)),
            "of the table": (barred.having(search={**table.model_dump()}), Decimal(-15_000)),
            "one order": (one, Decimal(-5_000)),
        },
        raised,
    )


def test_the_ladder_shows_every_flow_on_its_day():
    plan = checked(account(flow("1000"), flow("-9000", on=LATER)).plan())

    rungs = [(r.date, r.kind, r.balance) for r in plan.cash_ladder]
    settled = [balance for _, kind, balance in rungs if kind == "settled"]
    traded = [(day, balance) for day, kind, balance in rungs if kind == "traded"]
    assert rungs[0] == (AS_OF, "settled", Decimal(6_000))
    assert settled[-1] == traded[-1][1] == plan.cash_after["USD"]
    assert traded[0] == (AS_OF, plan.cash_after["USD"] + 9_000)
    assert traded[-1][0] == LATER


def test_a_withdrawal_before_the_sales_settle_is_said_with_amount_and_days():
    of = account(flow("-9000"), costs=FREE)
    plan = checked(of.plan())

    late = problems(plan)["cash_late"].replace("\u00a0", " ")
    assert late.startswith("USD 4,000.00 from 15 Mar 2024 until 18 Mar 2024 of settled money")
    assert "cash_late" not in problems(account(flow("-9000", on=LATER), costs=FREE).plan())


def test_sales_that_settle_today_pay_for_a_withdrawal_of_today():
    plan = checked(account(flow("-9000"), costs=FREE, limits=Limits(settlement_days=0)).plan())

    assert "cash_late" not in problems(plan)
    settled = [(r.date, r.balance) for r in plan.cash_ladder if r.kind == "settled"]
    assert settled == [(AS_OF, plan.cash_after["USD"])]


def test_a_deposit_raises_no_floor_and_is_there_at_once_for_settled_money_too():
    for funding in ("proceeds", "settled"):
        plan = checked(
            account(
                flow("6000"), cash="0", targets={"AA": 0.55, "BB": 0.45},
                limits=Limits(funding=funding),
            ).plan()
        )  # fmt: skip
        bought = sum(step.notional_base for step in plan.steps)
        assert {step.side for step in plan.steps} == {Side.BUY}, funding
        assert 5_800 < bought <= 6_000, funding


def test_money_that_comes_later_pays_only_where_proceeds_may():
    later = flow("6000", on=LATER)
    spent = {
        funding: sum(s.notional_base for s in checked(plan).steps if s.side is Side.BUY)
        for funding in ("proceeds", "settled")
        for plan in [
            account(later, cash="0", targets={"AA": 0.55, "BB": 0.45},
                    limits=Limits(funding=funding)).plan()
        ]
    }  # fmt: skip
    assert spent["proceeds"] > 5_000
    assert spent["settled"] == 0


def test_flows_that_no_plan_can_be_made_for_are_refused_with_code_place_value_limit_and_hint():
    def refused(code, flows):
        with pytest.raises(PlanRefused) as raised:
            account(*flows).plan()
        faults = {fault.code: fault for fault in raised.value.faults}
        assert set(faults) == set(code.split())
        for fault in faults.values():
            assert all([fault.place, fault.value, fault.limit, fault.hint]), fault
        assert "Nothing was planned" in str(raised.value)

    past = flow("100", on=AS_OF - timedelta(days=1))
    each(
        {
            "no rate": ("flow_without_rate", [flow("100", "CHF")]),
            "past": ("flow_past", [past]),
            "too much": ("withdrawal_too_large", [flow("-35000")]),
            "more": ("withdrawal_too_large", [flow("1000"), flow("-99000")]),
            "two": ("flow_past flow_without_rate", [past, flow("-1", "CHF")]),
        },
        refused,
    )


def test_no_flow_is_of_no_amount():
    for amount in ("0", "NaN", "Infinity"):
        with pytest.raises(InputError):
            flow(amount)


LOTS = {"AA": "1", "BB": "10", "CC": "1"}


@st.composite
def pressed(draw):
    """One to three holdings, little cash in two currencies, fees, a deposit or withdrawals."""
    count = draw(st.integers(1, 3))
    names = ("AA", "BB", "CC")[:count]
    lines = [
        f"{name} {draw(st.integers(1, 4)) * int(LOTS[name])} @ {draw(st.integers(3, 90))}.5"
        for name in names
    ]
    parts = [line.replace("@", "").split() for line in lines]
    whole = sum(Decimal(shares) * Decimal(price) for _, shares, price in parts)
    tight = draw(st.booleans())
    cash = {
        currency: (whole * draw(st.integers(0, 3 if tight else 60)) / 100).quantize(Decimal("0.01"))
        for currency in ("USD", "EUR")
    }
    share = Decimal(draw(st.integers(-85, 40))) / 100
    amount = (whole * share).quantize(Decimal("0.01"))
    currency = draw(st.sampled_from(["USD", "EUR"]))
    goals = {name: draw(st.integers(0, 30)) / 100 for name in names}
    of = world(
        *lines, cash={key: str(amount) for key, amount in cash.items()},
        targets=goals, funds=names, lots=LOTS,
        foreign=draw(st.sampled_from([(), ("AA",), ("AA", "BB")])),
        costs=draw(st.sampled_from([
            Costs(), FREE, Costs(fixed=1.0, percent=0.001, fx_percent=0.005),
        ])),
        limits=Limits(
            cash_reserve_weight=draw(st.sampled_from([0.0, 0.05])),
            funding=draw(st.sampled_from(["proceeds", "settled"])),
        ),
        search=Search(max_nodes=200),
    )  # fmt: skip
    return of.having(flows=(flow(amount, currency),) if amount else ())


def most_cash(of):
    """The most that any list of sales leaves, foreign balances less their conversion: every one."""
    costs, rates = of.strategy.costs, of.rates
    margin = Decimal(repr(costs.fx_percent))
    prices = {symbol: quote.price for symbol, quote in of.market.quotes.items()}
    balances = dict.fromkeys(rates, ZERO)
    for currency, amount in of.snapshot.balances.items():
        balances[currency] += amount
    choices = []
    for holding in of.snapshot.holdings:
        security = of.snapshot.security(holding.symbol)
        lots = int(holding.quantity / security.lot_size)
        choices.append([(security, k * security.lot_size) for k in range(lots + 1)])
    best = None
    for row in product(*choices):
        after = dict(balances)
        for security, shares in row:
            amount = shares * prices[security.symbol]
            base = amount * rates[security.currency]
            after[security.currency] += amount
            charge = Decimal(repr(costs.fixed)) + Decimal(repr(costs.percent)) * base
            after["USD"] -= charge if shares else ZERO
        pool = sum(
            amount * rates[c] * (1 if c == "USD" else 1 - margin if amount > 0 else 1 + margin)
            for c, amount in after.items()
        )
        best = pool if best is None else max(best, pool)
    return best


def worth(of):
    """After flows, base currency."""
    currencies = {s.symbol: s.currency for s in of.snapshot.securities}
    owned = (
        h.quantity * of.market.quotes[h.symbol].price * of.rates[currencies[h.symbol]]
        for h in of.snapshot.holdings
    )
    return sum(owned, sum(a * of.rates[c] for c, a in of.snapshot.balances.items()))


PORTFOLIOS = settings(max_examples=300 if NIGHTLY else 24)


@PORTFOLIOS
@given(pressed())
def test_no_balance_ends_under_0_wherever_any_list_of_sales_can_do_it(of):
    if worth(of) <= 0:
        with pytest.raises(PlanRefused, match="leave nothing"):
            of.plan()
        return
    plan, most = of.plan(), most_cash(of)

    before = of.snapshot.balances
    short = {c: amount for c, amount in plan.cash_after.items() if amount < 0}
    if most >= 0:
        assert short == {}
        assert "cash_short" not in problems(plan)
    else:
        assert short
        assert "cash_short" in problems(plan)
        pool = sum(amount * of.rates[c] for c, amount in plan.cash_after.items())
        assert pool >= most - Decimal("0.05"), "what cannot be met is as little as can be"
    for currency, amount in plan.cash_after.items():
        assert amount >= min(ZERO, before.get(currency, ZERO))
    assert verify.check(plan.document()).failed == ()


def test_a_withdrawal_within_a_budget_of_gains_takes_least_gain_for_its_money():
    """LOS at a loss leaves room for gains elsewhere: some lists of sales raise all of it."""
    cost = {"LOS": "110", "MID": "95", "WIN": "60"}
    of = world(
        "LOS 100 @ 100", "MID 100 @ 100", "WIN 100 @ 100", cash="780", cost_prices=cost,
        targets={"LOS": 0.4, "MID": 0.3, "WIN": 0.28}, funds=tuple(cost),
    )  # fmt: skip
    of = of.having(lots=Lots(method="specific", max_gain_base=500.0))

    plan = checked(of.having(flows=(flow("-20000"),)).plan())

    assert "cash_short" not in problems(plan)
    assert plan.cash_after["USD"] >= 0
    assert plan.realised_gain.short + plan.realised_gain.long <= 500


TWO = ("AA 41 @ 72", "BB 40 @ 60")
DEAR = {"AA": "1", "BB": "30"}
"""AA sells at a gain of 71 of 72, BB at one of 30 of 60."""


def test_what_a_budget_of_gains_and_turnover_allow_is_raised_in_every_scope():
    """Gross of costs; by hand: lots of AA and BB within both limits that come to most."""
    cases = {
        "one holding": (("AA 41 @ 72",), "-450", 150.0, None, 144),
        "enough": (TWO, "-600", 500.0, None, 600),
        "not enough": (TWO, "-1200", 500.0, None, 960),
        "turnover": (TWO, "-1200", None, 0.05, 408),
        "both": (TWO, "-1200", 300.0, 0.05, 384),
    }

    def raised(lines, amount, budget, turnover, most):
        names = [line.split()[0] for line in lines]
        for scope in ("quantities", "candidates", "proposals"):
            of = world(
                *lines, cash="0", cost_prices={name: DEAR[name] for name in names},
                targets={name: 0.98 / len(names) for name in names}, search=Search(scope=scope),
                limits=Limits(max_turnover_weight=turnover),
            ).having(flows=(flow(amount),), lots=Lots(max_gain_base=budget))  # fmt: skip
            plan = checked(of.plan())
            assert sum(step.notional_base for step in plan.steps) >= most, scope
            missing = "cash_short" in problems(plan)
            assert missing is (most < -Decimal(amount)), scope

    each(cases, raised)


def test_no_set_of_a_table_that_brings_less_than_lists_of_any_length_is_an_alternative():
    """A set has at most five orders, and six are needed; held to the bound of the lists that
    raise it all such a set is above it where it keeps what scores well.
    """
    names = tuple(letter * 2 for letter in "ABCDEFG")
    of = world(
        *(f"{name} 5 @ 200" for name in names), cash="0", funds=names,
        targets=dict.fromkeys(names, 0.13),
    )  # fmt: skip

    for amount in (5500, 6300):
        plan = checked(of.having(flows=(flow(-amount),)).plan())

        assert len(plan.steps) > 5
        price, lists = Decimal(200), [o for o in plan.alternatives if o.name not in NO_PLANS]
        for other in lists:
            assert sum(step.quantity * price for step in other.steps) >= amount, other.name


NO_PLANS = ("hold", "greedy", "unrestricted")
"""Alternatives that need not raise what is due."""


def test_fees_of_foreign_sales_that_do_not_raise_a_withdrawal_leave_no_base_debt():
    sold_alone = Limits(max_orders=1)
    margin = Costs(fx_percent=0.002)
    cases = {
        "no base cash": ("0", Costs(), ZERO),
        "a margin": ("0", margin, ZERO),
        "less than the fees": ("1.25", margin, ZERO),
        "a debt that was there": ("-20", margin, Decimal(-20)),
    }

    def paid(cash, costs, least):
        of = world(
            "AA 10 @ 100", "BB 10 @ 100", cash=cash, foreign=("AA",), limits=sold_alone,
            targets={"AA": 0.5, "BB": 0.48}, costs=costs,
        )  # fmt: skip
        plan = checked(of.having(flows=(flow("-1500", "EUR"),)).plan())
        assert [step.symbol for step in plan.steps] == ["AA"]
        assert least <= plan.cash_after["USD"] < least + Decimal("0.02")
        assert -505 < plan.cash_after["EUR"] < -500

    each(cases, paid)


def test_what_is_outside_its_band_is_answered_beside_a_withdrawal_that_cash_covers():
    rules = Rebalance(drift_band_weight=0.05, trigger="band", to="edge")
    of = world(
        "AA 560 @ 100", "BB 420 @ 100", cash="2000", targets={"AA": 0.5, "BB": 0.48},
        funds=("AA", "BB"), rebalance=rules,
    )  # fmt: skip

    plan = checked(of.having(flows=(flow("-500"),)).plan())

    weights = {row.symbol: row.weight for row in plan.holdings_after}
    assert weights["AA"] <= 0.55 + 1e-9
    assert weights["BB"] >= 0.43 - 1e-9
