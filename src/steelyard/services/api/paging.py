"""Long lists in pages: at most so many entries, and the place where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from steelyard.errors import InputError

Row = TypeVar("Row")
MOST = 500
USUAL = 100
LONGEST = 200
"""Characters of a place."""


class Page(BaseModel):
    """Query of a list; `after` is what `next` of the page before says."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST)] = USUAL
    after: Annotated[str | None, Field(max_length=LONGEST)] = None

    @property
    def place(self) -> str | None:
        """What the page before ended with; raises InputError for what none could have said."""
        return None if self.after is None else _read(self.after)


InQuery = Annotated[Page, Query()]


def place(*parts: str) -> str:
    """Where the next page begins, as one word; its parts have no line ends."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def _read(text: str) -> str:
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_place(text) from error


def bad_place(text: str | None) -> InputError:
    """The refusal of a place that no page ended with."""
    return InputError(
        "`after` is not what a page ended with. Nothing was read. Give `next` of the page before, "
        "or leave it out.",
        code="bad_page",
        place="after",
        value=text,
        hint="give `next` of the page before, or leave it out",
    )


def cut(rows: Sequence[Row], page: Page, key: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """(a page of rows, where the next one begins); a key is of one row, now and later."""
    first = 0
    if page.after is not None:
        before = page.place
        behind = (n for n, row in enumerate(rows, 1) if key(row) == before)
        first = next(behind, 0)
        if not first:
            raise bad_place(page.after)
    shown = list(rows[first : first + page.limit])
    more = first + len(shown) < len(rows)
    return shown, place(key(shown[-1])) if more else None
