"""`/api/runs`: what was executed, from the journal, to be read only.

Nothing is armed, sent or stopped over HTTP, and no key of a broker is in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.listing import run_document
from steelyard.services.api.fields import Answer, Here
from steelyard.services.api.paging import Page, cut
from steelyard.services.api.remembered import Remembered
from steelyard.services.house import House
from steelyard.services.security.roles import needs

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=Remembered)

LONGEST = 64
RunInPath = Annotated[str, Path(min_length=1, max_length=LONGEST)]


class Order(Answer):
    """An order of a run; quantities and prices are decimal strings."""

    client_order_id: str | None
    symbol: str
    side: str
    quantity: str
    filled_quantity: str
    average_price: str | None
    state: str
    reason: str
    limit_price: str
    step: int
    attempt: int
    sent: bool


class Run(Answer):
    """A run of a plan, and its orders."""

    run_id: str
    plan_id: str
    bucket: str
    account: str
    mode: str
    state: str
    outcome: str | None
    reason: str
    created_at: str
    ended_at: str | None
    orders: list[Order]


class Runs(Answer):
    """The runs, the newest first."""

    runs: list[Run]
    next: str | None


class OfAccount(Page):
    """Query of the list."""

    account: Annotated[
        str | None, Field(min_length=1, max_length=LONGEST, description="only of this account")
    ] = None


@router.get("", dependencies=[needs("viewer")], summary="What was executed")
def list_(here: Here, query: Annotated[OfAccount, Query()]) -> Runs:
    """The runs with their orders, the newest first."""
    with _journal(here) as journal:
        shown, then = cut(rows.runs(journal, query.account), query, lambda run: run.run_id)
        return Runs(runs=[Run(**run_document(journal, run)) for run in shown], next=then)


@router.get("/{run_id}", dependencies=[needs("viewer")], summary="One run")
def get(here: Here, run_id: RunInPath) -> Run:
    """A run with its orders; `last` is the newest."""
    with _journal(here) as journal:
        return Run(**run_document(journal, rows.run(journal, run_id)))


@contextmanager
def _journal(house: House) -> Iterator[Journal]:
    with closing(open_to_look(house.home)) as journal:
        yield journal
