"""The rebalancer plan's flags, adapter, validator and monitor over our two engines.

Old and new are the documents' words: new is the planner, old the reference engine.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from steelyard.compat.rebalancing import (
    OrderDetails,
    PortfolioRebalancer,
    PortfolioRebalancingError,
    RebalancePlan,
    StrategyAttributionEngine,
    SymbolClassifier,
)
from steelyard.engine import TRUTH, EngineSettings, engine_settings, variable
from steelyard.errors import SettingsError
from steelyard.importers import Inputs
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.rebalance import Thresholds
from steelyard.rebalance.shadow import (
    Compared,
    Line,
    Scale,
    Sent,
    Settled,
    compare,
    same_sequence,
    same_settlement,
    unexplained,
)
from steelyard.rebalance.weights import Weight
from steelyard.telemetry.events import EnginesDiffer, Event

LOGGER = logging.getLogger("steelyard.engines")
EDGE = Decimal("1e-9")
"""Of value: so near to a threshold that floats cannot tell on which side a weight is."""


def env_bool(name: str, default: bool, environment: Mapping[str, str] = os.environ) -> bool:
    """A variable as yes or no; raises SettingsError for any other word."""
    text = environment.get(name, "").strip().lower()
    if text and text not in TRUTH:
        raise SettingsError(
            f"{name} is {environment[name]!r}; it takes {', '.join(TRUTH)}.",
            code="bad_flag",
            place=name,
            value=environment[name],
            limit=", ".join(TRUTH),
        )
    return TRUTH[text] if text else default


@dataclass(frozen=True, slots=True)
class FeatureFlags:
    """The three flags; ours are `engine.active`, `engine.shadow` and `engine.on_divergence`.

    The document's default is the old engine; where no variable is set, ours is the planner.
    """

    use_new_portfolio_rebalancer: bool = False
    enable_rebalancer_comparison_logging: bool = True
    enable_rebalancer_performance_monitoring: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> FeatureFlags:
        """As the documents' variables and ours say; raises SettingsError."""
        chosen = engine_settings({}, environment)
        return cls(chosen.active == "fast", chosen.shadow == "on", chosen.on_divergence != "log")


@dataclass(frozen=True, slots=True)
class RebalancingConfig:
    """The settings with the documents' names and defaults; `thresholds` are those of the engine.

    cash_reserve_ratio           of value, once; not a haircut of each order
    minimum_buying_power         of execution: buys stop under it
    settlement_timeout_seconds   of execution
    """

    min_trade_threshold: Decimal = Decimal("0.01")
    cash_reserve_ratio: Decimal = Decimal("0.05")
    minimum_buying_power: Decimal = Decimal("10.00")
    position_precision: int = 6
    settlement_timeout_seconds: int = 30

    @property
    def thresholds(self) -> Thresholds:
        """What exact rebalancing takes of it."""
        return Thresholds(
            drift_band_weight=self.min_trade_threshold,
            quantity_step=Decimal(1).scaleb(-self.position_precision),
            cash_reserve_weight=self.cash_reserve_ratio,
        )


class RebalancingConfigLoader:
    """Settings of any object that has a `rebalancing` with these names."""

    @staticmethod
    def load_from_settings(settings: Any) -> RebalancingConfig:
        """What it does not have is at its default."""
        usual, own = RebalancingConfig(), settings.rebalancing
        return RebalancingConfig(
            min_trade_threshold=_decimal(own, "min_trade_threshold", usual.min_trade_threshold),
            cash_reserve_ratio=_decimal(own, "cash_reserve_ratio", usual.cash_reserve_ratio),
            minimum_buying_power=_decimal(own, "minimum_buying_power", usual.minimum_buying_power),
            position_precision=int(getattr(own, "position_precision", usual.position_precision)),
            settlement_timeout_seconds=int(
                getattr(own, "settlement_timeout_seconds", usual.settlement_timeout_seconds)
            ),
        )


def _decimal(own: object, name: str, usual: Decimal) -> Decimal:
    return Decimal(str(getattr(own, name, usual)))


class LegacyPortfolioRebalancerAdapter:
    """One signature over both engines; the flags are read at each call, so that going back takes
    effect with the next one.
    """

    def __init__(
        self, inputs: Inputs, flags: Callable[[], FeatureFlags] = FeatureFlags.from_environment
    ) -> None:
        attribution = StrategyAttributionEngine(SymbolClassifier())
        self._new_rebalancer = PortfolioRebalancer(inputs, attribution, engine="fast")
        self._old_rebalancer = PortfolioRebalancer(inputs, attribution, engine="reference")
        self._flags = flags

    def rebalance_portfolio(
        self, target_portfolio: Mapping[str, Weight], strategy_attribution: Any = None
    ) -> list[OrderDetails]:
        """The orders of the engine that the flags name."""
        new = self._flags().use_new_portfolio_rebalancer
        chosen = self._new_rebalancer if new else self._old_rebalancer
        return chosen.rebalance_portfolio(target_portfolio, strategy_attribution or {})


class RebalancerBehaviorValidator:
    """Two engines held against each other; raises PortfolioRebalancingError for a difference that
    nothing explains, and gives every comparison.
    """

    def __init__(self, min_trade_threshold: Decimal = Decimal("0.01")) -> None:
        self.min_trade_threshold = min_trade_threshold

    def validate_portfolio_calculation(
        self, old_result: Mapping[str, RebalancePlan], new_result: Mapping[str, RebalancePlan]
    ) -> tuple[Compared, ...]:
        """Plans by symbol, both ways; money within a cent, a threshold within what floats tell."""
        both = (old_result, new_result)
        old, new = ({s: _line(plan) for s, plan in plans.items()} for plans in both)
        scales = {s: self._scale(plan) for s, plan in new_result.items()}
        return _agreed(compare(old, new, scales))

    def _scale(self, plan: RebalancePlan) -> Scale:
        near = abs(abs(plan.weight_diff) - self.min_trade_threshold) <= EDGE
        return Scale(lot=Decimal("0.01"), price=Decimal(1), on_edge=near, least=ZERO)

    def validate_order_sequence(
        self, old_orders: Sequence[Sent], new_orders: Sequence[Sent]
    ) -> tuple[Compared, ...]:
        """Orders by phase: how many, which, how large; not where in their phase."""
        return _agreed(same_sequence(old_orders, new_orders, {}))

    def validate_settlement_behavior(
        self, old_settlement: Mapping[str, Settled], new_settlement: Mapping[str, Settled]
    ) -> tuple[Compared, ...]:
        """What became of each leg on the same scripted broker."""
        return _agreed(same_settlement(old_settlement, new_settlement, {}))


def _line(plan: RebalancePlan) -> Line:
    side = {"BUY": Side.BUY, "SELL": Side.SELL, "HOLD": None}[plan.trade_direction]
    amount = abs(plan.trade_amount) if side is not None else ZERO
    return Line(side, amount, amount, "trades" if side is not None else "near_target")


def _agreed(rows: tuple[Compared, ...]) -> tuple[Compared, ...]:
    bad = unexplained(rows)
    if bad:
        first = bad[0]
        raise PortfolioRebalancingError(
            f"The engines differ in {len(bad)} of {len(rows)} symbols, unexplained: "
            f"{first.symbol}: {first.difference}. Nothing was sent.",
            code="engines_differ",
            place=first.symbol,
            value=len(bad),
            limit=0,
        )
    return rows


class RebalancerMonitor:
    """What two engines took and gave, to the log; a difference is an event too."""

    def __init__(self, observe: Callable[[Event], object] | None = None) -> None:
        self._observe = observe

    def log_execution_comparison(
        self,
        old_time: float,
        new_time: float,
        old_orders: Sequence[OrderDetails],
        new_orders: Sequence[OrderDetails],
    ) -> None:
        """Seconds and orders of both, and the symbols that only one of them trades."""
        old, new = ({(o.symbol, o.side) for o in orders} for orders in (old_orders, new_orders))
        apart = sorted(f"{side} {symbol}" for symbol, side in old ^ new)
        LOGGER.info(
            "old %.3f s, %d orders; new %.3f s, %d orders; only one of them has: %s",
            old_time, len(old_orders), new_time, len(new_orders), ", ".join(apart) or "none",
        )  # fmt: skip

    def alert_on_behavioral_difference(self, difference_details: Iterable[Compared]) -> None:
        """An event and a warning of what nothing explains."""
        rows = unexplained(difference_details)
        if not rows:
            return
        texts = [f"{row.symbol}: {row.difference}" for row in rows]
        LOGGER.warning("The engines differ, unexplained: %s", "; ".join(texts))
        if self._observe is not None:
            self._observe(EnginesDiffer(len(rows), texts, "alert"))


def emergency_rollback_to_old_rebalancer(
    environment: MutableMapping[str, str] = os.environ,
) -> EngineSettings:
    """Go back to the reference engine with the next plan of this process; one under way ends as it
    began.

    For every process, set `engine.active` in execution.toml.
    """
    environment[variable("active")] = "reference"
    return engine_settings({}, environment)
