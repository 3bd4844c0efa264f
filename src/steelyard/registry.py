"""Registered modules: five kinds, one decorator each, found by package name at the first look-up.

A module is one function with one frozen parameter model. Its name, version, author, summary, tags and needs
travel in the decorator; the function's first docstring line is the summary unless one is given.

To add one: drop a file into the folder of its kind.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from steelyard.errors import ModuleError, UnknownModule, did_you_mean
from steelyard.settings import Section

VERSION = re.compile(r"\d+\.\d+\.\d+")
NAME = re.compile(r"[a-z][a-z0-9_]*")

FilterForm = Literal["mask", "pairs", "rows", "rank"]
Form = FilterForm | Literal["sequences", "what_if"]
Need = Literal["target_weights", "no_target_weights"]
F = TypeVar("F", bound=Callable[..., Any])


class ModuleParams(Section):
    """Base of the parameter model of a module: frozen, strict, unknown keys are errors.

    Field descriptions, ranges and defaults become TOML options, JSON Schema and `docs/modules.md`.
    """


class Kind(StrEnum):
    """The five kinds, by their section in a strategy."""

    OPPORTUNITY = "opportunity_calculators"
    PATTERN = "pattern_generators"
    SEQUENCE = "sequence_generators"
    FILTER = "filters"
    TERM = "score_terms"


PACKAGES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OPPORTUNITY: "steelyard.opportunities",
        Kind.PATTERN: "steelyard.patterns",
        Kind.SEQUENCE: "steelyard.sequences",
        Kind.FILTER: "steelyard.filters",
        Kind.TERM: "steelyard.scoring",
    }
)


@dataclass(frozen=True, slots=True)
class Module:
    """One registered algorithm.

    call     the function; what it takes and gives is told in the docstring of its folder
    needs    inputs without which it does not run; the plan says so
    form     what a filter returns; of a sequence generator "sequences", or "what_if" for one whose rows are a report and
             never a plan; None for other kinds
    on       does it run when a strategy says nothing of it
    requires_python   version specifier, like ">=3.11"
    dependencies      what must be enabled beside it: qualified names, or a kind for any module of it; alternatives are
                      separated by `|`
    source   "built-in", or where a plugin came from
    digest   of a plugin's source, part of a strategy's hash; None for what is built in
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
    source: str = "built-in"
    digest: str | None = None

    @property
    def qualified(self) -> str:
        """`kind.name`, unique over all modules."""
        return f"{self.kind}.{self.name}"


_MODULES: dict[Kind, dict[str, Module]] = {kind: {} for kind in Kind}
_LOADED: set[Kind] = set()


def add(module: Module) -> None:
    """Register; raises ModuleError for a name or version that is not well formed and for a name that is taken."""
    if not NAME.fullmatch(module.name) or not VERSION.fullmatch(module.version):
        raise ModuleError(
            f"Module {module.name!r} version {module.version!r}: a name is lower case letters, digits and _, a version is like 1.0.0. "
            "It was not registered."
        )
    known = _MODULES[module.kind]
    if module.name in known:
        raise ModuleError(f"{module.qualified} is registered already ({known[module.name].version}). The second one was not registered.")
    known[module.name] = module


def _register(
    kind: Kind,
    name: str,
    *,
    version: str,
    params: type[ModuleParams],
    summary: str | None,
    author: str,
    tags: tuple[str, ...],
    needs: tuple[Need, ...],
    on: bool = True,
    form: Form | None = None,
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        told = summary or (inspect.getdoc(function) or "").partition("\n")[0]
        add(Module(kind, name, version, told, params, function, author, tags, needs, form, on, requires_python, dependencies))
        return function

    return decorate


def opportunity_calculator(
    name: str,
    *,
    version: str,
    params: type[ModuleParams],
    summary: str | None = None,
    author: str = "Steelyard",
    tags: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    on: bool = True,
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register `(Context, Params) -> list[Candidate]`."""
    return _register(
        Kind.OPPORTUNITY, name, version=version, params=params, summary=summary, author=author, tags=tags, needs=needs, on=on,
        requires_python=requires_python, dependencies=dependencies,
    )  # fmt: skip


def pattern_generator(
    name: str,
    *,
    version: str,
    params: type[ModuleParams],
    summary: str | None = None,
    author: str = "Steelyard",
    tags: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    on: bool = True,
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register `(Context, Candidates, Params) -> (k, d) rows`."""
    return _register(
        Kind.PATTERN, name, version=version, params=params, summary=summary, author=author, tags=tags, needs=needs, on=on,
        requires_python=requires_python, dependencies=dependencies,
    )  # fmt: skip


def sequence_generator(
    name: str,
    *,
    version: str,
    params: type[ModuleParams],
    summary: str | None = None,
    author: str = "Steelyard",
    tags: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    on: bool = True,
    form: Literal["sequences", "what_if"] = "sequences",
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register `(Context, Candidates, seeds, Params) -> iterator of (k, d) rows`; see `sequences` for the what-if form."""
    return _register(
        Kind.SEQUENCE, name, version=version, params=params, summary=summary, author=author, tags=tags, needs=needs, on=on, form=form,
        requires_python=requires_python, dependencies=dependencies,
    )  # fmt: skip


def sequence_filter(
    name: str,
    *,
    form: FilterForm,
    version: str,
    params: type[ModuleParams],
    summary: str | None = None,
    author: str = "Steelyard",
    tags: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    on: bool = True,
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register a filter that returns a mask `Ruling`, pair conflicts `(m, m)`, a row predicate or a `Ranking`, as `form` says."""
    return _register(
        Kind.FILTER, name, version=version, params=params, summary=summary, author=author, tags=tags, needs=needs, on=on, form=form,
        requires_python=requires_python, dependencies=dependencies,
    )  # fmt: skip


def score_term(
    name: str,
    *,
    version: str,
    params: type[ModuleParams],
    summary: str | None = None,
    author: str = "Steelyard",
    tags: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    on: bool = True,
    requires_python: str = ">=3.11",
    dependencies: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Register `(Context, Params) -> Term`."""
    return _register(
        Kind.TERM, name, version=version, params=params, summary=summary, author=author, tags=tags, needs=needs, on=on,
        requires_python=requires_python, dependencies=dependencies,
    )  # fmt: skip


def _load(kind: Kind) -> None:
    if kind in _LOADED:
        return
    package = importlib.import_module(PACKAGES[kind])
    for found in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{PACKAGES[kind]}.{found}")
    _LOADED.add(kind)


def modules(kind: Kind) -> Mapping[str, Module]:
    """Every registered module of a kind, by name, sorted."""
    _load(kind)
    return MappingProxyType(dict(sorted(_MODULES[kind].items())))


def module(kind: Kind, name: str) -> Module:
    """The module of that name; raises UnknownModule with the nearest known name."""
    known = modules(kind)
    if name not in known:
        raise UnknownModule(f"There is no {name!r} in {kind}.{did_you_mean(name, list(known))} Known: {', '.join(known)}.")
    return known[name]
