"""Registered modules: five kinds, one decorator each, found by package name at the first look-up.

A module is one function with one frozen parameter model. Its name, version, author, summary, tags
and needs travel in the decorator; the function's first docstring line is the summary unless one is
given.

To add one: drop a file into the folder of its kind. What is not part of the package is a plugin,
see `plugins`; what a script or a notebook registers is known, and off until a strategy names it:
`steelyard.plan(..., strategy={"opportunity_calculators": {"crumbs": {}}})`.
"""

from __future__ import annotations

import importlib
import inspect
import math
import operator
import pkgutil
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NotRequired, TypedDict, TypeVar, Unpack

from steelyard.errors import ModuleError, UnknownModule, did_you_mean
from steelyard.settings import Section

BUILT_IN = "built-in"
CODE = "code"
"""Source of what neither the package nor a plugin has."""
VERSION = re.compile(r"\d+\.\d+\.\d+")
NAME = re.compile(r"[a-z][a-z0-9_]*")
CLAUSE = re.compile(
    r"(?P<sign>>=|<=|==|!=|~=|>|<)\s*(?P<number>\d{1,4}(\.\d{1,4}){0,2})(?P<any>\.\*)?"
)
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}

FilterForm = Literal["mask", "pairs", "rows", "rank"]
PROTECTING = frozenset({"mask", "pairs", "rows"})
"""Forms of filters that forbid orders; a ranking forbids none."""
Form = FilterForm | Literal["sequences", "what_if"]
Need = Literal["target_weights", "no_target_weights", "market_regime", "wash_sale_days", "tax_rate"]
F = TypeVar("F", bound=Callable[..., Any])


class ModuleParams(Section):
    """Base of the parameter model of a module: frozen, strict, unknown keys are errors.

    Field descriptions, ranges and defaults become TOML options, JSON Schema and `docs/modules.md`.
    What is not built in may say how much it proposes, and is not believed.
    """

    def most_sizes(self) -> int | None:
        """Of a calculator: most sizes of a security and a side; None = it does not say."""
        return None

    def most_sequences(self, depth: int) -> int | None:  # noqa: ARG002 - some do not depend on it
        """Of a pattern or generator: most sequences of so many orders; None = it does not say."""
        return None


class Kind(StrEnum):
    """The five kinds, by their section in a strategy."""

    OPPORTUNITY = "opportunity_calculators"
    PATTERN = "pattern_generators"
    SEQUENCE = "sequence_generators"
    FILTER = "filters"
    TERM = "score_terms"


CACHED = (Kind.OPPORTUNITY, Kind.TERM)
"""Kinds whose answers hang on the context and their parameters alone."""
LONGEST_CACHED = 86_400
PACKAGES: Mapping[Kind, str] = {
    Kind.OPPORTUNITY: "steelyard.modules.opportunities",
    Kind.PATTERN: "steelyard.modules.patterns",
    Kind.SEQUENCE: "steelyard.modules.sequences",
    Kind.FILTER: "steelyard.modules.filters",
    Kind.TERM: "steelyard.modules.scoring",
}


@dataclass
class ModuleMetadata:
    """What a module says of itself; also what a class-style module gives.

    dependencies   see `Module`
    """

    name: str
    version: str
    author: str = ""
    description: str = ""
    requires_python: str = ">=3.11"
    dependencies: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


class Metadata(TypedDict):
    """What a decorator takes beside the name, see `Module`; by default it has its own summary."""

    version: str
    params: type[ModuleParams]
    summary: NotRequired[str]
    author: NotRequired[str]
    tags: NotRequired[tuple[str, ...]]
    needs: NotRequired[tuple[Need, ...]]
    on: NotRequired[bool]
    requires_python: NotRequired[str]
    dependencies: NotRequired[tuple[str, ...]]
    cache_seconds: NotRequired[float | None]


@dataclass(frozen=True, slots=True)
class Module:
    """One registered algorithm.

    call     the function; what it takes and gives is told in the docstring of its folder
    needs    inputs without which it does not run; the plan says so
    form     what a filter returns; of a sequence generator "sequences", or "what_if" for one whose
             rows are a report and never a plan; None for other kinds
    on       does it run when a strategy says nothing of it; acts for what is built in, and for a
             plugin that a strategy lists
    requires_python   version specifier, like ">=3.11"
    dependencies      what must be enabled beside it: qualified names, or a kind for any module of
                      it; alternatives are separated by `|`
    cache_seconds     how long an answer to the same context and parameters may be used again by
                      whoever plans with a cache; None or 0 = never
    source   BUILT_IN, CODE, or where a plugin came from
    digest   of a plugin's source, part of a strategy's hash; None for another module
    """

    kind: Kind
    name: str
    version: str
    summary: str
    params: type[ModuleParams]
    call: Callable[..., Any]
    author: str = "Steelyard"
    tags: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    form: Form | None = None
    on: bool = True
    requires_python: str = ">=3.11"
    dependencies: tuple[str, ...] = ()
    cache_seconds: float | None = None
    source: str = CODE
    digest: str | None = None

    @property
    def qualified(self) -> str:
        """`kind.name`, unique over all modules."""
        return f"{self.kind}.{self.name}"

    @property
    def metadata(self) -> ModuleMetadata:
        """What it says of itself, as one record."""
        return ModuleMetadata(
            self.name,
            self.version,
            self.author,
            self.summary,
            self.requires_python,
            list(self.dependencies),
            list(self.tags),
        )

    @property
    def protects(self) -> bool:
        """May it forbid orders? Then none is made on the sides that it guards while it fails."""
        return self.kind is Kind.FILTER and self.form in PROTECTING

    @property
    def guards(self) -> frozenset[str]:
        """The sides that it judges: those that its tags name, both where they name none."""
        sides = frozenset({"buy", "sell"})
        return (sides & set(self.tags) or sides) if self.protects else frozenset()

    def default_params(self) -> dict[str, Any]:
        """Its parameters at their defaults, as plain values."""
        return self.params().model_dump(mode="json", by_alias=True)


_MODULES: dict[Kind, dict[str, Module]] = {kind: {} for kind in Kind}
_LOADED: set[Kind] = set()


def add(module: Module) -> None:
    """Register, in place of what the same code registered before, as of a notebook cell that is run
    again.

    Raises ModuleError for metadata that are not well formed, another Python, and a name of another.
    """
    check(module)
    other = _MODULES[module.kind].get(module.name)
    if other is not None and code_of(other) != code_of(module):
        where = ".".join(code_of(other))
        raise ModuleError(
            f"{module.qualified} is registered already ({other.version}, {where}). The second one "
            "was not registered: give it another name, or change the first.",
            code="module_twice",
            place=module.qualified,
            value=other.version,
            hint="give it another name, or change the first",
        )
    _MODULES[module.kind][module.name] = module


def code_of(module: Module) -> tuple[str, str]:
    """The Python module and the name of the function, or of the class, that a module is."""
    owner = getattr(module.call, "__self__", None)
    code = module.call if owner is None else type(owner)
    return code.__module__, code.__qualname__


def check(module: Module) -> None:
    """Raises ModuleError for a module that may not be registered, whatever else is."""
    if not NAME.fullmatch(module.name) or not VERSION.fullmatch(module.version):
        raise ModuleError(
            f"Module {module.name!r} version {module.version!r}: a name is lower case letters, "
            "digits and _, a version is like 1.0.0. It was not registered.",
            code="module_name",
            value=f"{module.name} {module.version}",
            limit="lower case letters, digits and _; a version like 1.0.0",
        )
    lists: dict[str, object] = {"tags": module.tags, "dependencies": module.dependencies}
    for name, texts in lists.items():
        if isinstance(texts, str):
            raise ModuleError(
                f"{module.qualified}: its {name} are the text {texts!r}; a tuple of texts is due. "
                "It was not registered.",
                code="module_text_for_tuple",
                place=module.qualified,
                value=texts,
            )
    for dependency in module.dependencies:
        if not all(map(_may_be_needed, dependency.split("|"))):
            kinds = ", ".join(kind.value for kind in Kind)
            raise ModuleError(
                f"{module.qualified} depends on {dependency!r}; a dependency is a kind ({kinds}) or"
                " kind.name, alternatives apart by |. It was not registered.",
                code="module_dependency",
                place=module.qualified,
                value=dependency,
                limit=kinds,
            )
    _check_cache(module)
    if not python_fits(module.requires_python):
        running = ".".join(map(str, sys.version_info[:3]))
        raise ModuleError(
            f"{module.qualified} needs Python {module.requires_python}; this is {running}. It was "
            "not registered.",
            code="needs_python",
            place=module.qualified,
            value=running,
            limit=module.requires_python,
        )


def _check_cache(module: Module) -> None:
    """Raises ModuleError for answers that cannot be kept, or for no such time."""
    seconds = module.cache_seconds
    if seconds is None or (seconds == 0 and not isinstance(seconds, bool)):
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_CACHED:
        raise ModuleError(
            f"{module.qualified}: its cache_seconds are {module.cache_seconds!r}; a number from 0 "
            f"to {LONGEST_CACHED:,} is due, or None. It was not registered.",
            code="module_cache_seconds",
            place=module.qualified,
            value=repr(module.cache_seconds),
            limit=LONGEST_CACHED,
        )
    if module.kind not in CACHED:
        kinds = " and ".join(kind.value for kind in CACHED)
        raise ModuleError(
            f"{module.qualified} has cache_seconds, which {kinds} may have: what it answers hangs "
            "on a table of orders that is another in every plan. It was not registered: leave "
            "cache_seconds out.",
            code="module_not_cached",
            place=module.qualified,
            value=module.cache_seconds,
            limit=kinds,
            hint="leave cache_seconds out",
        )


def _may_be_needed(dependency: str) -> bool:
    kind, dot, name = dependency.partition(".")
    return kind in tuple(Kind) and (not dot or NAME.fullmatch(name) is not None)


def python_fits(specifier: str, running: tuple[int, ...] = sys.version_info[:3]) -> bool:
    """Does a Python satisfy every clause of a version specifier?

    Raises ModuleError for text that is not a specifier of released versions.

    >>> python_fits(">=3.11,<4", (3, 12, 1)), python_fits("~=3.11.2", (3, 12, 0))
    (True, False)
    """
    clauses = [CLAUSE.fullmatch(clause.strip()) for clause in specifier.split(",")]
    if not all(clauses):
        raise ModuleError(
            f"{specifier!r} is no version specifier; requires_python is like '>=3.11' or "
            "'>=3.11,<4'.",
            code="python_specifier",
            value=specifier,
            limit=">=3.11 or >=3.11,<4",
        )
    return all(
        _fits(clause["sign"], clause["number"], clause["any"] is not None, running)
        for clause in clauses
        if clause
    )


def _fits(sign: str, number: str, starred: bool, running: tuple[int, ...]) -> bool:
    version = tuple(map(int, number.split(".")))
    here = tuple(running[: len(version)]) if starred else tuple(running)
    padded = version if starred else version + (0,) * (len(here) - len(version))
    if sign == "~=":
        return here >= padded and here[: len(version) - 1] == version[:-1]
    return COMPARISONS[sign](here, padded)


def opportunity_calculator(name: str, **metadata: Unpack[Metadata]) -> Callable[[F], F]:
    """Register `(Context, Params) -> list[Candidate]`."""
    return _registering(Kind.OPPORTUNITY, name, None, metadata)


def pattern_generator(name: str, **metadata: Unpack[Metadata]) -> Callable[[F], F]:
    """Register `(Context, Candidates, Params) -> (k, d) rows`."""
    return _registering(Kind.PATTERN, name, None, metadata)


def sequence_generator(
    name: str, *, form: Literal["sequences", "what_if"] = "sequences", **metadata: Unpack[Metadata]
) -> Callable[[F], F]:
    """Register `(Context, Candidates, seeds, Params) -> iterator of (k, d) rows`."""
    return _registering(Kind.SEQUENCE, name, form, metadata)


def sequence_filter(
    name: str, *, form: FilterForm, **metadata: Unpack[Metadata]
) -> Callable[[F], F]:
    """Register what returns a `Ruling`, conflicts (m, m), a predicate or a `Ranking`."""
    return _registering(Kind.FILTER, name, form, metadata)


def score_term(name: str, **metadata: Unpack[Metadata]) -> Callable[[F], F]:
    """Register `(Context, Params) -> Term`."""
    return _registering(Kind.TERM, name, None, metadata)


def first_paragraph(docstring: str | None) -> str:
    """What a docstring says first, on one line."""
    return " ".join(inspect.cleandoc(docstring or "").partition("\n\n")[0].split())


def _registering(kind: Kind, name: str, form: Form | None, metadata: Metadata) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        summary = first_paragraph(function.__doc__)
        full: Metadata = {**metadata, "summary": metadata.get("summary", summary)}
        source = BUILT_IN if function.__module__.startswith(f"{PACKAGES[kind]}.") else CODE
        add(Module(kind=kind, name=name, call=function, form=form, source=source, **full))
        return function

    return decorate


def _load(kind: Kind) -> None:
    if kind in _LOADED:
        return
    package = importlib.import_module(PACKAGES[kind])
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{PACKAGES[kind]}.{name}")
    _LOADED.add(kind)


def modules(kind: Kind) -> Mapping[str, Module]:
    """Every registered module of a kind, by name, sorted."""
    _load(kind)
    return MappingProxyType(dict(sorted(_MODULES[kind].items())))


def registered(kind: Kind) -> tuple[Module, ...]:
    """What is registered so far, without looking for the built-in ones."""
    return tuple(_MODULES[kind].values())


def module(kind: Kind, name: str) -> Module:
    """The module of that name; raises UnknownModule with the nearest known name."""
    registry = modules(kind)
    if name not in registry:
        raise UnknownModule(
            f"There is no {name!r} in {kind}.{did_you_mean(name, list(registry))} Known: "
            f"{', '.join(registry)}.",
            value=name,
            place=str(kind),
            hint=did_you_mean(name, list(registry)).strip(),
        )
    return registry[name]
