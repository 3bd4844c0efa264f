"""OFX as a tree: the parser of ofxtools, and the checks that it leaves out.

It passes over what is no tag and closes what was never opened; both are refused here by line, for
a tag that is lost is a figure that is lost.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from html import escape, unescape
from importlib import import_module
from io import BytesIO
from typing import Any

from steelyard.errors import InputError, LimitExceeded, one_line
from steelyard.importers.statement import Source
from steelyard.importers.values import NOTHING, shown

ROOT = b"<OFX>"
MARK = b"\xef\xbb\xbf"
HEADER_BYTES = 2000
"""Longest header: what stands before the root."""
MOST_BYTES = 32 * 1024 * 1024
"""Largest file that is parsed: its tree takes some ten times as much memory."""
MESSAGE_CHARACTERS = 50
CDATA = "<![CDATA["
CDATA_END = "]]>"
EMPTY = re.compile(r"<(MEMO|NAME|CHECKNUM|REFNUM|TICKER|FIID|RATING)>(\s*)(?=<(?!/\1>))")
"""Elements that banks write without a value and without an end."""
AGAIN = "Download the file again."


class Tree:
    """The elements of a file, with the lines on which those of some names begin."""

    def __init__(self, source: Source) -> None:
        """Raises InputError for a file that is not whole OFX, or without ofxtools."""
        self.file = source.name
        text, line = _body(source)
        self.root = _parsed(text, line, source.name)
        self._text, self._line = text, line

    def lines(self, names: Iterable[str]) -> dict[ET.Element, int]:
        """The line of each element of some names; none where text and tree do not agree."""
        tags = frozenset(names)
        elements = [element for element in self.root.iter() if element.tag in tags]
        lines, line, place = list[int](), self._line, 0
        for match in re.finditer(f"<(?:{'|'.join(sorted(tags))})>", self._text):
            line += self._text.count("\n", place, match.start())
            place = match.start()
            lines.append(line)
        return dict(zip(elements, lines, strict=True)) if len(lines) == len(elements) else {}


def text_of(element: ET.Element | None, path: str) -> str:
    """The text at a path, without blanks around it; empty where there is none."""
    return unescape(element.findtext(path) or "").strip() if element is not None else ""


def is_ofx(source: Source) -> bool:
    """The header of OFX, or its root element near the beginning."""
    head = source.content[: HEADER_BYTES + len(ROOT)]
    return b"OFXHEADER" in head or ROOT in head


def _ofxtools() -> tuple[Any, Any]:
    """The parsers of the body and of the header; InputError where ofxtools is not installed."""
    try:
        return import_module("ofxtools.Parser"), import_module("ofxtools.header")
    except ImportError as error:
        hint = "pip install 'ofxtools>=1.1,<2', or Steelyard with its extra [ofx]"
        raise InputError(
            f"OFX and QFX are read through ofxtools, which is not installed. {NOTHING} "
            f"Install it with {hint}.",
            code="missing_extra",
            value="ofxtools",
            hint=hint,
        ) from error


def _refused(file: str, reason: str, line: int = 0) -> InputError:
    place = f"{file} line {line}" if line else file
    return InputError(
        f"{place} is not whole OFX: {reason}. {NOTHING} {AGAIN}",
        code="bad_ofx",
        place=place,
        hint=AGAIN,
    )


def _body(source: Source) -> tuple[str, int]:
    """The root element decoded as the header says, and the line on which it begins."""
    content, file = source.content.removeprefix(MARK), source.name
    if len(content) > MOST_BYTES:
        size = f"{file} has {len(content):,} bytes; of OFX at most {MOST_BYTES:,} are read"
        hint = "Download a shorter period."
        raise LimitExceeded(f"{size}. {NOTHING} {hint}", place=file, value=len(content), hint=hint)
    if b"\0" in content:  # ofxtools passes over it, and a figure may have lost a digit there
        raise _refused(file, "a NUL byte, so it is no text")
    place = content.find(ROOT, 0, HEADER_BYTES + len(ROOT))
    if place < 0:
        raise _refused(file, f"no {ROOT.decode()} in its first {HEADER_BYTES:,} bytes")
    _, header = _ofxtools()
    try:
        kind, _ = header.parse_header(BytesIO(content[:place]))
        text = content[place:].decode(kind.codec)
    except (header.OFXHeaderError, ValueError, LookupError, TypeError) as error:
        raise _refused(file, one_line(str(error), MESSAGE_CHARACTERS)) from error
    return EMPTY.sub(r"\2", _without_cdata(text, file)), content.count(b"\n", 0, place) + 1


def _without_cdata(text: str, file: str) -> str:
    """CDATA as escaped text: the pattern of ofxtools takes several of a line for one."""
    before, *parts = text.split(CDATA)
    pieces = [before]
    for part in parts:
        inside, end, after = part.partition(CDATA_END)
        if not end:
            raise _refused(file, f"a {CDATA} has no {CDATA_END}")
        pieces += escape(inside, quote=False), after
    return "".join(pieces)


def _parsed(text: str, line: int, file: str) -> ET.Element:
    """The tree of a text whose tags are closed in order and with nothing else between them."""
    parser, _ = _ofxtools()
    builder = parser.TreeBuilder()
    _check_nesting(builder.regex, text, line, file)
    try:
        builder.feed(text)
        root = builder.close()
    except (SyntaxError, LookupError, AssertionError, ValueError) as error:
        raise _refused(file, one_line(str(error), MESSAGE_CHARACTERS)) from error
    if not isinstance(root, ET.Element):
        raise _refused(file, "it has no elements")
    return root


def _check_nesting(tags: re.Pattern[str], text: str, line: int, file: str) -> None:
    """Raise InputError for a tag that is not one, not closed, or closed out of order."""
    place, tag_stack = 0, list[str]()
    for match in tags.finditer(text):
        if text[place : match.start()].strip():
            break
        tag, value = match["tag"], (match["text"] or "").strip()
        if tag.startswith("/"):
            if not tag_stack or tag_stack[-1] != tag[1:]:
                break
            tag_stack.pop()
        elif not value and not match["closetag"]:
            tag_stack.append(tag)
        place = match.end() - len((match["tail"] or "").lstrip())
    rest = text[place:].strip()
    if rest:
        at = line + text.count("\n", 0, len(text) - len(text[place:].lstrip()))
        raise _refused(file, f"{shown(rest)} is no tag that belongs there", at)
    if tag_stack:
        raise _refused(file, f"it ends before {' and '.join(tag_stack[-2:])} do")
