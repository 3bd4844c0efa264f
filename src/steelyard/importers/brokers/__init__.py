"""Files as brokers and portfolio programs write them, one form a file.

In: a `Source`. Out: a `Statement`. To add one: a file here with `IMPORTER`, recognised by what is
in the file; its name stands in `NAMES`, the more particular before the more general.
"""

from __future__ import annotations

from importlib import import_module

from steelyard.importers.registry import Importer

NAMES = ("schwab", "fidelity", "vanguard", "degiro", "portfolio_performance")
FORMS: tuple[Importer, ...]
"""Every form of `NAMES`, read when first asked for: a file of our own form needs none of them."""


def __getattr__(name: str) -> object:
    if name != "FORMS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    forms = tuple(import_module(f"{__name__}.{form}").IMPORTER for form in NAMES)
    globals()["FORMS"] = forms
    return forms
