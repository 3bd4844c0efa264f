"""The plan document: one schema for the command line, the report, the API and the store.

Money, prices and quantities are decimal strings; weights, scores and ratios are numbers with 12
significant digits; what is missing is null, never NaN. `plan_id` is the SHA-256 of the document
without `plan_id`, `warnings`, `timings`, `transport`, `explanation`, `certificate.seconds` and
`certificate.nodes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import models_json_schema

from steelyard.canonical import Amount, FactValue, Number, Positive, Record, sha256
from steelyard.notices import Coverage, ModuleRun, Notice, Timing
from steelyard.plans import brief, frames, versions
from steelyard.plans.account import (
    BandShown,
    CashRung,
    ClassShown,
    Drift,
    FlowShown,
    HoldingAfter,
    HoldingShown,
    KeptOutShown,
    ModuleShown,
    OpenOrderShown,
    PricesAsOf,
    RealisedGain,
    RegimeShown,
    Rules,
    SettingsShown,
    SettlingShown,
    StrategyRef,
)
from steelyard.plans.answers import Explanation, Told, WhatIf
from steelyard.plans.columnar import COLUMNAR, TABLE, TABLES, fold, unfold
from steelyard.plans.orders import (
    PROPOSED,
    TEMPLATE,
    Alternative,
    CandidateShown,
    Conversion,
    NotTraded,
    PlanCosts,
    SecondHalf,
    Step,
)
from steelyard.plans.outlook import FrontierPoint, Outlook
from steelyard.plans.score import Certificate, Objective, ScoreShown
from steelyard.settings import Section

SCHEMA: Literal["steelyard.plan/1"] = "steelyard.plan/1"
SCHEMA_ID = "urn:steelyard:plan:1"
VERSION = "1.8"
"""Of the JSON Schema: the second number goes up with each field that is added."""
Occasion = Literal["shortfall", "new_money", "band"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Transport(Record):
    """Who did the work of a plan, by address; `local` is the planner itself. Not part of its id."""

    steps: Annotated[dict[str, str], Field(description="step to who did it")]
    batches: Annotated[dict[str, int], Field(description="who to how many batches it evaluated")]


class Verdict(Record):
    """What to do, in one sentence. `previous` is the verdict that was handed in."""

    action: Literal["act", "hold"]
    previous: Literal["act", "hold"] | None
    text: str
    template: Annotated[str, Field(description=f"of `text`: {TEMPLATE}")]
    detail: str
    detail_template: Annotated[str, Field(description="of `detail`, in the same way")]
    facts: dict[str, FactValue]


class Plan(Record):
    """A plan; "hold" is one. See the module docstring for units."""

    schema_: Annotated[Literal["steelyard.plan/1"], Field(alias="schema")] = SCHEMA
    plan_id: str
    verdict: Verdict
    bucket: str
    as_of: date
    prices_as_of: PricesAsOf
    price_source: str
    strategy: StrategyRef
    base_currency: str
    value: Amount = Field(description="all that is owned and deposits; withdrawals still in it")
    flows: tuple[FlowShown, ...] = Field(
        description="money that the owner brings or takes out; weights are of value less "
        "withdrawals"
    )
    occasions: tuple[Occasion, ...] = Field(
        description="what is traded for whatever the score gains: a shortfall of cash, new money, "
        "a weight outside its band"
    )
    cash: dict[str, Amount]
    settling: tuple[SettlingShown, ...] = Field(
        description="money that settles after the day of the plan: in `value`, not in `cash`"
    )
    cash_after: dict[str, Amount] = Field(
        description="each balance when all has settled, what was on its way and the plan"
    )
    cash_rates: dict[str, Positive] = Field(
        description="base per unit of each currency of which there is cash, settled or not"
    )
    reserve: Amount
    reserve_reason: Annotated[Told, Field(description="which setting the reserve is from")]
    open_buys: Amount
    open_orders: tuple[OpenOrderShown, ...] = Field(
        description="orders that were open before the plan"
    )
    rules: Rules
    excluded: tuple[str, ...]
    kept_out: tuple[KeptOutShown, ...] = Field(
        description="positions that are valued and not traded: shorts, options, futures"
    )
    holdings: tuple[HoldingShown, ...]
    holdings_after: tuple[HoldingAfter, ...]
    bands: tuple[BandShown, ...] = Field(description="around every target that has one")
    classes: tuple[ClassShown, ...] = Field(description="of a targets file with rows of classes")
    realised_gain: RealisedGain | None = Field(
        description="of the plan's sales; null where nothing is sold"
    )
    candidates: tuple[CandidateShown, ...]
    steps: tuple[Step, ...]
    second_half: SecondHalf | None = Field(
        description="where settled money alone pays and this plan only sells: what it sells for; "
        "else null"
    )
    proposed_by: Annotated[tuple[str, ...], Field(description=PROPOSED)]
    conversions: tuple[Conversion, ...]
    score: ScoreShown
    objective: Objective
    certificate: Certificate
    alternatives: tuple[Alternative, ...]
    frontier: tuple[FrontierPoint, ...] = Field(
        description="multi_objective alone: the lists that no other beats in all four; by score"
    )
    choice_rule: str | None = Field(
        description="what the plan was chosen by; null where the score of today alone decides"
    )
    outlook: Outlook | None = Field(
        description="what the plan was chosen by besides the score of today; null where by nothing"
    )
    what_if: WhatIf | None = Field(
        description="what-if reports; null unless a generator of them is on"
    )
    explanation: Explanation | None
    regime: Annotated[RegimeShown, Field(description="what the market does")]
    drift: Drift
    turnover: Number
    costs: PlanCosts
    cash_ladder: tuple[CashRung, ...]
    not_traded: tuple[NotTraded, ...]
    problems: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    data_coverage: tuple[Coverage, ...]
    reproducible: bool
    modules: tuple[ModuleRun, ...]
    timings: tuple[Timing, ...]
    transport: Annotated[
        Transport | None, Field(description="who did the steps; null where no service was asked")
    ]
    seed: int
    inputs_sha256: str

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def __repr__(self) -> str:
        """The plan on one screen."""
        return brief.text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """What a notebook shows: the head and the orders."""
        return brief.html(self)

    def columns(self, table: str = "steps") -> dict[str, list[Any]]:
        """A list of the document, as steps, holdings or candidates, column by column: numbers as
        floats, NaN where there is none. Raises InputError for a name that no list has.
        """
        return frames.columns_of(self, table)

    def to_frame(
        self, table: str = "steps", library: Literal["pandas", "polars"] | None = None
    ) -> Any:
        """The same as a DataFrame, of pandas where nothing is said and it is installed.

        Raises InputError where neither pandas nor polars is.
        """
        return frames.frame_of(self.columns(table), library)

    def document(self) -> dict[str, Any]:
        """The document as plain JSON values."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """The document as JSON text, keys in the order of the schema: indented; where lists are
        long these are columns, and every field of the plan a line.
        """
        folded = fold(self.document())
        if COLUMNAR not in folded:
            return json.dumps(folded, indent=2, ensure_ascii=False, allow_nan=False)
        lines = (f"{json.dumps(key)}: {_compact(value)}" for key, value in folded.items())
        return "{\n" + ",\n".join(lines) + "\n}"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """The plan of a document in either form; raises ValueError for what is none.

        Fields of a later version are passed over; those that came after the document's are as they
        were before they came. What has changed since it was made is not noticed: compare
        `plan_id` of `content`.
        """
        return cls.from_document(content(text))

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Plan:
        """The plan of a document as `content` gives it; raises ValueError for what is none."""
        try:
            return cls.model_validate_json(json.dumps(document))
        except ValidationError as error:
            other = _of_this_version(document, error)
            if other is None:
                raise
        return cls.from_document(other)

    def in_base(self, balances: Mapping[str, Decimal]) -> Decimal:
        """Balances by currency in base currency; an empty one needs no rate."""
        rates = {**self.cash_rates, self.base_currency: Decimal(1)}
        return sum((amount * rates[c] for c, amount in balances.items() if amount), Decimal(0))

    @property
    def balances(self) -> dict[str, Decimal]:
        """All cash before the plan by currency, settled or on its way, after every flow."""
        whole = dict(self.cash)
        moving = [(entry.currency, entry.amount) for entry in self.settling]
        moving += [(flow.currency, flow.amount) for flow in self.flows]
        for currency, amount in moving:
            whole[currency] = whole.get(currency, Decimal(0)) + amount
        return whole

    @property
    def names_lots(self) -> bool:
        """Must the broker be told which lots are sold?"""
        lots = self.strategy.settings.get("lots", {})
        return bool(lots.get("method") == "specific")

    @property
    def base_of_weights(self) -> Decimal:
        """What weights are of, base currency: the value less withdrawals."""
        out = (flow.amount * flow.fx_rate for flow in self.flows if flow.amount < 0)
        return self.value + sum(out, Decimal(0))

    @property
    def rests(self) -> bool:
        """Is no more traded than what is traded whatever the score gains?"""
        orders = [(step.symbol, step.side, step.quantity) for step in self.steps]
        named = {other.name: other for other in self.alternatives}
        base = named.get("asked_for")
        steps = () if base is None else base.steps
        return sorted(orders) == sorted((step.symbol, step.side, step.quantity) for step in steps)

    def step(self, symbol: str) -> Step | None:
        """The step that trades a symbol; None when nothing does."""
        return next((step for step in self.steps if step.symbol == symbol), None)


def content(text: str | bytes) -> dict[str, Any]:
    """A document in either form, its lists as lists; raises ValueError for what is no JSON."""
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    return unfold(document) if COLUMNAR in document else document


def _of_this_version(document: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """The document with the fields of this version; None where that is not all that is wrong."""
    wrong: dict[str, list[versions.Place]] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        wrong.setdefault(fault["type"], []).append(fault["loc"])
    later, earlier = wrong.pop("extra_forbidden", []), wrong.pop("missing", [])
    if wrong:
        return None
    shorter = versions.without(document, later)
    return versions.completed(shorter, earlier) if earlier else shorter


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


OUTSIDE_ID = ("plan_id", "warnings", "timings", "transport", "explanation")
"""Parts of the document that say how it was made, not what it says."""


def plan_id(document: dict[str, Any]) -> str:
    """SHA-256 of the document's content as canonical JSON, 64 hexadecimal digits."""
    content = {key: value for key, value in document.items() if key not in OUTSIDE_ID}
    content["certificate"] = {
        key: value
        for key, value in document["certificate"].items()
        if key not in {"seconds", "nodes"}
    }
    return sha256(content)


def seal(plan: Plan) -> Plan:
    """The same plan with its id filled in."""
    return plan.model_copy(update={"plan_id": plan_id(plan.document())})


def json_schema() -> dict[str, Any]:
    """JSON Schema of documents of this version and of those before and after it.

    The settings of the strategy are in it. Every list of records may be a list or, where `columnar`
    names it, columns. What came later than the first version is not required, and no record is
    closed to more.
    """
    _, schema = models_json_schema(
        [(Plan, "serialization"), (SettingsShown, "serialization")], by_alias=True
    )
    records = schema["$defs"]
    for record in records.values():
        for field in record.get("properties", {}).values():
            _or_columns(field)
    for record in records.values():
        if record.get("additionalProperties") is False:
            del record["additionalProperties"]
    # of a module without one, and of the score alone, nothing is written: they came no later
    del records[ModuleShown.__name__]["properties"]["digest"]["default"]
    del records[SettingsShown.__name__]["properties"]["evaluation"]["default"]
    for settings in _sections(SettingsShown):
        records[settings].pop("required", None)
    plan = records.pop(Plan.__name__)
    versions.optional(plan, records)
    plan["properties"] = {**plan["properties"], COLUMNAR: TABLES}
    shown = records["StrategyRef"]["properties"]["settings"]
    reference = {"$ref": f"#/$defs/{SettingsShown.__name__}", "description": shown["description"]}
    records["StrategyRef"]["properties"]["settings"] = reference
    records["Table"] = TABLE
    return {"$schema": DIALECT, "$id": SCHEMA_ID, "version": VERSION, "$defs": records, **plan}


def _sections(model: type[BaseModel]) -> Iterator[str]:
    """Names of the records of settings, each of whose fields has a default."""
    for info in model.model_fields.values():
        for kind in (info.annotation, *get_args(info.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield kind.__name__
                yield from _sections(kind)


def _or_columns(field: dict[str, Any]) -> None:
    """A list of records may be columns too."""
    if field.get("type") == "array" and "$ref" in field.get("items", {}):
        listed = {key: field.pop(key) for key in ("type", "items")}
        field["anyOf"] = [listed, {"$ref": "#/$defs/Table"}]
