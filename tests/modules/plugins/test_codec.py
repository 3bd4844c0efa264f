"""Records travel by the hints of their fields, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.errors import ModuleError
from steelyard.modules.candidates import Candidate, Ruling
from steelyard.modules.plugins.codec import Reader, Writer
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.sentences import Fact, say

WHY = say(
    "{a:text} {b:count} {c:pct} {d:money} {e:date}",
    a="x", b=2, c=0.1, d=Decimal("1.50"), e=date(2026, 1, 2),
)  # fmt: skip


@dataclass(frozen=True)
class Fresh:
    """A record that the codec has never heard of."""

    side: Side
    word: Literal["a", "b"] | None
    facts: Mapping[str, Fact]
    pairs: tuple[tuple[str, int], ...]
    array: FloatArray
    ask: Callable[[int], float]
    blocks: Iterator[IntArray]


def travelled(hint, value):
    """A value after the way through the worker's pipe."""
    functions = []

    def keep(function, *_):
        functions.append(function)
        return len(functions) - 1

    writer = Writer(keep)
    plain = json.loads(json.dumps(writer.write(hint, value)))
    return Reader(lambda number, _: functions[number], writer.arrays).read(hint, plain)


def test_records_arrive_as_they_were():
    candidate = Candidate(Side.SELL, "A", (-0.1, np.float32(-0.25)), 1, WHY, ("x",))
    drops = {np.int64(1): Drop("r", None, 0.5, WHY)}
    ruling = Ruling(np.array([True, False]), drops, (("A", "age"),))

    assert travelled(list[Candidate], [candidate]) == [candidate]
    there = travelled(Ruling, ruling)
    assert (there.drops, there.unknown) == (ruling.drops, ruling.unknown)
    assert there.keep.tolist() == [True, False]


def test_a_new_record_needs_nothing_but_its_hints():
    blocks = [np.array([[1, 2]]), np.zeros((0, 2), dtype=np.int64)]
    fresh = Fresh(Side.BUY, None, {"a": 1}, (("x", 1),), np.array([1.0]), abs, iter(blocks))

    there = travelled(Fresh, fresh)

    assert (there.side, there.word, there.facts) == (Side.BUY, None, {"a": 1})
    assert there.pairs == (("x", 1),)
    assert there.array.tolist() == [1.0]
    assert there.ask(-2) == 2
    assert [block.tolist() for block in there.blocks] == [[[1, 2]], []]


def test_what_is_not_of_its_type_is_neither_written_nor_read():
    def candidate(**changes):
        fields = {"side": Side.BUY, "symbol": "A", "weights": (0.1,), "priority_weight": 1.0}
        return Candidate(**{**fields, "why": WHY, **changes})

    wrong = [
        (list[Candidate], [candidate(symbol=1)]), (list[Candidate], [candidate(weights="0.1")]),
        (list[Candidate], [candidate(weights=(True,))]),
        (list[Candidate], [candidate(why=say("{x:text}", x=True))]),
        (list[Candidate], [candidate(tags="tax")]), (list[Candidate], [candidate()] * 20_001),
        (FloatArray, np.array([1j])), (IntArray, np.array([0.5])), (Ruling, None),
    ]  # fmt: skip
    plain = Writer(lambda *_: 0).write(Candidate, candidate())
    forged = [
        {**plain, "symbol": 1}, {**plain, "symbol": "x" * 501}, {**plain, "side": "hold"},
        {**plain, "weights": 3}, {**plain, "weights": [None]}, {**plain, "why": []},
        {name: value for name, value in plain.items() if name != "why"}, [], None,
    ]  # fmt: skip
    passed = []
    for hint, value in wrong:
        try:
            passed.append(Writer(lambda *_: 0).write(hint, value))
        except ModuleError:
            continue
    for value in forged:
        try:
            passed.append(Reader().read(Candidate, value))
        except ModuleError:
            continue

    assert passed == []


def test_text_arrives_without_what_a_terminal_obeys():
    assert travelled(str, "a\x1b[2Jb\nc") == "a\ufffd[2Jb c"
