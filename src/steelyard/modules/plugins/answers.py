"""The form of every answer of a worker, as strict models: what does not have it is refused before
anybody looks at it.

Text is cut short by its limits and comes out as one line without control characters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from steelyard.modules.plugins.channel import words
from steelyard.modules.registry import FilterForm, Form, Kind, Need
from steelyard.sentences import Fact
from steelyard.settings import Finite, Section

MOST = 20_000
"""Entries of a list: more than a candidate table may have rows."""

Line = Annotated[str, Field(max_length=500), AfterValidator(words)]
Name = Annotated[str, Field(max_length=100), AfterValidator(words)]
Names = Annotated[tuple[Name, ...], Field(max_length=50)]
Number = Annotated[int, Field(ge=0)]
FORMS: Mapping[str, Callable[[str], Fact]] = {
    "text": str,
    "int": int,
    "float": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
}


class ModuleTold(Section):
    """What a module says of itself; see `registry.Module`."""

    kind: Kind
    name: Name
    version: Name
    summary: Line
    author: Name
    tags: Names
    needs: tuple[Need, ...]
    form: Form | FilterForm | None
    on: bool
    requires_python: Name
    dependencies: Annotated[tuple[Line, ...], Field(max_length=50)]
    schema_: Annotated[str, Field(alias="schema", max_length=200_000)]


class LoadedTold(Section):
    """The modules of a plugin."""

    modules: Annotated[tuple[ModuleTold, ...], Field(max_length=50)]


class FactTold(Section):
    """A fact of a sentence."""

    name: Name
    form: Literal["text", "int", "float", "decimal", "date"]
    value: Line

    @property
    def fact(self) -> Fact:
        """The value by its form; raises ValueError or ArithmeticError where it has another one."""
        return FORMS[self.form](self.value)


class SentenceTold(Section):
    """A template and its facts."""

    template: Line
    facts: Annotated[tuple[FactTold, ...], Field(max_length=20)]


class CandidateTold(Section):
    """See `context.Candidate`."""

    side: Literal["buy", "sell"]
    symbol: Line
    weights: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=100)]
    priority_weight: Finite
    why: SentenceTold
    tags: Names


class CandidatesTold(Section):
    """What a calculator wants."""

    candidates: Annotated[tuple[CandidateTold, ...], Field(max_length=MOST)]


class DropTold(Section):
    """See `context.Drop`, and the row that it is about."""

    row: Number
    rule: Name
    value: Finite | None
    limit: Finite | None
    why: SentenceTold


class RulingTold(Section):
    """See `context.Ruling`; the mask comes as an array."""

    drops: Annotated[tuple[DropTold, ...], Field(max_length=MOST)]
    unknown: Annotated[tuple[tuple[Line, Name], ...], Field(max_length=MOST)]


class MaskTold(Section):
    """What a mask filter says."""

    ruling: RulingTold


class PatternTold(Section):
    """The names of a pattern's variants, an array for each; None for a pattern without variants,
    which has one.
    """

    variants: Annotated[tuple[Name, ...], Field(max_length=64)] | None


class PairsTold(Section):
    """What a pair filter says; the pairs come as an array."""

    ruling: RulingTold | None


class KeptTold(Section):
    """The number of something that stays in the worker."""

    kept: Number


class RankTold(Section):
    """The value of a ranking, which stays in the worker, and how many rows stay in the plan."""

    kept: Number
    most: Annotated[int, Field(ge=1, le=1_000_000)]


class MoreTold(Section):
    """Is there another block? It comes as an array."""

    more: bool


class RawTold(Section):
    """A raw figure, as text: every digit of it."""

    raw: Annotated[str, Field(max_length=40)]


class ArraysTold(Section):
    """Everything comes as arrays."""


class PartTold(Section):
    """See `scoring.Part`; `slope`, `curvature` and `variance` are places among the arrays."""

    name: Name
    share: Annotated[float, Field(ge=0, le=1)]
    lo: Finite
    hi: Finite
    form: Name
    constant: Finite = 0.0
    slope: Number | None = None
    curvature: Number | None = None
    variance: Number | None = None
    kept: Number | None = None
    max_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class TermTold(Section):
    """See `scoring.Term`."""

    name: Name
    parts: Annotated[tuple[PartTold, ...], Field(min_length=1, max_length=50)]
