"""Every importer on files that nobody wrote: no traceback, no wait, and no number of its own.

A file of a fixture is changed at random: bytes, lines, cells, numbers, encoding. What comes of it
is an error of ours, or a statement whose every quantity, price and balance a second reader reads.
"""

from __future__ import annotations

import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import second_reader
from builders.importers import files, importers
from steelyard.errors import SteelyardError
from steelyard.importers.files import read_statement
from steelyard.importers.holdings import is_own, read_own
from steelyard.importers.reading import open_source
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Source, Statement

FEW, MANY = 1_800, 30_000
"""Inputs of all importers together: always, and at night."""
MOST_SECONDS = 2.0
LEAST_READ = 10
"""Changed files of each form that are still read, so that there is something to compare."""
NUMBER = re.compile(r"\d[\d.,]*")
OWN_FORM = """symbol,quantity,price,average_cost,acquired,currency,account,settles
AAA,10,12.5,11,2020-01-02,USD,one,
BBB,-2.25,250,,,GBp,one,
CCC,0,,,,USD,two,
CASH:USD,300.25,,,,,one,
CASH:EUR,-20,,,,,two,2026-01-05
"""
OWN = Importer(
    name="own", title="holdings", recognises=is_own, read=lambda source: read_own(source)[0]
)
INSERTED = (
    *(
        "0",
        ",",
        ";",
        '"',
        "\n",
        "\r",
        "\t",
        "-",
        "(",
        ")",
        "1e9",
        "\u00a0",
        "\u0663",
        "\u202e",
        "=",
    ),
    *("NaN", "1,234", "1.234,5", "CASH", "Total", "<", "{", "\x00", "9" * 20),
)

Change = Callable[[random.Random, str], str]


def flip(draw: random.Random, text: str) -> str:
    place = draw.randrange(len(text))
    return text[:place] + draw.choice(INSERTED) + text[place + draw.choice((0, 1, 1)) :]


def lines(draw: random.Random, text: str) -> str:
    rows = text.splitlines(keepends=True)
    here, there = draw.randrange(len(rows)), draw.randrange(len(rows))
    what = draw.choice(("swap", "double", "drop", "cut"))
    if what == "swap":
        rows[here], rows[there] = rows[there], rows[here]
    elif what == "double":
        rows.insert(there, rows[here])
    elif what == "drop":
        del rows[here]
    else:
        rows = rows[:here]
    return "".join(rows)


def cells(draw: random.Random, text: str) -> str:
    """Two pieces between separators change places."""
    pieces = re.split(r"([,;\t<>\"\n])", text)
    here, there = (draw.randrange(0, len(pieces), 2) for _ in range(2))
    pieces[here], pieces[there] = pieces[there], pieces[here]
    return "".join(pieces)


def scaled(draw: random.Random, text: str) -> str:
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return text
    match = draw.choice(numbers)
    written = draw.choice(
        ("0", f"-{match[0]}", f"{match[0]}0", f"1{match[0]}", f"0.0{match[0]}", "9" * 45, "")
    )
    return text[: match.start()] + written + text[match.end() :]


CHANGES: tuple[Change, ...] = (flip, lines, cells, scaled)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1")


def mutant(draw: random.Random, text: str) -> bytes:
    """The file after one or a few changes, in some encoding, now and then with a broken byte."""
    for _ in range(draw.choice((1, 1, 1, 2, 6))):
        text = draw.choice(CHANGES)(draw, text) if text else "\n"
    content = text.encode(draw.choice(ENCODINGS), errors="replace")
    if draw.random() < 0.1 and content:
        broken = bytearray(content)
        broken[draw.randrange(len(broken))] = draw.choice(b"\xff\xfe\x00\x80\x1f")
        content = bytes(broken)
    return content


def problems(form: str, importer: Importer, path: Path, content: bytes) -> tuple[list[str], bool]:
    """What is wrong with what comes of a file, and whether its numbers were read twice."""
    path.write_bytes(content)
    began = time.perf_counter()
    result: Statement | None = None
    source: Source | None = None
    wrong = []
    try:
        source = open_source(path)
        importer.recognises(source)
        result = importer.read(source)
    except SteelyardError as error:
        wrong += [f"names no file: {error}"] if path.name not in str(error) else []
    except Exception as error:  # noqa: BLE001 that is what is looked for
        wrong.append(f"{error!r}")
    if time.perf_counter() - began > MOST_SECONDS:
        wrong.append(f"takes {time.perf_counter() - began:.1f} s")
    if result is None or source is None:
        return wrong, False
    try:
        wrong += second_reader.differences(form, source, result)
    except Exception as error:  # noqa: BLE001 a file that the second reader cannot read
        wrong.append(f"is read, and the second reader says {error!r}")
    return wrong, bool(not result.rejected and (result.positions or result.balances))


def fuzz(folder: Path, count: int) -> tuple[list[str], Counter[str]]:
    """What is wrong over so many files, and how many of each form were read twice."""
    every, wrong, read = {**importers(), OWN.name: OWN}, [], Counter[str]()
    own = folder / "own_form.txt"
    own.write_text(OWN_FORM)
    sheets = {**files(), OWN.name: [own]}
    for form, paths in sheets.items():  # what is imported on first use is not counted as reading
        with contextlib.suppress(SteelyardError):
            every[form].read(open_source(paths[-1]))
    texts = {path: open_source(path).text for paths in sheets.values() for path in paths}
    draw = random.Random("importers")
    forms = sorted(sheets)
    for number in range(count):
        form = forms[number % len(forms)]
        path = draw.choice(sheets[form])
        content = mutant(draw, texts[path])
        # the second reader knows by its name how a file writes numbers
        faults, compared = problems(form, every[form], folder / path.name, content)
        wrong += [f"{form} {path.name} {number}: {text}" for text in faults]
        read[form] += compared
    return wrong, read


def test_no_change_of_a_file_makes_a_traceback_a_wait_or_a_number(tmp_path: Path):
    wrong, read = fuzz(tmp_path, FEW)

    assert not wrong, "\n".join(text[:300] for text in wrong[:60])
    assert read.keys() == {*importers(), OWN.name}
    assert min(read.values()) >= LEAST_READ, read


@pytest.mark.nightly
def test_no_change_of_a_file_makes_a_traceback_a_wait_or_a_number_at_night(tmp_path: Path):
    wrong, _ = fuzz(tmp_path, MANY)

    assert not wrong, "\n".join(text[:300] for text in wrong[:60])


@settings(max_examples=200)
@given(st.data())
def test_any_text_under_the_header_of_a_form_is_a_statement_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    form, paths = data.draw(st.sampled_from(sorted(files().items())))
    original = data.draw(st.sampled_from(paths))
    text = open_source(original).text
    head = "".join(text.splitlines(keepends=True)[: data.draw(st.integers(0, 12))])
    body = data.draw(
        st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1"))
    )
    path = tmp_path_factory.getbasetemp() / original.name

    content = (head + body).encode("utf-8", errors="replace")
    assert problems(form, importers()[form], path, content)[0] == []
    try:
        statement = read_statement(open_source(path))
    except SteelyardError:
        return
    assert all(isinstance(row.quantity, Decimal) for row in statement.positions)


def test_the_second_reader_sees_a_quantity_and_a_price_that_the_file_does_not_say():
    unseen = []
    for form, paths in files().items():
        for source in map(open_source, paths):
            try:
                statement = importers()[form].read(source)
            except SteelyardError:
                continue
            if not statement.positions or second_reader.differences(form, source, statement):
                continue
            first, *rest = statement.positions
            changes = {"quantity": first.quantity * 7919, "price": (first.price or 0) * 7919}
            for name, value in changes.items():
                if value:
                    row = replace(first, **{name: value})
                    wrong = replace(statement, positions=(row, *rest), rejected=())
                    if not second_reader.differences(form, source, wrong):
                        unseen.append(f"{source.name} of {form}: {name}")

    assert unseen == []
