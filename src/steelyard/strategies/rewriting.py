"""A value of a TOML text changed where it stands: comments, order and all other lines stay.

Only lines are touched: the line of a key that is there, else a line below the others of its table,
else a table at the end. What comes out is read again: where more than the one value is another,
or the value is not what was asked for, nothing is changed and the change is refused.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from steelyard.errors import InputError, SettingsError
from steelyard.strategies.files.problems import bare, dotted
from steelyard.strategies.files.reading import document
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.writing import toml

LINE = re.compile(
    r"""(?P<head>[^=]*=[ \t]*)(?P<value>"(?:\\.|[^"\\])*"|'[^']*'|\[[^\]#]*\]|[^\s#]+)"""
    r"(?P<gap>[ \t]*)(?P<comment>#.*)?"
)
Place = tuple[str, ...]


def with_value(text: str, key: str, value: object) -> str:
    """The text with a key of the house at a value; None takes the line out.

    key   as `settings` calls it: "limits.max_orders", "filters.eligibility.enabled"
    Raises InputError where the text has it in a form that no line can be changed in.

    >>> print(with_value("[limits]\\nmax_orders = 5  # few\\n", "limits.max_orders", 3), end="")
    [limits]
    max_orders = 3  # few
    """
    place = tuple(key.split("."))
    before = document(text, key)
    on = _at(before.values, place[:-1])
    if isinstance(on, bool) and place[-1] != ENABLED and value is not None:
        text = _as_table(text, place[:-1], on=on)
        before = document(text, key)
    switch = place[:-1] if place[-1] == ENABLED and place not in before.lines else place
    if isinstance(_at(before.values, switch), bool):
        place = switch  # `correlation_aware = false` in place of a table
    lines = text.split("\n")
    if place in before.lines:
        _change(lines, before.lines[place] - 1, place, value)
    elif value is not None:
        _insert(lines, before.lines, place, value)
    return _checked("\n".join(lines), before.values, place, value)


def _as_table(text: str, module: Place, *, on: bool) -> str:
    """The text with a module's switch, `diversity = false`, as a table of its own at the end."""
    before = document(text, dotted(module))
    if module not in before.lines:
        raise _refused(module)
    lines = text.split("\n")
    match = LINE.fullmatch(lines.pop(before.lines[module] - 1).rstrip("\r"))
    if match is None:
        raise _refused(module)
    comment = f"  {match['comment']}" if match["comment"] else ""
    while lines and not lines[-1].strip():
        lines.pop()
    lines += ["", f"[{dotted(module)}]", f"{ENABLED} = {toml(on)}{comment}", ""]
    target = copy.deepcopy(before.values)
    target[module[0]][module[1]] = {ENABLED: on}
    return _same("\n".join(lines), target, module)


def _change(lines: list[str], n: int, place: Place, value: object) -> None:
    """The line of a key with another value, its comment where it was; without it for None."""
    match = LINE.fullmatch(lines[n].rstrip("\r"))
    if match is None:
        raise _refused(place)
    if value is None:
        del lines[n]
        return
    setting = match["head"] + toml(value)
    column = match.start("comment")
    gap = " " * max(2, column - len(setting)) if match["comment"] else ""
    lines[n] = setting + gap + (match["comment"] or "")


def _insert(lines: list[str], places: Any, place: Place, value: object) -> None:
    """A line under the last of its table, or a table at the end."""
    table = place[:-1]
    own = [line for other, line in places.items() if other[:-1] == table and _is_under(lines, line)]
    setting = f"{bare(place[-1])} = {toml(value)}"
    header = places.get(table)
    if header is not None and lines[header - 1].lstrip().startswith("["):
        last = max([header, *(line for line in own if line > header)])
        following = [line for line in _headers(lines) if line > header]
        if following and last >= following[0]:
            last = header
        lines.insert(last, setting)
        return
    while lines and not lines[-1].strip():
        lines.pop()
    lines += (
        ["", f"[{dotted(table)}]", setting, ""] if lines else [f"[{dotted(table)}]", setting, ""]
    )


def _is_under(lines: list[str], line: int) -> bool:
    """Is it a line of a key, and not of a header?"""
    return not lines[line - 1].lstrip().startswith("[")


def _headers(lines: list[str]) -> list[int]:
    return [n for n, line in enumerate(lines, 1) if line.lstrip().startswith("[")]


def _checked(text: str, before: Any, place: Place, value: object) -> str:
    """The text, where it says what it said before and the one value; raises InputError."""
    target = copy.deepcopy(before)
    table = target
    for part in place[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise _refused(place)
    if value is None:
        table.pop(place[-1], None)
    else:
        table[place[-1]] = value
    return _same(text, target, place)


def _same(text: str, target: Any, place: Place) -> str:
    """The text, where it says what is wanted; raises InputError."""
    try:
        after = document(text, dotted(place)).values
    except SettingsError as error:
        raise _refused(place) from error
    if _bare(after) != _bare(target):
        raise _refused(place)
    return text


def _bare(values: Any) -> Any:
    """Without empty tables: a header alone says nothing."""
    if not isinstance(values, dict):
        return values
    inner = {key: _bare(value) for key, value in values.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _at(values: Any, place: Place) -> object:
    for part in place:
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _refused(place: Place) -> InputError:
    return InputError(
        f"{dotted(place)} stands in the text in a form that a field cannot change. Nothing was "
        "changed. Change it in the text: Edit as TOML.",
        code="setting_not_in_a_line",
        place=dotted(place),
        hint="edit it as TOML",
    )
