"""Modules as classes: the style of the documents, beside the decorators that everything else uses.

A class says its `metadata`, may say its `default_params()`, and has one method that does the work;
that method may be `async`, and is run to its end. An object of it, once registered with its kind,
is a module like every other: parameters become a model, their values come as a dictionary.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import create_model

from steelyard.arrays import PAD, IntArray
from steelyard.errors import ModuleError, UnknownModule, did_you_mean
from steelyard.modules.candidates import Candidate, Candidates, Ruling
from steelyard.modules.context import Context
from steelyard.modules.registry import (
    Form,
    Kind,
    Module,
    ModuleMetadata,
    ModuleParams,
    add,
    first_paragraph,
    modules,
)

PLAIN = (bool, int, float, str)
"""Types of defaults that bind the type of a parameter; others take any value."""


class CalculationModule(ABC):
    """What the four kinds share."""

    kind: ClassVar[Kind]
    form: ClassVar[Form | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        """The documents' own plugin uses ModuleMetadata without importing it: it is there."""
        super().__init_subclass__(**options)
        own = vars(cls).get("metadata")
        if isinstance(own, property) and isinstance(own.fget, FunctionType):
            own.fget.__globals__.setdefault(ModuleMetadata.__name__, ModuleMetadata)

    @property
    @abstractmethod
    def metadata(self) -> ModuleMetadata:
        """Name, version and what else the module says of itself."""

    def default_params(self) -> dict[str, Any]:
        """Parameters and their defaults."""
        return {}

    def validate_dependencies(self, enabled: Iterable[str]) -> list[str]:
        """A sentence for each dependency that none of the enabled modules (qualified) meets."""
        names = [f"{name}." for name in enabled]
        return [
            f"{self.metadata.name} requires {needs.replace('|', ' or ')}, which is not enabled"
            for needs in self.metadata.dependencies
            if not any(name.startswith(f"{need}.") for need in needs.split("|") for name in names)
        ]

    @abstractmethod
    def call(self, *inputs: Any) -> Any:
        """What the registry calls: a context, what the kind adds, and the parameters as a model."""

    def as_module(self) -> Module:
        """The record that the registry keeps."""
        metadata = self.metadata
        fields: dict[str, Any] = {
            name: (type(value) if isinstance(value, PLAIN) else Any, value)
            for name, value in self.default_params().items()
        }
        return Module(
            kind=self.kind,
            name=metadata.name,
            version=metadata.version,
            summary=metadata.description or first_paragraph(type(self).__doc__),
            params=create_model(f"{type(self).__name__}Params", __base__=ModuleParams, **fields),
            call=self.call,
            author=metadata.author,
            tags=_texts(metadata.tags),
            form=self.form,
            requires_python=metadata.requires_python,
            dependencies=_texts(metadata.dependencies),
        )


class OpportunityCalculator(CalculationModule):
    """Wishes: which changes of weight may be worth trading."""

    kind = Kind.OPPORTUNITY

    @abstractmethod
    async def calculate(self, context: Context, params: dict[str, Any]) -> list[Candidate]:
        """See `opportunities`."""

    def call(self, context: Context, params: ModuleParams) -> list[Candidate]:
        """Run `calculate` to its end."""
        return list(completed(self.calculate, context, params.model_dump()))


class PatternGenerator(CalculationModule):
    """Seed sequences with one intent."""

    kind = Kind.PATTERN

    @abstractmethod
    async def generate(
        self, context: Context, candidates: Candidates, params: dict[str, Any]
    ) -> Sequence[Sequence[int]]:
        """Lists of candidate indices; see `patterns`."""

    def call(self, context: Context, candidates: Candidates, params: ModuleParams) -> IntArray:
        """Run `generate` to its end."""
        rows = completed(self.generate, context, candidates, params.model_dump())
        return _rows(rows, context.search.max_depth)


class SequenceGenerator(CalculationModule):
    """Many sequences, from the candidates and the seeds of the patterns."""

    kind = Kind.SEQUENCE
    form = "sequences"

    @abstractmethod
    async def generate(
        self, context: Context, candidates: Candidates, seeds: IntArray, params: dict[str, Any]
    ) -> Sequence[Sequence[int]]:
        """Lists of candidate indices; see `sequences`."""

    def call(
        self, context: Context, candidates: Candidates, seeds: IntArray, params: ModuleParams
    ) -> Iterator[IntArray]:
        """Run `generate` to its end: one block."""
        rows = completed(self.generate, context, candidates, seeds, params.model_dump())
        yield _rows(rows, context.search.max_depth)


class SequenceFilter(CalculationModule):
    """What may not be traded; `form` as in `filters`, a mask unless the class says otherwise."""

    kind = Kind.FILTER
    form: ClassVar[Literal["mask", "pairs", "rows", "rank"]] = "mask"

    @abstractmethod
    async def filter(
        self, context: Context, candidates: Candidates, params: dict[str, Any]
    ) -> Ruling | Any:
        """A Ruling, or what the form says."""

    def call(self, context: Context, candidates: Candidates, params: ModuleParams) -> Any:
        """Run `filter` to its end."""
        return completed(self.filter, context, candidates, params.model_dump())


def completed(function: Callable[..., Any], *inputs: Any) -> Any:
    """What a function returns; a coroutine is run to its end, beside a running loop in a thread."""
    answer = function(*inputs)
    if not inspect.iscoroutine(answer):
        return answer
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(answer)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, answer).result()


def _texts(texts: Sequence[str]) -> tuple[str, ...]:
    """As a tuple; one text is no list of its letters, and the registry says so."""
    return texts if isinstance(texts, str) else tuple(texts)  # type: ignore[return-value]


def _rows(sequences: Sequence[Sequence[int]], depth: int) -> IntArray:
    """Lists of indices as (k, depth) rows; one that is too long keeps its length, and is told."""
    width = max([depth, *map(len, sequences)])
    rows = [[*row, *[PAD] * (width - len(row))] for row in sequences]
    return np.array(rows, dtype=np.int64).reshape(-1, width)


class View:
    """The registry of one kind, by the names of the usage guide."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def get(self, name: str) -> Module | None:
        """The module of that name; None when there is none (`module` suggests near names)."""
        return modules(self.kind).get(name)

    def get_all(self) -> dict[str, Module]:
        """Every module of the kind, by name."""
        return dict(modules(self.kind))

    def register(self, instance: Any) -> None:
        """Register an object; raises ModuleError for another kind or the name of another."""
        module = instance.as_module() if hasattr(instance, "as_module") else None
        if not isinstance(module, Module) or module.kind is not self.kind:
            what = f"{type(instance).__name__} is not a module of {self.kind}"
            raise ModuleError(
                f"{what}. It was not registered.",
                code="not_a_module",
                value=type(instance).__name__,
                limit=str(self.kind),
            )
        add(module)


def get_module_by_name(name: str) -> Module:
    """The module of a name, bare or as `kind.name`; raises UnknownModule with the nearest.

    A bare name that several kinds have, like `profit_taking`, is the first of them in the order of
    the documents: calculators, patterns, generators, filters, score terms.
    """
    kind, _, bare = name.rpartition(".")
    for family in Kind:
        if kind in {"", family.value} and bare in modules(family):
            return modules(family)[bare]
    qualified = [module.qualified for family in Kind for module in modules(family).values()]
    names = qualified if kind else sorted({entry.rpartition(".")[2] for entry in qualified})
    near = did_you_mean(name, names)
    raise UnknownModule(
        f"There is no module {name}.{near}", place="name", value=name, hint=near.strip()
    )


opportunity_calculator_registry = opportunity_registry = View(Kind.OPPORTUNITY)
pattern_generator_registry = View(Kind.PATTERN)
sequence_generator_registry = View(Kind.SEQUENCE)
filter_registry = View(Kind.FILTER)
