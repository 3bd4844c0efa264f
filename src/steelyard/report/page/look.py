"""What every page is made with: fonts, tokens and rules in one style sheet, templates, formats.

Numbers in, text out: every string of a document is untrusted, escaped, its controls spelled out.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from steelyard.report import visible
from steelyard.report.exhibits import words, worth
from steelyard.report.exhibits.scale import Scale
from steelyard.sentences import FORMATS, money, percent, points, quantity, signed

HERE = Path(__file__).parent
FONTS = (("Inter S", "inter-s.woff2"), ("Serif S", "serif-s.woff2"))
WEIGHTS = "400 600"
SHEETS = (HERE / "tokens.css", HERE / "templates" / "style.css")
"""Colours, and the rules of every page."""
SHORT = 16
"""Digits of a hash that are shown."""
DIGITS = 2


@cache
def style() -> Markup:
    """Fonts, tokens and rules as one style sheet."""
    faces = [
        f'@font-face{{font-family:"{name}";font-weight:{WEIGHTS};'
        f'src:url(data:font/woff2;base64,{_base64(file)}) format("woff2")}}'
        for name, file in FONTS
    ]
    sheets = [squeezed(file.read_text("utf-8")) for file in SHEETS]
    return Markup("\n".join([*faces, *sheets]))  # noqa: S704 our own files


def _base64(file: str) -> str:
    return base64.b64encode((HERE / "fonts" / file).read_bytes()).decode("ascii")


def squeezed(css: str) -> str:
    """A style sheet without comments and indentation."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return "\n".join(line.strip() for line in bare.splitlines() if line.strip())


@cache
def environment() -> Environment:
    """Jinja with escaping on, undefined names as errors, and our number formats as filters."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    env.filters |= {
        "money": money,
        "whole": lambda amount: money(amount, 0),
        "pct": percent,
        "pp": signed,
        "points": points,
        "on_scale": words.on_scale,
        "gained": worth.gained,
        "near": worth.near,
        "a_year": worth.amount,
        "signed_a_year": worth.signed_amount,
        "spoints": lambda score: signed(score, DIGITS),
        "qty": quantity,
        "price": words.price,
        "gain": words.signed_money,
        "rate": words.rate,
        "count": FORMATS["count"],
        "day": FORMATS["date"],
        "one": FORMATS["one"],
        "at": _place,
        "wide": _width,
        "short": lambda digest: digest[:SHORT],
        "words": words.plain_words,
        "sentence": words.sentence,
    }
    return env


def _finalize(value: Any) -> Any:
    """Spell out controls in every string that is printed; Markup is our own and stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _place(value: float, scale: Scale) -> str:
    """Position of a value on a scale as an attribute: `12.4%`."""
    return _percentage(scale.at(value))


def _width(ends: tuple[float, float], scale: Scale) -> str:
    """Distance between two values on a scale as an attribute."""
    return _percentage(scale.at(ends[1]) - scale.at(ends[0]))


def _percentage(position: float) -> str:
    return f"{position:.2f}".rstrip("0").rstrip(".") + "%"
