"""What coordinator and services say to each other, in short: a context once, rows as int32.

The documents' self-contained requests are in `wire`; a service takes both.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from steelyard.arrays import IntArray
from steelyard.services.carriage.records import ArrayForm, RecordForm

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""Of the bytes of a context, or of what plans."""
Count = Annotated[int, Field(ge=0)]


class Message(BaseModel):
    """What is sent; nothing is in it that its model does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ChoiceForm(Message):
    """A module of a strategy: which, in which version, and how it runs."""

    name: str
    version: str
    digest: str | None
    enabled: bool
    params: dict[str, Any]
    why: str
    on_failure: Literal["block", "allow"]


class StrategyForm(Message):
    """A strategy as it plans: sections, the choice of every module, who set what."""

    name: str
    version: int | None
    sections: dict[str, dict[str, Any]]
    choices: dict[str, list[ChoiceForm]]
    sources: dict[str, str]
    lost: list[str]


class ContextForm(Message):
    """All that a service must know of one plan, sent once under the SHA-256 of its bytes.

    build      what plans: `context.build_sha256`; another one answers 409
    disabled   modules out of service -> why
    gone       modules that failed late in this plan -> error
    table      the finished candidate table; null for the service that makes it
    """

    build: Sha256
    context: RecordForm
    strategy: StrategyForm
    disabled: dict[str, str]
    gone: dict[str, str]
    bucket: str | None
    table: RecordForm | None


class Asked(Message):
    """A call that is of a context sent before; 404 asks to send it again."""

    context: Sha256


class GenerateAsked(Asked):
    """Sequences in batches of this size; the last may be shorter."""

    batch_size: Annotated[int, Field(ge=1, le=5000)]


class BatchForm(Asked):
    """Sequences to evaluate: `rows` (k, d) int32 indices into the table, -1 pads."""

    number: Count
    rows: ArrayForm


class ScoresForm(Message):
    """What a batch is worth: `net` (k,), -inf where infeasible."""

    number: Count
    net: ArrayForm


class ProveAsked(Asked):
    """The best proposals so far, from which the search starts: rows (k, d), net (k,)."""

    rows: ArrayForm
    net: ArrayForm
    seen: Count


class LateForm(Message):
    """A module failed after something was made with its answer: the plan is made without it."""

    module: str
    error: str
    struck: bool


class FaultForm(Message):
    """One thing that is wrong: see `errors.Fault`."""

    code: str
    message: str
    place: str
    value: str | None
    limit: str | None
    hint: str


class RefusedForm(Message):
    """There is no plan, whoever makes it: an error that is the planner's, not the service's."""

    kind: Literal["refused", "internal"]
    fault: FaultForm
    faults: list[FaultForm]


class StepForm(Message):
    """What a step gives: its result, and what it reports besides; or the module that failed late;
    or why there is no plan.

    result     of `carried.RESULTS`
    findings   of `carried.Report`
    """

    result: RecordForm | None = None
    findings: RecordForm | None = None
    late: LateForm | None = None
    refused: RefusedForm | None = None


class LineForm(Message):
    """A line of the generator's stream: a batch, or the last, which says what else there is.

    rows, origin   of a batch (k, d) and (k,)
    names          the modules known so far; `origin` is an index into them
    events         what was told before the batch: of `carried.Told`
    also           (a, 2) of the last line: a sequence's number, and a module's that proposed it too
    nothing        modules that proposed to do nothing
    """

    number: Count
    rows: ArrayForm | None = None
    origin: ArrayForm | None = None
    names: list[str] = []
    events: RecordForm | None = None
    also: ArrayForm | None = None
    nothing: list[str] = []
    end: StepForm | None = None


class Put(Message):
    """A context is there."""

    context: Sha256


def rows_form(rows: IntArray) -> ArrayForm:
    """Indices as int32."""
    return ArrayForm.of(rows.astype(np.int32))
