"""What a run was begun with: kept with it, so that resuming it needs nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from steelyard.canonical import plain
from steelyard.execution.approved import Approved, approved
from steelyard.execution.flatten import flattened, is_flattening
from steelyard.orders import Side
from steelyard.plans.account import LotShown
from steelyard.plans.plan import Plan, content


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a run was begun with.

    document      the plan, as it was saved
    saved_at      when; None where nobody knows
    began_at      by the broker's clock
    equity_base   of the account when it began
    engine        settings of the engine that are frozen for it
    limits        what the rails obeyed when it began
    """

    document: str
    saved_at: datetime | None
    began_at: datetime
    equity_base: Decimal
    engine: dict[str, Any]
    limits: dict[str, Any]

    def text(self) -> str:
        """As JSON."""
        values = asdict(self)
        values["saved_at"] = None if self.saved_at is None else self.saved_at.isoformat()
        values["began_at"] = self.began_at.isoformat()
        values["equity_base"] = plain(self.equity_base)
        return json.dumps(values, sort_keys=True)

    @property
    def approved(self) -> Approved:
        """The plan as execution sees it."""
        return orders_of(self.document, self.saved_at)

    @property
    def lots(self) -> dict[str, tuple[LotShown, ...]]:
        """Symbol -> lots that the plan sells, in its order; none where no plan stands behind."""
        values = content(self.document.encode())
        if is_flattening(values):
            return {}
        steps = Plan.from_document(values).steps
        return {step.symbol: step.lots for step in steps if step.side is Side.SELL}


def orders_of(document: str, saved_at: datetime | None = None) -> Approved:
    """What a document approves: a plan's, or that of selling everything."""
    values = content(document.encode())
    if is_flattening(values):
        return flattened(values)
    return approved(Plan.from_document(values), saved_at)


def request_of(text: str) -> Request:
    """Back from `Request.text`."""
    values = json.loads(text)
    saved = values["saved_at"]
    return Request(
        document=values["document"],
        saved_at=None if saved is None else datetime.fromisoformat(saved),
        began_at=datetime.fromisoformat(values["began_at"]),
        equity_base=Decimal(values["equity_base"]),
        engine=values["engine"],
        limits=values["limits"],
    )
