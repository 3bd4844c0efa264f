"""What every importer keeps, ours and that of the page on importers: see docs/importers.md."""

from __future__ import annotations

import contextlib
import io
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from builders.importers import MAPPED, files
from builders.importers import importers as ours
from steelyard.errors import SteelyardError
from steelyard.importers import values
from steelyard.importers.reading import open_source
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Source, Statement
from test_docs import fences

MUTANTS = 40
"""Of each file, with some bytes changed."""
LONGEST = 40
"""Characters of a cell that a message may repeat."""
MARK = "QX7" * 30
CELL = re.compile(r"[\w .,$%-]{3,}")
MOST_CELLS = 120
"""Cells of a file that are replaced by a long one."""
MOST_SECONDS = 2.0


def documented() -> tuple[Importer, str]:
    """The importer of the page, and its file."""
    code = next(fence.text for fence in fences("importers.md") if fence.name.endswith(".py"))
    table = next(fence.text for fence in fences("importers.md") if fence.name.endswith(".csv"))
    space: dict[str, object] = {}
    exec(code, space)
    importer = space["IMPORTER"]
    assert isinstance(importer, Importer)
    return importer, table


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, list[Source]]:
    """The files of every form, opened, by the name of the form."""
    path = tmp_path_factory.mktemp("harbour") / "harbour.csv"
    importer, table = documented()
    path.write_text(table, encoding="utf-8")
    own = {name: [open_source(path) for path in paths] for name, paths in files().items()}
    return own | {importer.name: [open_source(path)]}


@pytest.fixture(scope="module")
def importers() -> dict[str, Importer]:
    """Ours, and that of the page."""
    importer, _ = documented()
    return {**ours(), importer.name: importer}


def changed(source: Source, content: bytes) -> Source:
    """The source with another content, decoded as the reader does."""
    for encoding in ("utf-8-sig", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            return replace(source, content=content, text="" if "\0" in text else text)
    return replace(source, content=content, text="", encoding="")


def mutants(source: Source) -> Iterator[tuple[str, Source]]:
    """The file cut at every line, and with bytes changed."""
    lines = source.content.splitlines(keepends=True)
    for count in range(len(lines)):
        yield f"cut after {count} lines", changed(source, b"".join(lines[:count]))
    draw = random.Random(source.name)
    for number in range(MUTANTS):
        content = bytearray(source.content)
        for _ in range(draw.randint(1, 8)):
            content[draw.randrange(len(content))] = draw.choice(b'0,;".-\n\t\xff\0<{9aZ')
        yield f"mutant {number}", changed(source, bytes(content))


def read(importer: Importer, source: Source) -> Statement | SteelyardError:
    """What comes of it; any other error is raised."""
    try:
        return importer.read(source)
    except SteelyardError as error:
        return error


def wrong(statement: Statement) -> list[str]:
    """What a statement says that none may say."""
    assert isinstance(statement, Statement)
    problems = []
    for row in (*statement.positions, *statement.balances):
        for field in fields(row):
            value = getattr(row, field.name)
            if isinstance(value, Decimal) and not value.is_finite():
                problems.append(f"line {row.line}: {field.name} is {value}")
            if isinstance(value, float):
                problems.append(f"line {row.line}: {field.name} is a float")
    for row in statement.positions:
        try:
            same = values.symbol(row.symbol) == row.symbol
        except values.BadCell:
            same = False
        if not same:
            problems.append(f"line {row.line}: the symbol {row.symbol!r}")
        if row.price is not None and row.price < 0:
            problems.append(f"line {row.line}: the price {row.price}")
    dates = [row.acquired for row in statement.positions if row.acquired]
    return problems + [f"{day!r} is no date" for day in dates if type(day) is not date]


def messages(result: Statement | SteelyardError) -> list[str]:
    """Every sentence that comes of a file."""
    if isinstance(result, SteelyardError):
        return [str(result), result.fault.place, result.fault.hint]
    notices = [notice.message for notice in (*result.guessed, *result.warnings)]
    return [*notices, *map(str, result.rejected), *(row.what for row in result.passed)]


def test_every_importer_has_files_and_every_file_an_importer(importers, sources):
    assert sorted(importers) == sorted(sources)


def test_a_file_is_recognised_by_its_importer_and_by_no_other(importers, sources):
    wrongs = [
        f"{source.name} of {form} by {name}: {importer.recognises(source)}"
        for form, sheets in sources.items()
        for source in sheets
        for name, importer in importers.items()
        if MAPPED.name not in {form, name}
        if importer.recognises(source) is not (form == name)
    ]

    assert not wrongs, "\n".join(wrongs[:40])


def test_a_file_is_recognised_whatever_it_is_called(importers, sources):
    for form, sheets in sources.items():
        for source in sheets:
            named = replace(source, path=Path("/nowhere/x"))
            recognised = importers[form].recognises(named)
            assert recognised == importers[form].recognises(source), source.name


def test_what_is_cut_changed_or_of_another_gives_a_statement_or_an_error_of_ours(
    importers, sources
):
    problems = []
    for form, sheets in sources.items():
        for source in sheets:
            for what, mutant in [("as it is", source), *mutants(source)]:
                for name, importer in importers.items():
                    began = time.perf_counter()
                    try:
                        importer.recognises(mutant)
                        result = (
                            read(importer, mutant) if name == form or mutant is source else None
                        )
                    except Exception as error:  # noqa: BLE001 that is what is looked for
                        problems.append(f"{name}, {source.name}, {what}: {error!r}"[:300])
                        continue
                    if isinstance(result, Statement):
                        problems += [f"{name}, {source.name}, {what}: {p}" for p in wrong(result)]
                    if time.perf_counter() - began > MOST_SECONDS:
                        problems.append(f"{name}, {source.name}, {what}: over 2 s")

    assert not problems, "\n".join(problems[:40])


def test_an_importer_prints_nothing_and_opens_no_file(importers, sources):
    opened: list[str] = []
    active = [False]

    def hook(event: str, details: tuple[object, ...]) -> None:
        if active[0] and event in {"open", "os.listdir", "os.scandir", "socket.connect"}:
            opened.append(f"{event} {details[0]}")

    for rounds in range(2):  # what is imported on the first round is there on the second
        printed = io.StringIO()
        for form, sheets in sources.items():
            for source in sheets:
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    if rounds:
                        active[0] = True
                    read(importers[form], source)
                    active[0] = False
        if not rounds:
            sys.addaudithook(hook)

    assert (opened, printed.getvalue()) == ([], "")


def test_a_message_repeats_at_most_forty_characters_of_a_cell(importers, sources):
    problems = []
    for form, sheets in sources.items():
        for source in sheets:
            cells = list(CELL.finditer(source.text))
            step = max(1, len(cells) // MOST_CELLS)
            for cell in cells[::step]:
                text = source.text[: cell.start()] + MARK + source.text[cell.end() :]
                result = read(importers[form], changed(source, text.encode()))
                problems += [
                    f"{source.name}, {cell[0]!r}: {text[:200]}"
                    for text in messages(result)
                    if MARK[: LONGEST + 1] in text
                ]

    assert not problems, "\n".join(problems[:40])
