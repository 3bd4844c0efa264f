"""The form that asks for a plan: what can be planned, what was typed, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from steelyard.canonical import plain
from steelyard.errors import Fault, SteelyardError
from steelyard.plans.plan import Plan
from steelyard.runs.asked import MODES, Asked, of_mode
from steelyard.runs.stored import TRADED
from steelyard.services.house import House
from steelyard.store.buckets import Held, buckets
from steelyard.web.forms import Form
from steelyard.web.page_words import flow_in_words

FIELDS = ("bucket", "mode", "amount", "currency", "date")
MODE_WORDS = {
    "rebalance": ("Rebalance", "towards the targets"),
    "invest": ("Invest", "new money, nothing is sold"),
    "withdraw": ("Withdraw", "raise money by a day"),
}
PLACES = {
    "flow_past": "date",
    "withdrawal_too_large": "amount",
    "flow_without_rate": "currency",
    "no_such_bucket": "bucket",
    "no_such_mode": "mode",
}
"""Code of a fault -> the field that it is of."""
FLOW_WORDS = {
    "date '": "date",
    "date is missing": "date",
    "a deposit is there": "date",
    "currency '": "currency",
}
"""Words of a flow that cannot be used -> the field that they are of; else the amount's."""
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was typed; of_plan: the plan on whose page it stands, "" = its own page."""

    bucket: str = ""
    mode: str = MODES[0]
    amount: str = ""
    currency: str = ""
    date: str = ""
    of_plan: str = ""

    @classmethod
    def of(cls, form: Form) -> Filled:
        """What a form sent."""
        return cls(
            bucket=form.text("bucket"),
            mode=form.text("mode"),
            amount=form.text("amount"),
            currency=form.text("currency"),
            date=form.text("date"),
            of_plan=form.text("plan"),
        )

    @classmethod
    def of_made(cls, plan: Plan) -> Filled:
        """The form that asks for a plan like this one; several flows fit into no form."""
        if len(plan.flows) != 1:
            return cls(bucket=plan.bucket)
        flow = plan.flows[0]
        leaves = flow.amount < 0
        return cls(
            bucket=plan.bucket,
            mode="withdraw" if leaves else "invest",
            amount=plain(abs(flow.amount)),
            currency=flow.currency,
            date=flow.date.isoformat() if leaves else "",
        )

    @property
    def query(self) -> str:
        """Of the address `/plans/new`, filled like this."""
        fields = {name: getattr(self, name) for name in FIELDS}
        return urlencode({name: text for name, text in fields.items() if text})

    def asked(self, base: str) -> Asked:
        """What is asked of the plan; raises InputError.

        base   currency where none was typed
        """
        return of_mode(
            self.mode or MODES[0], _plain(self.amount), self.currency.upper() or base, self.date
        )


@dataclass(frozen=True, slots=True)
class Asking:
    """The form as it is shown: what can be planned, what was typed, what is wrong with it.

    base     currency that counts where none was typed
    faults   those that stand above all; `at` has those of a field
    """

    filled: Filled
    names: tuple[str, ...]
    base: str
    faults: tuple[Fault, ...]
    at: Mapping[str, str]


def asking(here: House, filled: Filled, error: SteelyardError | None = None) -> dict[str, Any]:
    """What the form is drawn from."""
    loaded = [held for held in buckets(here.store()) if _can_be_planned(held)]
    own = next((held for held in loaded if held.name == filled.bucket), None)
    first = own or (loaded[0] if loaded else None)
    base = "" if first is None else first.base_currency or ""
    faults = () if error is None else error.faults
    at = dict.fromkeys(FIELDS, "")
    typed = {name: str(getattr(filled, name)) for name in FIELDS}
    at |= {
        place: flow_in_words(fault, place, typed) for fault in faults if (place := _place(fault))
    }
    above = tuple(fault for fault in faults if not _place(fault))
    names = tuple(held.name for held in loaded)
    return {"asks": Asking(filled, names, base, above, at), "modes": MODE_WORDS}


def asked_query(plan: Plan) -> str:
    """The query of `/plans/new` that asks again for what was asked of a plan."""
    return Filled.of_made(plan).query


def _can_be_planned(held: Held) -> bool:
    return held.portfolio is not None and (held.kind == "core" or held.status in TRADED)


def _place(fault: Fault) -> str:
    """The field of a fault; "" = it stands above all."""
    if fault.code in PLACES:
        return PLACES[fault.code]
    if fault.code == "bad_flow":
        fields = [name for word, name in FLOW_WORDS.items() if word in fault.message]
        return fields[0] if fields else "amount"
    return "bucket" if fault.place == "--bucket" else ""


def _plain(amount: str) -> str:
    """An amount as pages show them, 5,000.00, without its commas; any other as it is."""
    return amount.replace(",", "") if THOUSANDS.fullmatch(amount) else amount
