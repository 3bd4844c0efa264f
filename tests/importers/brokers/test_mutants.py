"""Brokers' files cut, turned, recoded, changed and mixed up: an error, or what the file says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import exports
from steelyard.errors import SteelyardError
from steelyard.importers.statement import Source, Statement

FIXTURES = list(exports.fixtures())
CELLS = (
    *("", "--", "n/a", "0", "-1", "1,234", "1.234", "1.234,5", "1,234.5", "(5)", "5-", "5%", "$5"),
    *("€5", "USD 5", "GBX 5", "GBp 5", "5 EUR", "1e5", "1e400", "nan", "inf", "9" * 50, "\u0663"),
    *(
        "=1+2",
        "<b>x</b>",
        "\u202ex",
        "x\ny",
        'x"y',
        "Cash",
        "Total",
        "SPAXX**",
        "CASH:USD",
        "CASH:",
    ),
    *("AAPL 01/16/2026 250.00 C", "US0378331005", "Symbol", "Quantity", ",", ";", "5 CASH", "\x00"),
)


def faults(name: str, file: Source) -> list[str]:
    """What is wrong with the answer of a reader to a file."""
    answer = exports.read(name, file)
    if isinstance(answer, SteelyardError):
        return [] if file.name in str(answer) else [f"names no file: {answer}"]
    return exports.differences_of_mutant(name, file, answer)


def all_faults(mutants: Iterator[tuple[str, str, Source]]) -> dict[str, list[str]]:
    """What was done -> what is wrong, of all mutants."""
    return {what: wrong for what, name, file in mutants if (wrong := faults(name, file))}


def test_every_fixture_is_recognised_by_its_own_form_alone_and_read_as_it_stands():
    files = {path: exports.source(path) for _, path in FIXTURES}
    recognised = {
        path: [form.name for form in exports.FORMS if form.recognises(file)]
        for path, file in files.items()
    }
    statements = {path: exports.form(name).read(files[path]) for name, path in FIXTURES}
    different = {
        path: wrong
        for name, path in FIXTURES
        if (wrong := exports.differences(name, files[path], statements[path]))
    }

    assert recognised == {path: [name] for name, path in FIXTURES}
    assert not [
        path for path, s in statements.items() if not isinstance(s, Statement) or s.rejected
    ]
    assert different == {}


def test_a_file_cut_at_any_line_is_an_error_or_says_that_it_may_be_cut():
    whole = {path: exports.read(name, exports.source(path)) for name, path in FIXTURES}
    silent = []
    for what, name, path, file in cuts():
        assert not faults(name, file), what
        answer, full = exports.read(name, file), whole[path]
        # DEGIRO writes no end, and between two accounts of Schwab nothing is missing
        ended = name == "degiro" or last_line(file).startswith('"Account Total"')
        if ended or isinstance(answer, SteelyardError) or answer.rejected:
            continue
        assert isinstance(full, Statement)
        notices = {notice.code for notice in answer.guessed if notice.head}
        if len(answer.positions) < len(full.positions) and "may_be_cut" not in notices:
            silent.append(what)

    assert silent == []


def last_line(file: Source) -> str:
    """The last line that is not blank."""
    return file.text.strip().splitlines()[-1]


def cuts() -> Iterator[tuple[str, str, Path, Source]]:
    """Every fixture cut behind each of its lines, and in the middle of it."""
    for name, path in FIXTURES:
        lines = exports.source(path).text.splitlines(keepends=True)
        for count in range(len(lines)):
            half = lines[count][: len(lines[count]) // 2]
            for tail in ("", half):
                text = "".join(lines[:count]) + tail
                if text.strip():
                    yield (
                        f"{path.name} line {count} {tail!r}",
                        name,
                        path,
                        exports.source(path, text),
                    )


def test_a_file_without_one_of_its_columns_is_an_error_or_read_without_it():
    assert not all_faults(without_columns())


def without_columns() -> Iterator[tuple[str, str, Source]]:
    for name, path in FIXTURES:
        file = exports.source(path)
        sign = ";" if file.text.count(";") > file.text.count(",") else ","
        table = list(csv.reader(io.StringIO(file.text), delimiter=sign))
        for place in range(max(map(len, table))):
            text = io.StringIO()
            rows = (row[:place] + row[place + 1 :] if len(row) > 3 else row for row in table)
            csv.writer(text, delimiter=sign).writerows(rows)
            yield f"{path} column {place}", name, exports.source(path, text.getvalue())


def test_a_second_header_is_an_error():
    answers = {}
    for name, path in FIXTURES:
        file = exports.source(path)
        lines = file.text.splitlines(keepends=True)
        at = next(n for n, line in exports.rows(file).items() if exports.is_header(name, line))
        text = "".join([*lines[:at], lines[at - 1], *lines[at:]])
        answers[path] = str(exports.read(name, exports.source(path, text)))

    assert not {path: text for path, text in answers.items() if "second header" not in text}


def test_another_encoding_of_a_file_says_the_same(tmp_path: Path):
    different = []
    for name, path in FIXTURES:
        expected = exports.read(name, exports.source(path))
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
            copy = tmp_path / path.name
            copy.write_bytes(exports.source(path).text.encode(encoding))
            if exports.read(name, exports.source(copy)) != expected:
                different.append((path, encoding))

    assert different == []


def test_the_file_of_another_broker_is_an_error():
    answers = {
        (path, form.name): exports.read(form.name, exports.source(path))
        for name, path in FIXTURES
        for form in exports.FORMS
        if form.name in exports.COLUMNS and form.name != name
    }

    assert not {pair for pair, answer in answers.items() if isinstance(answer, Statement)}
    assert not {pair for pair, answer in answers.items() if "has no header of" not in str(answer)}


@settings(max_examples=400)
@given(st.data())
def test_a_changed_cell_is_an_error_or_read_as_it_stands(data: st.DataObject):
    name, path = data.draw(st.sampled_from(FIXTURES))
    file = exports.source(path)
    sign = ";" if file.text.count(";") > file.text.count(",") else ","
    table = list(csv.reader(io.StringIO(file.text), delimiter=sign))
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.sampled_from([row for row in table if row]))
        at = data.draw(st.integers(0, len(row) - 1))
        row[at] = data.draw(st.one_of(st.sampled_from(CELLS), st.text(max_size=12)))
    text = io.StringIO()
    csv.writer(text, delimiter=sign).writerows(table)

    assert not faults(name, exports.source(path, text.getvalue()))


@settings(max_examples=200)
@given(st.text(max_size=400), st.sampled_from(FIXTURES))
def test_any_text_behind_a_header_is_an_error_or_a_statement(text: str, fixture: tuple[str, Path]):
    name, path = fixture
    head = exports.source(path).text.splitlines(keepends=True)[:4]
    file = exports.source(path, "".join(head) + text)

    answer = exports.read(name, file)

    assert isinstance(answer, Statement | SteelyardError)
    assert {form.recognises(exports.source(path, text)) for form in exports.FORMS} <= {True, False}
