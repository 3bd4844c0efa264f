"""Words and their numbers: every number that a sentence tells is a fact, every fact is a figure of
the document.

A fact has its figure by name where one is meant (`cost`, `turnover`, `shares`); any other must
stand in its sentence.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from steelyard.plans.verify.book import NO_APPETITE, SELL, UNRESTRICTED, ZERO, Book
from steelyard.plans.verify.form import DECIMAL
from steelyard.plans.verify.tally import NUMBER_SLACK, Record, Tally
from steelyard.sentences import FORMATS, SPACE

NUMBER = re.compile(rf"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w|-[A-Za-z])(?:{SPACE}[A-Za-z%]+)?")
"""A number in a sentence with its unit; one that is part of a name, as in S&P500 or 52-week, is
none.
"""
WORDS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)
PERCENT = 100
NOT_ZERO = frozenset("123456789")
LEAST_VISIBLE = Decimal("0.0005")
"""What reads 0.1 %."""
CASH = "Cash"
"""What the verdict calls the cash where a symbol could stand; no symbol has small letters."""
FILTER = "filter"
DERIVED_ELSEWHERE = {NO_APPETITE}
"""Rules whose number is not told in their sentence: it must be 0, which is held with the orders."""
GREEDY = "greedy"
PROPOSALS = "proposals"

Derived = Mapping[str, object]
"""Fact by name -> what it must be."""


def check_words(book: Book, tally: Tally) -> None:
    """The verdict, each step, and each reason why something is not traded."""
    doc, verdict = book.doc, book.doc["verdict"]
    tally.rule(
        "the verdict says what it is",
        "verdict.text",
        verdict["text"].lower().startswith(verdict["action"]),
        verdict["action"],
        verdict["text"],
    )
    check_told(
        "verdict",
        f"{verdict['text']} {verdict['detail']}",
        verdict["facts"],
        dict(_headline(book)),
        tally,
    )
    for n, step in enumerate(book.steps):
        where = f"steps[{n}]"
        tally.rule(
            "the narrative gives the reason",
            f"{where}.narrative",
            step["reason"] in step["narrative"],
            step["reason"],
            step["narrative"],
        )
        check_told(where, step["narrative"], step["facts"], dict(_order(book, step)), tally)
    for n, stop in enumerate(doc["not_traded"]):
        _stop(book, stop, f"not_traded[{n}]", tally)


def _headline(book: Book) -> Iterator[tuple[str, object]]:
    """Facts of the verdict and what they mean."""
    doc, steps = book.doc, book.steps
    count = len(steps)
    yield from {
        "trades": Decimal(count),
        "cost": doc["costs"]["total"],
        "currency": doc["base_currency"],
        "turnover": doc["turnover"],
    }.items()
    yield "count", WORDS[count] if count < len(WORDS) else str(count)
    yield "least", doc["score"]["min_improvement"]
    before, after = doc["drift"]["before"], doc["drift"]["after"]
    yield from {"before": None if before is None else PERCENT * before, "after": after}.items()
    # the greedy list is of the whole table: where the plan is the best of proposals, it is none of
    # them
    beyond = {UNRESTRICTED, GREEDY} if doc["certificate"]["scope"] == PROPOSALS else {UNRESTRICTED}
    others = [
        other["improvement"]
        for other in doc["alternatives"]
        if other["steps"] and other["name"] not in beyond
    ]
    yield "gain", doc["score"]["improvement"] if steps else max(others, default=None)
    yield from _moves(book)


def _moves(book: Book) -> Iterator[tuple[str, object]]:
    """What moves most, and what stays furthest from its target."""
    after = {row["symbol"]: row["weight"] for row in book.doc["holdings_after"]}
    facts = book.doc["verdict"]["facts"]
    if book.steps:
        most = max(step["notional_base"] for step in book.steps)
        moved = [step for step in book.steps if step["notional_base"] >= most * (1 - NUMBER_SLACK)]
        named = next((step for step in moved if step["symbol"] == facts.get("moved")), moved[0])
        yield from {
            "moved": named["symbol"],
            "from_weight": named["weight_before"],
            "to_weight": named["weight_after"],
        }.items()
    off = {
        symbol: abs(after.get(symbol, ZERO) - row["target"])
        for symbol, row in book.holdings.items()
        if row["target"] is not None
    }
    off |= {row["symbol"]: row["target"] for row in book.doc["drift"]["absent"]}
    if off:
        off[CASH] = abs(book.weight(book.cash_before + book.flow(book.steps)) - book.target_cash)
        largest = max(off.values())
        named = facts.get("furthest")
        furthest = (
            named
            if off.get(str(named), ZERO) >= largest - NUMBER_SLACK
            else max(off, key=lambda symbol: off[symbol])
        )
        yield from {"furthest": furthest, "off": largest}.items()


def _order(book: Book, step: Record) -> Iterator[tuple[str, object]]:
    """Facts of a step and what they mean."""
    holding = book.holdings.get(step["symbol"])
    yield from {
        "shares": step["quantity"],
        "symbol": step["symbol"],
        "currency": book.doc["base_currency"],
    }.items()
    yield from {"notional": step["notional_base"], "adds": step["adds"]}.items()
    yield from {
        "weight_before": step["weight_before"],
        "weight_after": step["weight_after"],
    }.items()
    if holding is not None:
        yield "target", holding["target"]
        if step["side"] == SELL:
            yield "held", holding["quantity"]


def _stop(book: Book, stop: Record, where: str, tally: Tally) -> None:
    """A number, its limit and the margin between them; one that stands alone is a fact of the
    sentence.
    """
    value, limit = stop["value"], stop["limit"]
    margin = None if value is None or limit is None else value - limit
    tally.number("margin = value - limit", f"{where}.margin", margin, stop["margin"])
    numbers = [number for number in map(_number, stop["facts"].values()) if number is not None]
    for name, figure in (("value", value), ("limit", limit)):
        if figure is not None and margin is None and stop["rule"] not in DERIVED_ELSEWHERE:
            close = any(abs(abs(number) - abs(figure)) <= NUMBER_SLACK for number in numbers)
            tally.rule(
                "a number that stands alone is told",
                f"{where}.{name}",
                close,
                "one of the facts",
                figure,
            )
    shares = _number(stop["facts"].get("shares"))
    if shares is not None:
        known = (stop["symbol"], stop["side"], shares) in book.table or _filtered_later(book, stop)
        tally.rule(
            "shares in words are those of a candidate",
            f"{where}.facts.shares",
            known,
            "quantity of a candidate",
            shares,
        )
    check_told(where, stop["reason"], stop["facts"], {}, tally)


def _filtered_later(book: Book, stop: Record) -> bool:
    """Did a filter stop an order of the same security and side? What was merged into it is told
    before filters of pairs speak.
    """
    return any(
        one["stage"] == FILTER and (one["symbol"], one["side"]) == (stop["symbol"], stop["side"])
        for one in book.doc["not_traded"]
    )


def check_told(where: str, text: str, facts: Record, derived: Derived, tally: Tally) -> None:
    """Each fact by its name, or by a number of the sentence that tells no other; each number of the
    sentence among the facts.
    """
    said = [found.replace(",", "") for found in NUMBER.findall(text)]
    written = {name: _written(str(fact), isinstance(fact, Decimal)) for name, fact in facts.items()}
    own = {
        name: _visible(number, written[name])
        for name, fact in facts.items()
        if (number := _number(fact)) is not None
    }
    taken: dict[int, str] = {}
    for name, fact in facts.items():
        at, number = f"{where}.facts.{name}", _number(fact)
        if name in derived:
            due = derived[name]
            if number is not None and isinstance(due, Decimal):
                tally.number("a fact is a figure of the plan", at, due, number)
            else:
                tally.same("a fact is a figure of the plan", at, due, fact)
        elif name in own:
            tally.rule(
                "a fact stands in its sentence",
                at,
                _place(name, said, own, taken, set()),
                "a number of its own in the sentence",
                fact,
            )
    known = frozenset[str]().union(*written.values())
    strange = sorted(set(said) - known)
    tally.rule(
        "numbers in words are facts", where, not strange, "only numbers that are facts", strange
    )


def _visible(number: Decimal, written: frozenset[str]) -> frozenset[str]:
    """Without the formats under which a number that can be seen as a percentage reads 0."""
    return (
        written
        if abs(number) < LEAST_VISIBLE
        else frozenset(told for told in written if set(told) & NOT_ZERO)
    )


def _place(
    name: str,
    said: Sequence[str],
    own: Mapping[str, frozenset[str]],
    taken: dict[int, str],
    seen: set[int],
) -> bool:
    """Give a fact a number of the sentence, moving others to another of theirs where that helps."""
    for k, number in enumerate(said):
        if k in seen or number not in own[name]:
            continue
        seen.add(k)
        if k not in taken or _place(taken[k], said, own, taken, seen):
            taken[k] = name
            return True
    return False


def _number(fact: object) -> Decimal | None:
    """A fact as a number: JSON numbers, and decimals as text."""
    if isinstance(fact, Decimal):
        return fact
    if isinstance(fact, str) and DECIMAL.fullmatch(fact):
        return Decimal(fact)
    return None


@lru_cache(maxsize=4096)
def _written(fact: str, is_number: bool) -> frozenset[str]:
    """Every number that the formats of sentences can make of a fact; `is_number` when JSON has it
    as a number.
    """
    things: list[Any] = [fact]
    number = Decimal(fact) if is_number else _number(fact)
    if number is not None:
        things += [
            number,
            float(number),
            *([int(number)] if number == number.to_integral_value() else []),
        ]
    else:
        with contextlib.suppress(ValueError):
            things.append(date.fromisoformat(fact))
    found: set[str] = set()
    for thing in things:
        for spell in FORMATS.values():
            # most formats are for another kind of fact
            with contextlib.suppress(ValueError, TypeError, AttributeError, ArithmeticError):
                found.update(told.replace(",", "") for told in NUMBER.findall(spell(thing)))
    return frozenset(found)
