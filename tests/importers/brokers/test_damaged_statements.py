"""Statements and histories cut, recoded and changed: an error that names the file, or what it says.

Of the forms in `builders.statements`, which are more than one table of columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.statements import FORMS, answer, fixtures, importer, of_text
from steelyard.errors import SteelyardError
from steelyard.importers.reading import open_source
from steelyard.importers.statement import Source, Statement

NESTED = {".xml", ".ofx", ".qfx", ".json"}
"""Files that have an end."""
BYTES = b'0,;".-\n\t\xff\0<>{}9aZ/&:= '
NAMES = {
    ".json": r'"{name}":\s*(?:"[^"]*"|[-0-9.]+|null|true|false),?',
    ".xml": r'\s{name}="[^"]*"',
    ".ofx": r"<{name}>[^<\n]*(?:</{name}>)?",
    ".qfx": r"<{name}>[^<\n]*(?:</{name}>)?",
}
"""How a field of a name is written."""
FIELD = {
    ".json": r'"(\w+)":',
    ".xml": r'\s(\w+)="',
    ".ofx": r"<(\w+)>[^<\s]",
    ".qfx": r"<(\w+)>[^<\s]",
}


def faults(form: str, source: Source) -> list[str]:
    """What is wrong with an answer, if it is one; any other error than ours fails the test."""
    read = answer(form, source)
    if isinstance(read, SteelyardError):
        return [] if source.name in str(read) else [f"names no file: {read}"]
    numbers = [n for row in read.positions for n in (row.quantity, row.price, row.average_cost)]
    numbers += [row.amount for row in read.balances]
    wrong = [f"{n} is no number" for n in numbers if n is not None and not n.is_finite()]
    return wrong if read.rejected else wrong + read_otherwise(form, source, read)


def read_otherwise(form: str, source: Source, read: Statement) -> list[str]:
    """Positions and cash of a table that the csv module and Decimal read otherwise."""
    if form not in {"ibkr_activity", "ibkr_flex"} or not source.path.name.endswith(".csv"):
        return []
    if any(notice.code == "folded" for notice in read.guessed):
        return []  # what trades add up to stands in no row
    rows, line = dict[int, set[Decimal]](), 1
    lines = csv.reader(io.StringIO(source.text, newline=""))
    for cells in lines:
        rows[line] = set(decimals(cells))
        line = lines.line_num + 1
    wrong = [
        f"line {row.line}: {row.symbol} {row.quantity} at {row.price}"
        for row in read.positions
        if row.quantity not in rows[row.line]
    ]
    settled = [row for row in read.balances if row.settles is None]
    # the settled part may stand on a row of its own
    every = set[Decimal]().union(*rows.values())
    return wrong + [f"line {row.line}: {row.amount}" for row in settled if row.amount not in every]


def decimals(cells: list[str]) -> Iterator[Decimal]:
    """The numbers of a row, whatever stands around their digits."""
    for cell in cells:
        bare = re.sub(r"[\s$€£¥,'%+]", "", cell.replace("\u2212", "-"))
        negative = bare.startswith(("(", "-")) or bare.endswith("-")
        try:
            number = Decimal(bare.strip("()-"))
        except InvalidOperation:
            continue
        yield -number if negative else number


def test_a_file_cut_anywhere_is_an_error_or_an_answer_and_never_an_answer_where_it_has_an_end():
    wrong = {}
    for form, path in fixtures():
        source = open_source(path)
        lines = source.text.splitlines(keepends=True)
        for count in range(len(lines)):
            for tail in ("", lines[count][: len(lines[count]) // 2]):
                text = "".join(lines[:count]) + tail
                cut = of_text(source, text)
                problems = faults(form, cut)
                whole = text.strip() == source.text.strip()
                nested = path.suffix in NESTED and not whole
                ends = nested and isinstance(answer(form, cut), Statement)
                if problems or ends:
                    wrong[f"{path.name} line {count} {tail!r}"] = problems or "an answer"

    assert wrong == {}


def test_a_file_without_one_of_its_fields_is_an_error_or_read_without_it():
    wrong = {
        what: problems
        for what, form, source in without_fields()
        if (problems := faults(form, source))
    }

    assert wrong == {}


def without_fields() -> Iterator[tuple[str, str, Source]]:
    """Every file without one column, attribute, element or key, wherever it stands."""
    for form, path in fixtures():
        source = open_source(path)
        if path.suffix == ".csv":
            table = list(csv.reader(io.StringIO(source.text)))
            for place in range(max(map(len, table))):
                text = io.StringIO()
                csv.writer(text).writerows(row[:place] + row[place + 1 :] for row in table)
                yield f"{path.name} column {place}", form, of_text(source, text.getvalue())
            continue
        for name in sorted({*re.findall(FIELD[path.suffix], source.text)}):
            text = re.sub(NAMES[path.suffix].format(name=name), "", source.text)
            yield f"{path.name} {name}", form, of_text(source, text)


def test_another_encoding_says_the_same_or_is_refused(tmp_path: Path):
    different = []
    for form, path in fixtures():
        expected = answer(form, open_source(path))
        for encoding in ("utf-8-sig", "utf-16", "cp1252"):
            copy = tmp_path / path.name
            copy.write_bytes(open_source(path).text.encode(encoding))
            read = answer(form, open_source(copy))
            same = read == expected or str(read) == str(expected)
            # the header of OFX says how it is coded, and no header says UTF-16
            refused = form == "ofx" and encoding == "utf-16" and isinstance(read, SteelyardError)
            if not same and not refused:
                different.append((path.name, encoding, str(read)[:200]))

    assert different == []


def test_the_file_of_another_form_is_an_error_or_says_nothing():
    wrong = []
    for form, path in fixtures():
        source = open_source(path)
        assert [name for name in FORMS if importer(name).recognises(source)] == [form], path
        for other in FORMS:
            read = answer(other, source) if other != form else None
            if isinstance(read, Statement) and (read.positions or read.balances):
                wrong.append((path.name, other))

    assert wrong == []


@settings(max_examples=400)
@given(st.data())
def test_changed_bytes_are_an_error_or_read_as_they_stand(data: st.DataObject):
    check_changed_bytes(data)


@pytest.mark.nightly
@settings(max_examples=10_000)
@given(st.data())
def test_many_changed_bytes_are_an_error_or_read_as_they_stand(data: st.DataObject):
    check_changed_bytes(data)


def check_changed_bytes(data: st.DataObject) -> None:
    """Some bytes of some fixture, each changed to one that means something."""
    form, path = data.draw(st.sampled_from(fixtures()))
    source = open_source(path)
    content = bytearray(source.content)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from(BYTES))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    mutant = replace(source, content=bytes(content), text=text)

    importer(form).recognises(mutant)
    assert not faults(form, mutant)


@settings(max_examples=200)
@given(st.data())
def test_cells_of_any_text_are_an_error_or_read_as_they_stand(data: st.DataObject):
    tables = [(form, path) for form, path in fixtures() if path.suffix == ".csv"]
    form, path = data.draw(st.sampled_from(tables))
    source = open_source(path)
    table = [row for row in csv.reader(io.StringIO(source.text)) if row]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.sampled_from(table))
        place = data.draw(st.integers(0, len(row) - 1))
        row[place] = data.draw(
            st.sampled_from(["", "--", "0", "-1", "1,234", "1.234,5", "(5)", "1e400", "nan",
                             "9" * 50, "\u0663", "=1+2", "CASH", "Lot", "Summary", "USD", "GBX",
                             "\x00"])
            | st.text(max_size=12)
        )  # fmt: skip
    text = io.StringIO()
    csv.writer(text).writerows(table)

    assert not faults(form, of_text(source, text.getvalue()))
