"""GET /<service>/health: up if it works, tried within a deadline: an evaluation, a database read.

Whoever has no token learns up or down alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import text

from steelyard.arrays import PAD
from steelyard.errors import InternalError, SteelyardError, one_line
from steelyard.ledger import Account, feasible
from steelyard.modules.tables import NormTable, Tables, evaluate
from steelyard.services.carriage.messages import Message
from steelyard.services.house import House
from steelyard.services.problems import MEDIA_TYPE
from steelyard.services.security.roles import caller_of
from steelyard.services.topology import Application

SECONDS = 2.0
"""Longest that a check may take."""
LONGEST = 500
"""Characters of what a check says."""
UNAVAILABLE = 503
LOGGER = logging.getLogger("steelyard.health")
Check = Callable[[House], None]

ROWS = np.array([[0, PAD], [1, PAD], [0, 1]], dtype=np.int64)
NETS, FITS = (0.3, 0.1, 0.3), (True, False, True)
"""Of a sale, a buy that only the sale pays for, and both together: by hand."""


class HealthForm(Message):
    """Up or down; with a token also the version and each check."""

    healthy: bool
    status: Annotated[str, Field(description="OK, or DOWN")]
    version: str | None = None
    checks: dict[str, str] | None = None


DOWN: dict[str, Any] = {
    "model": HealthForm,
    "description": "Down; or too busy to say.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def evaluation(_: House) -> None:
    """Three sequences over two orders, whose nets are known; raises InternalError for others."""
    nothing = np.zeros((0, 0), dtype=np.bool_)
    delta = np.array([-0.2, 0.2])
    account = Account(
        security=np.array([0, 1]), delta=delta, cost=np.zeros(2), conflicts=nothing,
        cash=0.0, spendable=0.0, reserve=0.0, settled_only=False, turnover_cap=None,
        group_shares=np.zeros((2, 0)), group_weights=np.zeros(0), group_cap=None,
    )  # fmt: skip
    pairs = np.array([[0.1, 0.05], [0.05, 0.2]])
    norm = NormTable(k=1.0, v0=1.0, linear=np.zeros(2), quadratic=np.zeros((2, 2)))
    nets = evaluate(Tables(np.array([0.4, 0.3]), pairs, (norm,)), ROWS)
    fits = feasible(account, ROWS)
    if not np.allclose(nets, NETS, atol=1e-12) or tuple(fits.tolist()) != FITS:
        raise InternalError(
            f"Three sequences whose nets are {NETS} came out as {nets.tolist()}. This service "
            "may not be used. Please report it.",
            code="health_evaluation",
            value=nets.tolist(),
            limit=NETS,
        )


def store(house: House) -> None:
    """One read of the database; raises StoreError."""
    with house.store().reading() as connection:
        connection.execute(text("SELECT COUNT(*) FROM strategy_version"))


CHECKS: Mapping[Application, Mapping[str, Check]] = {
    "opportunity": {"evaluation": evaluation},
    "generator": {"evaluation": evaluation},
    "evaluator": {"evaluation": evaluation},
    "coordinator": {"evaluation": evaluation, "store": store},
    "api": {"store": store},
    "ui": {"store": store},
}
"""Service -> what is tried."""


def health_router(name: Application) -> APIRouter:
    """The route by which a service is asked how it is."""
    router, last = APIRouter(), dict[str, str]()

    @router.get(
        f"/{name}/health",
        tags=["health"],
        response_model_exclude_none=True,
        responses={UNAVAILABLE: DOWN},
    )
    async def health(request: Request, response: Response) -> HealthForm:
        """200 where all that is tried works, else 503; without a token no more than that."""
        house: House = request.app.state.house
        checks = {what: await _tried(check, house) for what, check in CHECKS[name].items()}
        healthy = all(outcome == "ok" for outcome in checks.values())
        if not healthy:
            response.status_code = UNAVAILABLE
            if checks != last:  # it is asked all the time
                LOGGER.warning("%s is down: %s", name, checks)
        elif {*last.values()} - {"ok"}:
            LOGGER.warning("%s is well again", name)
        last.update(checks)
        status = "OK" if healthy else "DOWN"
        if caller_of(request) is None:
            return HealthForm(healthy=healthy, status=status)
        return HealthForm(
            healthy=healthy, status=status, version=version("steelyard"), checks=checks
        )

    return router


async def _tried(check: Check, house: House) -> str:
    """`ok`, or what went wrong; a check that hangs is left behind."""
    try:
        async with asyncio.timeout(SECONDS):
            await to_thread.run_sync(check, house, abandon_on_cancel=True, limiter=house.checking)
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except (SteelyardError, OSError, ArithmeticError, ValueError) as error:
        return one_line(str(error), LONGEST)
    return "ok"
