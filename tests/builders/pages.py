"""A report read back: elements, tables and texts, by the standard library's parser."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from steelyard.plans.plan import Plan
from steelyard.report.page import render

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Element:
    """One element with what is in it; text is a child like any other."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Elements below, in order; `klass` is one of the classes."""
        klass = attributes.pop("klass", None)
        elements = []
        for child in self.children:
            if isinstance(child, Element):
                fits = (not tag or child.tag == tag) and (klass is None or klass in child.classes)
                if fits and all(
                    child.attributes.get(name) == value for name, value in attributes.items()
                ):
                    elements.append(child)
                elements += child.all(tag, **attributes, **({"klass": klass} if klass else {}))
        return elements

    def one(self, tag: str = "", **attributes: str) -> Element:
        elements = self.all(tag, **attributes)
        assert len(elements) == 1, f"{len(elements)} of {tag} {attributes}"
        return elements[0]

    def rows(self) -> list[list[str]]:
        """Texts of the cells of a table, row by row, without its head."""
        return [
            [
                cell.text.strip()
                for cell in row.children
                if isinstance(cell, Element) and cell.tag in {"td", "th"}
            ]
            for part in self.children
            if isinstance(part, Element) and part.tag in {"tbody", "tfoot"}
            for row in part.all("tr")
        ]

    def head(self) -> list[str]:
        return [cell.text.strip() for cell in self.one("thead").all("th")]


class Reader(HTMLParser):
    """Builds the tree and fails on what a browser would repair."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]
        self.count = 0

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        self.count += 1
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))
        self.count += 1

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read(html: str) -> Element:
    """The document; `count` of its elements stands in its attributes."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is not closed"
    reader.root.attributes["count"] = str(reader.count)
    return reader.root


@functools.cache
def html(make: Callable[[], Plan]) -> str:
    """The report of one of `plans.ALL`, rendered once."""
    return render(make())


@functools.cache
def page(make: Callable[[], Plan]) -> Element:
    """The same, read back; nobody changes it."""
    return read(html(make))
