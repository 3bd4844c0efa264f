"""The code of the rebalancer plan, as written there, runs on our names, and ours do what it means.

What defines a class runs as that class, with ours behind it where it takes names for granted.
"""

from __future__ import annotations
import __future__

import hashlib
import io
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, Optional

import pytest
from rich.console import Console

from builders.paths import ROOT
from steelyard import compat
from steelyard.compat import (
    FeatureFlags,
    LegacyPortfolioRebalancerAdapter,
    PortfolioDisplay,
    PortfolioRebalancer,
    PortfolioRebalancingError,
    PositionAnalyzer,
    PositionDelta,
    RebalanceCalculator,
    RebalanceOrchestrator,
    RebalancePlan,
    RebalancerBehaviorValidator,
    RebalancerMonitor,
    RebalancingConfig,
    RebalancingConfigLoader,
    StrategyAttributionEngine,
    StrategyType,
    SymbolClassifier,
    emergency_rollback_to_old_rebalancer,
    env_bool,
    translate,
)
from steelyard.errors import InputError, PlanRefused, SettingsError
from steelyard.execution.attribution.rules import read_rules
from steelyard.importers import Inputs
from steelyard.orders import Side
from steelyard.rebalance.shadow import Agreement, Line, Sent, Settled, compare
from steelyard.telemetry.events import EnginesDiffer, Event

PAGE = Path(__file__).parent / "rebalancer.txt"
FENCE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
WRITTEN = "7a319b14649c9a6b389fa0f2c58ba6275d3c19ae0216022be01b0751522b378d"
"""SHA-256 of the document's blocks, one after the other: no formatter may touch them."""
BLOCKS = {
    match["title"]: match["text"] for match in FENCE.finditer(PAGE.read_text(encoding="utf-8"))
}
OUTLINE = "3.2 Create Execution Coordinators"
TARGETS = {"AAPL": Decimal("0.5"), "MSFT": Decimal("0.3")}
VALUES = {"AAPL": Decimal(4000), "MSFT": Decimal(4000)}
TOTAL = Decimal(10_000)


def block(title: str, **more: Any) -> dict[str, Any]:
    """What a block defines, with our names behind it."""
    names = {name: getattr(compat, name) for name in compat.__all__}
    typing = {"Dict": dict, "List": list, "Optional": Optional, "Literal": Literal, "Any": Any}
    space = {**names, **typing, "dataclass": dataclass, "Decimal": Decimal, **more}
    flags = __future__.annotations.compiler_flag
    exec(compile(translate(BLOCKS[title]), title, "exec", flags), space)
    return space


def test_the_blocks_are_those_of_the_document_and_all_but_an_outline_run():
    assert hashlib.sha256("".join(BLOCKS.values()).encode()).hexdigest() == WRITTEN
    with pytest.raises(SyntaxError):
        block(OUTLINE)
    for title in BLOCKS.keys() - {OUTLINE}:
        assert block(title, Console=Console), title


def test_value_objects_have_the_fields_and_directions_of_ours():
    theirs = block("1.1 Create Value Objects")
    for name, own in (("RebalancePlan", RebalancePlan), ("PositionDelta", PositionDelta)):
        assert [f.name for f in fields(theirs[name])] == [f.name for f in fields(own)]
    for amount, needs in ((5, True), (-5, True), (5, False)):
        figures = ["A", *map(Decimal, (0, 0, 0, 0, 0, amount))]
        row, ours = (kind(*figures, needs) for kind in (theirs["RebalancePlan"], RebalancePlan))
        assert row.trade_direction == ours.trade_direction


def test_the_calculator_of_the_document_gives_what_ours_gives():
    theirs = block("1.2 Extract Pure Calculation Logic")["RebalanceCalculator"]()

    rows = theirs.calculate_rebalance_plan(TARGETS, VALUES, TOTAL)
    ours = RebalanceCalculator().calculate_rebalance_plan(TARGETS, VALUES, TOTAL)

    assert {s: (row.trade_direction, row.trade_amount) for s, row in rows.items()} == {
        s: (row.trade_direction, row.trade_amount) for s, row in ours.items()
    }
    assert ours["AAPL"].weight_diff == Decimal("0.1")


def test_a_point_of_drift_trades_where_the_floats_of_the_document_miss_it():
    ours = RebalanceCalculator().calculate_rebalance_plan

    plan = ours({"A": Decimal("0.35")}, {"A": Decimal(3400)}, TOTAL)["A"]

    assert 0.35 - 0.34 < 0.01
    assert (plan.trade_direction, plan.trade_amount) == ("BUY", 100)


def test_what_the_document_answers_with_nonsense_is_refused():
    for total in (Decimal(0), Decimal(-5)):
        with pytest.raises(PlanRefused, match="no equity"):
            RebalanceCalculator().calculate_rebalance_plan(TARGETS, VALUES, total)
    with pytest.raises(InputError, match="over 1"):
        RebalanceCalculator().calculate_rebalance_plan({"A": "0.6", "B": "0.6"}, {}, TOTAL)


@pytest.mark.parametrize(("current", "target"), [("10", "10.009"), ("10", "8"), ("2", "9.5")])
def test_the_analyzer_of_the_document_does_what_ours_does(current: str, target: str):
    theirs = block("1.2 Extract Pure Calculation Logic")["PositionAnalyzer"]()
    shares = Decimal(current), Decimal(target)

    delta, ours = (a.calculate_position_delta("A", *shares) for a in (theirs, PositionAnalyzer()))

    assert (delta.action, delta.quantity) == (ours.action, ours.quantity)


def test_an_exit_is_never_more_than_is_there():
    theirs = block("1.2 Extract Pure Calculation Logic")["PositionAnalyzer"]()
    every = Decimal("7.2273576")

    asked, ours = (
        a.calculate_position_delta("SQQQ", every, Decimal(0)) for a in (theirs, PositionAnalyzer())
    )

    assert asked.quantity > every  # 7.227358: a broker refuses it
    assert ours.quantity == every


def test_each_symbol_is_of_the_strategy_that_the_document_says_by_rules_that_are_data():
    space = block("2.1 Create Strategy Attribution Engine")
    theirs, ours = space["SymbolClassifier"](), SymbolClassifier()
    example = SymbolClassifier(read_rules(ROOT / "examples" / "attribution.toml"))

    for symbol in sorted(theirs.NUCLEAR_SYMBOLS | theirs.TECL_SYMBOLS | {"AAPL"}):
        due = theirs.classify_symbol(symbol)
        assert ours.classify_symbol(symbol) is due
        assert example.classify_symbol(symbol) is due
    asked = {"SMR": [StrategyType.TECL, StrategyType.KLM], "QQQ": []}
    for symbol in ("SMR", "QQQ", "AAPL"):
        assert StrategyAttributionEngine(ours).get_primary_strategy(symbol, asked) is space[
            "StrategyAttributionEngine"
        ](theirs).get_primary_strategy(symbol, asked)


def their_rebalancer(inputs: Inputs, money: Decimal) -> Any:
    """The orchestrator of the document, with our arithmetic and our two phases behind it."""
    weights = inputs.targets.weights if inputs.targets else {}  # type: ignore[union-attr]
    shown: list[str] = []
    ours = PortfolioRebalancer(inputs, StrategyAttributionEngine(SymbolClassifier()))
    orders = ours.rebalance_portfolio(weights)
    phases = RebalanceOrchestrator()

    clean = block("3.1 Clean Portfolio Rebalancer")["PortfolioRebalancer"]

    class Whole(clean):  # type: ignore[misc]
        def _extract_position_values(self, positions: Mapping[str, Decimal]) -> Any:
            return positions

        def _execute_sell_orders(self, *_: Any) -> Any:
            return phases.execute_sell_phase(orders)

        def _wait_for_settlement(self, *_: Any) -> None:
            shown.append("settled")

        def _execute_buy_orders(self, *_: Any) -> Any:
            return phases.execute_buy_phase(orders, money)

    account = SimpleNamespace(get_account_info=lambda: SimpleNamespace(portfolio_value=TOTAL))
    owned = SimpleNamespace(get_positions_dict=lambda: VALUES, get_positions=list)
    display = SimpleNamespace(show_rebalancing_summary=lambda *_: shown.append("summary"))
    errors = SimpleNamespace(handle_error=lambda **_: shown.append("error"))
    whole = Whole(
        RebalanceCalculator(), None, PositionAnalyzer(), None, owned, account, None, display, errors
    )
    return whole, shown, orders


def test_the_orchestrator_of_the_document_sells_settles_and_buys_with_ours(inputs: Inputs):
    whole, shown, orders = their_rebalancer(inputs, Decimal(10**6))

    done = whole.rebalance_portfolio(TARGETS)

    assert done == orders
    assert [order.side for order in done] == sorted((o.side for o in done), reverse=True)
    assert shown == ["settled", "summary"]
    with pytest.raises(PortfolioRebalancingError, match="Portfolio rebalancing failed"):
        whole.rebalance_portfolio({"AAPL": Decimal(2)})
    assert shown[-1] == "error"


def test_buys_are_no_more_than_the_money(inputs: Inputs):
    whole, _, orders = their_rebalancer(inputs, Decimal(7000))

    bought = [o.estimated_value for o in whole.rebalance_portfolio(TARGETS) if o.side == "buy"]

    assert 0 < sum(bought) <= 7000 < sum(o.estimated_value for o in orders if o.side == "buy")


def printed(display: Any, recording: Console) -> str:
    display.show_liquidation_notice("SPY", "not in target")
    display.show_rebalancing_action(PositionAnalyzer().calculate_position_delta("A", TOTAL, TOTAL))
    display.show_buy_order_details("QQQ", Decimal(1234), Decimal("99.98"), Decimal("100.02"))
    display.show_buy_order_details("QQQ", Decimal(1234), Decimal(0), Decimal(0))
    return recording.file.getvalue()  # type: ignore[attr-defined]


def test_the_display_of_the_document_prints_what_ours_prints():
    theirs, ours = (Console(file=io.StringIO(), width=120) for _ in range(2))
    display = block("4.1 Display Logic Separation", Console=lambda: theirs)["PortfolioDisplay"]()

    assert printed(display, theirs) == printed(PortfolioDisplay(ours), ours)


def test_what_a_terminal_would_obey_is_shown_and_not_obeyed():
    console = Console(file=io.StringIO(), width=120)

    PortfolioDisplay(console).show_liquidation_notice("\x1b[2J", "[red]")

    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in text
    assert "[red]" in text


def test_the_configuration_has_the_documents_names_and_defaults():
    space = block("6.1 Externalize Configuration")
    settings = SimpleNamespace(
        rebalancing=SimpleNamespace(min_trade_threshold=0.02, cash_reserve_ratio="0.1")
    )

    theirs = space["RebalancingConfigLoader"].load_from_settings(settings)
    ours = RebalancingConfigLoader.load_from_settings(settings)

    assert vars(theirs) == {f.name: getattr(ours, f.name) for f in fields(ours)}
    assert vars(space["RebalancingConfig"]()) == {
        f.name: getattr(RebalancingConfig(), f.name) for f in fields(RebalancingConfig)
    }
    thresholds = ours.thresholds
    assert (thresholds.drift_band_weight, thresholds.cash_reserve_weight) == (
        Decimal("0.02"), Decimal("0.1"),
    )  # fmt: skip
    assert thresholds.quantity_step == Decimal("0.000001")


def test_the_flags_of_the_document_are_ours(monkeypatch: pytest.MonkeyPatch):
    theirs = block("Feature Flag Infrastructure")["FeatureFlags"]

    assert vars(theirs()) == {f.name: getattr(FeatureFlags(), f.name) for f in fields(FeatureFlags)}
    assert FeatureFlags.from_environment() == FeatureFlags(True, True, True)
    for new in (True, False):
        monkeypatch.setenv("USE_NEW_PORTFOLIO_REBALANCER", str(new))
        monkeypatch.setenv("ENABLE_REBALANCER_COMPARISON", "no")
        assert theirs.from_environment().use_new_portfolio_rebalancer is new
        assert FeatureFlags.from_environment() == FeatureFlags(new, False, True)
    monkeypatch.setenv("STEELYARD_ENGINE_ACTIVE", "fast")
    assert FeatureFlags.from_environment().use_new_portfolio_rebalancer
    with pytest.raises(SettingsError):
        env_bool("FLAG", default=False, environment={"FLAG": "perhaps"})


def test_going_back_takes_effect_with_the_next_call_and_there_is_something_to_go_back_to(
    inputs: Inputs,
):
    weights = inputs.targets.weights if inputs.targets else {}  # type: ignore[union-attr]
    environment = {"USE_NEW_PORTFOLIO_REBALANCER": "1"}
    adapter = LegacyPortfolioRebalancerAdapter(
        inputs, lambda: FeatureFlags.from_environment(environment)
    )

    new = adapter.rebalance_portfolio(weights)
    settings = emergency_rollback_to_old_rebalancer(environment)
    old = adapter.rebalance_portfolio(weights)

    assert settings.active == "reference"
    assert new != old
    assert adapter.rebalance_portfolio(weights) == old
    # the adapter of the document has nothing to go back to
    space = block(
        "Phase 4: Gradual Migration (Week 3-4)",
        settings=SimpleNamespace(feature_flags=FeatureFlags()),
    )
    theirs = type(
        "Whole", (space["LegacyPortfolioRebalancerAdapter"],),
        {"_create_new_rebalancer": lambda self: adapter},
    )  # fmt: skip
    with pytest.raises(AttributeError, match="_old_rebalancer"):
        theirs(None).rebalance_portfolio({})


def test_the_validator_finds_what_the_documents_passes_over():
    theirs = block("Behavioral Validation")["RebalancerBehaviorValidator"]()
    ours, calculate = RebalancerBehaviorValidator(), RebalanceCalculator().calculate_rebalance_plan
    plans = calculate(TARGETS, VALUES, TOTAL)

    theirs.validate_portfolio_calculation({"A": 1.0}, {"A": 1.001})
    assert {row.agreement for row in ours.validate_portfolio_calculation(plans, plans)} == {
        Agreement.EQUAL
    }
    fewer = {symbol: row for symbol, row in plans.items() if symbol != "MSFT"}
    for pair in ((plans, fewer), (fewer, plans)):
        with pytest.raises(PortfolioRebalancingError, match="unexplained: MSFT"):
            ours.validate_portfolio_calculation(*pair)


def test_orders_and_settlements_are_validated_too():
    ours = RebalancerBehaviorValidator()
    sale = Sent("sell", Side.SELL, "A", Decimal(1))
    filled = Settled("filled", Decimal(1), Decimal(9))

    assert ours.validate_order_sequence([sale], [sale])
    assert ours.validate_settlement_behavior({"A": filled}, {"A": filled})
    with pytest.raises(PortfolioRebalancingError):
        ours.validate_order_sequence([sale], [])
    with pytest.raises(PortfolioRebalancingError):
        ours.validate_settlement_behavior({"A": filled}, {})


def test_the_monitor_logs_times_and_orders_and_alerts_where_engines_differ(
    caplog: pytest.LogCaptureFixture, inputs: Inputs
):
    told: list[Event] = []
    monitor = RebalancerMonitor(told.append)
    _, _, orders = their_rebalancer(inputs, TOTAL)

    with caplog.at_level(logging.INFO, "steelyard.engines"):
        monitor.log_execution_comparison(1.5, 0.5, orders[1:], orders)
    monitor.alert_on_behavioral_difference(())
    assert told == []
    rows = compare({"B": Line(Side.BUY, Decimal(1), Decimal(1), "trades")}, {}, {})
    monitor.alert_on_behavioral_difference(rows)

    assert "only one of them has: sell AAPL" in caplog.text
    assert told == [EnginesDiffer(1, [f"B: {rows[0].difference}"], "alert")]
