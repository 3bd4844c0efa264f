"""`steelyard import FILE`: what a file of holdings says and how it was read; our own form of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.options import (
    AccountName,
    ColumnsMapped,
    FormName,
    MappingFile,
    columns_of,
    default_mapping,
)
from steelyard.cli.output import FAILED, guarded, note, save, screen, writable, write, write_json

if TYPE_CHECKING:
    from steelyard.importers.mapping import ImportMapping
    from steelyard.importers.preview import Preview
    from steelyard.importers.registry import Forms
    from steelyard.importers.statement import Statement

OTHER = "Name another file."
UNREAD = "Nothing was read."
UNUSED = "Nothing is planned from it, and nothing was written."
FORM = "steelyard.statement/1"
LONGEST_LIST = 100
"""Characters of a list of symbols."""


def import_file(
    file: Annotated[
        Path | None, Argument(help="As a broker or a program wrote it.", metavar="[FILE]")
    ] = None,
    *,
    form: FormName = None,
    columns: ColumnsMapped = None,
    mapping: MappingFile = None,
    account: AccountName = None,
    out: Annotated[
        Path | None, Option(help="Write the holdings in our own form.", metavar="F.csv")
    ] = None,
    securities_out: Annotated[
        Path | None, Option(help="Write names, types, multipliers and ISINs.", metavar="F.csv")
    ] = None,
    save_mapping: Annotated[
        Path | None, Option(help="Write the columns and aliases that were used.", metavar="F.toml")
    ] = None,
    every: Annotated[bool, Option("--list", help="List the forms that are recognised.")] = False,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a file of holdings says and how it was read; write it in our own form.

    The exit code is 1 where lines of it are rejected: then nothing is written.
    """
    from steelyard.importers.preview import preview

    with guarded(nothing=UNREAD):
        if every:
            _list(as_json)
            return
        if file is None:
            raise typer.BadParameter("name a file, or --list.", param_hint="FILE")
        paths = {"holdings": out, "securities": securities_out, "mapping": save_mapping}
        _check(file, paths)
        named = columns_of(columns or ())
        statement, used = _read(file, form, named, mapping)
        judged = preview(statement, account, used.alias)
        statement = judged.statement
        if not as_json:
            _show(judged)
        if not statement.rejected:
            if out and not securities_out:
                _check_whole(statement)
            for text in _written(statement, used, paths):
                note(text)
        if as_json:  # last: a document of an error would be a second one
            write_json(document(judged))
        _refuse(file, statement)
        if not as_json:
            as_read: list[tuple[str, object]] = [("--holdings", file), ("--as", form)]
            as_read += [("--account", account), ("--mapping", save_mapping or mapping)]
            if not save_mapping:
                as_read += [("--map", f"{name}={column}") for name, column in named.items()]
            _next(judged, paths, as_read)


def _refuse(file: Path, statement: Statement) -> None:
    """End with 1 where lines are rejected."""
    count = len(statement.rejected)
    if count:
        note(f"{count} line{'' if count == 1 else 's'} of {file} cannot be used. {UNUSED}")
        raise typer.Exit(FAILED)


def _check(file: Path, paths: Mapping[str, Path | None]) -> None:
    """Raise InputError for a place that is not written to, before anything is read."""
    from steelyard.errors import InputError

    seen = [file.absolute()]
    for what, path in paths.items():
        if path is None:
            continue
        if path.absolute() in seen or (path.exists() and path.samefile(file)):
            raise InputError(
                f"The {what} would be written over {path}. Nothing was written. {OTHER}",
                code="same_file",
                place=str(path),
                hint=OTHER,
            )
        seen.append(path.absolute())
        writable(path, what, OTHER, done=UNREAD)


def _read(
    file: Path, form: str | None, columns: dict[str, str], mapping: Path | None
) -> tuple[Statement, ImportMapping]:
    """The statement of a file, and the mapping in use."""
    from steelyard.importers.files import read_statement
    from steelyard.importers.limits import limits_from
    from steelyard.importers.mapping import ImportMapping, read_mapping
    from steelyard.importers.reading import open_source

    source = open_source(file, limits_from(os.environ))
    path = mapping or default_mapping()
    used = read_mapping(path) if path else ImportMapping()
    statement = read_statement(source, form, columns, used.columns)
    return statement, replace(used, columns={**used.columns, **columns})


def document(preview: Preview) -> dict[str, Any]:
    """The statement as plain JSON values; numbers are texts, for they are exact."""
    from steelyard.importers.preview import summary, totals

    head = {"schema": FORM, "summary": summary(preview), **_plain(preview.statement)}
    return {**head, "totals": [_plain(row) for row in totals(preview.accounts)]}


def _plain(record: Any) -> dict[str, Any]:
    names = [name for name in _names(record) if not name.startswith("_")]
    return {name: _value(getattr(record, name)) for name in names}


def _names(record: Any) -> Iterable[str]:
    models = getattr(type(record), "model_fields", None)
    return models or [field.name for field in fields(record)]


def _value(value: Any) -> Any:
    from steelyard.canonical import plain

    if isinstance(value, Mapping):
        return {key: _value(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int) else _plain(value)


def _show(preview: Preview) -> None:
    from steelyard.cli.import_view import draw

    write(screen(lambda console: draw(preview, console)))


def _check_whole(statement: Statement) -> None:
    """Raise InputError where our own form alone would be worth something else."""
    from steelyard.errors import InputError, one_line
    from steelyard.importers.writing import needs_securities

    symbols = needs_securities(statement)
    if symbols:
        listed = one_line(", ".join(symbols), LONGEST_LIST)
        hint = "Give --securities-out F.csv too."
        raise InputError(
            f"Our own form of holdings has no product type and no multiplier, and {listed} would "
            f"be worth something else. Nothing was written. {hint}",
            code="needs_securities",
            place="--out",
            value=", ".join(symbols),
            hint=hint,
        )


def _written(
    statement: Statement, used: ImportMapping, paths: Mapping[str, Path | None]
) -> Iterable[str]:
    """Write what is asked for; says what was and what was not."""
    from steelyard.errors import InputError
    from steelyard.importers import writing

    texts = {
        "holdings": writing.holdings_text(statement),
        "securities": writing.securities_text(statement),
        "mapping": writing.mapping_text(used.columns, used.alias),
    }
    for what, path in paths.items():
        if path is None:
            continue
        if what == "mapping" and not (used.columns or used.alias):
            hint = "Use --map or --mapping with it."
            raise InputError(
                f"No column was mapped and no alias used, so there is no mapping to save. {hint}",
                code="no_mapping_used",
                place="--save-mapping",
                hint=hint,
            )
        if not texts[what]:
            yield f"{statement.file} says no more of its securities: {path} was not written."
            continue
        save(path, texts[what], what, OTHER)
        yield f"The {what} were written to {path}." if what != "mapping" else f"Mapping: {path}."


def _next(
    preview: Preview, paths: Mapping[str, Path | None], as_read: Sequence[tuple[str, object]]
) -> None:
    """What to type with what was read; `as_read` are the options of a file that is read again."""
    from steelyard.importers.preview import accounts_of, without_price
    from steelyard.report import visible

    statement = preview.statement
    options = list(as_read)
    if paths["holdings"]:  # what our own form has no column for
        rates = "RATES.csv" if statement.rates else None
        options = [("--holdings", paths["holdings"]), ("--as-of", statement.as_of)]
        options += [("--base", statement.base), ("--fx", rates)]
    accounts = accounts_of(statement)
    if len(accounts) > 1:
        options.append(("--account", next(name for name in accounts if name)))
    options.append(("--securities", paths["securities"]))
    if any(map(without_price, preview.accounts)):
        options.append(("--prices", "PRICES.csv"))
    options.append(("--targets", "TARGETS.csv"))
    typed = [f"{name} {shlex.quote(str(value))}" for name, value in options if value]
    command = " ".join(["steelyard plan", *typed])
    write(f"\n{visible(f'To plan with it: {command}')}\n")


def _list(as_json: bool) -> None:
    """Every form that can be named, and whose it is."""
    from steelyard.importers.registry import forms

    every = forms()
    rows = list(_listed(every))
    if as_json:
        write_json(rows)
    else:
        from steelyard.report.terminal.columns import Column, Row, table

        columns = (Column("Form"), Column("Files"), Column("From", drop=1), Column("Extra", drop=2))
        lines = [Row(tuple(row.values())) for row in rows]
        write(screen(lambda console: table(console, columns, lines)))
    for problem in every.problems:
        note(problem.message)


def _listed(every: Forms) -> Iterable[dict[str, str]]:
    from steelyard.importers.registry import BUILT_IN, WITHOUT_IMPORTER

    for name, title in WITHOUT_IMPORTER.items():
        yield {"name": name, "title": title, "source": BUILT_IN, "extra": ""}
    for name, form in every.by_name.items():
        importer = form.importer
        yield {
            "name": name,
            "title": importer.title,
            "source": form.source,
            "extra": importer.extra,
        }
