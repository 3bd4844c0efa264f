"""Importers by name: how a file is recognised and read. Ours, and those of other packages.

An importer is one file with one function from a `Source` to a `Statement` and what it is recognised
by, bound together in an `Importer`. Ours are the files of `brokers/`, each with its `IMPORTER`; of
another package it is an entry point of the group `steelyard.importers` whose object is one. Those
run in this process, with the rights of who runs it: they are the user's own choice to install.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module, metadata
from types import MappingProxyType

from steelyard.errors import InputError, did_you_mean, one_line
from steelyard.importers.statement import Source, Statement
from steelyard.importers.values import NOTHING, shown
from steelyard.notices import Notice

GROUP = "steelyard.importers"
OWN, GENERIC = "own", "generic"
WITHOUT_IMPORTER = {OWN: "our own form", GENERIC: "any table with a header, by --map"}
"""What `--as` may name beside the importers."""
BUILT_IN = "built-in"
UNKNOWN_FILE = "unknown_file"
"""Code of the error for a file that no importer recognises."""
LINES_SHOWN = 3
LONGEST_WHY = 200
"""Characters of what another package's error says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """One form of a file.

    name        by which `--as` calls it: lower case, like "schwab"
    title       for people: "Schwab positions"
    recognises  is a file of this form? By what is in it, never by its name; must not raise
    read        the statement; raises InputError for a file that is no such table
    extra       of our optional dependencies, where it needs one: "ofx"
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Statement]
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """An importer and where it is from: built in, or a package with its version."""

    importer: Importer
    source: str = BUILT_IN


@dataclass(frozen=True, slots=True)
class Forms:
    """Every importer by its name, ours first, and what is wrong with those of other packages."""

    by_name: MappingProxyType[str, Form]
    problems: tuple[Notice, ...] = ()


def forms() -> Forms:
    """What can be read: ours, then those of installed packages that do not take a name of ours."""
    by_name = {importer.name: Form(importer) for importer in _built_in()}
    problems: list[Notice] = []
    installed = metadata.entry_points(group=GROUP)
    for entry in sorted(set(installed), key=lambda entry: (entry.name, entry.value)):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "another package"
        used = entry.name in {*by_name, *WITHOUT_IMPORTER}
        form, wrong = (None, "another has its name") if used else _loaded(entry, package)
        if form:
            by_name[form.importer.name] = form
        else:
            problems.append(_problem(entry.name, package, wrong))
    return Forms(MappingProxyType(by_name), tuple(problems))


def choose(
    source: Source, name: str | None = None, problems: list[Notice] | None = None
) -> Importer:
    """The importer that `--as` names, else the one that recognises the file.

    problems   gets what is wrong with importers of other packages that were asked
    Raises InputError for a name of none, and for a file that none or several recognise.
    """
    every = forms()
    if name is not None:
        return _named(name, every)
    problems = [] if problems is None else problems
    problems.extend(every.problems)
    fitting = [form for form in every.by_name.values() if _recognises(form, source, problems)]
    if not fitting:
        raise _nothing_fits(source, every)
    if len(fitting) > 1:
        ways = " and ".join(
            f"as {form.importer.title} (--as {form.importer.name})" for form in fitting
        )
        hint = f"say which: --as {fitting[0].importer.name}"
        raise InputError(
            f"{source.name} can be read {ways}. {NOTHING} {hint.capitalize()}.",
            code="several_forms",
            place=source.name,
            value=", ".join(form.importer.name for form in fitting),
            limit="one form",
            hint=hint,
        )
    return fitting[0].importer


def _built_in() -> Iterator[Importer]:
    """The `IMPORTER` of every file of `brokers/`, by the names of the files."""
    from steelyard.importers import brokers  # noqa: PLC0415 each of them imports this file

    for module in pkgutil.iter_modules(brokers.__path__):
        importer = getattr(import_module(f"{brokers.__name__}.{module.name}"), "IMPORTER", None)
        if isinstance(importer, Importer):
            yield importer


def _loaded(entry: metadata.EntryPoint, package: str) -> tuple[Form | None, str]:
    """The importer of an entry point, or why there is none."""
    try:
        importer = entry.load()
    except Exception as error:  # noqa: BLE001 another package may raise anything
        return None, f"it cannot be loaded: {_why(error)}"
    if not isinstance(importer, Importer):
        return None, f"its object is no Importer: {type(importer).__name__}"
    if not isinstance(importer.name, str) or importer.name != entry.name:
        return None, f"its importer is called {shown(str(importer.name))}; both need one name"
    return Form(replace(importer, read=_reading(importer, package)), package), ""


def _reading(importer: Importer, package: str) -> Callable[[Source], Statement]:
    """`read` of another package's importer: what it raises beside our errors is an InputError."""

    def read(source: Source) -> Statement:
        why, cause = "it gives no Statement", None
        try:
            statement = importer.read(source)
            if isinstance(statement, Statement):
                return statement
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 another package may raise anything
            why, cause = _why(error), error
        what = f"The importer {importer.name} of {package} failed on {source.name}: {why}"
        raise InputError(
            f"{what}. {NOTHING} Tell its author.",
            code="importer_failed",
            place=source.name,
            value=importer.name,
            hint="tell its author",
        ) from cause

    return read


def _recognises(form: Form, source: Source, problems: list[Notice]) -> bool:
    """Is a file of this form? An importer of another package that raises is a problem, and no."""
    if form.source == BUILT_IN:
        return form.importer.recognises(source)
    try:
        return bool(form.importer.recognises(source))
    except Exception as error:  # noqa: BLE001 another package may raise anything
        why = f"it failed when it was asked about {source.name}: {_why(error)}"
        problems.append(_problem(form.importer.name, form.source, why))
        return False


def _why(error: Exception) -> str:
    return one_line(f"{type(error).__name__} {error}", LONGEST_WHY)


def _problem(name: str, package: str, why: str) -> Notice:
    message = f"The importer {shown(name)} of {package} is not used: {why}."
    return Notice(code="importer", message=message, head=True)


def _named(name: str, every: Forms) -> Importer:
    form = every.by_name.get(name.strip().lower())
    if form:
        return form.importer
    broken = " ".join(notice.message for notice in every.problems if shown(name) in notice.message)
    names = [*WITHOUT_IMPORTER, *every.by_name]
    near, listed = did_you_mean(name, names), ", ".join(names)
    raise InputError(
        f"There is no form {shown(name)}.{near} {broken or f'There are {listed}.'} {NOTHING}",
        code="unknown_form",
        place="--as",
        value=name,
        limit=listed,
        hint=near.strip() or "steelyard import --list names them",
    )


def _nothing_fits(source: Source, every: Forms) -> InputError:
    begins = _begins(source)
    titles = ", ".join(form.importer.title for form in every.by_name.values())
    hint = "say which column is which: --map symbol=COLUMN --map quantity=COLUMN"
    return InputError(
        f"{source.name} is of no form that is known; {begins}. {NOTHING} Known are our own form "
        f"(a first line symbol,quantity) and {titles}. For another table {hint}.",
        code=UNKNOWN_FILE,
        place=source.name,
        limit=", ".join(every.by_name),
        hint=hint,
    )


def _begins(source: Source) -> str:
    """How its first lines read."""
    lines = [line.strip() for line in source.head.splitlines() if line.strip()]
    if not lines:
        return "it is no text"
    return f"it begins {', '.join(map(shown, lines[:LINES_SHOWN]))}"
