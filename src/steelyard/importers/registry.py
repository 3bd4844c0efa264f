"""Importers by name: how a file is recognised and read. Ours, and those of other packages.

An importer is one file with one function from a `Source` to a `Statement` and a table of what it is
recognised by; it registers itself with `importer`. From outside: an entry point of the group
`steelyard.importers` whose object is an `Importer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steelyard.importers.statement import Source, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """One form of a file.

    name        by which `--as` calls it: lower case, like "schwab"
    title       for people: "Schwab positions"
    recognises  is a file of this form? By what is in it, never by its name; must not raise
    read        the statement; raises InputError for a file that is no such table
    account     what of the file names an account, for docs; "" = nothing does
    extra       of our optional dependencies, where it needs one: "ofx"
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Statement]
    extra: str = ""


def choose(source: Source, name: str | None = None) -> Importer:
    """Temporary."""
    from steelyard.importers.brokers import FORMS

    return next(form for form in FORMS if form.recognises(source))
