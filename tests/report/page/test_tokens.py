"""Colours: one file holds them, and each can be read on what it stands on."""

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest

import steelyard.report
from steelyard.report.page.look import HERE

REPORT = Path(steelyard.report.__file__).parent
HEX = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b")
TEXT = 4.5
MARK = 3.0
TEXTS = ("ink", "ink2", "ink3", "accent", "buy", "sell", "ok", "warn", "stop")
PAGES = ("paper", "surface", "sunken")
MARKS = ("proj", "cur", "gain", "loss", "bandline")
BADGES = ("accent", "buy", "sell", "ok", "warn", "stop")


def themes() -> dict[str, dict[str, str]]:
    """Name -> token -> colour, as a browser that picks that theme sees them."""
    css = (HERE / "tokens.css").read_text()
    light, preferred, chosen = re.findall(r":root[^{]*\{(.*?)\}", css, flags=re.DOTALL)
    bright, dark, chosen_dark = (
        dict(re.findall(r"--([\w-]+):\s*(#\w+);", block)) for block in (light, preferred, chosen)
    )
    assert dark == chosen_dark, "the two dark blocks differ"
    assert bright.keys() == dark.keys()
    return {"light": bright, "dark": dark}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG 2: from 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_is_that_of_wcag():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def faint(pairs: Iterable[tuple[str, str]], least: float) -> list[str]:
    """Each pair of colours that is told apart too badly, with its theme and contrast."""
    return [
        f"{theme}: {upper} on {lower} {contrast(tokens[upper], tokens[lower]):.2f}"
        for theme, tokens in themes().items()
        for upper, lower in pairs
        if contrast(tokens[upper], tokens[lower]) < least
    ]


def test_text_can_be_read_on_every_page_colour_and_balances_on_the_ladder():
    assert faint([*product(TEXTS, PAGES), ("ink2", "band")], TEXT) == []


def test_badges_notes_and_their_texts_can_be_read():
    own = [(name, f"{name}-bg") for name in BADGES]

    assert faint([*own, *(("ink2", background) for _, background in own)], TEXT) == []


def test_marks_that_carry_data_stand_out_on_page_and_band():
    assert faint(product(MARKS, ("paper", "surface", "band")), MARK) == []


def test_a_faint_pair_is_named():
    assert faint([("ink", "ink")], MARK) == ["light: ink on ink 1.00", "dark: ink on ink 1.00"]


def test_no_other_file_of_the_report_holds_a_colour():
    for file in sorted(REPORT.rglob("*")):
        if file.suffix in {".py", ".html", ".css"} and file.name != "tokens.css":
            assert not HEX.findall(file.read_text("utf-8")), file.name


def test_every_colour_that_is_used_exists_and_every_one_that_exists_may_be_used():
    css = (HERE / "templates" / "style.css").read_text()

    assert set(re.findall(r"var\(--([\w-]+)\)", css)) <= set(themes()["light"])


def test_the_dark_theme_is_for_screens_only():
    css = (HERE / "tokens.css").read_text()

    assert css.count("@media screen") == css.count("@media") == 2


def test_each_font_lies_beside_its_licence():
    fonts = HERE / "fonts"

    assert len(list(fonts.glob("*.woff2"))) == 2
    for font in sorted(fonts.glob("*.woff2")):
        licence = (fonts / f"{font.stem}.LICENSE.txt").read_text("utf-8")
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
        assert licence.startswith("Copyright")
