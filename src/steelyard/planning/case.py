"""All that a plan is a function of, as one record, and its hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from steelyard.canonical import plain, published, sha256
from steelyard.estimates.estimate import TEN_YEARS
from steelyard.market import Market
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind
from steelyard.orders import Order
from steelyard.planning.kept_out import KeptOut
from steelyard.portfolio import BucketState, Holding, Security, Snapshot
from steelyard.strategies import Strategy
from steelyard.targets import Band, Targets, TargetsFailed

REGIME_PATTERN = "market_regime"
"""Where it is on, the regime of the market sets limits in every scope."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a plan is a function of.

    targets    weights by symbol; a failure with its reason; None = the heuristics plan alone
    state      what the bucket remembers
    seed       of every random draw
    disabled   modules out of service -> why; by name or qualified name
    """

    snapshot: Snapshot
    market: Market
    strategy: Strategy
    targets: Targets | TargetsFailed | None = None
    state: BucketState = field(default_factory=BucketState)
    seed: int = 0
    disabled: Mapping[str, str] = field(default_factory=dict)

    @property
    def target_weights(self) -> Targets | None:
        """The targets, where there are any."""
        return self.targets if isinstance(self.targets, Targets) else None

    @property
    def follows_regime(self) -> bool:
        """Does the regime of the market set limits: is what asks for it on and in service?"""
        choice = self.strategy.choice(Kind.PATTERN, REGIME_PATTERN)
        names = {choice.module.name, choice.module.qualified}
        return choice.enabled and not names & set(self.disabled)

    def with_setting(self, section: str, name: str, value: float) -> Case:
        """The case with one number of its strategy changed."""
        changed = getattr(self.strategy, section).model_copy(update={name: value})
        return replace(self, strategy=replace(self.strategy, **{section: changed}))


def inputs_sha256(case: Case, ctx: Context, kept_out: Sequence[KeptOut] = ()) -> str:
    """SHA-256 over snapshot, quotes, rates, closes, targets, strategy, state, seed, disabled.

    Truncated at the as-of date and restricted to the planning set of `ctx`, so that what cannot
    matter cannot change it.
    """
    members = set(ctx.symbols)
    snapshot, market, state, targets = case.snapshot, case.market, case.state, case.target_weights
    return sha256(
        {
            "as_of": snapshot.as_of.isoformat(),
            "base_currency": snapshot.base_currency,
            "bucket": snapshot.bucket,
            "cash": {currency: plain(amount) for currency, amount in snapshot.cash.items()},
            "holdings": [
                _holding(holding) for holding in sorted(snapshot.holdings, key=lambda h: h.symbol)
            ],
            "cash_rates": _cash_rates(snapshot, market),
            "open_orders": sorted(_open_order(order) for order in snapshot.open_orders),
            "excluded": sorted(snapshot.excluded),
            "securities": [_security(security) for security in ctx.securities],
            "quotes": {
                symbol: [plain(quote.price), quote.on.isoformat()]
                for symbol, quote in market.quotes.items()
                if symbol in members
            },
            "fx": [float(rate) for rate in ctx.fx],
            "adjusted": market.adjusted,
            "closes": _closes(ctx, market),
            "targets": (
                None
                if targets is None
                else {symbol: weight for symbol, weight in targets.weights.items() if weight > 0}
            ),
            "strategy": case.strategy.sha256,
            "state": [
                state.previous_verdict,
                state.funding,
                state.high_water_mark,
                state.unit_value,
            ],
            "dividends": {
                symbol: plain(amount)
                for symbol, amount in state.dividends.items()
                if symbol in members
            },
            "regime": [
                ctx.regime.name,
                None if ctx.regime.distance is None else published(ctx.regime.distance),
                ctx.regime.observations,
            ],
            "seed": case.seed,
            "disabled": dict(case.disabled),
            **_where_used(snapshot, kept_out),
            **_bands_and_classes(targets, ctx.securities),
            **_of_lots(case),
        }
    )


def _where_used(snapshot: Snapshot, kept_out: Sequence[KeptOut]) -> dict[str, Any]:
    """What few portfolios have: without it the hash is as it was before it could be told."""
    parts: dict[str, Any] = {
        "settling": sorted(
            [entry.currency, plain(entry.amount), entry.on.isoformat()]
            for entry in snapshot.settling
        ),
        "flows": sorted(
            [flow.currency, plain(flow.amount), flow.on.isoformat()] for flow in snapshot.flows
        ),
        "kept_out": [
            [
                *_security(position.security),
                "" if position.quote is None else plain(position.quote.price),
                "" if position.quote is None else position.quote.on.isoformat(),
                "" if position.rate is None else plain(position.rate),
            ]
            for position in kept_out
        ],
    }
    return {name: part for name, part in parts.items() if part}


def _bands_and_classes(targets: Targets | None, securities: Sequence[Security]) -> dict[str, Any]:
    """What a targets file says beside weights; without it the hash is as it was before."""
    if targets is None:
        return {}
    members = [
        [security.symbol, security.classes.get(targets.dimension), security.preference]
        for security in securities
    ]
    parts: dict[str, Any] = {
        "bands": _bands(targets.bands),
        "classes": dict(targets.classes),
        "class_bands": _bands(targets.class_bands),
        "dimension": targets.dimension,
        "members": members if targets.classes else [],
    }
    return {name: part for name, part in parts.items() if part}


def _bands(bands: Mapping[str, Band]) -> list[Any]:
    return sorted([name, band.absolute, band.relative] for name, band in bands.items())


def _of_lots(case: Case) -> dict[str, Any]:
    """What a strategy of tax lots looks at besides, where it is said."""
    realised = case.state.realised_gain
    parts: dict[str, Any] = {
        "realised_gain": None if realised is None else plain(realised),
        "alike": sorted(
            [s.symbol, s.substitute, s.preference, *sorted(map(list, s.classes.items()))]
            for s in case.snapshot.securities
            if s.substitute or s.classes
        ),
    }
    return {name: part for name, part in parts.items() if part not in (None, [])}


def _cash_rates(snapshot: Snapshot, market: Market) -> dict[str, str]:
    """Rates of the balances: they count whether or not a security is quoted in that currency."""
    rates = {currency: market.fx.latest(currency, snapshot.as_of) for currency in snapshot.balances}
    return {currency: plain(rate.rate) for currency, rate in rates.items() if rate is not None}


def _open_order(order: Order) -> list[str]:
    limit = "" if order.limit_price is None else plain(order.limit_price)
    return [
        order.client_order_id,
        order.symbol,
        order.side.value,
        plain(order.open_quantity),
        limit,
    ]


def _holding(holding: Holding) -> list[Any]:
    lots = sorted(
        [
            plain(lot.quantity),
            str(lot.acquired),
            "" if lot.unit_cost is None else plain(lot.unit_cost),
        ]
        for lot in holding.lots
    )
    return [
        holding.symbol,
        plain(holding.quantity),
        lots,
        str(holding.last_bought),
        str(holding.last_sold),
        *([f"at a loss {holding.last_loss}"] if holding.last_loss else []),
    ]


def _security(security: Security) -> list[Any]:
    return [
        security.symbol,
        security.currency,
        security.name,
        security.product_type,
        plain(security.lot_size),
        sorted(security.sectors),
        sorted(security.countries),
        security.group,
        security.dividend_yield,
        security.quality,
        security.priority_multiplier,
        security.allow_buy,
        security.allow_sell,
        *([] if security.multiplier == 1 else [plain(security.multiplier)]),
        *([] if security.expected_return is None else ["return", security.expected_return]),
    ]


def _closes(ctx: Context, market: Market) -> str:
    """Hash of the rows that any estimate may look at, in base currency."""
    currencies, stale = [s.currency for s in ctx.securities], ctx.limits.max_stale_sessions
    return market.closes_sha256(ctx.symbols, currencies, stale, TEN_YEARS + 1)
