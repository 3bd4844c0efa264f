"""Sentences whose every number is a fact: the only place where a number becomes words.

A sentence is a template and its facts, so that a test can put the numbers back and compare:

>>> s = say("{over:pp} over target, {name:text} stays", over=0.0183, name="AAPL")
>>> s.text, dict(s.facts)
('1.8 pp over target, AAPL stays', {'over': 0.0183, 'name': 'AAPL'})

Formats, by the rules of the reports (space before a unit is U+00A0, minus is U+2212):
`pct` weight as percent, `spct` signed percent, `pp` signed-less percentage points, `spp` signed
percentage points, `money` two decimals and thousands, `whole` whole units, `qty` all significant
digits, `days`, `years`, `count`, `points` 100 x score with two decimals, `spoints` signed, `one`
one decimal, `ratio` two decimals, `bps`, `date`, `text`. Of what is at most so much, rounded up and
never down: `points_up`, `money_up`, `whole_up`, `pct_up`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Any

from steelyard.canonical import SIGNIFICANT_DIGITS, FactValue, published

Fact = str | int | float | Decimal | date
"""What fills a field of a template; in a document decimals and dates are text."""

MINUS = "\u2212"
SPACE = "\u00a0"


def _signless(text: str) -> str:
    """`-0.0` is a rounding accident, not a number: it reads 0.0; a real minus is U+2212."""
    if text.startswith("-"):
        bare = text[1:]
        return bare if not any(c in "123456789" for c in bare) else MINUS + bare
    return text


def percent(weight: float, digits: int = 1) -> str:
    """Weight as a percentage without its sign: .1234 gives 12.3."""
    return _signless(f"{_published(100 * weight):.{digits}f}")


def signed(value: float, digits: int = 1, scale: float = 100) -> str:
    """A number that always carries its sign, except 0: .0183 gives +1.8."""
    text = f"{_published(scale * value):+.{digits}f}"
    sign, bare = (MINUS if text[0] == "-" else "+"), text[1:]
    return sign + bare if any(c in "123456789" for c in bare) else bare


def money(amount: Decimal | float, digits: int = 2) -> str:
    """Amount with thousands by comma."""
    return _signless(f"{amount:,.{digits}f}")


def quantity(amount: Decimal | float) -> str:
    """All significant digits, with thousands by comma, no exponent."""
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(float(amount)))
    whole, _, fraction = f"{exact:f}".partition(".")
    fraction = fraction.rstrip("0")
    text = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    if whole.startswith("-") and not text.startswith("-"):
        text = "-" + text
    return _signless(text)


def points(score: float, digits: int = 2) -> str:
    """Score as people read it: 100 x, without a sign unless negative."""
    return _signless(f"{_published(100 * score):.{digits}f}")


def upwards(amount: Decimal | float, digits: int, scale: int = 1) -> str:
    """Rounded up: what is at most .034 is at most .04, never at most .03."""
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(published(amount)))
    return money((scale * exact).quantize(Decimal(1).scaleb(-digits), ROUND_CEILING), digits)


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "pct": lambda v: f"{percent(v)}{SPACE}%",
    "spct": lambda v: f"{signed(v)}{SPACE}%",
    "pp": lambda v: f"{percent(v)}{SPACE}pp",
    "spp": lambda v: f"{signed(v)}{SPACE}pp",
    "money": money,
    "whole": lambda v: money(v, 0),
    "qty": quantity,
    "days": lambda v: f"{v:,d}{SPACE}day" + ("" if v == 1 else "s"),
    "years": lambda v: f"{v:.4g}{SPACE}year" + ("" if v == 1 else "s"),
    "count": lambda v: f"{v:,d}",
    "points": points,
    "spoints": lambda v: signed(v, 2),
    "one": lambda v: _signless(f"{v:.1f}"),
    "ratio": lambda v: _signless(f"{v:.2f}"),
    "points_up": lambda v: upwards(v, 2, 100),
    "money_up": lambda v: upwards(v, 2),
    "whole_up": lambda v: upwards(v, 0),
    "pct_up": lambda v: f"{upwards(v, 1, 100)}{SPACE}%",
    "bps": lambda v: f"{_signless(f'{10_000 * v:.1f}')}{SPACE}bps",
    "date": lambda v: f"{v.day}{SPACE}{v:%b}{SPACE}{v.year}",
    "text": lambda v: f"{v:f}" if isinstance(v, Decimal) else str(v),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template with `{name:format}` fields and the facts that fill them."""

    template: str
    facts: Mapping[str, Fact]

    @property
    def text(self) -> str:
        """The sentence as people read it."""
        return render(self.template, self.facts)


def say(template: str, **facts: Fact) -> Sentence:
    """A sentence; raises KeyError for a field without a fact or an unknown format."""
    sentence = Sentence(template, MappingProxyType(facts))
    render(template, facts)
    return sentence


def render(template: str, facts: Mapping[str, Fact]) -> str:
    """Fill each `{name:format}` of the template from `facts`."""
    return _filled(template, lambda name, _: _published(facts[name]))


def again(template: str, facts: Mapping[str, FactValue]) -> str:
    """The sentence of a document, from its template and its facts as JSON values.

    Raises ValueError for a template or fact that no sentence of ours has.
    """
    try:
        return _filled(template, lambda name, form: _restored(facts[name], form))
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def cased(text: str) -> str:
    """First letter upper case, a full stop at the end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def longer(sentence: Sentence, more: str, **facts: Fact) -> Sentence:
    """The sentence with more text and more facts."""
    return say(sentence.template + more, **sentence.facts, **facts)


def worded(sentence: Sentence) -> dict[str, Any]:
    """Text, template and facts of a sentence, as a record of the document holds them."""
    text = cased(sentence.text)
    return {"text": text, "template": sentence.template, "facts": facts_of(sentence)}


def facts_of(sentence: Sentence) -> dict[str, FactValue]:
    """The facts that its template asks for, as JSON values: decimals and dates are text."""
    asked = sorted(fields(sentence.template))
    return {name: _plain(sentence.facts[name]) for name in asked}


def _plain(fact: Fact) -> FactValue:
    if isinstance(fact, Decimal):
        return f"{fact:f}"
    if isinstance(fact, date):
        return fact.isoformat()
    return published(fact) if isinstance(fact, float) else fact


def fields(template: str) -> set[str]:
    """Names of the facts that a template asks for; raises ValueError for broken braces."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def renamed(sentence: Sentence, clashing: Collection[str]) -> Sentence:
    """The same sentence; a fact whose name clashes with another's has `own_` before it.

    >>> renamed(say("{n:count} of {m:count}", n=1, m=2), {"n"}).template
    '{own_n:count} of {m:count}'
    """
    if not clashing:
        return sentence
    names = {name: f"own_{name}" if name in clashing else name for name in sentence.facts}
    pieces = []
    for literal, name, form, _ in string.Formatter().parse(sentence.template):
        pieces.append(literal.replace("{", "{{").replace("}", "}}"))
        if name is not None:
            pieces.append(f"{{{names[name]}:{form or 'text'}}}")
    facts = {names[name]: fact for name, fact in sentence.facts.items()}
    return Sentence("".join(pieces), MappingProxyType(facts))


def _filled(template: str, fact: Callable[[str, str], Fact]) -> str:
    pieces: list[str] = []
    for literal, name, form, _ in string.Formatter().parse(template):
        pieces.append(literal)
        if name is not None:
            pieces.append(FORMATS[form or "text"](fact(name, form or "text")))
    return "".join(pieces)


def _published(fact: Fact) -> Fact:
    """A number as documents publish it: words and published fact then round alike."""
    return float(f"{fact:.{SIGNIFICANT_DIGITS}g}") if isinstance(fact, float) else fact


def _restored(fact: FactValue, form: str) -> Any:
    """A fact of a document as it was before it became JSON."""
    if isinstance(fact, str) and form != "text":
        return date.fromisoformat(fact) if form == "date" else Decimal(fact)
    return fact
