"""A plan as people read it: one self-contained HTML file (`page`) and terminal tables (`terminal`).

In: a `plans.Plan`. Out: text. Nothing here composes a finding that the document does not hold;
headings count and compare what stands in it. To add an exhibit: a record and a function in a file
of `exhibits/`, which give the numbers; what only renders them is a section of `page/templates/` and
a file of `terminal/sections/`.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Controls (C0, DEL, C1), turns of direction, breaks of lines, and what no file can carry."""


def visible(text: str) -> str:
    r"""Text with each control and bidirectional character spelled out: shown and never obeyed.

    >>> visible("A\x1b[31m\u202eB")
    'A\\u001b[31m\\u202eB'
    """
    return HIDDEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
