"""One sheet for all pages: what a screen styles stays on that screen."""

from __future__ import annotations

import re
from pathlib import Path

from steelyard.report.page import look
from steelyard.web.assets import HERE

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SELECTORS = re.compile(r"([^{};]+)\{")
CLASSES = re.compile(r'class="([^"]*)"')
PRINTED = re.compile(r"\{[{%].*?[}%]\}")


def of_exhibits() -> set[str]:
    """Classes that the templates of the report's exhibits write."""
    files = (look.HERE / "templates").rglob("*.html")
    texts = [text for file in files for text in CLASSES.findall(file.read_text())]
    return {name for text in texts for name in PRINTED.sub(" ", text).split()}


def selectors(sheet: Path) -> list[str]:
    """Every selector of a sheet."""
    heads = SELECTORS.findall(COMMENT.sub("", sheet.read_text()))
    return [each.strip() for head in heads for each in head.split(",")]


def test_no_screen_styles_a_class_of_the_exhibits_everywhere() -> None:
    exhibits, wide = of_exhibits(), []
    assert {"sum", "name", "side"} <= exhibits
    for sheet in sorted((HERE / "screens").glob("*.css")):
        for selector in selectors(sheet):
            first = re.match(r"[a-z]*\.([\w-]+)", selector)
            if first and first[1] in exhibits:
                wide.append(f"{sheet.name}: {selector}")
    assert wide == []


def test_no_two_screens_style_one_bare_class() -> None:
    own: dict[str, set[str]] = {}
    for sheet in sorted((HERE / "screens").glob("*.css")):
        for selector in selectors(sheet):
            if re.fullmatch(r"\.[\w-]+", selector):
                own.setdefault(selector, set()).add(sheet.name)
    assert {name: sheets for name, sheets in own.items() if len(sheets) > 1} == {}
