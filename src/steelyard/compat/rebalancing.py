"""The rebalancer plan's names over exact rebalancing: calculator, deltas, attribution, orders.

Everything is in decimals; what the plan's own code cannot do is not done here either: a portfolio
of nothing is refused, a target of 0 is as none, and quantities are rounded down. Nothing is sent:
`PortfolioRebalancer` gives the orders of a plan, `steelyard execute` carries plans out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from rich.console import Console

from steelyard.engine import Engine
from steelyard.errors import NotExecuted, PlanRefused
from steelyard.execution.attribution.rules import Rules, rules_of
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning import planner
from steelyard.plans.orders import Step
from steelyard.rebalance import PositionDelta, Thresholds, planned
from steelyard.rebalance.asked import ask
from steelyard.rebalance.records import Position
from steelyard.rebalance.rounding import stepped
from steelyard.rebalance.rules import STEP
from steelyard.rebalance.weights import Weight, targets_of
from steelyard.report import visible
from steelyard.strategies import Strategy, default
from steelyard.targets import Targets

ONE = Decimal(1)
PortfolioRebalancingError = NotExecuted
LEAST_SHARES = Decimal("0.01")
"""Under so many shares the documents change no position, whatever they are worth."""


class StrategyType(StrEnum):
    """The strategies of the documents."""

    NUCLEAR = "NUCLEAR"
    TECL = "TECL"
    KLM = "KLM"


@dataclass(frozen=True, slots=True)
class RebalancePlan:
    """A symbol's row with the documents' fields: `weight_diff` is target less current weight, and
    `trade_amount` the whole gap, whether it is traded or not.
    """

    symbol: str
    current_weight: Decimal
    target_weight: Decimal
    weight_diff: Decimal
    target_value: Decimal
    current_value: Decimal
    trade_amount: Decimal
    needs_rebalance: bool

    @property
    def trade_direction(self) -> Literal["BUY", "SELL", "HOLD"]:
        """What is done with it; of nothing there is neither a purchase nor a sale."""
        if not self.needs_rebalance or not self.trade_amount:
            return "HOLD"
        return "BUY" if self.trade_amount > 0 else "SELL"


class RebalanceCalculator:
    """Weights and values to a plan of each symbol; ours is `rebalance.calculate_rebalance_plan`."""

    def __init__(self, min_trade_threshold: Decimal = Decimal("0.01")) -> None:
        self.min_trade_threshold = min_trade_threshold

    def calculate_rebalance_plan(
        self,
        target_weights: Mapping[str, Weight],
        current_values: Mapping[str, Decimal],
        total_portfolio_value: Decimal,
    ) -> dict[str, RebalancePlan]:
        """Symbol -> its plan, for all of either map; the threshold itself is enough.

        Raises InputError for weights that are none, PlanRefused where nothing is owned.
        """
        if not total_portfolio_value > 0:
            raise PlanRefused(
                f"There is no equity: the portfolio is worth {total_portfolio_value}. No order "
                "was made.",
                code="no_equity",
                value=total_portfolio_value,
                limit="above 0",
            )
        targets, rules = targets_of(target_weights), Thresholds(self.min_trade_threshold)
        symbols = sorted({*targets, *current_values} - {"CASH"})
        rows = [_valued(symbol, current_values.get(symbol, ZERO)) for symbol in symbols]
        return {row.symbol: _plan(row, targets, total_portfolio_value, rules) for row in rows}


def _valued(symbol: str, value: Decimal) -> Position:
    """So many shares of one unit of money."""
    return Position(symbol, value, ONE, ONE, value)


def _plan(
    row: Position, targets: Mapping[str, Decimal], value: Decimal, rules: Thresholds
) -> RebalancePlan:
    asked, target = ask(row, targets, value, rules), targets.get(row.symbol, ZERO)
    return RebalancePlan(
        symbol=row.symbol,
        current_weight=asked.weight,
        target_weight=target,
        weight_diff=target - asked.weight,
        target_value=asked.target,
        current_value=row.value,
        trade_amount=asked.gap,
        needs_rebalance=asked.outside,
    )


def calculate_rebalance_amounts(
    target_weights: Mapping[str, float],
    current_values: Mapping[str, float],
    total_portfolio_value: float,
    min_trade_threshold: float = 0.01,
) -> dict[str, dict[str, float | bool]]:
    """The same as floats, calculated in decimals: a drift of the threshold itself always trades."""
    calculator = RebalanceCalculator(Decimal(repr(min_trade_threshold)))
    values = {symbol: Decimal(repr(value)) for symbol, value in current_values.items()}
    total = Decimal(repr(total_portfolio_value))
    plans = calculator.calculate_rebalance_plan(target_weights, values, total)
    return {symbol: _as_floats(plan) for symbol, plan in plans.items()}


def _as_floats(plan: RebalancePlan) -> dict[str, float | bool]:
    fields = (name for name in RebalancePlan.__slots__ if name not in {"symbol", "needs_rebalance"})
    figures: dict[str, float | bool] = {name: float(getattr(plan, name)) for name in fields}
    return {**figures, "needs_rebalance": plan.needs_rebalance}


class PositionAnalyzer:
    """Shares to shares without a price; with one, `rebalance.position_delta` asks for money."""

    def __init__(self, quantity_step: Decimal = STEP) -> None:
        self.quantity_step = quantity_step

    def calculate_position_delta(
        self, symbol: str, current_qty: Decimal, target_qty: Decimal
    ) -> PositionDelta:
        """The least order that reaches the target: rounded down, an exit to its last digit."""
        delta = target_qty - current_qty
        exits = target_qty == 0 and current_qty > 0
        size = current_qty if exits else stepped(abs(delta), self.quantity_step)
        if abs(delta) < LEAST_SHARES:
            message = f"No rebalancing needed for {symbol}: {current_qty} ≈ {target_qty}"
            return PositionDelta(symbol, current_qty, target_qty, delta, "no_change", ZERO, message)
        if delta < 0:
            message = f"Rebalancing {symbol}: selling {size} shares"
            return PositionDelta(
                symbol, current_qty, target_qty, delta, "sell_excess", size, message
            )
        message = f"Rebalancing {symbol}: buying {size} shares"
        return PositionDelta(symbol, current_qty, target_qty, delta, "buy_more", size, message)


class SymbolClassifier:
    """Symbol -> strategy by rules that are data; by default the documents' two lists."""

    NUCLEAR_SYMBOLS = frozenset(
        ("SMR", "LEU", "OKLO", "NLR", "BWXT", "PSQ", "SQQQ", "UUP", "UVXY", "BTAL")
    )
    TECL_SYMBOLS = frozenset(("TECL", "TQQQ", "UPRO", "BIL", "QQQ"))

    def __init__(self, rules: Rules | None = None) -> None:
        lists = {"NUCLEAR": sorted(self.NUCLEAR_SYMBOLS), "TECL": sorted(self.TECL_SYMBOLS)}
        usual = {"default": "NUCLEAR", "books": lists}
        self.rules = rules or rules_of(usual, Path("the lists of SymbolClassifier"))

    def classify_symbol(self, symbol: str) -> StrategyType:
        """The strategy of a symbol, in either case; ValueError for a book that is none of them."""
        return StrategyType(self.rules.book_of(symbol))


class StrategyAttributionEngine:
    """Who is responsible for a symbol: who asked for it, first, else the classifier."""

    def __init__(self, symbol_classifier: SymbolClassifier) -> None:
        self._classifier = symbol_classifier

    def get_primary_strategy(
        self,
        symbol: str,
        strategy_attribution: Mapping[str, Sequence[StrategyType]] | None = None,
    ) -> StrategyType:
        """The first strategy that asked for the symbol; without one, by the rules."""
        claims = {name.upper(): owners for name, owners in (strategy_attribution or {}).items()}
        return StrategyType(self._classifier.rules.book_of(symbol, claims))


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """An order of a plan: shares, its worth in base currency, and whose it is."""

    symbol: str
    qty: Decimal
    side: Literal["buy", "sell"]
    estimated_value: Decimal
    strategy: StrategyType


class PortfolioRebalancer:
    """Targets to orders, sales first; where the documents send them, `steelyard execute` does.

    inputs   what is owned, and prices: as `steelyard.inputs` reads them
    engine   which one makes the orders
    """

    def __init__(
        self,
        inputs: Inputs,
        attribution_engine: StrategyAttributionEngine,
        strategy: Strategy | None = None,
        engine: Engine = "reference",
    ) -> None:
        self._inputs, self._attribution = inputs, attribution_engine
        self._strategy, self._engine = strategy or default(), engine

    def rebalance_portfolio(
        self,
        target_portfolio: Mapping[str, Weight],
        strategy_attribution: Mapping[str, Sequence[StrategyType]] = MappingProxyType({}),
    ) -> list[OrderDetails]:
        """The orders to the targets; raises SteelyardError where no plan may be made."""
        weights = {symbol: float(w) for symbol, w in targets_of(target_portfolio).items()}
        make = planned.plan if self._engine == "reference" else planner.plan
        plan = make(
            self._inputs.snapshot, self._inputs.market, self._strategy, targets=Targets(weights)
        )
        return [self._details(step, strategy_attribution) for step in plan.steps]

    def _details(self, step: Step, claims: Mapping[str, Sequence[StrategyType]]) -> OrderDetails:
        owner = self._attribution.get_primary_strategy(step.symbol, claims)
        side: Literal["buy", "sell"] = "buy" if step.side is Side.BUY else "sell"
        return OrderDetails(step.symbol, step.quantity, side, step.notional_base, owner)


class RebalanceOrchestrator:
    """The two phases of an order list: sales, then what they pay for."""

    def execute_sell_phase(self, orders: Iterable[OrderDetails]) -> list[OrderDetails]:
        """The sales, exits too, in their order."""
        return [order for order in orders if order.side == "sell"]

    def execute_buy_phase(
        self, orders: Iterable[OrderDetails], buying_power: Decimal
    ) -> list[OrderDetails]:
        """The buys, as many as the money pays for, in their order; none is made smaller."""
        bought: list[OrderDetails] = []
        for order in orders:
            spent = sum((other.estimated_value for other in bought), ZERO)
            if order.side == "buy" and spent + order.estimated_value <= buying_power:
                bought.append(order)
        return bought


class PortfolioDisplay:
    """What is done, on a console; texts of others are shown with every sign that a terminal obeys
    spelled out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()

    def show_liquidation_notice(self, symbol: str, reason: str) -> None:
        """That all of a symbol goes, and why."""
        self._say(f"Liquidating {symbol} ({reason})", "yellow")

    def show_rebalancing_action(self, delta: PositionDelta) -> None:
        """What is done with a position."""
        self._say(delta.message, "cyan")

    def show_buy_order_details(
        self, symbol: str, amount: Decimal, bid: Decimal, ask: Decimal
    ) -> None:
        """A buy with both sides of the quote, where both are known."""
        quote = f" (bid=${bid:.2f}, ask=${ask:.2f})" if bid > 0 and ask > 0 else ""
        self._say(f"Buying {symbol}: ${amount:.2f}{quote}", "green")

    def _say(self, text: str, style: str) -> None:
        self._console.print(visible(text), style=style, markup=False, highlight=False)
