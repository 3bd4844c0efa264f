"""Tables of a plan as columns of numbers and texts: what frames are made of.

Decimals become floats, what is missing of them NaN; a record in a record gives a column for each of
its fields, `costs.total`; lists of texts are one text. Lists of records and facts stay behind: they
are in the document.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from steelyard.errors import InputError, did_you_mean

LIBRARIES = ("pandas", "polars")
BETWEEN = "; "


def tables(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Name -> kind of its rows, of every list of records of a model."""
    lists = {
        name: get_args(info.annotation)[0]
        for name, info in model.model_fields.items()
        if get_origin(info.annotation) is tuple
    }
    return {name: kind for name, kind in lists.items() if _is_record(kind)}


def columns_of(plan: BaseModel, table: str) -> dict[str, list[Any]]:
    """One table of a plan, column by column; raises InputError for a name that no table has."""
    kinds = tables(type(plan))
    if table not in kinds:
        near = did_you_mean(table, [*kinds])
        raise InputError(
            f"A plan has no table {table!r}.{near} It has {', '.join(kinds)}.",
            code="no_table",
            value=table,
            limit=", ".join(kinds),
            hint=near.strip(),
        )
    names = _names(kinds[table])
    rows = getattr(plan, table)
    return {
        ".".join(map(str, path)): [_value(row, path, numeric=numeric) for row in rows]
        for path, numeric in names
    }


def frame_of(columns: Mapping[str, Sequence[Any]], library: str | None) -> Any:
    """A DataFrame of pandas or polars, the first of them that is there; InputError without any."""
    for name in LIBRARIES if library is None else (library,):
        if name not in LIBRARIES:
            break
        try:
            return importlib.import_module(name).DataFrame(dict(columns))
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    raise InputError(
        f"A frame needs {library or 'pandas or polars'}, which is not here. Install pandas or "
        "polars, or use plan.columns(), which needs neither.",
        code="no_frames",
        value=library,
        limit=" or ".join(LIBRARIES),
        hint="use plan.columns()",
    )


Path = tuple[str | int, ...]


def _names(kind: type[BaseModel]) -> Iterator[tuple[Path, bool]]:
    """(path of a column, is it a number) of a record."""
    for name, info in kind.model_fields.items():
        types = set(_types(info.annotation))
        inner = next((t for t in types if _is_record(t)), None)
        if tuple in types and float in types:  # a few figures, like the ends of a band
            yield from (((name, n), True) for n in range(len(_tuple(info.annotation))))
        elif tuple in types:
            if inner is None:
                yield (name,), False
        elif inner is not None:
            yield from (((name, *path), numeric) for path, numeric in _names(inner))
        elif dict not in types:
            yield (name,), bool({Decimal, float} & types)


def _tuple(annotation: Any) -> tuple[Any, ...]:
    """The members of a tuple of fixed length, null beside it or not."""
    every = (annotation, *get_args(annotation))
    return next((get_args(kind) for kind in every if get_origin(kind) is tuple), ())


def _types(annotation: Any) -> Iterator[Any]:
    """The types that an annotation names, those in it too."""
    yield getattr(annotation, "__origin__", None) or annotation
    for inner in get_args(annotation):
        yield from _types(inner)


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _value(row: Any, path: Path, *, numeric: bool) -> Any:
    """A field as a number or a text; of a record that is not there, nothing."""
    value = row
    for name in path:
        if value is not None:
            value = value[name] if isinstance(name, int) else getattr(value, name)
    if numeric:
        return math.nan if value is None else float(value)
    if isinstance(value, tuple):
        return BETWEEN.join(map(str, value))
    return value.value if isinstance(value, Enum) else value
