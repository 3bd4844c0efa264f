"""What the tests of `compat` plan with: repositories as callers write them, and short words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from steelyard.compat import HolisticPlan, HolisticPlanner, PlannerConfiguration, PlannerContext
from steelyard.errors import InputError


def plan(
    context: PlannerContext, config: PlannerConfiguration | None = None, **given: Any
) -> HolisticPlan:
    return asyncio.run(HolisticPlanner(config, **given).plan(context))


def trades(made: HolisticPlan) -> list[tuple[str, str, float]]:
    return [(step.side, step.symbol, step.quantity) for step in made.steps]


def sides(made: HolisticPlan) -> set[str]:
    return {step.side for step in made.steps}


class Trades:
    """A trade repository, sync."""

    def __init__(self, history: Mapping[str, Mapping[str, Any]]) -> None:
        self.history = history

    def get_trade_history(self) -> Mapping[str, Mapping[str, Any]]:
        return self.history


class Settings:
    """A settings repository, async."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def _as(self, settings: Any) -> Settings:
        self.settings = settings
        return self

    async def get_all(self) -> Mapping[str, Any]:
        return self.settings


class Rates:
    """An exchange rate service, async."""

    async def get_rate(self, from_currency: str, to_currency: str) -> float:
        assert (from_currency, to_currency) == ("USD", "EUR")
        return 0.5


def refusal(context: PlannerContext, **options: Any) -> str:
    """What is said of a context, or of repositories, that is refused; empty where it is planned."""
    try:
        plan(context, **options)
    except InputError as error:
        return str(error)
    return ""
